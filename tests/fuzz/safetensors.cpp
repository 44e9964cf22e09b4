// safetensors files. Must hold: Error, or a file whose every tensor can be asked for: a value or
// Error, of as many elements as the shape says; metadata that can be read.
#include "core/safetensors.h"

#include "tests/fuzz/target.h"

using namespace twinage;
using namespace twinage::fuzz;

namespace {

void ask_for(const SafetensorsFile& file, const std::string& name) {
  const SafetensorsEntry& entry = file.entry(name);
  const auto count = static_cast<std::size_t>(entry.count());
  Index product = 1;
  for (const Index extent : entry.shape) {
    must(extent >= 0, "an extent is no negative number");
    product *= extent;
  }
  must(product == entry.count(), "the shape's product is the number of elements");
  must(file.bytes(name).size() == count * size_of(entry.dtype), "as many bytes as elements");
  const bool floats = answered([&] { must(file.floats(name).size() == count, "floats"); });
  const bool doubles = answered([&] { must(file.doubles(name).size() == count, "doubles"); });
  const bool integers = answered([&] { must(file.integers(name).size() == count, "integers"); });
  must(floats == (entry.dtype == DType::f32) && !(doubles && integers), "a type is one type");
}

}  // namespace

TWINAGE_FUZZ_TARGET(safetensors, input) {
  const auto parse = [&] {
    const auto file = SafetensorsFile::parse({input.begin(), input.end()}, "input.safetensors");
    for (const auto& [name, entry] : file.entries()) ask_for(file, name);
    for (const auto& [key, text] : file.metadata()) {
      must(file.metadata(key) == text, "metadata can be asked for");
      answered(
          [&, &name = key] { must(file.metadata_number(name) >= 0, "a number is none below 0"); });
    }
    must(!answered([&] { file.bytes("no such tensor"); }), "what is missing is an Error");
  };
  answered(parse);
}
