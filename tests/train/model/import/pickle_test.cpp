#include "train/model/import/pickle.h"

#include <doctest/doctest.h>

#include "core/error.h"

using namespace twinage;

namespace {

std::map<std::string, PickledTensor> read(const std::string& pickle) {
  return read_pickled_tensors(std::as_bytes(std::span(pickle)), "file");
}
std::string refusal(const std::string& pickle) {
  try {
    read(pickle);
  } catch (const Error& error) {
    return error.what();
  }
  return "(read)";
}
bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// Pieces of pickles, as CPython's pickletools names them.
const std::string kProto = "\x80\x02", kMark = "(", kStop = ".", kTuple = "t", kReduce = "R";
std::string number(int value) {
  std::string text = "J";
  for (int i = 0; i < 4; ++i) text += static_cast<char>(value >> 8 * i & 0xFF);
  return text;
}
std::string word(const std::string& text) {
  return std::string("X") + static_cast<char>(text.size()) + std::string(3, '\0') + text;
}
std::string global(const std::string& module, const std::string& name) {
  return "c" + module + "\n" + name + "\n";
}
std::string extents(const std::vector<int>& numbers) {
  std::string text = kMark;
  for (const int n : numbers) text += number(n);
  return text + kTuple;
}
std::string storage(const std::string& type, int numbers) {
  return kMark + word("storage") + global("torch", type) + word("0") + word("cpu") +
         number(numbers) + kTuple + "Q";
}
std::string tensor(int numbers, int offset, const std::vector<int>& sizes,
                   const std::vector<int>& strides, const std::string& type = "FloatStorage") {
  return global("torch._utils", "_rebuild_tensor_v2") + kMark + storage(type, numbers) +
         number(offset) + extents(sizes) + extents(strides) + "\x89" +
         global("collections", "OrderedDict") + ")" + kReduce + kTuple + kReduce;
}
std::string dictionary(const std::string& entries) {
  return kProto + "}" + kMark + entries + "u" + kStop;
}

}  // namespace

TEST_CASE("pickle: a dictionary of tensors is read, and what is no tensor is passed over") {
  const auto tensors =
      read(dictionary(word("a") + tensor(12, 2, {2, 3}, {4, 1}) + word("epoch") + number(3) +
                      word("b") + tensor(5, 0, {}, {}, "LongStorage")));
  REQUIRE(tensors.size() == 2);
  const PickledTensor& a = tensors.at("a");
  CHECK(a.type == DType::f32);
  CHECK(a.key == "0");
  CHECK(a.numbers == 12);
  CHECK(a.offset == 2);
  CHECK(a.sizes == std::vector<Index>{2, 3});
  CHECK(a.strides == std::vector<Index>{4, 1});
  CHECK(a.count() == 6);
  CHECK(tensors.at("b").type == DType::i64);
  CHECK(tensors.at("b").count() == 1);
}

TEST_CASE("pickle: whatever a file wants to call is named, and not called") {
  const std::string posix =
      kProto + global("posix", "system") + kMark + word("touch pwned") + kTuple + kReduce + kStop;
  CHECK(has(refusal(posix), "it wants posix.system"));
  CHECK(has(refusal(posix), "Nothing of it was run"));
  CHECK(has(refusal(kProto + global("builtins", "eval") + kStop), "builtins.eval"));
  CHECK(has(refusal(kProto + global("torch", "load") + kStop), "torch.load"));
  CHECK(has(refusal(kProto + global("torch._utils", "_rebuild_qtensor") + kStop),
            "_rebuild_qtensor"));
  CHECK(has(refusal(kProto + word("posix") + word("system") + "\x93" + kStop), "posix.system"));
  // Instances and extensions, which need no name of a function, have no place at all.
  for (const char instruction : {'i', 'o', '\x81', '\x92', '\x82', 'P', 'B', 'S'})
    CHECK(has(refusal(kProto + instruction + kStop), "has no place in a file of weights"));
  // An argument that is no function's.
  CHECK(has(refusal(kProto + word("posix") + ")" + kReduce + kStop), "expected a function"));
}

TEST_CASE("pickle: a tensor lies within its storage, whatever the extents multiply to") {
  const auto of = [](int numbers, int offset, const std::vector<int>& sizes,
                     const std::vector<int>& strides) {
    return refusal(dictionary(word("a") + tensor(numbers, offset, sizes, strides)));
  };
  CHECK(of(6, 0, {2, 3}, {3, 1}) == "(read)");
  CHECK(has(of(5, 0, {2, 3}, {3, 1}), "beyond its storage"));
  CHECK(has(of(6, 1, {2, 3}, {3, 1}), "beyond its storage"));
  CHECK(has(of(6, 7, {0}, {1}), "beyond its storage"));
  CHECK(has(of(6, -1, {2}, {1}), "beyond its storage"));
  CHECK(of(6, 5, {1}, {1000}) == "(read)");  // the stride of one is never walked
  CHECK(of(6, 6, {0, 3}, {3, 1}) == "(read)");
  CHECK(has(of(6, 6, {1}, {1}), "beyond its storage"));
  CHECK(has(of(6, 0, {2}, {2147483647}), "beyond its storage"));
  CHECK(has(of(6, 0, {2147483647, 2147483647, 2147483647}, {0, 0, 0}), "beyond its storage"));
  CHECK(has(of(6, 0, {2, -3}, {3, 1}), "negative extent"));
  CHECK(has(of(6, 0, {2, 3}, {3}), "sizes without strides"));
  CHECK(has(of(-6, 0, {2}, {1}), "less than nothing"));
}

TEST_CASE("pickle: wherever it is cut off, that is said") {
  const std::string whole = dictionary(word("a") + tensor(12, 2, {2, 3}, {4, 1}));
  CHECK(refusal(whole) == "(read)");
  for (std::size_t length = 0; length < whole.size(); ++length)
    CHECK(has(refusal(whole.substr(0, length)), "file"));
}

TEST_CASE("pickle: the stack, the memory and the numbers make sense or are refused") {
  CHECK(has(refusal(kStop), "empty stack"));
  CHECK(has(refusal("t"), "no mark"));
  CHECK(has(refusal(std::string("h\x05", 2)), "never remembered"));
  CHECK(has(refusal("q"), "cut off"));
  CHECK(has(refusal(std::string("q\x01", 2)), "empty stack"));
  CHECK(has(refusal("\x80\x09"), "protocol"));
  CHECK(has(refusal("}(X"), "cut off"));
  CHECK(has(refusal(kProto + "}" + kMark + number(1) + "u" + kStop), "a key without a value"));
  CHECK(has(refusal(kProto + "]" + number(1) + "s" + kStop), "empty stack"));
  CHECK(has(refusal(kProto + "\x8a\x09"), "beyond 64 bits"));
  CHECK(has(refusal(dictionary("")), "no dictionary of tensors"));
  CHECK(has(refusal(kProto + "N" + kStop), "no dictionary of tensors"));
  // A million empty lists are more than any network needs.
  CHECK(has(refusal(kProto + std::string(1 << 21, ']') + kStop), "more values"));
}

TEST_CASE("pickle: every instruction that protocols 2 to 4 write weights with is understood") {
  using namespace std::string_literals;
  const auto brief = [](const std::string& text) {
    return "\x8c"s + static_cast<char>(text.size()) + text;
  };
  // The tensor's parts by other instructions: names from the stack, numbers of one and two bytes
  // and of any length, tuples of one and two, and what was remembered in each way.
  const std::string storage_of_12 = "("s + brief("storage") + "\x94" + brief("torch") +
                                    brief("DoubleStorage") + "\x93" + brief("7") + brief("cpu") +
                                    "K\x0c" + "tQ" + "r\x00\x01\x00\x00"s;
  const std::string whole =
      "\x80\x04\x95\0\0\0\0\0\0\0\0}"s +  // a frame
      brief("list") + "]" + "K\x01" + "a" + "(" + "M\x2c\x01" + "G\0\0\0\0\0\0\0\0"s + "e" + "s" +
      brief("nothing") + "N" + "0" + "\x88" + "s" +  // None is taken back, True stands for it
      "X\x01\0\0\0a"s + "q\x05" + global("torch._utils", "_rebuild_tensor_v2") + "(" +
      storage_of_12 + "\x8a\x01\x02" + "K\x02" + "K\x03" + "\x86" + "\x8a\x02\x04\x00"s + "K\x01" +
      "\x86" + "\x89" + global("collections", "OrderedDict") + ")R" + "tR" + "s" +
      "\x8d\x01\0\0\0\0\0\0\0b"s + global("torch._utils", "_rebuild_tensor_v2") + "(" +
      "j\x00\x01\x00\x00"s + "K\0"s + "K\x05" + "\x85" + "K\x01" + "\x85" + "\x89" + "N" + "tR" +
      "s" + brief("word again") + "h\x05" + "s" + "h\x01" + "0" + ".";
  const auto tensors = read(whole);
  REQUIRE(tensors.size() == 2);
  const PickledTensor& a = tensors.at("a");
  CHECK(a.type == DType::f64);
  CHECK(a.key == "7");
  CHECK(a.offset == 2);
  CHECK(a.sizes == std::vector<Index>{2, 3});
  CHECK(a.strides == std::vector<Index>{4, 1});
  CHECK(tensors.at("b").sizes == std::vector<Index>{5});
  // A parameter is its tensor; a state of an ordered dictionary (its _metadata) is passed over.
  const auto parameter =
      read(dictionary(word("p") + global("torch._utils", "_rebuild_parameter") + kMark +
                      tensor(6, 0, {6}, {1}) + "\x89" + "}" + kTuple + kReduce));
  CHECK(parameter.at("p").sizes == std::vector<Index>{6});
  const std::string with_state = kProto + global("collections", "OrderedDict") + ")" + kReduce +
                                 kMark + word("a") + tensor(6, 0, {6}, {1}) + "u" + "}" + "b" +
                                 kStop;
  CHECK(read(with_state).size() == 1);
  // Negative numbers of any length: -1 is no offset.
  CHECK(has(refusal(dictionary(word("a") + global("torch._utils", "_rebuild_tensor_v2") + kMark +
                               storage("FloatStorage", 5) + "\x8a\x01\xff" + extents({1}) +
                               extents({1}) + "\x89" + "N" + kTuple + kReduce)),
            "beyond its storage"));
}

TEST_CASE("pickle: a list that holds itself is no trap") {
  // ] q0 h0 a: a list whose only item is that list; a million more around it are no deep end.
  CHECK(has(refusal(std::string("]q\0h\0a.", 7)), "no dictionary of tensors"));
  std::string deep = "]";
  for (int i = 0; i < 100000; ++i) deep += "\x85";  // a tuple of what there is
  CHECK(has(refusal(deep + kStop), "no dictionary of tensors"));
}
