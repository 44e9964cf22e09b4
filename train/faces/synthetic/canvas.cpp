#include "train/faces/synthetic/canvas.h"

namespace twinage::synthetic {

Canvas::Canvas(Index pixels_a_side, const Traits& traits, const Photo& photo)
    : pixels(pixels_a_side),
      samples((kMinSamples + pixels - 1) / pixels),
      side(pixels * samples),
      photo_(photo) {
  const auto all = static_cast<std::size_t>(side * side);
  picture.resize(all);
  skin.resize(all);
  relief.resize(all);
  depth.assign(all, -1.0F);
  const auto full = static_cast<float>(side);
  // A face fills the picture from the hairline to below the chin, whatever the size of the head.
  const float height = traits.crown + traits.chin;
  unit = full * photo.zoom * 0.87F / height;
  centre_x_ = full * (0.5F + photo.shift_x);
  centre_y_ = full * (0.475F + photo.shift_y) + unit * (traits.crown - traits.chin) / 2;
  radius_ = traits.head_width;
  cos_yaw_ = std::cos(photo.yaw);
  sin_yaw_ = std::sin(photo.yaw);
  cos_roll_ = std::cos(photo.roll);
  sin_roll_ = std::sin(photo.roll);
  features_.resize(all);
  for (Index row = 0; row < side; ++row)
    for (Index column = 0; column < side; ++column)
      features_[static_cast<std::size_t>(row * side + column)] = feature(head(row, column));
}

Point Canvas::head(Index row, Index column) const {
  const float dx = (static_cast<float>(column) + 0.5F - centre_x_) / unit;
  const float dy = (static_cast<float>(row) + 0.5F - centre_y_) / unit;
  return {cos_roll_ * dx + sin_roll_ * dy, cos_roll_ * dy - sin_roll_ * dx};
}

// The face lies on an upright cylinder, turned by the yaw.
Point Canvas::feature(Point p) const {
  const float z = std::sqrt(std::max(0.0F, radius_ * radius_ - p.x * p.x));
  return {p.x * cos_yaw_ - z * sin_yaw_, p.y - photo_.pitch * z};
}

Point Canvas::seen(Point p) const {
  const float z = std::sqrt(std::max(0.0F, radius_ * radius_ - p.x * p.x));
  const float x = p.x * cos_yaw_ + z * sin_yaw_;
  const float turned = std::sqrt(std::max(0.0F, radius_ * radius_ - x * x));
  return {x, p.y + photo_.pitch * turned};
}

Canvas::Span Canvas::span_of(const Point* corners, int count, float pad) const {
  float x0 = 1e9F, x1 = -1e9F, y0 = 1e9F, y1 = -1e9F;
  for (int i = 0; i < count; ++i) {
    const float x = centre_x_ + unit * (cos_roll_ * corners[i].x - sin_roll_ * corners[i].y);
    const float y = centre_y_ + unit * (sin_roll_ * corners[i].x + cos_roll_ * corners[i].y);
    x0 = std::min(x0, x), x1 = std::max(x1, x);
    y0 = std::min(y0, y), y1 = std::max(y1, y);
  }
  auto inside = [&](float v) {
    return static_cast<Index>(std::clamp(v, 0.0F, static_cast<float>(side)));
  };
  pad = pad * unit + 1;
  return {inside(y0 - pad), inside(y1 + pad + 1), inside(x0 - pad), inside(x1 + pad + 1)};
}

Canvas::Span Canvas::span(Box b) const {
  const Point corners[4] = {{b.x0, b.y0}, {b.x1, b.y0}, {b.x0, b.y1}, {b.x1, b.y1}};
  return span_of(corners, 4, 0);
}

Canvas::Span Canvas::feature_span(Box b) const {
  const float middle = (b.x0 + b.x1) / 2;
  const Point corners[6] = {seen({b.x0, b.y0}), seen({b.x1, b.y0}),   seen({b.x0, b.y1}),
                            seen({b.x1, b.y1}), seen({middle, b.y0}), seen({middle, b.y1})};
  return span_of(corners, 6, 0.03F);
}

Rgb Canvas::lit(float nx, float ny, float nz, bool is_skin) const {
  const float length = std::sqrt(nx * nx + ny * ny + nz * nz);
  const float direct = (nx * photo_.light_x + ny * photo_.light_y + nz * photo_.light_z) / length;
  auto wrapped = [&](float w) { return std::max(0.0F, (direct + w) / (1 + w)); };
  const Rgb key =
      is_skin ? Rgb{wrapped(0.35F), wrapped(0.2F), wrapped(0.15F)} : Rgb{1, 1, 1} * wrapped(0.2F);
  const float sky = 0.75F - 0.25F * ny / length;  // more light comes from above
  return photo_.light * key + photo_.ambient * sky;
}

}  // namespace twinage::synthetic
