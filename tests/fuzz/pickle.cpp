// Pickles of PyTorch's archives. Must hold: an answer or an error; every tensor lies within its
// storage.
#include "train/model/import/pickle.h"

#include "tests/fuzz/target.h"

using namespace twinage;
using namespace twinage::fuzz;

TWINAGE_FUZZ_TARGET(pickle, input) {
  answered([&] {
    for (const auto& [name, tensor] : read_pickled_tensors(input, "fuzz")) {
      must(tensor.sizes.size() == tensor.strides.size(), "a stride for each extent");
      if (tensor.count() == 0) continue;
      Index last = tensor.offset;
      for (std::size_t k = 0; k < tensor.sizes.size(); ++k)
        last += (tensor.sizes[k] - 1) * tensor.strides[k];
      must(tensor.offset >= 0 && last < tensor.numbers, "a tensor lies within its storage");
    }
  });
}
