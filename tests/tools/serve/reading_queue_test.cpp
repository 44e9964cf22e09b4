#include "tools/serve/reading_queue.h"

#include <atomic>

#include <doctest/doctest.h>

#include "core/error.h"
#include "tools/serve/service_metrics.h"

using namespace twinage;

namespace {

std::vector<Face> named(const std::vector<std::string>& names) {
  std::vector<Face> pictures(names.size());
  for (std::size_t i = 0; i < names.size(); ++i) pictures[i].path = names[i];
  return pictures;
}

// Answers with the name, in batches whose sizes are noted; waits where it is told to.
struct Reader {
  std::mutex mutex;
  std::vector<std::size_t> batches;
  std::promise<void> go;
  std::shared_future<void> may_go = go.get_future().share();
  Answers operator()(const std::vector<Face>& pictures) {
    {
      const std::scoped_lock lock(mutex);
      batches.push_back(pictures.size());
    }
    may_go.wait();
    Answers answers;
    for (const Face& picture : pictures) {
      require(picture.path != "bad", "a bad picture");
      answers.push_back("read " + picture.path);
    }
    return answers;
  }
};

}  // namespace

TEST_CASE("what waits is read together, each question is answered by itself and in its order") {
  Reader reader;
  ReadingQueue queue([&](std::vector<Face> p) { return reader(p); }, 4, 100);
  auto first = queue.ask(named({"a"}));
  while (queue.waiting() > 0) std::this_thread::yield();  // it is being read
  auto second = queue.ask(named({"b", "c"})), third = queue.ask(named({"d"})),
       fourth = queue.ask(named({"e", "f"}));
  CHECK(queue.waiting() == 5);
  reader.go.set_value();
  CHECK(first->get() == Answers{"read a"});
  CHECK(second->get() == Answers{"read b", "read c"});
  CHECK(third->get() == Answers{"read d"});
  CHECK(fourth->get() == Answers{"read e", "read f"});
  // e and f would not fit beside b, c and d.
  CHECK(reader.batches == std::vector<std::size_t>{1, 3, 2});
  CHECK(queue.batches() == 3);
  CHECK(queue.waiting() == 0);
}

TEST_CASE("a question that is larger than a batch is read in several, and answered once") {
  Reader reader;
  reader.go.set_value();
  ReadingQueue queue([&](std::vector<Face> p) { return reader(p); }, 2, 100);
  CHECK(queue.ask(named({"a", "b", "c", "d", "e"}))->get().size() == 5);
  CHECK(reader.batches == std::vector<std::size_t>{2, 2, 1});
}

TEST_CASE(
    "no more are taken than may wait, and none behind the end; those before it are answered") {
  Reader reader;
  ReadingQueue queue([&](std::vector<Face> p) { return reader(p); }, 4, 3);
  auto first = queue.ask(named({"a"}));
  while (queue.waiting() > 0) std::this_thread::yield();
  auto second = queue.ask(named({"b", "c"}));
  CHECK_FALSE(queue.ask(named({"d", "e"})).has_value());
  auto third = queue.ask(named({"d"}));
  REQUIRE(third.has_value());
  CHECK_FALSE(queue.ask(named({"e"})).has_value());
  reader.go.set_value();
  queue.finish();
  CHECK(first->get().size() == 1);
  CHECK(second->get().size() == 2);
  CHECK(third->get().size() == 1);
  CHECK_FALSE(queue.ask(named({"f"})).has_value());
}

TEST_CASE("what goes wrong is told to those who asked, and the next are answered") {
  Reader reader;
  reader.go.set_value();
  ReadingQueue queue([&](std::vector<Face> p) { return reader(p); }, 4, 100);
  auto bad = queue.ask(named({"bad"}));
  CHECK_THROWS_AS(bad->get(), Error);
  CHECK(queue.ask(named({"a"}))->get() == Answers{"read a"});
  ReadingQueue short_of([](const std::vector<Face>&) { return Answers{}; }, 4, 100);
  auto missing = short_of.ask(named({"a"}));
  CHECK_THROWS_AS(missing->get(), Error);
}

TEST_CASE("counts are in Prometheus' format: buckets add up") {
  ServiceMetrics metrics;
  metrics.count_request(200, 0.004);
  metrics.count_request(200, 0.02);
  metrics.count_request(503, 100);
  metrics.count_pictures(5, 2);
  const std::string text = metrics.text(7, 3);
  const auto has = [&](const std::string& line) { return text.find(line + "\n") != text.npos; };
  CHECK(has("twinage_requests_total{status=\"200\"} 2"));
  CHECK(has("twinage_requests_total{status=\"503\"} 1"));
  CHECK(has("twinage_request_seconds_bucket{le=\"0.005\"} 1"));
  CHECK(has("twinage_request_seconds_bucket{le=\"0.025\"} 2"));
  CHECK(has("twinage_request_seconds_bucket{le=\"30\"} 2"));
  CHECK(has("twinage_request_seconds_bucket{le=\"+Inf\"} 3"));
  CHECK(has("twinage_request_seconds_count 3"));
  CHECK(has("twinage_pictures_total{read=\"yes\"} 5"));
  CHECK(has("twinage_pictures_total{read=\"no\"} 2"));
  CHECK(has("twinage_pictures_waiting 7"));
  CHECK(has("twinage_batches_total 3"));
}
