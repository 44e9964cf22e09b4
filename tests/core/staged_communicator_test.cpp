#include "core/staged_communicator.h"

#include <doctest/doctest.h>

#include "core/device_memory.h"
#include "tests/support/thread_ranks.h"

namespace twinage {
namespace {

// Numbers in the memory of device simt, which the host cannot read.
class OnDevice {
 public:
  explicit OnDevice(std::vector<int> values)
      : bytes_(values.size() * sizeof(int)), p_(allocate_bytes(bytes_, Device::simt)) {
    copy_bytes(p_, Device::simt, values.data(), Device::cpu, bytes_);
  }
  ~OnDevice() { free_bytes(p_, bytes_, Device::simt); }
  OnDevice(const OnDevice&) = delete;
  OnDevice& operator=(const OnDevice&) = delete;

  void* data() const { return p_; }
  std::vector<int> values() const {
    std::vector<int> values(bytes_ / sizeof(int));
    copy_bytes(values.data(), Device::cpu, p_, Device::simt, bytes_);
    return values;
  }

 private:
  std::size_t bytes_;
  void* p_;
};

TEST_CASE("staged ranks: gathering, the first one's broadcast") {
  test::ThreadRanks(3).run([](Communicator& host) {
    StagedRanks ranks(host, Device::simt);
    const int r = ranks.rank();
    const OnDevice all({r == 0 ? 1 : 0, r == 2 ? 2 : 0, r == 2 ? 3 : 0});
    ranks.gather(all.data(), std::vector<std::size_t>{sizeof(int), 0, 2 * sizeof(int)});
    CHECK(all.values() == std::vector<int>{1, 2, 3});
    const OnDevice one({10 + r});
    ranks.broadcast(one.data(), sizeof(int));
    CHECK(one.values() == std::vector<int>{10});
  });
}

TEST_CASE("staged ranks: exchanges are finished in any order, and then nothing is kept of them") {
  test::ThreadRanks(2).run([](Communicator& host) {
    StagedRanks ranks(host, Device::simt);
    const int r = ranks.rank();
    const std::vector<std::size_t> one_each(2, sizeof(int));
    for (int step = 0; step < 2; ++step) {
      const OnDevice from({10 * r, 10 * r + 1}), more({20 * r, 20 * r + 1}), to({-1, -1}),
          there({-1, -1});
      CHECK(ranks.begin_exchange(to.data(), from.data(), one_each) == 0);
      CHECK(ranks.begin_exchange(there.data(), more.data(), one_each) == 1);
      ranks.finish(1);
      CHECK(there.values() == std::vector<int>{r, 20 + r});
      CHECK(to.values() == std::vector<int>{-1, -1});
      ranks.finish(0);
      CHECK(to.values() == std::vector<int>{r, 10 + r});
    }
  });
}

}  // namespace
}  // namespace twinage
