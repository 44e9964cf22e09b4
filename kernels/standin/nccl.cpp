// NCCL's functions between processes that each have a stand-in for a GPU: what a group asks for is
// a piece of a stream's work like any other, ordered, recorded and replayed with it, and done when
// that work is. It waits for the other processes' part then, and theirs is done for it even if
// nobody there waits.
#include "nccl.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <random>
#include <thread>

#include <unistd.h>

#include "core/error.h"
#include "core/simt_memory.h"
#include "kernels/standin/gpu.h"
#include "kernels/standin/peers.h"

using standin::fault;
using standin::Gpu;
using standin::Peers;
using standin::Where;
using standin::Work;

struct ncclComm {
  ncclComm(const std::string& name, int rank, int size) : peers(name, rank, size) {
    helper = std::jthread([this](const std::stop_token& stop) { help(stop); });
  }

  bool is_wanted() const { return done < peers.wanted(); }

  Peers peers;
  std::uint64_t done = 0;  // operations begun; under the GPU's lock
  std::jthread helper;     // does what others wait for

 private:
  void help(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      ::usleep(500);
      Gpu& gpu = Gpu::the();
      const std::unique_lock lock(gpu.mutex, std::try_to_lock);
      if (lock.owns_lock() && is_wanted()) gpu.force_exchange();
    }
  }
};

namespace {

std::vector<ncclComm*> communicators;  // of this process; under the GPU's lock

// A message of one rank to another.
struct Message {
  int peer;
  bool sends;
  const void* from;
  void* to;
  std::size_t bytes;
  bool in_scratch = false;  // `to` is not the caller's
};

// Before its bytes: what the receiver compares with what it expects.
struct Envelope {
  std::uint64_t operation, bytes;
};

// The messages of one operation, all at once: each may have to wait for another one.
class Exchange {
 public:
  Exchange(ncclComm& comm, std::string call) : comm_(comm), call_(std::move(call)) {}

  void add(const Message& m) { under_way_.push_back({m, {comm_.done + 1, m.bytes}, {}, 0}); }
  void run() {
    ++comm_.done;
    for (int r = 0; r < comm_.peers.size(); ++r)
      if (r != comm_.peers.rank()) comm_.peers.want(r, comm_.done);
    const auto start = std::chrono::steady_clock::now();
    while (!under_way_.empty()) {
      bool moved = false;
      for (UnderWay& u : under_way_) moved = step(u) || moved;
      std::erase_if(under_way_, [](const UnderWay& u) { return u.over(); });
      if (moved || work_of_others()) continue;
      ::usleep(50);
      twinage::require(std::chrono::steady_clock::now() - start < std::chrono::minutes(1),
                       "{}: rank {} did not come within a minute", call_,
                       under_way_.front().message.peer);
    }
  }

 private:
  struct UnderWay {
    Message message;
    Envelope expected, received;
    std::size_t moved;  // bytes, those of the envelope first
    bool over() const { return moved == sizeof(Envelope) + message.bytes; }
  };

  // One that waits does not keep the GPU from doing what lies in other streams; what another
  // process waits for may be there.
  bool work_of_others() const {
    return std::ranges::any_of(communicators, &ncclComm::is_wanted) && Gpu::the().run_any();
  }
  std::size_t move(const UnderWay& u, const void* from, void* to, std::size_t count) {
    return u.message.sends ? comm_.peers.send_some(u.message.peer, from, count)
                           : comm_.peers.receive_some(u.message.peer, to, count);
  }
  bool step(UnderWay& u) {
    const std::size_t before = u.moved, envelope = sizeof(Envelope);
    if (u.moved < envelope) {
      u.moved += move(u, reinterpret_cast<const char*>(&u.expected) + u.moved,
                      reinterpret_cast<char*>(&u.received) + u.moved, envelope - u.moved);
      if (u.moved == envelope && !u.message.sends) compare(u);
    }
    if (u.moved >= envelope && !u.over()) {
      const std::size_t at = u.moved - envelope;
      u.moved += move(u, static_cast<const char*>(u.message.from) + at,
                      static_cast<char*>(u.message.to) + at, u.message.bytes - at);
    }
    return u.moved > before;
  }
  void compare(const UnderWay& u) const {
    twinage::require(
        u.received.bytes == u.expected.bytes && u.received.operation == u.expected.operation,
        "{} expects {} bytes of rank {} in its operation {}, and gets {} bytes of its "
        "operation {}",
        call_, u.expected.bytes, u.message.peer, u.expected.operation, u.received.bytes,
        u.received.operation);
  }

  ncclComm& comm_;
  std::string call_;
  std::vector<UnderWay> under_way_;
};

// What one call asks for, to be done with the others of its group.
struct Call {
  ncclComm* comm;
  cudaStream_t stream;
  std::string name;
  std::vector<Message> messages;
  standin::Range written{};     // beside what the messages write, by the two below
  std::function<void()> first;  // before the messages: a copy within this rank
  std::function<void()> last;   // after them: sums
};

thread_local int groups = 0;
thread_local std::vector<Call> grouped;

std::size_t bytes_of(std::size_t count, ncclDataType_t type) {
  return count * (type == ncclFloat32 ? sizeof(float) : 1);
}

standin::Range range_of(void* p, std::size_t bytes) {
  return {reinterpret_cast<std::uintptr_t>(p), bytes};
}

void wrote(void* p, std::size_t bytes) {
  if (twinage::simt_memory::in_region(p)) twinage::simt_memory::host_wrote(p, bytes);
}

// Of the calls of a group one piece of work, in the stream of all of them.
ncclResult_t ask(std::vector<Call> calls) {
  if (calls.empty()) return ncclSuccess;
  Gpu& gpu = Gpu::the();
  const std::lock_guard lock(gpu.mutex);
  standin::Stream* stream = gpu.stream(calls[0].stream, calls[0].name.c_str());
  if (stream == nullptr) return ncclInvalidArgument;
  auto work = std::make_shared<Work>(Work::Kind::exchange, calls[0].name);
  std::string problem;
  for (const Call& call : calls) {
    if (call.stream != calls[0].stream || call.comm != calls[0].comm)
      problem = "a group of calls in several streams, or of several communicators";
    const auto reach = [&](const void* p, std::size_t bytes, bool writes) {
      if (standin::locate(*work, p, bytes, writes, &problem) == Where::pageable)
        problem = call.name + " of pageable memory of the host";
    };
    for (const Message& m : call.messages)
      if (!m.in_scratch) reach(m.sends ? m.from : m.to, m.bytes, !m.sends);
    if (call.written.bytes > 0)
      reach(reinterpret_cast<const void*>(call.written.begin), call.written.bytes, true);
  }
  if (!problem.empty()) {
    fault(cudaErrorInvalidValue, problem);
    return ncclInvalidArgument;
  }
  work->exchange = [calls = std::move(calls)] {
    const twinage::simt_memory::Access access;
    for (const Call& call : calls)
      if (call.first) call.first();
    Exchange exchange(*calls[0].comm, calls[0].name);
    for (const Call& call : calls)
      for (const Message& m : call.messages) exchange.add(m);
    exchange.run();
    for (const Call& call : calls) {
      if (call.last) call.last();
      for (const Message& m : call.messages)
        if (!m.sends && !m.in_scratch) wrote(m.to, m.bytes);
      if (call.written.bytes > 0)
        wrote(reinterpret_cast<void*>(call.written.begin), call.written.bytes);
    }
  };
  const cudaError_t error = gpu.ask(*stream, std::move(work), true);
  gpu.some_more();
  return error == cudaSuccess ? ncclSuccess : ncclSystemError;
}

ncclResult_t begin(Call call) {
  grouped.push_back(std::move(call));
  return groups > 0 ? ncclSuccess : ask(std::exchange(grouped, {}));
}

}  // namespace

namespace standin {

// The first exchange that waits in any stream, with all that is before it.
void Gpu::force_exchange() {
  for (const auto& s : streams_)
    for (const Queued& queued : s->queue) {
      if (queued.work->kind != Work::Kind::exchange) continue;
      Clock until;
      until.set(s->number, queued.number);
      return force(until);
    }
}

}  // namespace standin

const char* ncclGetErrorString(ncclResult_t result) {
  const std::string& line = standin::last_line();
  if (!line.empty()) return line.c_str();
  return result == ncclSuccess ? "no error" : "invalid usage";
}

ncclResult_t ncclGetUniqueId(ncclUniqueId* id) {
  const std::string name =
      fmt::format("/twinage-standin-{}-{:x}", ::getpid(), std::random_device{}());
  std::memset(id->internal, 0, sizeof id->internal);
  std::memcpy(id->internal, name.c_str(), name.size());
  return ncclSuccess;
}

ncclResult_t ncclCommInitRank(ncclComm_t* comm, int ranks, ncclUniqueId id, int rank) {
  *comm = new ncclComm(id.internal, rank, ranks);
  const std::lock_guard lock(Gpu::the().mutex);
  communicators.push_back(*comm);
  return ncclSuccess;
}

// All that was asked for is done first, for the others wait for it.
ncclResult_t ncclCommDestroy(ncclComm_t comm) {
  const cudaError_t error = cudaDeviceSynchronize();
  ncclCommAbort(comm);
  return error == cudaSuccess ? ncclSuccess : ncclSystemError;
}

ncclResult_t ncclCommAbort(ncclComm_t comm) {
  {
    const std::lock_guard lock(Gpu::the().mutex);
    std::erase(communicators, comm);
  }
  delete comm;  // whose helper may be waiting for the lock
  return ncclSuccess;
}

ncclResult_t ncclGroupStart() {
  ++groups;
  return ncclSuccess;
}

ncclResult_t ncclGroupEnd() {
  if (groups == 0) return ncclInvalidUsage;
  if (--groups > 0) return ncclSuccess;
  return ask(std::exchange(grouped, {}));
}

ncclResult_t ncclSend(const void* from, std::size_t count, ncclDataType_t type, int peer,
                      ncclComm_t comm, cudaStream_t stream) {
  return begin(
      {comm, stream, "ncclSend", {{peer, true, from, nullptr, bytes_of(count, type)}}, {}, {}, {}});
}

ncclResult_t ncclRecv(void* to, std::size_t count, ncclDataType_t type, int peer, ncclComm_t comm,
                      cudaStream_t stream) {
  return begin(
      {comm, stream, "ncclRecv", {{peer, false, nullptr, to, bytes_of(count, type)}}, {}, {}, {}});
}

ncclResult_t ncclBroadcast(const void* from, void* to, std::size_t count, ncclDataType_t type,
                           int root, ncclComm_t comm, cudaStream_t stream) {
  const std::size_t bytes = bytes_of(count, type);
  Call call{comm, stream, "ncclBroadcast", {}, {}, {}, {}};
  if (comm->peers.rank() != root) {
    call.messages.push_back({root, false, nullptr, to, bytes});
  } else {
    for (int r = 0; r < comm->peers.size(); ++r)
      if (r != root) call.messages.push_back({r, true, from, nullptr, bytes});
    if (from != to) {
      call.written = range_of(to, bytes);
      call.first = [=] { std::memmove(to, from, bytes); };
    }
  }
  return begin(std::move(call));
}

ncclResult_t ncclAllGather(const void* from, void* to, std::size_t count_of_a_rank,
                           ncclDataType_t type, ncclComm_t comm, cudaStream_t stream) {
  const std::size_t bytes = bytes_of(count_of_a_rank, type);
  const auto block = [&](int r) {
    return static_cast<char*>(to) + static_cast<std::size_t>(r) * bytes;
  };
  Call call{comm, stream, "ncclAllGather", {}, {}, {}, {}};
  const int mine = comm->peers.rank();
  for (int r = 0; r < comm->peers.size(); ++r) {
    if (r == mine) continue;
    call.messages.push_back({r, true, from, nullptr, bytes});
    call.messages.push_back({r, false, nullptr, block(r), bytes});
  }
  if (void* own = block(mine); own != from) {
    call.written = range_of(own, bytes);
    call.first = [=] { std::memmove(own, from, bytes); };
  }
  return begin(std::move(call));
}

// As a ring adds: of R parts of the numbers the r-th is added up from rank r on. With more than two
// ranks that is another order than ours, and other bits.
ncclResult_t ncclAllReduce(const void* from, void* to, std::size_t count, ncclDataType_t,
                           ncclRedOp_t, ncclComm_t comm, cudaStream_t stream) {
  const auto size = static_cast<std::size_t>(comm->peers.size());
  const auto mine = static_cast<std::size_t>(comm->peers.rank());
  auto all = std::make_shared<std::vector<float>>(size * count);
  Call call{comm, stream, "ncclAllReduce", {}, range_of(to, count * sizeof(float)), {}, {}};
  for (std::size_t r = 0; r < size; ++r) {
    if (r == mine) continue;
    const int peer = static_cast<int>(r);
    call.messages.push_back({peer, true, from, nullptr, count * sizeof(float)});
    call.messages.push_back(
        {peer, false, nullptr, all->data() + r * count, count * sizeof(float), true});
  }
  call.last = [=] {
    std::memcpy(all->data() + mine * count, from, count * sizeof(float));
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t begin = i * size / count;
      float sum = (*all)[begin * count + i];
      for (std::size_t r = 1; r < size; ++r) sum += (*all)[(begin + r) % size * count + i];
      static_cast<float*>(to)[i] = sum;
    }
  };
  return begin(std::move(call));
}
