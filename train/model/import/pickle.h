// Python's pickle, as far as PyTorch needs it to write down tensors, and no further.
//
// A pickle is a program for a small stack machine, and one of its instructions calls any function
// of any module: loading a stranger's file with Python runs the stranger's code. This machine knows
// no functions. It builds numbers, texts, lists, tuples and dictionaries, and understands by name
// the few things that a file of weights is made of (storages, tensors, ordered dictionaries);
// whatever else a file wants to call is an error that names it. (Format: Lib/pickletools.py of
// CPython; tensors: torch/serialization.py.)
#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "core/safetensors.h"
#include "core/shape.h"

namespace twinage {

// Where a tensor's numbers are: element i of extents `sizes` is number offset + sum i_k strides_k
// of the storage `key`, which has `numbers` of them. All within the storage.
struct PickledTensor {
  DType type = DType::f32;
  std::string key;
  std::int64_t numbers = 0, offset = 0;
  std::vector<Index> sizes, strides;

  Index count() const;
};

// The tensors of a dictionary that torch.save wrote: a state_dict, or one that has it under
// "state_dict", "model_state_dict" or "model". What is no tensor is passed over. `source` stands in
// errors. Throws Error for a pickle that is cut off or makes no sense, for one that would call
// anything, and for one without tensors.
std::map<std::string, PickledTensor> read_pickled_tensors(std::span<const std::byte> pickle,
                                                          const std::string& source);

}  // namespace twinage
