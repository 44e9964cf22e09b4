#include "siamese/gallery.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>

#include "core/error.h"
#include "siamese/interval_width.h"
#include "siamese/readouts/table.h"

namespace twinage {
namespace {

constexpr std::int64_t kMostHeldOut = 1'000'000'000;

bool all_finite(std::span<const float> values) {
  return std::ranges::all_of(values, [](float v) { return std::isfinite(v); });
}

// The factors that stand together in one tensor, in this order, as in models that knew no other
// read-out. Each other one has a tensor of its own.
constexpr const char* kScales = "calibration.interval_scales";
constexpr std::array kTogether{ReadoutKind::comparison, ReadoutKind::knn, ReadoutKind::prototype};

bool is_together(ReadoutKind kind) {
  return std::ranges::find(kTogether, kind) != kTogether.end();
}

std::string scale_name(ReadoutKind kind) {
  return fmt::format("{}.{}", kScales, to_string(kind));
}

std::string widths_name(ReadoutKind kind) {
  return fmt::format("calibration.interval_widths.{}", to_string(kind));
}

void check(const Gallery& gallery) {
  const Shape shape = gallery.embeddings.shape();
  require(!gallery.has_embeddings() ||
              (shape == matrix(shape.n, shape.c) && shape.n >= 1 && shape.c >= 1),
          "[gallery] expected embeddings of shape (count, 1, 1, width), got {}", shape);
  require(!gallery.ages.empty(), "[gallery] expected at least one face of known age");
  const std::size_t count =
      gallery.has_embeddings() ? static_cast<std::size_t>(shape.n) : gallery.ages.size();
  require(gallery.ages.size() == count && gallery.names.size() == count,
          "[gallery] expected {} ages and names, got {} and {}", count, gallery.ages.size(),
          gallery.names.size());
  require(all_finite({gallery.embeddings.data(), static_cast<std::size_t>(shape.size())}),
          "[gallery] expected finite embeddings");
  require(std::ranges::all_of(gallery.ages, [](float a) { return a >= 0 && std::isfinite(a); }),
          "[gallery] expected ages of at least 0 years");
  require(gallery.contents.empty() || gallery.contents.size() == count,
          "[gallery] expected the contents of {} references or of none, got {}", count,
          gallery.contents.size());
}

void check_scales(const std::map<ReadoutKind, float>& scales, bool has_embeddings) {
  require(!scales.empty(), "[calibration] expected interval scales (see calibrate_intervals)");
  for (const auto& [kind, scale] : scales) {
    require(scale >= 0 && std::isfinite(scale),
            "[calibration] expected an interval scale >= 0 of {}, got {}", to_string(kind), scale);
    require(has_embeddings || !readout_row(kind).needs.embedding,
            "[calibration] expected a gallery of embeddings for the interval scale of {}",
            to_string(kind));
  }
  for (const ReadoutKind kind : kTogether)
    require(scales.contains(kind) == has_embeddings,
            "[calibration] expected the interval scale of {} where there are embeddings",
            to_string(kind));
}

void check_widths(const Calibration& calibration) {
  for (const auto& [kind, widths] : calibration.interval_widths) {
    require(calibration.interval_scales.contains(kind),
            "[calibration] expected an interval scale of {} beside its widths", to_string(kind));
    require(static_cast<Index>(widths.size()) == kWidthAges &&
                std::ranges::all_of(widths, [](float w) { return w > 0 && std::isfinite(w); }),
            "[calibration] expected {} interval widths of {}, above 0, got {}", kWidthAges,
            to_string(kind), widths.size());
  }
}

void check(const Calibration& calibration, bool has_embeddings) {
  const auto& [distances, probabilities, tau, scales, held_out, nearest_limit, widths] =
      calibration;
  require(
      distances.empty() != has_embeddings && distances.size() == probabilities.size(),
      "[calibration] expected as many distances as probabilities, and at least one where there are "
      "embeddings, got {} and {}",
      distances.size(), probabilities.size());
  require(all_finite(distances) &&
              std::ranges::adjacent_find(distances, std::greater_equal<>()) == distances.end(),
          "[calibration] expected increasing distances");
  require(std::ranges::all_of(probabilities, [](float p) { return p >= 0 && p <= 1; }) &&
              std::ranges::is_sorted(probabilities, std::greater<>()),
          "[calibration] expected non-increasing probabilities within [0, 1]");
  require(tau >= 0 && std::isfinite(tau), "[calibration] expected tau >= 0 years, got {}", tau);
  check_scales(scales, has_embeddings);
  check_widths(calibration);
  require(held_out >= 0, "[calibration] expected at least 0 held-out faces, got {}", held_out);
  require(!nearest_limit || (std::isfinite(*nearest_limit) && *nearest_limit >= 0 && held_out > 0),
          "[calibration] expected a limit of at least 0 from held-out faces, got {} from {}",
          nearest_limit.value_or(0), held_out);
}

std::vector<Index> extents(std::size_t count) {
  return {static_cast<Index>(count)};
}

void save_scales(SafetensorsWriter& writer, const std::map<ReadoutKind, float>& scales) {
  std::vector<float> together;
  for (const auto& [kind, scale] : scales) {
    if (is_together(kind))
      together.push_back(scale);
    else
      writer.add(scale_name(kind), std::span(&scale, 1), {1});
  }
  if (!together.empty()) writer.add(kScales, together, extents(together.size()));
}

// All names in one block of bytes; name i ends at byte ends[i].
void save_names(SafetensorsWriter& writer, const std::vector<std::string>& names) {
  std::vector<std::uint8_t> text;
  std::vector<std::int64_t> ends;
  for (const std::string& name : names) {
    text.insert(text.end(), name.begin(), name.end());
    ends.push_back(static_cast<std::int64_t>(text.size()));
  }
  writer.add("gallery.names", text, extents(text.size()));
  writer.add("gallery.name_ends", ends, extents(ends.size()));
}

std::vector<std::string> load_names(const SafetensorsFile& file) {
  require(file.entry("gallery.names").dtype == DType::u8, "[gallery] expected names to be U8");
  const std::span<const std::byte> text = file.bytes("gallery.names");
  std::vector<std::string> names;
  std::size_t begin = 0;
  for (const std::int64_t end : file.integers("gallery.name_ends")) {
    require(end >= 0 && static_cast<std::size_t>(end) >= begin &&
                static_cast<std::size_t>(end) <= text.size(),
            "[gallery] expected name {} to end within bytes {} to {}, got {}", names.size(), begin,
            text.size(), end);
    const auto* first = reinterpret_cast<const char*>(text.data());
    names.emplace_back(first + begin, first + end);
    begin = static_cast<std::size_t>(end);
  }
  require(begin == text.size(), "[gallery] expected names of {} bytes, got {}", text.size(), begin);
  return names;
}

// Where they are unknown the file has no such tensor, as older ones have not.
void save_contents(SafetensorsWriter& writer, const std::string& name,
                   const std::vector<std::uint64_t>& contents) {
  if (contents.empty()) return;
  const std::vector<std::int64_t> bits(contents.begin(), contents.end());
  writer.add(name, bits, extents(bits.size()));
}

std::vector<std::uint64_t> load_contents(const SafetensorsFile& file, const std::string& name) {
  if (!file.contains(name)) return {};
  const std::vector<std::int64_t> bits = file.integers(name);
  return {bits.begin(), bits.end()};
}

Tensor load_embeddings(const SafetensorsFile& file) {
  const std::vector<Index>& shape = file.entry("gallery.embeddings").shape;
  require(shape.size() == 2 && shape[0] >= 1 && shape[1] >= 1,
          "[gallery] expected embeddings of shape (count, width), got {} extents", shape.size());
  const std::vector<float> embeddings = file.floats("gallery.embeddings");
  Tensor loaded(matrix(shape[0], shape[1]));
  loaded.copy_from(embeddings.data(), static_cast<Index>(embeddings.size()));
  return loaded;
}

// Whether the model's read-outs compare: either of these says so, and then it must have both.
bool compares(const SafetensorsFile& file) {
  return file.contains("gallery.embeddings") || file.contains(kScales);
}

Gallery load_gallery(const SafetensorsFile& file) {
  Gallery gallery;
  if (compares(file)) gallery.embeddings = load_embeddings(file);
  gallery.ages = file.floats("gallery.ages");
  gallery.names = load_names(file);
  gallery.contents = load_contents(file, "gallery.contents");
  gallery.training_contents = load_contents(file, "training.contents");
  gallery.held_out_contents = load_contents(file, "selection.contents");
  check(gallery);
  return gallery;
}

std::map<ReadoutKind, float> load_scales(const SafetensorsFile& file) {
  std::map<ReadoutKind, float> scales;
  if (compares(file)) {
    const std::vector<float> together = file.floats(kScales);
    require(together.size() == kTogether.size(),
            "[calibration] expected {} interval scales, got {}", kTogether.size(), together.size());
    for (std::size_t i = 0; i < together.size(); ++i) scales[kTogether[i]] = together[i];
  }
  for (const ReadoutRow& row : readout_table()) {
    const std::string name = scale_name(row.kind);
    if (is_together(row.kind) || !file.contains(name)) continue;
    const std::vector<float> scale = file.floats(name);
    require(scale.size() == 1, "[calibration] expected one number in {}, got {}", name,
            scale.size());
    scales[row.kind] = scale[0];
  }
  return scales;
}

Calibration load_calibration(const SafetensorsFile& file) {
  Calibration calibration;
  if (compares(file)) {
    calibration.distances = file.floats("calibration.distances");
    calibration.probabilities = file.floats("calibration.probabilities");
  }
  calibration.interval_scales = load_scales(file);
  for (const ReadoutRow& row : readout_table())
    if (file.contains(widths_name(row.kind)))
      calibration.interval_widths[row.kind] = file.floats(widths_name(row.kind));
  const std::vector<float> tau = file.floats("calibration.tau");
  require(tau.size() == 1, "[calibration] expected one tau, got {}", tau.size());
  calibration.tau = tau[0];
  if (file.contains("calibration.held_out")) {
    const std::vector<std::int64_t> held_out = file.integers("calibration.held_out");
    require(held_out.size() == 1 && held_out[0] <= kMostHeldOut,
            "[calibration] expected one number of held-out faces, at most {}", kMostHeldOut);
    calibration.held_out = held_out[0];
  }
  if (file.contains("calibration.nearest_limit")) {
    const std::vector<float> limit = file.floats("calibration.nearest_limit");
    require(limit.size() == 1, "[calibration] expected one nearest_limit, got {}", limit.size());
    calibration.nearest_limit = limit[0];
  }
  check(calibration, compares(file));
  return calibration;
}

}  // namespace

std::vector<Index> Gallery::references_of(std::uint64_t content) const {
  std::vector<Index> found;
  if (content == 0) return found;
  for (std::size_t i = 0; i < contents.size(); ++i)
    if (contents[i] == content) found.push_back(static_cast<Index>(i));
  return found;
}

Origin origin_of(const Gallery& gallery, std::uint64_t content) {
  if (!gallery.knows_contents() || content == 0) return Origin::unknown;
  const auto among = [&](const std::vector<std::uint64_t>& contents) {
    return std::ranges::find(contents, content) != contents.end();
  };
  if (among(gallery.contents))
    return gallery.has_embeddings() ? Origin::reference : Origin::trained;
  if (among(gallery.training_contents)) return Origin::trained;
  return among(gallery.held_out_contents) ? Origin::held_out : Origin::unseen;
}

void save(SafetensorsWriter& writer, const Gallery& gallery, const Calibration& calibration) {
  check(gallery);
  check(calibration, gallery.has_embeddings());
  const Shape shape = gallery.embeddings.shape();
  if (gallery.has_embeddings())
    writer.add("gallery.embeddings",
               std::span(gallery.embeddings.data(), static_cast<std::size_t>(shape.size())),
               {shape.n, shape.c});
  writer.add("gallery.ages", gallery.ages, extents(gallery.ages.size()));
  save_names(writer, gallery.names);
  save_contents(writer, "gallery.contents", gallery.contents);
  save_contents(writer, "training.contents", gallery.training_contents);
  save_contents(writer, "selection.contents", gallery.held_out_contents);
  const auto& [distances, probabilities, tau, scales, held_out, nearest_limit, widths] =
      calibration;
  if (gallery.has_embeddings()) {
    writer.add("calibration.distances", distances, extents(distances.size()));
    writer.add("calibration.probabilities", probabilities, extents(probabilities.size()));
  }
  writer.add("calibration.tau", std::span(&tau, 1), {1});
  save_scales(writer, scales);
  for (const auto& [kind, of_ages] : widths)
    writer.add(widths_name(kind), of_ages, extents(of_ages.size()));
  const std::int64_t faces = held_out;
  if (held_out > 0) writer.add("calibration.held_out", std::span(&faces, 1), {1});
  if (nearest_limit) writer.add("calibration.nearest_limit", std::span(&*nearest_limit, 1), {1});
}

void load(const SafetensorsFile& file, Gallery& gallery, Calibration& calibration) {
  try {
    Gallery loaded_gallery = load_gallery(file);
    calibration = load_calibration(file);
    gallery = std::move(loaded_gallery);
  } catch (const Error& error) {
    fail("not a finished Twinage model: {}: {}", file.path().string(), error.what());
  }
}

}  // namespace twinage
