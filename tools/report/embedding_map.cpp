#include "tools/report/embedding_map.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "core/error.h"
#include "core/parallel.h"
#include "core/random.h"
#include "core/tensor.h"
#include "kernels/distance/distance.h"

namespace twinage {
namespace {

using Column = std::vector<double>;

double dot(const Column& a, const Column& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

// Columns of length 1 at right angles to each other (Gram and Schmidt, twice for accuracy).
void make_orthonormal(std::vector<Column>& columns) {
  for (int twice = 0; twice < 2; ++twice)
    for (std::size_t i = 0; i < columns.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        const double along = dot(columns[i], columns[j]);
        for (std::size_t k = 0; k < columns[i].size(); ++k) columns[i][k] -= along * columns[j][k];
      }
      const double length = std::sqrt(dot(columns[i], columns[i]));
      for (double& value : columns[i]) value = length > 0 ? value / length : 0;
    }
}

std::vector<Column> covariance(ConstView z) {
  const auto width = static_cast<std::size_t>(z.shape.c);
  Column mean(width, 0), row(width);
  for (Index i = 0; i < z.shape.n; ++i)
    for (std::size_t k = 0; k < width; ++k)
      mean[k] += static_cast<double>(z.pixel(i)[k]) / static_cast<double>(z.shape.n);
  std::vector<Column> c(width, Column(width, 0));
  for (Index i = 0; i < z.shape.n; ++i) {
    for (std::size_t k = 0; k < width; ++k) row[k] = static_cast<double>(z.pixel(i)[k]) - mean[k];
    for (std::size_t a = 0; a < width; ++a)
      for (std::size_t b = 0; b < width; ++b) c[a][b] += row[a] * row[b];
  }
  return c;
}

// The directions of most variance, by subspace iteration: a few more than are wanted, so that it
// converges where the third is nearly as large as the second.
std::vector<Column> directions(ConstView z) {
  constexpr std::size_t kMore = 6;
  constexpr int kIterations = 60;
  const std::vector<Column> c = covariance(z);
  std::vector<Column> found(std::min<std::size_t>(2 + kMore, c.size()), Column(c.size()));
  Random random(1);
  for (Column& column : found)
    for (double& value : column) value = random.normal();
  for (int i = 0; i < kIterations; ++i) {
    make_orthonormal(found);
    for (Column& column : found) {
      Column next(c.size());
      for (std::size_t a = 0; a < c.size(); ++a) next[a] = dot(c[a], column);
      column = std::move(next);
    }
    std::ranges::stable_sort(found, std::greater(), [](const Column& v) { return dot(v, v); });
  }
  make_orthonormal(found);
  found.resize(std::min<std::size_t>(2, found.size()));
  for (Column& column : found) {
    const auto largest =
        std::ranges::max_element(column, {}, [](double v) { return std::fabs(v); });
    if (*largest < 0)
      for (double& value : column) value = -value;
  }
  return found;
}

// Moves and scales places to fill [0, 1] x [0, 1], the same for both directions.
Plane boxed(Plane places) {
  double least_x = places[0].first, most_x = least_x, least_y = places[0].second, most_y = least_y;
  for (const auto& [x, y] : places) {
    least_x = std::min(least_x, x);
    most_x = std::max(most_x, x);
    least_y = std::min(least_y, y);
    most_y = std::max(most_y, y);
  }
  const double reach = std::max(most_x - least_x, most_y - least_y);
  const auto placed = [&](double value, double least, double most) {
    return reach > 0 ? std::clamp(0.5 + (value - (least + most) / 2) / reach, 0.0, 1.0) : 0.5;
  };
  for (auto& [x, y] : places) {
    x = placed(x, least_x, most_x);
    y = placed(y, least_y, most_y);
  }
  return places;
}

Plane projected(ConstView z) {
  const std::vector<Column> axes = directions(z);
  Plane places;
  for (Index i = 0; i < z.shape.n; ++i) {
    std::array<double, 2> place{};
    for (std::size_t a = 0; a < axes.size(); ++a)
      for (Index k = 0; k < z.shape.c; ++k)
        place[a] += axes[a][static_cast<std::size_t>(k)] * static_cast<double>(z.pixel(i)[k]);
    places.emplace_back(place[0], place[1]);
  }
  return places;
}

struct Neighbour {
  Index face;
  double p;
};
using Affinities = std::vector<std::vector<Neighbour>>;

// p_j|i of the nearest faces, with the width at which their perplexity is the one asked for.
void set_affinities(std::vector<Neighbour>& near, const float* distances, double perplexity) {
  const double entropy = std::log(std::min(perplexity, static_cast<double>(near.size())));
  double low = 0, high = INFINITY, beta = 1;
  for (int i = 0; i < 60; ++i) {
    double sum = 0, weighted = 0;
    const double least = static_cast<double>(distances[near.front().face]);
    for (Neighbour& n : near) {
      const double d = static_cast<double>(distances[n.face]);
      const double excess = d * d - least * least;
      n.p = std::exp(-beta * excess);
      sum += n.p;
      weighted += n.p * beta * excess;
    }
    for (Neighbour& n : near) n.p /= sum;
    const double got = std::log(sum) + weighted / sum;
    if (std::fabs(got - entropy) < 1e-5) return;
    (got > entropy ? low : high) = beta;
    beta = std::isinf(high) ? 2 * beta : (low + high) / 2;
  }
}

Affinities affinities_of(const Context& ctx, ConstView z, double perplexity) {
  constexpr Index kBlock = 256;
  const Index count = z.shape.n;
  const auto neighbours = std::min<Index>(count - 1, static_cast<Index>(3 * perplexity));
  Affinities one_way(static_cast<std::size_t>(count));
  for (Index begin = 0; begin < count; begin += kBlock) {
    const Index rows = std::min(kBlock, count - begin);
    Tensor d(matrix(rows, count));
    distance_matrix(ctx, d.view(), z.images(begin, rows), z);
    parallel_for(ctx.threads, rows, [&](Index row, int) {
      const float* distances = d.view().pixel(row);
      auto& near = one_way[static_cast<std::size_t>(begin + row)];
      for (Index j = 0; j < count; ++j)
        if (j != begin + row) near.push_back({j, 0});
      std::ranges::partial_sort(near, near.begin() + neighbours, {}, [&](const Neighbour& n) {
        return std::pair(distances[n.face], n.face);
      });
      near.resize(static_cast<std::size_t>(neighbours));
      set_affinities(near, distances, perplexity);
    });
  }
  // p_ij = (p_j|i + p_i|j) / 2n
  Affinities both(one_way.size());
  for (std::size_t i = 0; i < one_way.size(); ++i)
    for (const auto& [face, p] : one_way[i]) {
      both[i].push_back({face, p / (2 * static_cast<double>(count))});
      both[static_cast<std::size_t>(face)].push_back(
          {static_cast<Index>(i), p / (2 * static_cast<double>(count))});
    }
  return both;
}

// Places as two rows of numbers, padded with places so far away that they push nobody.
struct Places {
  static constexpr std::size_t kLanes = 16;
  std::size_t count = 0;
  std::vector<float> x, y;
  explicit Places(std::size_t n)
      : count(n), x((n + kLanes - 1) / kLanes * kLanes, 1e18F), y(x.size(), 1e18F) {}
};

struct Push {
  double x = 0, y = 0, sum = 0;  // sums over j of q^2 (y_i - y_j) and q, with q = 1 / (1 + d^2)
};

// Sixteen sums side by side, so that the compiler can use vectors without changing any result.
Push push_on(const Places& places, float x, float y) {
  constexpr std::size_t kLanes = Places::kLanes;
  std::array<float, kLanes> px{}, py{}, sum{};
  Push push;
  std::size_t j = 0;
  const auto flush = [&] {
    for (std::size_t l = 0; l < kLanes; ++l) {
      push.x += static_cast<double>(px[l]);
      push.y += static_cast<double>(py[l]);
      push.sum += static_cast<double>(sum[l]);
    }
    px = py = sum = {};
  };
  while (j < places.x.size()) {
    const std::size_t end = std::min(places.x.size(), j + 64 * kLanes);
    for (; j < end; j += kLanes)
      for (std::size_t l = 0; l < kLanes; ++l) {
        const float dx = x - places.x[j + l], dy = y - places.y[j + l];
        const float q = 1 / (1 + dx * dx + dy * dy);
        sum[l] += q;
        px[l] += q * q * dx;
        py[l] += q * q * dy;
      }
    flush();
  }
  push.sum -= 1;  // of itself
  return push;
}

class Descent {
 public:
  Descent(const Context& ctx, const Affinities& p, Places places)
      : ctx_(ctx), p_(p), places_(std::move(places)), pushes_(places_.count) {
    for (auto* rows : {&speed_, &gain_, &gradient_}) rows->assign(places_.count, {0, 0});
    for (auto& gain : gain_) gain = {1, 1};
  }

  void step(double exaggeration, double momentum, double rate) {
    const auto count = static_cast<Index>(places_.count);
    parallel_for(ctx_.threads, count, [&](Index i, int) {
      const auto face = static_cast<std::size_t>(i);
      pushes_[face] = push_on(places_, places_.x[face], places_.y[face]);
    });
    double sum = 0;
    for (const Push& push : pushes_) sum += push.sum;
    parallel_for(ctx_.threads, count, [&](Index i, int) {
      const auto face = static_cast<std::size_t>(i);
      gradient_[face] = gradient(face, exaggeration, sum);
    });
    for (std::size_t i = 0; i < places_.count; ++i) {
      places_.x[i] += static_cast<float>(move(i, 0, momentum, rate));
      places_.y[i] += static_cast<float>(move(i, 1, momentum, rate));
    }
  }
  Plane places() const {
    Plane plane;
    for (std::size_t i = 0; i < places_.count; ++i)
      plane.emplace_back(static_cast<double>(places_.x[i]), static_cast<double>(places_.y[i]));
    return plane;
  }

 private:
  using Pair = std::array<double, 2>;

  Pair gradient(std::size_t face, double exaggeration, double sum) const {
    Pair g{-pushes_[face].x / sum, -pushes_[face].y / sum};
    for (const auto& [other, p] : p_[face]) {
      const auto j = static_cast<std::size_t>(other);
      const double dx = static_cast<double>(places_.x[face] - places_.x[j]);
      const double dy = static_cast<double>(places_.y[face] - places_.y[j]);
      const double pull = exaggeration * p / (1 + dx * dx + dy * dy);
      g[0] += pull * dx;
      g[1] += pull * dy;
    }
    return {4 * g[0], 4 * g[1]};
  }
  // Gains as in van der Maaten's implementation: larger while a coordinate keeps its direction.
  double move(std::size_t face, std::size_t axis, double momentum, double rate) {
    double& gain = gain_[face][axis];
    double& speed = speed_[face][axis];
    const double g = gradient_[face][axis];
    gain = (g > 0) != (speed > 0) ? gain + 0.2 : std::max(0.01, gain * 0.8);
    speed = momentum * speed - rate * gain * g;
    return speed;
  }

  const Context& ctx_;
  const Affinities& p_;
  Places places_;
  std::vector<Push> pushes_;
  std::vector<Pair> speed_, gain_, gradient_;
};

}  // namespace

Plane principal_plane(ConstView z) {
  require(z.shape.n > 0 && z.shape.c > 0, "[map] expected embeddings, got {}", z.shape);
  return boxed(projected(z));
}

Plane neighbour_plane(const Context& ctx, ConstView z, const NeighbourMapOptions& options) {
  constexpr double kExaggeration = 12, kStart = 1e-2;
  const Plane start = principal_plane(z);
  if (z.shape.n < 4) return start;
  // Half as many neighbours as there are others, at the most.
  const double perplexity =
      std::clamp(static_cast<double>(z.shape.n - 1) / 3, 1.0, options.perplexity);
  const Affinities p = affinities_of(ctx, z, perplexity);
  Places places(start.size());
  for (std::size_t i = 0; i < start.size(); ++i) {
    places.x[i] = static_cast<float>(kStart * (start[i].first - 0.5));
    places.y[i] = static_cast<float>(kStart * (start[i].second - 0.5));
  }
  Descent descent(ctx, p, std::move(places));
  // The step that Belkina et al. 2019 found: n over the exaggeration.
  const double rate = std::max(50.0, static_cast<double>(z.shape.n) / kExaggeration / 4);
  const int early = options.iterations / 4;
  for (int i = 0; i < options.iterations; ++i)
    descent.step(i < early ? kExaggeration : 1, i < early ? 0.5 : 0.8, rate);
  return boxed(descent.places());
}

}  // namespace twinage
