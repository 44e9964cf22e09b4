#include "core/shared_library.h"

#include <array>
#include <string>

#include <doctest/doctest.h>

#include "core/error.h"

using namespace twinage;

namespace {

template <class Call>
std::string message_of(Call call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("shared library: functions are found by name") {
  const SharedLibrary library("libm", std::array<std::string, 2>{"libnothing.so.0", "libm.so.6"});
  double (*root)(double) = nullptr;
  library.find(root, "sqrt");
  CHECK(root(9.0) == 3.0);
  CHECK(message_of([&] { library.find(root, "no_such_function"); }) ==
        "[libm] the library on this machine has no function no_such_function");
}

TEST_CASE("shared library: one that is not there is said so in one line") {
  CHECK(message_of([] {
          const SharedLibrary library("cudnn",
                                      std::array<std::string, 2>{"libnone.so.9", "libnone.so"});
        }) ==
        "[cudnn] expected one of the files libnone.so.9, libnone.so on the loader's path "
        "(LD_LIBRARY_PATH), found none");
}
