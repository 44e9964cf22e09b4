#include "layers/description.h"

#include "core/error.h"

namespace twinage {

bool LayerDescription::has_option(std::string_view wanted) const {
  for (const Option& o : options)
    if (o.name == wanted) return true;
  return false;
}

double LayerDescription::option(std::string_view wanted) const {
  for (const Option& o : options)
    if (o.name == wanted) return o.value;
  fail("[describe] {} '{}' has no option {}", kind, name, wanted);
}

void keep_output(LayerDescription& part, Index bytes) {
  if (part.kind == "chain") return keep_output(part.parts.back(), bytes);
  part.activation_bytes += bytes;
}

std::vector<LayerDescription::Option> options_of(Shape w, Conv2d conv) {
  return {{"kernel_h", static_cast<double>(w.h)},
          {"kernel_w", static_cast<double>(w.w)},
          {"stride", static_cast<double>(conv.stride)},
          {"pad_h", static_cast<double>(conv.pad_h)},
          {"pad_w", static_cast<double>(conv.pad_w)}};
}

}  // namespace twinage
