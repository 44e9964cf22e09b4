#include "train/model/import/pickle.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <deque>
#include <string_view>
#include <utility>

#include "core/error.h"
#include "train/model/import/pickle_values.h"

namespace twinage {

using namespace pickle;

namespace {

constexpr std::size_t kMostValues = 1 << 20;  // some 30 for each tensor

class Machine {
 public:
  Machine(std::span<const std::byte> program, const std::string& source)
      : program_(program), source_(source) {}

  Ref run() {
    for (;;) {
      const auto instruction = static_cast<char>(byte());
      if (instruction == '.') return pop();
      if (!run_number(instruction) && !run_text(instruction) && !run_container(instruction) &&
          !run_stack(instruction) && !run_object(instruction))
        wrong(fmt::format("instruction 0x{:02x} has no place in a file of weights",
                          static_cast<unsigned char>(instruction)));
    }
  }

 private:
  [[noreturn]] void wrong(const std::string& what) const {
    fail("[weights] {}: its pickle, at byte {}: {}", source_, at_, what);
  }

  // Values live as long as the machine, so that one may hold itself, and one within one within one,
  // a million deep, ends without a deep end.
  template <class T>
  Ref make(T value) {
    if (values_.size() == kMostValues) wrong("more values than the tensors of a network need");
    return &values_.emplace_back(Value{std::move(value)});
  }

  // Reading.
  std::span<const std::byte> take(std::uint64_t count) {
    if (count > program_.size() - at_) wrong("cut off");
    const auto bytes = program_.subspan(at_, static_cast<std::size_t>(count));
    at_ += static_cast<std::size_t>(count);
    return bytes;
  }
  unsigned byte() { return std::to_integer<unsigned>(take(1)[0]); }
  template <class T>
  T little_endian() {
    static_assert(std::endian::native == std::endian::little);
    T value;
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }
  std::string text(std::uint64_t length) {
    const auto bytes = take(length);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  std::string line() {
    std::string word;
    for (unsigned c = byte(); c != '\n'; c = byte()) word += static_cast<char>(c);
    return word;
  }

  // The stack.
  void push(Ref value) { stack_.push_back(value); }
  Ref pop() {
    if (stack_.empty()) wrong("takes from an empty stack");
    const Ref value = stack_.back();
    stack_.pop_back();
    return value;
  }
  Ref top() const {
    if (stack_.empty()) wrong("looks at an empty stack");
    return stack_.back();
  }
  template <class T>
  T& as(Ref value, const char* what) const {
    if (auto* found = std::get_if<T>(&value->is)) return *found;
    wrong(fmt::format("expected {}", what));
  }
  // What was pushed since the last mark, which goes as well.
  Items pop_to_mark() {
    for (std::size_t i = stack_.size(); i > 0; --i) {
      if (!std::holds_alternative<Mark>(stack_[i - 1]->is)) continue;
      Items items(stack_.begin() + static_cast<std::ptrdiff_t>(i), stack_.end());
      stack_.resize(i - 1);
      return items;
    }
    wrong("no mark");
  }
  void remember(std::uint64_t place) { memory_[place] = top(); }
  void recall(std::uint64_t place) {
    const auto found = memory_.find(place);
    if (found == memory_.end()) wrong("recalls what it never remembered");
    push(found->second);
  }
  void add_entries(const Items& items) {
    if (items.size() % 2 != 0) wrong("a key without a value");
    auto& dictionary = as<Dictionary>(top(), "a dictionary");
    for (std::size_t i = 0; i < items.size(); i += 2)
      dictionary.entries.emplace_back(items[i], items[i + 1]);
  }

  // Instructions; false: it is none of these.
  bool run_number(char instruction) {
    switch (instruction) {
      case 'N':
        push(make(None{}));
        return true;
      case '\x88':
      case '\x89':
        push(make(instruction == '\x88'));
        return true;
      case 'J':
        push(make(std::int64_t{little_endian<std::int32_t>()}));
        return true;
      case 'K':
        push(make(std::int64_t{byte()}));
        return true;
      case 'M':
        push(make(std::int64_t{little_endian<std::uint16_t>()}));
        return true;
      case '\x8a':
        push(make(long_number()));
        return true;
      case 'G':
        take(8);  // big-endian, and nothing here needs one
        push(make(0.0));
        return true;
      default:
        return false;
    }
  }
  std::int64_t long_number() {
    const unsigned length = byte();
    if (length > 8) wrong("a number beyond 64 bits");
    std::uint64_t value = 0;
    const auto bytes = take(length);
    for (unsigned i = 0; i < length; ++i)
      value |= std::to_integer<std::uint64_t>(bytes[i]) << 8 * i;
    const bool negative = length > 0 && (value >> (8 * length - 1) & 1) != 0;
    if (negative && length < 8) value |= ~std::uint64_t{0} << 8 * length;
    return static_cast<std::int64_t>(value);
  }

  bool run_text(char instruction) {
    switch (instruction) {
      case 'X':
        push(make(text(little_endian<std::uint32_t>())));
        return true;
      case '\x8c':
        push(make(text(byte())));
        return true;
      case '\x8d':
        push(make(text(little_endian<std::uint64_t>())));
        return true;
      default:
        return false;
    }
  }

  bool run_container(char instruction) {
    switch (instruction) {
      case '}':
        push(make(Dictionary{}));
        return true;
      case ']':
        push(make(List{}));
        return true;
      case ')':
        push(make(Tuple{}));
        return true;
      case 't':
        push(make(Tuple{pop_to_mark()}));
        return true;
      case '\x85':
      case '\x86':
      case '\x87': {
        Items items(static_cast<std::size_t>(static_cast<unsigned char>(instruction) - 0x84));
        for (auto item = items.rbegin(); item != items.rend(); ++item) *item = pop();
        push(make(Tuple{std::move(items)}));
        return true;
      }
      case 's': {
        const Ref value = pop(), key = pop();
        add_entries({key, value});
        return true;
      }
      case 'u':
        add_entries(pop_to_mark());
        return true;
      case 'a': {
        const Ref item = pop();
        as<List>(top(), "a list").items.push_back(item);
        return true;
      }
      case 'e': {
        Items items = pop_to_mark();
        auto& list = as<List>(top(), "a list").items;
        list.insert(list.end(), items.begin(), items.end());
        return true;
      }
      default:
        return false;
    }
  }

  bool run_stack(char instruction) {
    switch (instruction) {
      case '\x80':
        if (byte() > 5) wrong("a protocol beyond 5");
        return true;
      case '\x95':
        take(8);  // a frame's length: only a reader from a pipe needs it
        return true;
      case '(':
        push(make(Mark{}));
        return true;
      case '0':
        pop();
        return true;
      case 'q':
        remember(byte());
        return true;
      case 'r':
        remember(little_endian<std::uint32_t>());
        return true;
      case '\x94':
        remember(memory_.size());
        return true;
      case 'h':
        recall(byte());
        return true;
      case 'j':
        recall(little_endian<std::uint32_t>());
        return true;
      default:
        return false;
    }
  }

  // What would make objects or call functions in Python.
  bool run_object(char instruction) {
    switch (instruction) {
      case 'c': {
        std::string module = line();
        name(std::move(module), line());
        return true;
      }
      case '\x93': {
        const Ref what = pop(), where = pop();
        name(as<std::string>(where, "a module"), as<std::string>(what, "a name"));
        return true;
      }
      case 'Q':
        push(make(storage_of(pop())));
        return true;
      case 'R': {
        const Ref arguments = pop(), function = pop();
        push(build(as<Named>(function, "a function"), as<Tuple>(arguments, "arguments").items));
        return true;
      }
      case 'b':  // a state for an object: an ordered dictionary's attributes, such as _metadata
        pop();
        as<Dictionary>(top(), "an ordered dictionary");
        return true;
      default:
        return false;
    }
  }
  void name(std::string module, std::string what) {
    Named named{std::move(module), std::move(what)};
    if (!is_known(named))
      wrong(fmt::format(
          "it wants {}.{}, which no tensor needs: loaded with Python, this file could run any "
          "program. Nothing of it was run",
          named.module, named.name));
    push(make(std::move(named)));
  }
  Storage storage_of(Ref id) const {
    const Items& items = as<Tuple>(id, "a storage's name").items;
    if (items.size() != 5 || as<std::string>(items[0], "a word") != "storage")
      wrong("expected a storage's name");
    const auto type = storage_type(as<Named>(items[1], "a storage").name);
    if (!type) wrong("a storage of an unknown type");
    const std::int64_t numbers = as<std::int64_t>(items[4], "a number");
    if (numbers < 0) wrong("a storage of less than nothing");
    return {*type, as<std::string>(items[2], "a storage's key"), numbers};
  }
  Ref build(const Named& function, const Items& arguments) {
    if (function.name == "OrderedDict") {
      if (!arguments.empty()) wrong("an ordered dictionary with arguments");
      return make(Dictionary{});
    }
    if (function.name == "Size" && arguments.size() == 1) return arguments[0];
    if (function.name == "_rebuild_parameter" && !arguments.empty()) return arguments[0];
    if (function.name == "_rebuild_tensor_v2" && arguments.size() >= 4) return tensor_of(arguments);
    wrong(fmt::format("{}.{} is called with {} arguments", function.module, function.name,
                      arguments.size()));
  }
  std::vector<Index> extents(Ref tuple) const {
    std::vector<Index> numbers;
    for (const Ref item : as<Tuple>(tuple, "extents").items) {
      numbers.push_back(as<std::int64_t>(item, "a number"));
      if (numbers.back() < 0) wrong("a negative extent");
    }
    return numbers;
  }
  Ref tensor_of(const Items& arguments) {
    const auto& storage = as<Storage>(arguments[0], "a storage");
    PickledTensor t{storage.type,          storage.key,
                    storage.numbers,       as<std::int64_t>(arguments[1], "an offset"),
                    extents(arguments[2]), extents(arguments[3])};
    if (t.sizes.size() != t.strides.size() || t.sizes.size() > 8) wrong("sizes without strides");
    if (t.offset < 0 || t.offset > t.numbers) wrong("a tensor beyond its storage");
    // The last number that is used; each product is checked before it can overflow. A stride of 0
    // shows a number many times, but not as often as a file likes.
    constexpr std::int64_t kMostShown = 1 << 24;
    const std::int64_t most = std::max(t.numbers, kMostShown);
    std::int64_t last = t.offset, count = 1;
    for (std::size_t k = 0; k < t.sizes.size(); ++k) {
      if (t.sizes[k] == 0) return make(std::move(t));
      if (t.sizes[k] > most / count) wrong("a tensor beyond its storage");
      count *= t.sizes[k];
      if (t.sizes[k] == 1) continue;
      if (t.strides[k] > (t.numbers - last) / (t.sizes[k] - 1))
        wrong("a tensor beyond its storage");
      last += t.strides[k] * (t.sizes[k] - 1);
    }
    if (last >= t.numbers) wrong("a tensor beyond its storage");
    return make(std::move(t));
  }

  std::span<const std::byte> program_;
  const std::string& source_;
  std::size_t at_ = 0;
  std::deque<Value> values_;
  Items stack_;
  std::map<std::uint64_t, Ref> memory_;
};

void add_tensors(std::map<std::string, PickledTensor>& tensors, const Dictionary& dictionary) {
  for (const auto& [key, value] : dictionary.entries) {
    const auto* name = std::get_if<std::string>(&key->is);
    const auto* tensor = std::get_if<PickledTensor>(&value->is);
    if (name != nullptr && tensor != nullptr) tensors[*name] = *tensor;
  }
}

const Dictionary* entry_of(const Dictionary& dictionary, std::string_view wanted) {
  for (const auto& [key, value] : dictionary.entries) {
    const auto* name = std::get_if<std::string>(&key->is);
    if (name != nullptr && *name == wanted) return std::get_if<Dictionary>(&value->is);
  }
  return nullptr;
}

}  // namespace

Index PickledTensor::count() const {
  Index count = 1;
  for (const Index size : sizes) count *= size;
  return count;
}

std::map<std::string, PickledTensor> read_pickled_tensors(std::span<const std::byte> pickle,
                                                          const std::string& source) {
  Machine machine(pickle, source);
  const Value* top = machine.run();
  const auto* dictionary = std::get_if<Dictionary>(&top->is);
  std::map<std::string, PickledTensor> tensors;
  if (dictionary != nullptr) {
    add_tensors(tensors, *dictionary);
    for (const char* name : {"state_dict", "model_state_dict", "model"})
      if (const Dictionary* inner = entry_of(*dictionary, name);
          tensors.empty() && inner != nullptr)
        add_tensors(tensors, *inner);
  }
  require(!tensors.empty(), "[weights] {} holds no dictionary of tensors: save a state_dict",
          source);
  return tensors;
}

}  // namespace twinage
