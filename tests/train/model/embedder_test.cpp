#include "train/model/embedder.h"

#include <cstring>

#include <doctest/doctest.h>

#include "layers/initialize.h"
#include "tests/support/temporary_folder.h"

using namespace twinage;

namespace {

// The smallest network that has every block.
const Preset kPreset{"narrow", "inception_v3_compact", 65, 67, 0.1};
constexpr Index kFaces = 10, kWidth = 16;

bool same_bits(const Embedded& a, const Embedded& b) {
  return a.done == b.done && a.female == b.female && a.z.shape() == b.z.shape() &&
         std::memcmp(a.z.data(), b.z.data(), static_cast<std::size_t>(a.z.bytes())) == 0;
}

}  // namespace

TEST_CASE("embedding that was paused goes on to the same bits") {
  const test::TemporaryFolder folder;
  Random random(5);
  for (Index i = 0; i < kFaces; ++i) {
    Image image{kPreset.load, kPreset.load, {}};
    for (Index j = 0; j < 3 * kPreset.load * kPreset.load; ++j)
      image.rgb.push_back(static_cast<std::uint8_t>(random.bits() & 0xFF));
    write_png(folder / fmt::format("{}_0_0_1.png", 10 + i), image);
  }
  FaceDataset dataset = find_faces(folder.path());
  const FaceStore store(dataset, kPreset.load, 2, std::size_t{1} << 20);
  const std::vector<Index> faces{0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  Engine engine({Device::cpu, 2});
  TwinNetwork network(kPreset, kWidth);
  initialize(network.parameters(), 7);
  EmbedOptions options;
  options.batch = 4;
  const Embedded whole = embed_faces(engine, network, store, faces, options);
  CHECK(whole.done == kFaces);

  Index pauses = 0;
  options.pause = [&](const Embedded& so_far) {
    ++pauses;
    CHECK(so_far.done == 4 * pauses);
    return true;
  };
  Embedded parts = embed_faces(engine, network, store, faces, options);
  CHECK(parts.done == 4);
  CHECK(parts.female[4] == 0);
  embed_more(engine, network, store, faces, options, parts);
  CHECK(parts.done == 8);
  CHECK_FALSE(same_bits(parts, whole));
  embed_more(engine, network, store, faces, options, parts);
  CHECK(pauses == 2);  // not at the end
  CHECK(same_bits(parts, whole));
  embed_more(engine, network, store, faces, options, parts);  // nothing is left
  CHECK(same_bits(parts, whole));

  Embedded other{Tensor(matrix(3, kWidth)), std::vector<float>(3), 2};
  CHECK_THROWS_AS(embed_more(engine, network, store, faces, options, other), Error);
}
