#include "kernels/simt/stand_in.h"

namespace gpu {
namespace {

constinit const StandIn* installed = nullptr;  // before main

}  // namespace

const StandIn* stand_in() {
  return installed;
}

void set_stand_in(const StandIn* stand_in) {
  installed = stand_in;
}

bool stood_in() {
  return installed != nullptr;
}

}  // namespace gpu
