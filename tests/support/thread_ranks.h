// Ranks that are threads of the test: what MPI does between processes, without MPI.
#pragma once
#include <barrier>
#include <cstring>
#include <exception>
#include <thread>
#include <vector>

#include "core/communicator.h"

namespace twinage::test {

class ThreadRanks {
 public:
  explicit ThreadRanks(int size)
      : size_(size), meet_(size), blocks_(static_cast<std::size_t>(size)) {
    for (int rank = 0; rank < size; ++rank) members_.emplace_back(*this, rank);
  }

  // f(Communicator&) as every rank. Rethrows what the last of them threw: all must.
  template <class F>
  void run(F f) {
    std::vector<std::exception_ptr> errors(static_cast<std::size_t>(size_));
    std::vector<std::thread> threads;
    for (Member& member : members_)
      threads.emplace_back([&] {
        try {
          f(member);
        } catch (...) {
          errors[static_cast<std::size_t>(member.rank())] = std::current_exception();
        }
      });
    for (std::thread& thread : threads) thread.join();
    if (errors.back()) std::rethrow_exception(errors.back());
  }

 private:
  class Member final : public Communicator {
   public:
    Member(ThreadRanks& all, int rank) : all_(all), rank_(rank) {}
    int rank() const override { return rank_; }
    int size() const override { return all_.size_; }
    void gather(void* all, std::span<const std::size_t> bytes) override {
      show(all);
      for (std::size_t r = 0; r < bytes.size(); ++r) {
        const std::size_t before = bytes_before(bytes, r);
        if (static_cast<int>(r) != rank_)
          std::memcpy(static_cast<std::byte*>(all) + before, all_.blocks_[r] + before, bytes[r]);
      }
      all_.meet_.arrive_and_wait();
    }
    int begin_exchange(void* to, const void* from, std::span<const std::size_t> sizes) override {
      show(from);
      const auto mine = static_cast<std::size_t>(rank_);
      for (std::size_t r = 0; r < sizes.size(); ++r)
        std::memcpy(static_cast<std::byte*>(to) + r * sizes[mine],
                    all_.blocks_[r] + bytes_before(sizes, mine), sizes[mine]);
      all_.meet_.arrive_and_wait();
      return 0;
    }
    void finish(int) override {}
    void broadcast(void* data, std::size_t bytes) override {
      show(data);
      if (rank_ > 0) std::memcpy(data, all_.blocks_[0], bytes);
      all_.meet_.arrive_and_wait();
    }

   private:
    void show(const void* block) {
      all_.blocks_[static_cast<std::size_t>(rank_)] = static_cast<const std::byte*>(block);
      all_.meet_.arrive_and_wait();
    }
    ThreadRanks& all_;
    int rank_;
  };

  int size_;
  std::barrier<> meet_;
  std::vector<const std::byte*> blocks_;  // what each shows the others
  std::vector<Member> members_;
};

}  // namespace twinage::test
