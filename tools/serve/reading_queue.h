// Pictures that many ask about at once, read one batch after another: what waits is read together,
// as many as the network takes at a time.
#pragma once
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "train/faces/face_dataset.h"

namespace twinage {

// What is said of each picture, in their order.
using Answers = std::vector<std::string>;

class ReadingQueue {
 public:
  // read: called by one thread alone, with at most `batch` pictures; an answer for each. At most
  // `most_waiting` pictures wait.
  ReadingQueue(std::function<Answers(std::vector<Face>)> read, std::size_t batch,
               std::size_t most_waiting);
  ~ReadingQueue();  // finish()
  ReadingQueue(const ReadingQueue&) = delete;
  ReadingQueue& operator=(const ReadingQueue&) = delete;

  // Nothing where there is no room for them, or finish() was called. What read() throws is thrown
  // by the future.
  std::optional<std::future<Answers>> ask(std::vector<Face> pictures);
  // No more are taken; those that wait are answered.
  void finish();

  std::size_t waiting() const;
  std::uint64_t batches() const;

 private:
  struct Question {
    std::vector<Face> pictures;
    std::promise<Answers> answers;
  };
  void work();
  std::vector<Question> next();
  void answer(std::vector<Question> questions);

  std::function<Answers(std::vector<Face>)> read_;
  std::size_t batch_, most_waiting_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Question> questions_;
  std::size_t waiting_ = 0;
  std::uint64_t batches_ = 0;
  bool ending_ = false;
  std::thread worker_;
};

}  // namespace twinage
