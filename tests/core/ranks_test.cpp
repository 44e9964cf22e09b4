#include "core/ranks.h"

#include <new>

#include <doctest/doctest.h>

#include "core/error.h"
#include "tests/support/thread_ranks.h"

namespace twinage {
namespace {

using test::ThreadRanks;

std::string text_of(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& e) {
    return e.what();
  }
}

TEST_CASE("ranks: alone, one agrees with itself, and its errors stay what they are") {
  Ranks alone;
  CHECK((alone.is_first() && alone.size() == 1 && alone.communicator() == nullptr));
  CHECK(alone.meet(true));
  CHECK_FALSE(alone.meet(false));
  const double before = alone.now();
  CHECK(alone.now() >= before);
  CHECK_THROWS_AS(alone.together([] { throw std::bad_alloc(); }), std::bad_alloc);
  CHECK_THROWS_AS(alone.on_first([] { throw UsageError("no"); }), UsageError);
  alone.require_same("anything", "text");
}

TEST_CASE("ranks: whoever is asked to stop, all stop, and all have rank 0's time") {
  std::vector<double> times(3);
  ThreadRanks(3).run([&](Communicator& all) {
    Ranks ranks(all);
    CHECK_FALSE(ranks.meet(false));
    CHECK(ranks.meet(ranks.rank() == 1));
    times[static_cast<std::size_t>(ranks.rank())] = ranks.now();
    CHECK(ranks.now() == ranks.now());  // until they meet again
  });
  CHECK((times[0] > 0 && times[1] == times[0] && times[2] == times[0]));
}

TEST_CASE("ranks: the first one's error is all of theirs, with its name and its kind") {
  std::vector<std::string> texts(4);
  int done = 0;
  ThreadRanks(4).run([&](Communicator& all) {
    const Ranks ranks(all);
    const auto fail_from = [&](int rank) {
      ranks.together([&] {
        if (ranks.rank() >= rank) throw UsageError(fmt::format("broken {}", ranks.rank()));
      });
    };
    try {
      fail_from(2);
    } catch (const UsageError& error) {
      texts[static_cast<std::size_t>(ranks.rank())] = error.what();
    }
    fail_from(4);  // nobody
    ranks.on_first([&] { ++done; });
    CHECK_THROWS_WITH_AS(ranks.on_first([] { throw std::bad_alloc(); }),
                         ranks.is_first() ? std::bad_alloc().what() : "[memory] no memory left",
                         std::exception);
    const auto error =
        ranks.first_error(ranks.rank() == 3 ? std::make_exception_ptr(Error("lost")) : nullptr);
    CHECK(text_of(error) == (ranks.rank() == 3 ? "lost" : "lost (process 3 of 4)"));
  });
  const std::string named = "broken 2 (process 2 of 4)";
  CHECK(texts == std::vector<std::string>{named, named, "broken 2", named});
  CHECK(done == 1);
}

TEST_CASE("ranks: what has to be the same on all of them is compared") {
  ThreadRanks(3).run([](Communicator& all) {
    const Ranks ranks(all);
    ranks.require_same("faces", "7");
    CHECK_THROWS_WITH_AS(ranks.require_same("faces", ranks.rank() == 2 ? "8 of them" : "7"),
                         doctest::Contains("the same faces, and it is 8 of them of process 2 and 7 "
                                           "of process 0"),
                         Error);
  });
}

}  // namespace
}  // namespace twinage
