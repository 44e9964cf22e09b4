// The names of the read-outs. What each of them is stands in siamese/readouts/table.h.
#pragma once
#include <string_view>

#include "core/enum_names.h"

namespace twinage {

enum class ReadoutKind { comparison, knn, prototype, expectation, direct };
template <>
struct EnumNames<ReadoutKind> {
  static constexpr std::string_view what = "readout";
  static constexpr EnumName<ReadoutKind> table[] = {
      {ReadoutKind::comparison, "comparison"}, {ReadoutKind::knn, "knn"},
      {ReadoutKind::prototype, "prototype"},   {ReadoutKind::expectation, "expectation"},
      {ReadoutKind::direct, "direct"},
  };
};

}  // namespace twinage
