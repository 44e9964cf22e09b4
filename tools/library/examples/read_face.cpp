// Reads faces with Twinage's own C++ classes, of the static library:
//   cmake -B build && cmake --build build && build/read_face_cpp run face.jpg another.jpg
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include <train/model/face_reader.h>

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: read_face_cpp RUN FACE...\n");
    return 2;
  }
  try {
    twinage::FaceReader reader(argv[1], twinage::Engine({}));
    const std::vector<std::string> paths(argv + 2, argv + argc);
    const twinage::Readings readings = reader.read(paths);
    for (std::size_t i = 0; i < readings.estimates.size(); ++i)
      std::printf("%s: age %.2f\n", readings.dataset.faces[i].path.c_str(),
                  readings.estimates[i].age);
    for (const twinage::Skipped& bad : readings.dataset.skipped)
      std::fprintf(stderr, "%s\n", twinage::description(bad).c_str());
    return readings.dataset.skipped.empty() ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
