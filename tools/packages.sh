# Debian 12 packages, to be sourced.
# To build and run. Found by pkg-config, and not needed: cpp-httplib, for train --live; libzip, for
# train --from FILE.pth.
packages_build=(g++ cmake ninja-build libfmt-dev libcli11-dev nlohmann-json3-dev libtomlplusplus-dev
  libstb-dev doctest-dev libxxhash-dev zlib1g-dev libcpp-httplib-dev libzip-dev pkg-config)
# To run all tests: Clang (ThreadSanitizer), the formatter, Python to read our files back with NumPy;
# libmatio, without which a build reads IMDB-WIKI's lists as CSV only; ONNX's classes, without which it
# has no export --onnx; Open MPI, without which it trains with one process; tidy, which reads our pages.
packages_test=(clang libclang-rt-14-dev clang-format python3 python3-numpy python3-venv libmatio-dev
  libonnx-dev libprotobuf-dev libopenmpi-dev openmpi-bin tidy)
# To find faces in photographs (crop, predict --photo). Needed when building alone: what is used of it is
# linked in. It brings headers of libpng, SQLite, X11, OpenCV's core, TBB and Eigen along.
packages_test+=(libdlib-dev)
# To compare with others:
packages_benchmark=(libdnnl-dev libopenblas-dev)
