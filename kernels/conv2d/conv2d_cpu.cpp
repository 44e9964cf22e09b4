// Forward and backward data: packed filters and the correlation driver, or Winograd's. Backward
// data is itself a correlation, of dy with the flipped filters; with a stride it is one for each
// phase (phase.h).
#include "kernels/conv2d/conv2d_correlate.h"
#include "kernels/conv2d/conv2d_filter.h"
#include "kernels/conv2d/phase.h"
#include "kernels/conv2d/winograd.h"

namespace twinage::cpu {
namespace {

// A batch of pictures whose pixels are independent is one long column of pixels.
void flatten_if_pointwise(Correlation& job) {
  if (!job.g.pointwise()) return;
  job.g = flattened(job.g);
  job.x.row_pitch = job.x.ld;
  job.y.row_pitch = job.y.ld;
}

struct Phase {
  Geometry g;
  TapOrder taps;
};

// Phase (row, column) of the gradient with respect to x.
Phase phase_of(Shape x, Shape w, Conv2d conv, Index row, Index column) {
  const Shape y = conv2d_shape(x, w, conv);
  const PhaseAxis r = phase_axis(x.h, w.h, conv.stride, conv.pad_h, row);
  const PhaseAxis s = phase_axis(x.w, w.w, conv.stride, conv.pad_w, column);
  return {{x.n, y.h, y.w, y.c, r.size, s.size, r.count, s.count, 1, r.before, s.before},
          {r.last, s.last, conv.stride}};
}

// Operands that are pairs: of the channels that a sum runs over.
void pair_if_rounded(const Context& ctx, Geometry& g) {
  g.C = elements(operands_of(ctx), g.C);
}

void round_if_asked(const Context& ctx, Correlation& job) {
  if (operands_of(ctx) == Operands::pairs && job.x_element == Element::float32)
    job.rounded_channels = job.g.C;
  pair_if_rounded(ctx, job.g);
}

// Floats of the panels of filters of shape w.
Index panel_floats(const Context& ctx, Shape x, Shape w, Conv2d conv) {
  const Geometry g = geometry_of(x, w, conv);
  if (takes_winograd(ctx, g, w.n)) return winograd_filter_floats(g, w.n);
  const bool one_tap = w.h * w.w == 1;
  return workspace_floats(Panels(w.n, one_tap).padded() * w.h * w.w *
                          elements(operands_of(ctx), w.c));
}

// Filters as pairs, before they are packed into panels; none if they stay as they are.
Index pairs_of_filters(const Context& ctx, Shape w) {
  if (operands_of(ctx) == Operands::floats) return 0;
  const Index taps = w.h * w.w;
  return workspace_floats(
      taps * std::max(w.n * elements(Operands::pairs, w.c), elements(Operands::pairs, w.n) * w.c));
}

Index forward_workspace(const Context& ctx, Shape x, Shape w, Conv2d conv) {
  Geometry g = geometry_of(x, w, conv);
  if (takes_winograd(ctx, g, w.n))
    return winograd_filter_floats(g, w.n) + winograd_workspace(ctx, g, w.n);
  pair_if_rounded(ctx, g);
  return pairs_of_filters(ctx, w) + panel_floats(ctx, x, w, conv) +
         correlate_workspace(ctx, g.pointwise() ? flattened(g) : g, w.n);
}

Index backward_data_workspace(const Context& ctx, Shape x, Shape w, Conv2d conv) {
  // (With a stride, 5 x 5 taps have a phase of 3 x 3.)
  if (const Geometry g = phase_of(x, w, conv, 0, 0).g;
      conv.stride == 1 && takes_winograd(ctx, g, x.c))
    return winograd_filter_floats(g, x.c) + winograd_workspace(ctx, g, x.c);
  Index most = 0;
  for (Index row = 0; row < conv.stride; ++row)
    for (Index column = 0; column < conv.stride; ++column) {
      Geometry g = phase_of(x, w, conv, row, column).g;
      pair_if_rounded(ctx, g);
      const bool flat = conv.stride == 1 && g.pointwise();
      most = std::max(most, workspace_floats(Panels(x.c, g.one_tap()).padded() * g.terms()) +
                                correlate_workspace(ctx, flat ? flattened(g) : g, x.c));
    }
  return pairs_of_filters(ctx, w) + most;
}

}  // namespace

Index conv2d_workspace(const Context& ctx, Shape x, Shape w, Conv2d conv) {
  return std::max({forward_workspace(ctx, x, w, conv), backward_data_workspace(ctx, x, w, conv),
                   filter_workspace(ctx, x, w, conv)});
}

Index conv2d_packed_floats(const Context& ctx, Shape x, Shape w, Conv2d conv) {
  return panel_floats(ctx, x, w, conv);
}

void conv2d_pack(const Context& ctx, float* packed, Shape x, ConstView w, Conv2d conv) {
  if (takes_winograd(ctx, geometry_of(x, w.shape, conv), w.shape.n))
    return winograd_filters(ctx, packed, w);
  WorkspaceScope scope(ctx.workspace);
  if (const Index floats = pairs_of_filters(ctx, w.shape); floats > 0)
    w = pair_channels(ctx, scope.floats(floats), w);
  pack_filters(ctx, packed, w);
}

void conv2d_forward_packed(const Context& ctx, View y, ConstView x, Shape w, const float* packed,
                           Conv2d conv, ConvEpilogue epilogue) {
  Correlation job;
  job.g = geometry_of(x.shape, w, conv);
  job.K = w.n;
  job.x = source_of(x);
  job.x_element = x.element;
  job.y = target_of(y);
  job.y_element = y.element;
  job.filters = packed;
  job.epilogue = epilogue;
  if (takes_winograd(ctx, job.g, job.K)) return winograd(ctx, job);
  flatten_if_pointwise(job);
  round_if_asked(ctx, job);
  correlate(ctx, job);
}

void conv2d_forward(const Context& ctx, View y, ConstView x, ConstView w, Conv2d conv,
                    ConvEpilogue epilogue) {
  WorkspaceScope scope(ctx.workspace);
  float* packed = scope.floats(panel_floats(ctx, x.shape, w.shape, conv));
  cpu::conv2d_pack(ctx, packed, x.shape, w, conv);
  cpu::conv2d_forward_packed(ctx, y, x, w.shape, packed, conv, epilogue);
}

void conv2d_backward_data(const Context& ctx, View dx, ConstView dy, ConstView w, Conv2d conv,
                          Write write) {
  const Target whole = target_of(dx);
  const Shape filters_shape = w.shape;
  WorkspaceScope outer(ctx.workspace);
  if (const Geometry g = phase_of(dx.shape, w.shape, conv, 0, 0).g;
      conv.stride == 1 && takes_winograd(ctx, g, dx.shape.c)) {
    Correlation job;
    job.g = g;
    job.K = dx.shape.c;
    job.x = source_of(dy);
    job.y = whole;
    job.write = write;
    float* filters = outer.floats(winograd_filter_floats(g, job.K));
    winograd_flipped_filters(ctx, filters, w);
    job.filters = filters;
    return winograd(ctx, job);
  }
  if (const Index floats = pairs_of_filters(ctx, w.shape); floats > 0)
    w = pair_filters(ctx, outer.floats(floats), w);
  for (Index row = 0; row < std::min(conv.stride, dx.shape.h); ++row)
    for (Index column = 0; column < std::min(conv.stride, dx.shape.w); ++column) {
      const Phase phase = phase_of(dx.shape, filters_shape, conv, row, column);
      Correlation job;
      job.g = phase.g;
      job.K = dx.shape.c;
      job.x = source_of(dy);
      job.y = {whole.pixel(0, row, column), whole.image_pitch, whole.row_pitch * conv.stride,
               whole.ld * conv.stride};
      job.write = write;
      if (conv.stride == 1) flatten_if_pointwise(job);
      round_if_asked(ctx, job);

      WorkspaceScope scope(ctx.workspace);
      float* filters = scope.floats(Panels(job.K, job.g.one_tap()).padded() * job.g.terms());
      pack_flipped_filters(ctx, filters, w, job.g.R, job.g.S, phase.taps);
      job.filters = filters;
      correlate(ctx, job);
    }
}

}  // namespace twinage::cpu
