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
      CHECK(inner.floats(20) == a - workspace_floats(20));
      CHECK_THROWS_AS(inner.floats(1), Error);
    }
    WorkspaceScope again(&workspace);
    CHECK(again.floats(3) == a - workspace_floats(3));
  }
  CHECK(workspace.peak() == workspace_floats(100) + workspace_floats(20));
  CHECK_THROWS_AS(WorkspaceScope(nullptr), Error);
}

TEST_CASE("what is kept and scratch share a workspace from both ends, and never meet") {
  Workspace workspace(96);
  Kept a, b;
  a.plan(vector(20));
  b.plan(vector(16));
  CHECK_THROWS_AS(a.view(&workspace), Error);  // nobody has kept it
  const View first = a.keep(&workspace), second = b.keep(&workspace);
  CHECK(second.data == first.data + 32);
  CHECK(workspace.kept() == 48);
  {
    WorkspaceScope scope(&workspace);
    CHECK(scope.floats(48) == first.data + 48);
    CHECK_THROWS_AS(scope.floats(1), Error);
    Kept more;
    more.plan(vector(1));
    CHECK_THROWS_AS(more.keep(&workspace), Error);
  }
  CHECK_THROWS_AS(a.let_go(&workspace), Error);  // b was kept after it
  CHECK(a.view(&workspace).data == first.data);
  b.let_go(&workspace);
  CHECK_THROWS_AS(b.view(&workspace), Error);
  a.let_go(&workspace);
  CHECK(workspace.kept() == 0);
  CHECK(workspace.peak() == 96);
  a.keep(&workspace);
  workspace.forget();
  CHECK_THROWS_AS(a.view(&workspace), Error);
  CHECK_THROWS_AS(a.keep(nullptr), Error);
}

TEST_CASE("what is held stays below what forward passes keep, until it is released") {
  Workspace workspace(64);
  Kept held, kept;
  held.plan(vector(16));
  kept.plan(vector(16));
  const float* at = held.keep(&workspace).data;
  workspace.hold();
  kept.keep(&workspace);
  CHECK(workspace.kept() == 32);
  workspace.forget();
  CHECK(workspace.kept() == 16);
  CHECK(held.view(&workspace).data == at);
  CHECK_THROWS_AS((void)kept.view(&workspace), Error);
  workspace.release();
  CHECK(workspace.kept() == 0);
  CHECK_THROWS_AS((void)held.view(&workspace), Error);
}

TEST_CASE("a frame grows and shrinks, and what it still covers stays where it is") {
  Workspace workspace(128);
  WorkspaceScope outside(&workspace);
  float* end = outside.floats(16);
  WorkspaceFrame frame(&workspace);
  frame.resize(64);
  const View low = frame.view(0, vector(16)), high = frame.view(16, vector(40));
  CHECK(low.data == end - 16);
  CHECK(high.data == end - 64);
  low.data[3] = 7;
  frame.resize(16);
  CHECK(frame.view(0, vector(16)).data[3] == 7);
  CHECK_THROWS_AS(frame.view(16, vector(40)), Error);
  frame.resize(112);
  CHECK(low.data[3] == 7);
  CHECK_THROWS_AS(frame.resize(128), Error);
  frame.resize(32);
  WorkspaceScope inside(&workspace);
  CHECK(inside.floats(16) == end - 48);
  CHECK_THROWS_AS(frame.resize(0), Error);  // there is scratch after it
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
