#include "core/ranks.h"

#include <chrono>
#include <vector>

#include "core/error.h"

namespace twinage {
namespace {

double seconds_of_the_system() {
  const auto since = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double>(since).count();
}

enum class Kind : std::uint32_t { none, error, usage, foreign };

struct Failure {
  Kind kind = Kind::none;
  std::string text;
};

Failure failure_of(const std::exception_ptr& error) {
  if (!error) return {};
  try {
    std::rethrow_exception(error);
  } catch (const UsageError& e) {
    return {Kind::usage, e.what()};
  } catch (const Error& e) {
    return {Kind::error, e.what()};
  } catch (const std::bad_alloc&) {
    return {Kind::foreign, "[memory] no memory left"};
  } catch (const std::exception& e) {
    return {Kind::foreign, e.what()};
  } catch (...) {
    return {Kind::foreign, "an error without a text"};
  }
}

// What every rank brings.
template <class T>
std::vector<T> gather_one(Communicator& all, T mine) {
  std::vector<T> of_all(static_cast<std::size_t>(all.size()));
  of_all[static_cast<std::size_t>(all.rank())] = mine;
  const std::vector<std::size_t> bytes(of_all.size(), sizeof(T));
  all.gather(of_all.data(), bytes);
  return of_all;
}

// The text that rank `from` brings.
std::string text_from(Communicator& all, std::size_t from, const std::string& mine) {
  const auto sizes = gather_one(all, mine.size());
  std::vector<std::size_t> bytes(sizes.size(), 0);
  bytes[from] = sizes[from];
  std::string text =
      static_cast<std::size_t>(all.rank()) == from ? mine : std::string(sizes[from], ' ');
  all.gather(text.data(), bytes);
  return text;
}

}  // namespace

Ranks::Ranks(Communicator& all) : all_(&all) {
  meet(false);
}

double Ranks::now() const {
  return alone() ? seconds_of_the_system() : now_;
}

bool Ranks::meet(bool stop) {
  if (alone()) return stop;
  struct Seen {
    double now;
    std::uint64_t stop;
  };
  const auto seen = gather_one(*all_, Seen{seconds_of_the_system(), stop ? 1U : 0U});
  now_ = seen[0].now;
  bool any = false;
  for (const Seen& s : seen) any = any || s.stop != 0;
  return any;
}

std::exception_ptr Ranks::first_error(std::exception_ptr mine) const {
  if (alone()) return mine;
  const Failure failure = failure_of(mine);
  const auto kinds = gather_one(*all_, failure.kind);
  for (std::size_t from = 0; from < kinds.size(); ++from) {
    if (kinds[from] == Kind::none) continue;
    const std::string text = text_from(*all_, from, failure.text);
    if (static_cast<std::size_t>(rank()) == from) return mine;
    const std::string named =
        from == 0 ? text : fmt::format("{} (process {} of {})", text, from, size());
    if (kinds[from] == Kind::usage) return std::make_exception_ptr(UsageError(named));
    return std::make_exception_ptr(Error(named));
  }
  return nullptr;
}

void Ranks::require_same(const std::string& what, const std::string& text) const {
  if (alone()) return;
  const std::string first = text_from(*all_, 0, text);
  together([&] {
    require(text == first,
            "[ranks] the processes of a training need the same {}, and it is {} of process {} and "
            "{} of process 0",
            what, text, rank(), first);
  });
}

}  // namespace twinage
