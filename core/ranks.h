// Ranks: what the processes of one training agree on beside numbers: the time, that it is to stop,
// that one of them failed. Everything here is a matter of all of them: each calls it, in the same
// order. A process that is alone agrees with itself, without a word.
#pragma once
#include <cstdint>
#include <exception>
#include <memory>
#include <string>

#include "core/communicator.h"

namespace twinage {

class Ranks {
 public:
  Ranks() = default;                  // alone
  explicit Ranks(Communicator& all);  // which must outlive it

  Communicator* communicator() const { return all_; }  // null: alone
  bool alone() const { return all_ == nullptr; }
  int rank() const { return alone() ? 0 : all_->rank(); }
  int size() const { return alone() ? 1 : all_->size(); }
  bool is_first() const { return rank() == 0; }  // who alone writes files, and to the terminal

  // Seconds since any moment: of the system's clock; of several processes as rank 0's clock was
  // when they met last, so that all that is decided by it is decided alike.
  double now() const;
  // They meet: whether any of them was asked to stop.
  bool meet(bool stop);

  // The error of the first rank that has one, on all of them, naming it; null: none has. Of an
  // error that is none of ours only the text travels.
  std::exception_ptr first_error(std::exception_ptr mine) const;
  // f() on each. Where it throws on any, all throw the first rank's error.
  template <class F>
  void together(F f) const {
    run(true, f);
  }
  // f() on rank 0 alone; the others wait, and throw what it throws.
  template <class F>
  void on_first(F f) const {
    run(is_first(), f);
  }
  // Throws Error on all of them unless all bring the same text: "what: 3 here, 4 on process 2".
  void require_same(const std::string& what, const std::string& text) const;

 private:
  template <class F>
  void run(bool take_part, F& f) const {
    std::exception_ptr error;
    try {
      if (take_part) f();
    } catch (...) {
      error = std::current_exception();
      if (alone()) throw;
    }
    if (!alone()) error = first_error(error);
    if (error) std::rethrow_exception(error);
  }

  Communicator* all_ = nullptr;
  double now_ = 0;
};

}  // namespace twinage
