// NCCL moves bytes, as MPI does; whatever it adds it adds in an order of its own, and only when
// that was asked for.
#include "core/nccl_communicator.h"

#include <algorithm>
#include <exception>
#include <vector>

#include "core/error.h"

#if TWINAGE_CUDA && __has_include(<nccl.h>)
#define TWINAGE_NCCL 1
#include <array>

#include <nccl.h>

#include "core/shared_library.h"
#endif

namespace twinage {

#if TWINAGE_NCCL
namespace {

// What is called of NCCL: a name of ours, and its own.
#define TWINAGE_NCCL_FUNCTIONS(X)   \
  X(text, ncclGetErrorString)       \
  X(get_unique_id, ncclGetUniqueId) \
  X(init_rank, ncclCommInitRank)    \
  X(destroy, ncclCommDestroy)       \
  X(abort, ncclCommAbort)           \
  X(group_start, ncclGroupStart)    \
  X(group_end, ncclGroupEnd)        \
  X(send, ncclSend)                 \
  X(receive, ncclRecv)              \
  X(broadcast, ncclBroadcast)       \
  X(all_gather, ncclAllGather)      \
  X(all_reduce, ncclAllReduce)

struct Nccl {
#ifdef TWINAGE_STANDIN_NCCL
#define TWINAGE_NCCL_MEMBER(member, name) decltype(&::name) member = &::name;
  TWINAGE_NCCL_FUNCTIONS(TWINAGE_NCCL_MEMBER)
#else
#define TWINAGE_NCCL_MEMBER(member, name) decltype(&::name) member = nullptr;
#define TWINAGE_NCCL_FIND(member, name) library.find(member, #name);
  TWINAGE_NCCL_FUNCTIONS(TWINAGE_NCCL_MEMBER)
  SharedLibrary library{
      "nccl", std::array{"libnccl.so." + std::to_string(NCCL_MAJOR), std::string("libnccl.so")}};
  Nccl() {
    TWINAGE_NCCL_FUNCTIONS(TWINAGE_NCCL_FIND)
  }
#endif

  void check(ncclResult_t result, const char* call) const {
    require(result == ncclSuccess, "[nccl] {} failed: {} (NCCL_DEBUG=WARN says more)", call,
            text(result));
  }
};

const Nccl& nccl() {
  static const Nccl loaded;
  return loaded;
}

std::byte* at(void* p, std::size_t bytes) {
  return static_cast<std::byte*>(p) + bytes;
}
const std::byte* at(const void* p, std::size_t bytes) {
  return static_cast<const std::byte*>(p) + bytes;
}

// A communicator of NCCL, and the stream in which all of its work lies, in the order of the calls.
class Lane {
 public:
  explicit Lane(Communicator& host) {
    ncclUniqueId id{};
    if (host.rank() == 0) nccl().check(nccl().get_unique_id(&id), "ncclGetUniqueId");
    host.broadcast(&id, sizeof id);
    nccl().check(nccl().init_rank(&all_, host.size(), id, host.rank()), "ncclCommInitRank");
  }
  // With an error on its way the others may not come here any more, and destroy waits for them.
  ~Lane() { std::uncaught_exceptions() > 0 ? nccl().abort(all_) : nccl().destroy(all_); }
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;

  CudaStream& stream() { return stream_; }
  ncclComm_t all() const { return all_; }
  cudaStream_t handle() const { return static_cast<cudaStream_t>(stream_.handle()); }

 private:
  CudaStream stream_;
  ncclComm_t all_ = nullptr;
};

class NcclRanks final : public Communicator {
 public:
  NcclRanks(Communicator& host, CudaStream& compute, bool adds)
      : rank_(host.rank()),
        size_(host.size()),
        adds_(adds),
        compute_(compute),
        now_(host),
        beside_(host) {}

  int rank() const override { return rank_; }
  int size() const override { return size_; }

  void gather(void* all, std::span<const std::size_t> bytes) override {
    now_.stream().wait_for(compute_);
    if (std::equal(bytes.begin() + 1, bytes.end(), bytes.begin())) {
      nccl().check(nccl().all_gather(at(all, bytes_before(bytes, mine())), all, bytes[mine()],
                                     ncclInt8, now_.all(), now_.handle()),
                   "ncclAllGather");
    } else {
      in_a_group([&] {
        for (std::size_t r = 0; r < bytes.size(); ++r)
          if (bytes[r] > 0) broadcast_from(r, at(all, bytes_before(bytes, r)), bytes[r]);
      });
    }
    compute_.wait_for(now_.stream());
  }

  int begin_exchange(void* to, const void* from, std::span<const std::size_t> sizes) override {
    beside_.stream().wait_for(compute_);
    const std::size_t received = sizes[mine()];
    in_a_group([&] {
      for (std::size_t r = 0; r < sizes.size(); ++r) {
        if (r == mine()) continue;
        const int peer = static_cast<int>(r);
        if (sizes[r] > 0)
          nccl().check(nccl().send(at(from, bytes_before(sizes, r)), sizes[r], ncclInt8, peer,
                                   beside_.all(), beside_.handle()),
                       "ncclSend");
        if (received > 0)
          nccl().check(nccl().receive(at(to, r * received), received, ncclInt8, peer, beside_.all(),
                                      beside_.handle()),
                       "ncclRecv");
      }
    });
    beside_.stream().copy(at(to, mine() * received), at(from, bytes_before(sizes, mine())),
                          received);
    return 0;
  }

  bool adds() const override { return adds_; }
  int begin_sum(float* sum, Index count) override {
    beside_.stream().wait_for(compute_);
    nccl().check(nccl().all_reduce(sum, sum, static_cast<std::size_t>(count), ncclFloat32, ncclSum,
                                   beside_.all(), beside_.handle()),
                 "ncclAllReduce");
    return 0;
  }

  // All that was begun lies in one stream, in order.
  void finish(int) override { compute_.wait_for(beside_.stream()); }

  void broadcast(void* data, std::size_t bytes) override {
    now_.stream().wait_for(compute_);
    broadcast_from(0, data, bytes);
    compute_.wait_for(now_.stream());
  }

 private:
  std::size_t mine() const { return static_cast<std::size_t>(rank_); }
  void broadcast_from(std::size_t root, void* data, std::size_t bytes) {
    nccl().check(nccl().broadcast(data, data, bytes, ncclInt8, static_cast<int>(root), now_.all(),
                                  now_.handle()),
                 "ncclBroadcast");
  }
  // What is between the two is done at once, in no order: each may have to wait for another.
  template <class F>
  void in_a_group(F f) {
    nccl().check(nccl().group_start(), "ncclGroupStart");
    f();
    nccl().check(nccl().group_end(), "ncclGroupEnd");
  }

  int rank_, size_;
  bool adds_;
  CudaStream& compute_;
  Lane now_;     // what the computation waits for: a batch norm's statistics
  Lane beside_;  // what goes on beside it: they would wait behind a bucket of gradients
};

}  // namespace

std::string nccl_problem() {
  try {
    nccl();
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

std::unique_ptr<Communicator> nccl_ranks(Communicator& host, CudaStream& stream, bool adds) {
  return std::make_unique<NcclRanks>(host, stream, adds);
}

#else

std::string nccl_problem() {
  return "this binary was built without NCCL: install it (nccl.h beside the CUDA toolkit's "
         "headers) "
         "and build again";
}

std::unique_ptr<Communicator> nccl_ranks(Communicator&, CudaStream&, bool) {
  fail("[nccl] {}", nccl_problem());
}

#endif

}  // namespace twinage
