#include "kernels/standin/gpu.h"

#include <chrono>
#include <cstring>

#include "core/error.h"
#include "core/simt_memory.h"

namespace standin {
namespace {

double now_ms() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double, std::milli>(now).count();
}

}  // namespace

Gpu& Gpu::the() {
  static Gpu* gpu = new Gpu;  // never destroyed: tensors of static storage may outlive it
  return *gpu;
}

Gpu::Gpu() : random_(options().seed) {
  streams_.push_back(std::make_unique<Stream>());
}

// 1. streams and their order

Stream* Gpu::stream(cudaStream_t handle, const char* call) {
  if (handle == nullptr) return streams_.front().get();
  for (const auto& s : streams_)
    if (s->open && reinterpret_cast<cudaStream_t>(s.get()) == handle) return s.get();
  fault(cudaErrorInvalidResourceHandle, fmt::format("{} on a stream that is not there", call));
  return nullptr;
}

Stream& Gpu::create_stream() {
  streams_.push_back(std::make_unique<Stream>());
  streams_.back()->number = static_cast<unsigned>(streams_.size() - 1);
  return *streams_.back();
}

bool Gpu::only_default_stream() const {
  for (std::size_t i = 1; i < streams_.size(); ++i)
    if (streams_[i]->open) return false;
  return true;
}

// The default stream waits for all that the others were asked for so far, and they for it; all of
// them for what the host has waited for.
Clock Gpu::before_next(const Stream& stream) const {
  Clock before = known_;
  before.join(stream.clock);
  if (stream.number != 0)
    before.join(streams_.front()->clock);
  else
    for (const auto& other : streams_) before.join(other->clock);
  return before;
}

cudaError_t Gpu::ask(Stream& stream, std::shared_ptr<const Work> work, bool asynchronous) {
  if (failed_ != cudaSuccess) return failed_;
  if (stream.recording) {
    stream.recording->add(stream, std::move(work));
    ++counts_.recorded;
    return cudaSuccess;
  }
  if (stream.number == 0) {
    if (const cudaError_t error = require_no_recording(work->call, true)) return error;
    if (asynchronous && !only_default_stream())
      return fault(cudaErrorUnknown,
                   fmt::format("{} on the default stream, while there are others: they wait for it "
                               "and it for them; is a stream argument missing?",
                               work->call));
  }
  Clock before = before_next(stream);
  if (const cudaError_t error = check_order(stream, *work, before)) return error;
  const std::uint64_t number = ++stream.asked;
  remember(stream, work, before);
  stream.queue.push_back({work, number, before});
  stream.clock = std::move(before);
  stream.clock.set(stream.number, number);
  if (options().when == When::eager)
    while (run_any()) {
    }
  if (!options().blocking) return failed_;
  const Clock until = stream.clock;
  return wait(until);
}

cudaError_t Gpu::replay(Stream& stream, Graph& graph) {
  if (stream.recording)
    return fault(cudaErrorStreamCaptureUnsupported,
                 fmt::format("cudaGraphLaunch on {} while it is being recorded", stream.name()));
  while (graph.branches.size() + 1 < graph.lanes) {
    graph.branches.push_back(&create_stream());
    graph.branches.back()->open = false;  // nobody has a handle of it
  }
  const auto lane = [&](unsigned l) -> Stream& { return l == 0 ? stream : *graph.branches[l - 1]; };
  const Clock begin = before_next(stream);
  for (Stream* branch : graph.branches) branch->clock.join(begin);
  std::vector<Clock> marks(graph.marks);
  for (const Step& step : graph.steps) {
    Stream& on = lane(step.lane);
    if (step.kind == Step::Kind::mark) marks[step.mark] = before_next(on);
    if (step.kind == Step::Kind::wait) on.clock.join(marks[step.mark]);
    if (step.kind != Step::Kind::work) continue;
    if (const cudaError_t error = check_stale(stream, *step.work)) return error;
    if (const cudaError_t error = ask(on, step.work, true)) return error;
    ++counts_.replayed;
  }
  for (const Stream* branch : graph.branches) stream.clock.join(branch->clock);
  return cudaSuccess;
}

// 2. what may not be

cudaError_t Gpu::require_no_recording(const std::string& call, bool in_default_stream) {
  for (const auto& s : streams_) {
    if (!s->recording) continue;
    if (!in_default_stream && s->recording->thread != std::this_thread::get_id()) continue;
    s->recording->invalid = true;
    return fault(
        in_default_stream ? cudaErrorStreamCaptureImplicit : cudaErrorStreamCaptureUnsupported,
        fmt::format("{} {}while {} is being recorded: a graph cannot hold it", call,
                    in_default_stream ? "on the default stream, " : "", s->name()));
  }
  return cudaSuccess;
}

cudaError_t Gpu::check_stale(const Stream& stream, const Work& work) {
  for (const Reach& r : work.reaches)
    if (buffers_.numbered(r.buffer) == nullptr)
      return fault(cudaErrorUnknown,
                   fmt::format("cudaGraphLaunch on {}: {} was recorded with buffer {} ({} bytes), "
                               "which was freed since: the recording has to be forgotten",
                               stream.name(), work.call, r.buffer, r.range.bytes));
  return cudaSuccess;
}

cudaError_t Gpu::check_order(const Stream& stream, const Work& work, const Clock& before) {
  if (!options().checks_order) return cudaSuccess;
  for (const Reach& r : work.reaches)
    for (const Use& u : buffers_.numbered(r.buffer)->uses) {
      if ((!u.writes && !r.writes) || !u.range.overlaps(r.range)) continue;
      if (before.holds(u.stream, u.number)) continue;
      return fault(
          cudaErrorUnknown,
          fmt::format("{} on {} {} {} while {} on {}, which {} it, may not be done: no event, no "
                      "synchronisation and no stream orders the two",
                      work.call, stream.name(), r.writes ? "writes" : "reads",
                      buffers_.numbered(r.buffer)->name(), u.work->call, streams_[u.stream]->name(),
                      u.writes ? "writes" : "reads"));
    }
  return cudaSuccess;
}

// An earlier use that this one comes after, and stands for towards whoever comes later, is
// forgotten.
void Gpu::remember(const Stream& stream, const std::shared_ptr<const Work>& work,
                   const Clock& before) {
  for (const Reach& r : work->reaches) {
    Buffer& buffer = *buffers_.numbered(r.buffer);
    std::erase_if(buffer.uses, [&](const Use& u) {
      return before.holds(u.stream, u.number) && r.range.covers(u.range) && (r.writes || !u.writes);
    });
    buffer.uses.push_back({r.range, r.writes, stream.number, stream.asked, work});
    buffers_.protect(buffer);
  }
}

// 3. doing it

cudaError_t Gpu::wait(const Clock& clock) {
  force(clock);
  known_.join(clock);
  buffers_.finish(known_);
  return failed_;
}

void Gpu::force(const Clock& clock) {
  for (unsigned i = 0; i < clock.streams(); ++i)
    while (streams_[i]->done < clock.of(i)) {
      if (options().when == When::shuffled)
        run_any();
      else
        run_next(*streams_[i]);
    }
}

void Gpu::some_more() {
  if (options().when != When::shuffled) return;
  for (auto left = random_() % 4; left > 0 && run_any(); --left) {
  }
}

bool Gpu::runnable(const Stream& stream) const {
  if (stream.queue.empty()) return false;
  const Clock& before = stream.queue.front().before;
  for (unsigned i = 0; i < before.streams(); ++i)
    if (streams_[i]->done < before.of(i)) return false;
  return true;
}

// Whichever stream the seed draws, of those whose next work may be done.
bool Gpu::run_any() {
  std::vector<Stream*> ready;
  for (const auto& s : streams_)
    if (runnable(*s)) ready.push_back(s.get());
  if (ready.empty()) return false;
  run_next(*ready[random_() % ready.size()]);
  return true;
}

void Gpu::run_next(Stream& stream) {
  const Clock before = stream.queue.front().before;
  force(before);
  const Queued next = std::move(stream.queue.front());
  stream.queue.pop_front();
  if (failed_ == cudaSuccess) run(*next.work, stream);
  ++stream.done;
}

void Gpu::run(const Work& work, const Stream& stream) {
  buffers_.open(work.buffers());
  switch (work.kind) {
    case Work::Kind::kernel:
      ++counts_.kernels;
      try {
        gpu::run(work.launch);
      } catch (const twinage::Error& error) {
        failed_ = fault(cudaErrorLaunchFailure,
                        fmt::format("{} on {} failed: {}", work.call, stream.name(), error.what()));
      }
      break;
    case Work::Kind::copy:
    case Work::Kind::set: {
      const twinage::simt_memory::Access access;
      ++(work.kind == Work::Kind::copy ? counts_.copies : counts_.sets);
      if (work.kind == Work::Kind::copy)
        std::memmove(work.to, work.from, work.bytes);
      else
        std::memset(work.to, work.value, work.bytes);
      if (twinage::simt_memory::in_region(work.to))
        twinage::simt_memory::host_wrote(work.to, work.bytes);
      break;
    }
    case Work::Kind::exchange:
      ++counts_.exchanges;
      try {
        work.exchange();
      } catch (const twinage::Error& error) {
        failed_ = fault(cudaErrorLaunchFailure, error.what());
      }
      break;
    case Work::Kind::stamp:
      *work.passed_at = now_ms();
      break;
  }
  for (const unsigned number : work.buffers())
    if (Buffer* buffer = buffers_.numbered(number)) buffers_.protect(*buffer);
}

Counts Gpu::counts() const {
  Counts counts = counts_;
  for (const auto& s : streams_) counts.waiting += s->queue.size();
  return counts;
}

Counts counts() {
  Gpu& gpu = Gpu::the();
  const std::lock_guard lock(gpu.mutex);
  return gpu.counts();
}

}  // namespace standin
