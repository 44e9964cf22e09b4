// One piece of a stream's work, and the stream.
#pragma once
#include <algorithm>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "kernels/simt/runner.h"
#include "kernels/standin/buffers.h"
#include "kernels/standin/clock.h"

namespace standin {

struct Reach {
  unsigned buffer;  // its number: an address may be another buffer's later
  Range range;
  bool writes;
};

// The same for every time it is done: a node of a graph is queued again and again.
struct Work {
  enum class Kind { kernel, copy, set, exchange, stamp };

  Work(Kind k, std::string c) : kind(k), call(std::move(c)) {}

  Kind kind;
  std::string call;  // "kernel 'relu'", "cudaMemcpyAsync": its name in every fault
  std::vector<Reach> reaches;
  // A kernel: `launch` points to `operation` and `call_bytes`.
  gpu::Launch launch{};
  std::string operation;
  std::unique_ptr<std::max_align_t[]> call_bytes;
  // A copy or a set.
  void* to = nullptr;
  const void* from = nullptr;
  std::size_t bytes = 0;
  int value = 0;
  std::function<void()> exchange;  // with other processes
  // A mark of an event with timing: when it was passed, in ms.
  std::shared_ptr<double> passed_at;

  std::vector<unsigned> buffers() const {
    std::vector<unsigned> numbers;
    for (const Reach& r : reaches) numbers.push_back(r.buffer);
    return numbers;
  }
};

struct Queued {
  std::shared_ptr<const Work> work;
  std::uint64_t number;  // in its stream, from 1
  Clock before;          // what has to be done first
};

// What streams were asked for while they were recorded, in its order: each is a lane.
struct Step {
  enum class Kind { work, mark, wait };
  Kind kind;
  unsigned lane;
  std::shared_ptr<const Work> work;  // of Kind::work
  unsigned mark = 0;                 // its number, of the others
};

struct Stream;

// Between cudaStreamBeginCapture and cudaStreamEndCapture: of the stream that began it, and of
// those that have waited for a mark in it.
struct Recording {
  std::vector<Step> steps;
  std::vector<Stream*> lanes;  // the first began it
  std::vector<Clock> clocks;   // of a lane: what of the lanes is done once its steps so far are
  std::vector<Clock> marks;
  std::thread::id thread;
  bool invalid = false;  // something was asked for that cannot be recorded

  unsigned lane_of(const Stream& stream) const {
    return static_cast<unsigned>(std::ranges::find(lanes, &stream) - lanes.begin());
  }
  void add(const Stream& stream, std::shared_ptr<const Work> work) {
    const unsigned lane = lane_of(stream);
    clocks[lane].set(lane, clocks[lane].of(lane) + 1);
    steps.push_back({Step::Kind::work, lane, std::move(work)});
  }
  unsigned mark(const Stream& stream) {
    const unsigned lane = lane_of(stream);
    marks.push_back(clocks[lane]);
    steps.push_back({Step::Kind::mark, lane, nullptr, static_cast<unsigned>(marks.size() - 1)});
    return steps.back().mark;
  }
  // A stream that is no lane yet becomes one.
  void wait(Stream& stream, unsigned of_mark) {
    const unsigned lane = lane_of(stream);
    if (lane == lanes.size()) {
      lanes.push_back(&stream);
      clocks.emplace_back();
    }
    clocks[lane].join(marks[of_mark]);
    steps.push_back({Step::Kind::wait, lane, nullptr, of_mark});
  }
  // The first lane whose work the first one does not come after; null: all are joined.
  const Stream* unjoined() const {
    for (unsigned lane = 1; lane < lanes.size(); ++lane)
      if (!clocks[0].holds(lane, clocks[lane].of(lane))) return lanes[lane];
    return nullptr;
  }
};

struct Stream {
  unsigned number = 0;  // 0: the default stream
  std::deque<Queued> queue;
  Clock clock;  // what is done once all of its work is
  std::uint64_t asked = 0, done = 0;
  bool open = true;  // not destroyed
  std::shared_ptr<Recording> recording;

  std::string name() const {
    return number == 0 ? "the default stream" : "stream " + std::to_string(number);
  }
};

struct Event {
  bool timing = true, recorded = false;
  std::shared_ptr<Recording> recording;  // in which its last mark lies, and in no clock
  unsigned mark = 0;
  Clock clock;
  std::shared_ptr<double> passed_at;
};

struct Graph {
  std::vector<Step> steps;
  unsigned lanes = 1, marks = 0;
  std::vector<Stream*> branches;  // streams for the lanes but the first, made when it is started
};

}  // namespace standin
