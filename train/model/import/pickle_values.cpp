#include "train/model/import/pickle_values.h"

namespace twinage::pickle {

std::optional<DType> storage_type(std::string_view name) {
  static constexpr std::pair<std::string_view, DType> kTypes[] = {
      {"HalfStorage", DType::f16},  {"BFloat16Storage", DType::bf16},
      {"FloatStorage", DType::f32}, {"DoubleStorage", DType::f64},
      {"ByteStorage", DType::u8},   {"CharStorage", DType::i8},
      {"ShortStorage", DType::i16}, {"IntStorage", DType::i32},
      {"LongStorage", DType::i64},  {"BoolStorage", DType::boolean}};
  for (const auto& [known, type] : kTypes)
    if (known == name) return type;
  return std::nullopt;
}

bool is_known(const Named& what) {
  if (what.module == "collections") return what.name == "OrderedDict";
  if (what.module == "torch._utils")
    return what.name == "_rebuild_tensor_v2" || what.name == "_rebuild_parameter";
  return what.module == "torch" && (storage_type(what.name) || what.name == "Size");
}

}  // namespace twinage::pickle
