#include "tools/serve/reading_queue.h"

#include <utility>

#include "core/error.h"

namespace twinage {

ReadingQueue::ReadingQueue(std::function<Answers(std::vector<Face>)> read, std::size_t batch,
                           std::size_t most_waiting)
    : read_(std::move(read)), batch_(batch), most_waiting_(most_waiting) {
  require(batch_ >= 1 && most_waiting_ >= 1, "[serve] expected room for a picture");
  worker_ = std::thread([this] { work(); });
}

ReadingQueue::~ReadingQueue() {
  finish();
}

std::optional<std::future<Answers>> ReadingQueue::ask(std::vector<Face> pictures) {
  const std::scoped_lock lock(mutex_);
  if (ending_ || waiting_ + pictures.size() > most_waiting_) return std::nullopt;
  waiting_ += pictures.size();
  questions_.push_back({std::move(pictures), {}});
  changed_.notify_one();
  return questions_.back().answers.get_future();
}

void ReadingQueue::finish() {
  {
    const std::scoped_lock lock(mutex_);
    ending_ = true;
    changed_.notify_one();
  }
  if (worker_.joinable()) worker_.join();
}

std::size_t ReadingQueue::waiting() const {
  const std::scoped_lock lock(mutex_);
  return waiting_;
}
std::uint64_t ReadingQueue::batches() const {
  const std::scoped_lock lock(mutex_);
  return batches_;
}

void ReadingQueue::work() {
  for (std::vector<Question> questions = next(); !questions.empty(); questions = next())
    answer(std::move(questions));
}

// Whole questions, together at most a batch, or one that is larger. None: the end.
std::vector<ReadingQueue::Question> ReadingQueue::next() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return ending_ || !questions_.empty(); });
  std::vector<Question> taken;
  std::size_t count = 0;
  while (!questions_.empty()) {
    const std::size_t more = questions_.front().pictures.size();
    if (!taken.empty() && count + more > batch_) break;
    count += more;
    taken.push_back(std::move(questions_.front()));
    questions_.pop_front();
  }
  waiting_ -= count;
  if (!taken.empty()) ++batches_;
  return taken;
}

void ReadingQueue::answer(std::vector<Question> questions) {
  std::vector<Face> all;
  std::vector<std::size_t> counts;
  for (Question& question : questions) {
    counts.push_back(question.pictures.size());
    for (Face& picture : question.pictures) all.push_back(std::move(picture));
  }
  try {
    const std::size_t asked = all.size();
    Answers answers;
    while (!all.empty()) {  // of a question that is larger than a batch
      const auto part = static_cast<std::ptrdiff_t>(std::min(batch_, all.size()));
      std::vector<Face> some(std::make_move_iterator(all.begin()),
                             std::make_move_iterator(all.begin() + part));
      all.erase(all.begin(), all.begin() + part);
      for (std::string& answer : read_(std::move(some))) answers.push_back(std::move(answer));
    }
    require(answers.size() == asked, "[serve] {} pictures gave {} answers", asked, answers.size());
    auto from = std::make_move_iterator(answers.begin());
    for (std::size_t q = 0; q < questions.size(); ++q) {
      const auto to = from + static_cast<std::ptrdiff_t>(counts[q]);
      questions[q].answers.set_value(Answers(from, to));
      from = to;
    }
  } catch (...) {  // of none of them more than another
    for (Question& question : questions) question.answers.set_exception(std::current_exception());
  }
}

}  // namespace twinage
