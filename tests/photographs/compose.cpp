// Photographs with known faces: compose_photographs FACES OUT COUNT SEED MOST_TURN
//
// Puts the pictures of a folder, 2 to 5 a photograph, of 150 to 380 pixels and turned by up to
// MOST_TURN degrees, round and with a soft edge, on scenes of 1600 x 1200 pixels of stripes, boxes
// and noise. OUT/truth.csv says where each is: photo,file,x,y,side,turn (the middle and the side of
// the picture that was put there, pixels; degrees clockwise).
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <numbers>
#include <random>

#include <fmt/format.h>

#include "core/files.h"
#include "train/faces/csv.h"
#include "train/faces/photo/crop_geometry.h"

using namespace twinage;
namespace fs = std::filesystem;

namespace {

class Composer {
 public:
  Composer(unsigned seed, double most_turn) : random_(seed), most_turn_(most_turn) {}

  double between(double low, double high) {
    // Not std::uniform_real_distribution, which every library draws in its own way.
    return low + (high - low) * static_cast<double>(random_()) / 4294967296.0;
  }

  Image scene() {
    Image image{1600, 1200, std::vector<std::uint8_t>(1600 * 1200 * 3)};
    const double fx = between(0.002, 0.03), fy = between(0.002, 0.03), base = between(70, 180);
    for (Index y = 0; y < image.height; ++y)
      for (Index x = 0; x < image.width; ++x)
        for (int c = 0; c < 3; ++c)
          image.pixel(y, x)[c] = static_cast<std::uint8_t>(
              base + 30 * std::sin(fx * static_cast<double>(x) + c) +
              25 * std::sin(fy * static_cast<double>(y) + 2 * c) + between(-8, 8));
    for (int box = 0; box < 25; ++box) {
      const auto x0 = static_cast<Index>(between(0, 1500)),
                 y0 = static_cast<Index>(between(0, 1100));
      const auto w = static_cast<Index>(between(20, 400)), h = static_cast<Index>(between(20, 400));
      const double colour[] = {between(0, 255), between(0, 255), between(0, 255)};
      for (Index y = y0; y < std::min(image.height, y0 + h); ++y)
        for (Index x = x0; x < std::min(image.width, x0 + w); ++x)
          for (int c = 0; c < 3; ++c)
            image.pixel(y, x)[c] =
                static_cast<std::uint8_t>((image.pixel(y, x)[c] + colour[c]) / 2);
    }
    return image;
  }

  // In a cell of a grid of 3 x 2, so that none hides another. Returns the row of truth.csv.
  std::string put(Image& image, const Image& face, Index cell) {
    const double side = between(150, 380), turn = between(-most_turn_, most_turn_);
    const double x = (static_cast<double>(cell % 3) + 0.5) * 533 + between(-40, 40);
    const double y = (static_cast<double>(cell / 3) + 0.5) * 600 + between(-60, 60);
    const double scale = static_cast<double>(face.width) / side,
                 radians = turn * std::numbers::pi / 180;
    // From the scene back to the face: turned the other way.
    Similarity back{scale * std::cos(radians), -scale * std::sin(radians), 0, 0};
    const Spot middle = back.at({x, y});
    back.x = 0.5 * static_cast<double>(face.width) - middle.x;
    back.y = 0.5 * static_cast<double>(face.height) - middle.y;
    const auto left = static_cast<Index>(x - side), top = static_cast<Index>(y - side);
    const auto width = static_cast<Index>(2 * side);
    const Spot corner = back.at({static_cast<double>(left), static_cast<double>(top)});
    const Image patch = cut(face, {back.a, back.b, corner.x, corner.y}, width);
    for (Index v = 0; v < width; ++v)
      for (Index u = 0; u < width; ++u) {
        const double away = std::hypot(static_cast<double>(left + u) + 0.5 - x,
                                       static_cast<double>(top + v) + 0.5 - y) /
                            side;
        const double share = std::clamp((0.56 - away) / 0.06, 0.0, 1.0);
        if (share <= 0 || top + v < 0 || left + u < 0 || top + v >= image.height ||
            left + u >= image.width)
          continue;
        std::uint8_t* pixel = image.pixel(top + v, left + u);
        for (int c = 0; c < 3; ++c)
          pixel[c] = static_cast<std::uint8_t>(
              std::lround(share * patch.pixel(v, u)[c] + (1 - share) * pixel[c]));
      }
    return fmt::format("{:.1f},{:.1f},{:.1f},{:.1f}", x, y, side, turn);
  }

 private:
  std::mt19937 random_;
  double most_turn_;
};

int compose(const fs::path& folder, const fs::path& out, int count, unsigned seed,
            double most_turn) {
  std::vector<std::string> files;
  for (const auto& entry : fs::directory_iterator(folder))
    if (has_picture_extension(entry.path())) files.push_back(entry.path().string());
  std::ranges::sort(files);
  Composer composer(seed, most_turn);
  for (std::size_t i = files.size(); i > 1; --i)
    std::swap(files[i - 1],
              files[static_cast<std::size_t>(composer.between(0, static_cast<double>(i)))]);
  fs::create_directories(out);
  std::string truth = "photo,file,x,y,side,turn\n";
  std::size_t next = 0;
  for (int i = 0; i < count; ++i) {
    Image image = composer.scene();
    const std::string photo = (out / fmt::format("photo_{:02}.jpg", i)).string();
    const int faces = 2 + i % 4, first = static_cast<int>(composer.between(0, 6));
    for (int k = 0; k < faces; ++k) {
      const std::string& file = files.at(next++);
      truth += fmt::format("{},{},{}\n", csv_field(photo), csv_field(file),
                           composer.put(image, read_image(file), (first + k) % 6));
    }
    write_jpeg(photo, image, 92);
  }
  write_file_atomically(out / "truth.csv", truth);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    require(argc == 6, "compose_photographs FACES OUT COUNT SEED MOST_TURN");
    return compose(argv[1], argv[2], std::atoi(argv[3]), static_cast<unsigned>(std::atoi(argv[4])),
                   std::atof(argv[5]));
  } catch (const std::exception& error) {
    fmt::print(stderr, "compose_photographs: {}\n", error.what());
    return 1;
  }
}
