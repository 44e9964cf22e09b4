#include "core/workspace.h"

#include <doctest/doctest.h>

#include "core/cuda_runtime.h"
#include "core/error.h"
#include "core/tensor.h"

using namespace twinage;

TEST_CASE("a scope gives back what it took") {
  Workspace workspace(workspace_floats(100) + workspace_floats(20));
  {
    WorkspaceScope outer(&workspace);
    float* a = outer.floats(100);
    {
      WorkspaceScope inner(&workspace);
      CHECK(inner.floats(20) == a + workspace_floats(100));
      CHECK_THROWS_AS(inner.floats(1), Error);
    }
    WorkspaceScope again(&workspace);
    CHECK(again.floats(3) == a + workspace_floats(100));
  }
  CHECK(workspace.peak() == workspace_floats(100) + workspace_floats(20));
  CHECK_THROWS_AS(WorkspaceScope(nullptr), Error);
}

TEST_CASE("a tensor is zero, and copies check their size") {
  Tensor t({2, 3, 4, 5});
  float sum = 0;
  for (Index i = 0; i < t.size(); ++i) sum += t.data()[i];
  CHECK(sum == 0);
  const float two[2] = {1, 2};
  CHECK_THROWS_AS(t.copy_from(two, 2), Error);
  if (!cuda_problem().empty()) CHECK_THROWS_AS(Tensor({1, 1, 1, 1}, Device::cuda), Error);
}

TEST_CASE("an error names what it expected and what it got") {
  try {
    require(false, "[conv2d] expected x.c = {}, got x = {}", 64, Shape{8, 35, 35, 48});
    FAIL("no error");
  } catch (const Error& error) {
    CHECK(std::string(error.what()) == "[conv2d] expected x.c = 64, got x = (8, 35, 35, 48)");
  }
}
