#include "tests/layers/fixture.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>

#include "core/error.h"

namespace twinage::test {
namespace {

constexpr std::size_t kProjections = 8;

// Elements are of the order of 1. A beta ahead of an unpadded convolution and its batch norm has no
// influence at all; rounding leaves some 1e-6 of its gradient, which is compared with this.
constexpr double kSmallestScale = 1e-2;

std::uint64_t name_hash(const std::string& name) {  // FNV-1a
  std::uint64_t h = 0xCBF29CE484222325U;
  for (const char c : name) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
  return h;
}

std::uint64_t hash_bits(std::uint64_t hash, std::uint64_t i) {  // SplitMix64
  std::uint64_t z = hash + (i + 1) * 0x9E3779B97F4A7C15U;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
  return z ^ (z >> 31);
}

std::vector<double> packed(ConstView x) {
  std::vector<double> values;
  for (Index p = 0; p < x.shape.pixels(); ++p)
    values.insert(values.end(), x.pixel(p), x.pixel(p) + x.shape.c);
  return values;
}

// The module that a parameter is of, without its number: "norm" of "a.norm2.weight".
std::string module_of(const std::string& name) {
  std::string module = name.substr(0, name.rfind('.'));
  module = module.substr(module.rfind('.') + 1);
  return module.substr(0, module.find_last_not_of("0123456789") + 1);
}
bool of_norm(const Parameter& p) {
  return module_of(p.name) == "bn" || module_of(p.name) == "norm";
}

double norm(const std::vector<double>& values) {
  double sum = 0;
  for (const double v : values) sum += v * v;
  return std::sqrt(sum);
}

// The projections on the exporter's sign vectors, then the norm.
std::vector<double> sketch(const std::string& name, const std::vector<double>& values) {
  std::vector<double> result;
  for (std::size_t k = 0; k < kProjections; ++k) {
    const std::uint64_t hash = name_hash(name + "#" + std::to_string(k));
    double sum = 0;
    for (std::size_t i = 0; i < values.size(); ++i)
      sum += hash_bits(hash, i) >> 63 != 0 ? values[i] : -values[i];
    result.push_back(sum);
  }
  result.push_back(norm(values));
  return result;
}

double largest_deviation(const std::vector<double>& got, const std::vector<double>& want) {
  require(got.size() == want.size(), "[fixture] expected {} values, got {}", want.size(),
          got.size());
  double largest = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double error = std::fabs(got[i] - want[i]);
    if (!(error <= largest)) largest = std::isnan(largest) ? largest : error;
  }
  return largest;
}

}  // namespace

std::vector<float> hash_uniform(const std::string& name, Index count) {
  const std::uint64_t hash = name_hash(name);
  std::vector<float> values;
  for (Index i = 0; i < count; ++i) {
    const std::uint64_t bits = hash_bits(hash, static_cast<std::uint64_t>(i));
    values.push_back(static_cast<float>(static_cast<double>(bits >> 44) * 0x1.0p-19 - 1));
  }
  return values;
}

void fill_from_hash(const std::vector<Parameter*>& parameters) {
  for (Parameter* p : parameters) {
    const Shape shape = p->value.shape();
    std::vector<float> values = hash_uniform(p->name, p->value.size());
    float offset = 0, scale = 0.5F;
    const bool weight = p->name.ends_with(".weight");
    if ((weight && of_norm(*p)) || p->name.ends_with("running_var")) offset = 1;
    if ((weight && module_of(p->name) == "conv") || p->rectified) {
      const float fan_in = static_cast<float>(shape.h * shape.w * shape.c);
      for (scale = 1; scale * scale * fan_in > 6;) scale /= 2;
    }
    for (float& v : values) v = offset + scale * v;
    p->value.copy_from(values.data(), p->value.size());
  }
}

void fill_away_from_kinks(const std::vector<Parameter*>& parameters) {
  fill_from_hash(parameters);
  bool follows_rectified = false;
  for (Parameter* p : parameters) {
    // tanh has no kink, and would be flat there.
    if (p->name.starts_with("stream2.block")) continue;
    for (Index c = 0; c < p->value.size(); ++c) {
      float& value = p->value.data()[c];
      if ((p->name.ends_with(".weight") && of_norm(*p)) || p->rectified) value *= 0.25F;
      if (p->name.ends_with(".bias") && of_norm(*p)) value += 3;
      if (follows_rectified) value += value < -0.25F ? -3 : 3;  // a quarter is below the ReLU
    }
    follows_rectified = p->rectified;
  }
}

Fixture::Fixture(const std::string& case_name)
    : file_([]() -> const SafetensorsFile& {
        static const SafetensorsFile file =
            SafetensorsFile::open(std::filesystem::path(TWINAGE_FIXTURES) / "layers.safetensors");
        return file;
      }()),
      case_(case_name) {}

double Fixture::error(const std::string& name, ConstView got) const {
  const std::string full = case_ + "/" + name;
  const std::vector<double> values = packed(got);
  if (!file_.contains(full)) {
    const std::vector<double> want = file_.doubles(full + ":sketch");
    return largest_deviation(sketch(full, values), want) / std::max(want.back(), kSmallestScale);
  }
  const std::vector<double> want = file_.doubles(full);
  const double typical = norm(want) / std::sqrt(static_cast<double>(want.size()));
  return largest_deviation(values, want) / std::max(typical, kSmallestScale);
}

}  // namespace twinage::test
