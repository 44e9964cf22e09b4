// How a head's outputs are read (HeadForm::read), as nodes of an ONNX graph.
#pragma once
#include "siamese/head_form.h"
#include "tools/onnx/graph.h"

namespace twinage::onnx_out {

// said (N, form.said()), floats, of outputs (N, form.outputs). Throws Error for a reading that has
// no nodes here.
Name said_by(Graph& graph, const HeadForm& form, const Name& outputs);

}  // namespace twinage::onnx_out
