// How an age is read from an embedding, as nodes of an ONNX graph: distances to all references, the
// read-out, the interval.
#pragma once
#include <vector>

#include "tools/onnx/graph.h"
#include "train/model/model_file.h"

namespace twinage::onnx_out {

// From embeddings (N, width) to age, low and high, years, (N) each: read-outs knn and comparison.
// No reference is left out: who gives it a face that is one gets that face's own age. Throws
// UsageError for another read-out.
std::vector<Name> reading(Graph& graph, const Name& embeddings, const Model& model,
                          const ReadoutOptions& readout);

}  // namespace twinage::onnx_out
