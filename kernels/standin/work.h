// One piece of a stream's work, and the stream.
#pragma once
#include <cstddef>
#include <deque>
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
  enum class Kind { kernel, copy, set, stamp };

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

// What a stream is asked for between cudaStreamBeginCapture and cudaStreamEndCapture.
struct Recording {
  std::vector<std::shared_ptr<const Work>> nodes;
  std::thread::id thread;
  bool invalid = false;  // something was asked for that cannot be recorded
};

struct Stream {
  unsigned number = 0;  // 0: the default stream
  std::deque<Queued> queue;
  Clock clock;  // what is done once all of its work is
  std::uint64_t asked = 0, done = 0;
  bool open = true;  // not destroyed
  std::unique_ptr<Recording> recording;

  std::string name() const {
    return number == 0 ? "the default stream" : "stream " + std::to_string(number);
  }
};

struct Event {
  bool timing = true, recorded = false;
  bool in_recording = false;  // its last mark lies in a recording, and in no clock
  Clock clock;
  std::shared_ptr<double> passed_at;
};

struct Graph {
  std::vector<std::shared_ptr<const Work>> nodes;
};

}  // namespace standin
