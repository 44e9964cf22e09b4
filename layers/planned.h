// What plan() was told: forward and backward must come with the same shapes and mode, since memory
// was taken for these.
#pragma once
#include "core/error.h"
#include "core/view.h"
#include "layers/layer.h"

namespace twinage {

struct Planned {
  Shape x{0, 0, 0, 0}, y{0, 0, 0, 0};
  Mode mode = Mode::eval;

  void check_forward(const char* layer, ConstView got_y, ConstView got_x, Mode got_mode,
                     Layer::Bf16Views bf16 = {}) const {
    check_shapes(layer, got_y, got_x);
    const auto known = [](ConstView v, bool may_be_bf16) {
      return may_be_bf16 || v.element == Element::float32;
    };
    require(known(got_x, bf16.x) && known(got_y, bf16.y),
            "[{}] expected x and y in float32, got bf16", layer);
    require(got_mode == mode, "[{}] expected the planned mode: call plan() again to change it",
            layer);
  }
  void check_backward(const char* layer, ConstView got_dx, ConstView got_dy, ConstView got_y,
                      ConstView got_x) const {
    check_shapes(layer, got_y, got_x);
    require(mode == Mode::train, "[{}] expected a plan for training before backward", layer);
    require(got_dy.shape == y, "[{}] expected dy = {}, got {}", layer, y, got_dy.shape);
    require(got_dx.data == nullptr || got_dx.shape == x, "[{}] expected dx = {}, got {}", layer, x,
            got_dx.shape);
  }

 private:
  void check_shapes(const char* layer, ConstView got_y, ConstView got_x) const {
    require(got_x.shape == x, "[{}] expected x = {} as planned, got {}", layer, x, got_x.shape);
    require(got_y.shape == y, "[{}] expected y = {} as planned, got {}", layer, y, got_y.shape);
  }
};

}  // namespace twinage
