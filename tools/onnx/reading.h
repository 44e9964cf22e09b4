// How an age is read from what the network says of a face, as nodes of an ONNX graph: distances to
// all references where it is compared, the read-out, the interval.
#pragma once
#include <vector>

#include "siamese/tasks.h"
#include "tools/onnx/graph.h"
#include "train/model/model_file.h"

namespace twinage::onnx_out {

// What the network says, read: (N, network.said(task)) of each head there is.
using Said = ByTask<Name>;

// Age, low and high, years, (N) each. No reference is left out: who gives it a face that is one
// gets that face's own age. Throws UsageError for a read-out that needs a head which is not there,
// and Error where AgeReadout does (siamese/readouts/age_readout.h).
std::vector<Name> reading(Graph& graph, const Said& said, const Model& model,
                          const ReadoutOptions& readout);

}  // namespace twinage::onnx_out
