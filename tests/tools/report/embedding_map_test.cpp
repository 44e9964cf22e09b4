#include "tools/report/embedding_map.h"

#include <algorithm>
#include <cmath>

#include <doctest/doctest.h>

#include "core/error.h"
#include "core/random.h"
#include "core/tensor.h"

using namespace twinage;

namespace {

// Groups of faces around centres that lie far apart.
Tensor groups(Index each, Index count, Index width) {
  Tensor z(matrix(each * count, width));
  Random random(3);
  for (Index i = 0; i < each * count; ++i)
    for (Index k = 0; k < width; ++k)
      z.view().pixel(i)[k] = static_cast<float>((k == i / each ? 10 : 0) + 0.3 * random.normal());
  return z;
}

double distance(const Plane& plane, std::size_t a, std::size_t b) {
  return std::hypot(plane[a].first - plane[b].first, plane[a].second - plane[b].second);
}

// The share of faces whose nearest neighbour in the plane is of their own group.
double kept_neighbours(const Plane& plane, std::size_t each) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < plane.size(); ++i) {
    std::size_t nearest = i == 0 ? 1 : 0;
    for (std::size_t j = 0; j < plane.size(); ++j)
      if (j != i && distance(plane, i, j) < distance(plane, i, nearest)) nearest = j;
    kept += nearest / each == i / each;
  }
  return static_cast<double>(kept) / static_cast<double>(plane.size());
}

void check_box(const Plane& plane) {
  for (const auto& [x, y] : plane) {
    CHECK(x >= 0);
    CHECK(x <= 1);
    CHECK(y >= 0);
    CHECK(y <= 1);
  }
}

}  // namespace

TEST_CASE("principal components: the direction of most variance is x, the next is y") {
  Random random(1);
  Tensor z(matrix(200, 5));
  for (Index i = 0; i < 200; ++i) {
    const double u = random.normal(), v = random.normal();
    float* row = z.view().pixel(i);
    for (Index k = 0; k < 5; ++k) row[k] = static_cast<float>(0.01 * random.normal()) + 7;
    row[3] += static_cast<float>(5 * u);
    row[1] += static_cast<float>(2 * v);
  }
  const Plane plane = principal_plane(z.view());
  check_box(plane);
  // x says what column 3 says, y what column 1 says, up to one scale for both.
  const double scale = (plane[1].first - plane[0].first) /
                       static_cast<double>(z.view().pixel(1)[3] - z.view().pixel(0)[3]);
  CHECK(scale > 0);
  for (std::size_t i = 1; i < 200; ++i) {
    const float* row = z.view().pixel(static_cast<Index>(i));
    CHECK(
        plane[i].first - plane[0].first ==
        doctest::Approx(scale * static_cast<double>(row[3] - z.view().pixel(0)[3])).epsilon(0.02));
    CHECK(std::fabs(plane[i].second - plane[0].second) ==
          doctest::Approx(scale * std::fabs(static_cast<double>(row[1] - z.view().pixel(0)[1])))
              .epsilon(0.05));
  }
}

TEST_CASE("principal components of one face, of equal faces and of one number are places, too") {
  Tensor one(matrix(1, 4)), equal(matrix(3, 4)), narrow(matrix(3, 1));
  for (Index i = 0; i < 3; ++i) narrow.view().pixel(i)[0] = static_cast<float>(i);
  CHECK(principal_plane(one.view()) == Plane{{0.5, 0.5}});
  CHECK(principal_plane(equal.view()) == Plane(3, {0.5, 0.5}));
  CHECK(principal_plane(narrow.view())[2].first == doctest::Approx(1));
  CHECK_THROWS_AS(principal_plane(one.view().images(0, 0)), Error);
}

TEST_CASE("t-SNE keeps neighbours: groups of a space of many dimensions are groups in the plane") {
  const Tensor z = groups(15, 20, 24);
  const Context ctx;
  const Plane plane = neighbour_plane(ctx, z.view());
  check_box(plane);
  CHECK(kept_neighbours(plane, 15) == 1);
  // Two components cannot do that for twenty groups.
  CHECK(kept_neighbours(principal_plane(z.view()), 15) < 0.9);
}

TEST_CASE("t-SNE gives the same places for any number of threads, and of few faces some place") {
  const Tensor z = groups(10, 3, 4);
  Context two;
  two.threads = 2;
  CHECK(neighbour_plane(Context(), z.view(), {10, 60}) == neighbour_plane(two, z.view(), {10, 60}));
  for (const Index count : {1, 2, 3, 4, 5}) {
    const Plane plane = neighbour_plane(two, z.view().images(0, count));
    REQUIRE(plane.size() == static_cast<std::size_t>(count));
    check_box(plane);
  }
}
