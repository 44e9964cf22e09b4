#include "train/faces/loader.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <numeric>
#include <thread>
#include <utility>

#include "core/error.h"
#include "core/parallel.h"

namespace twinage {
namespace {

// What random numbers are for; each purpose has streams of its own.
enum class Purpose : std::uint32_t { augment = 1, shuffle = 2, offset = 3 };

// A stream of `Random` for item j of step (or epoch) t: Philox itself is the hash.
std::uint64_t stream_of(Purpose purpose, std::uint64_t t, Index j) {
  const auto low = static_cast<std::uint32_t>(t), high = static_cast<std::uint32_t>(t >> 32);
  const Philox4 mixed = philox({low, high, static_cast<std::uint32_t>(j), 0},
                               {static_cast<std::uint32_t>(purpose), 0});
  return std::uint64_t{mixed[0]} << 32 | mixed[1];
}

// The faces of an epoch before they are shuffled: ends[i] is W_i of weighted_batches; without ends
// each face once.
std::vector<Index> faces_of_epoch(Index faces, const std::vector<double>& ends, std::uint64_t seed,
                                  std::uint64_t epoch) {
  std::vector<Index> chosen(static_cast<std::size_t>(faces));
  if (ends.empty()) {
    std::iota(chosen.begin(), chosen.end(), Index{0});
    return chosen;
  }
  constexpr double kGolden = 0.6180339887498949;
  const double first = Random(seed, stream_of(Purpose::offset, 0, 0)).uniform(0, 1);
  const double turns = first + static_cast<double>(epoch) * kGolden;
  const double u = turns - std::floor(turns);
  std::size_t place = 0;
  for (std::size_t i = 0; i < ends.size(); ++i)
    for (const double end = std::floor(ends[i] + u); static_cast<double>(place) < end; ++place)
      chosen[place] = static_cast<Index>(i);
  return chosen;
}

// The order of the faces in each epoch. The last epochs asked for are remembered: workers that run
// ahead of each other may stand on both sides of a boundary.
class EpochOrders {
 public:
  using Order = std::shared_ptr<const std::vector<Index>>;

  EpochOrders(Index faces, std::vector<double> ends, std::uint64_t seed)
      : faces_(faces), ends_(std::move(ends)), seed_(seed) {}

  Order of(std::uint64_t epoch) {
    const std::lock_guard lock(mutex_);
    for (const auto& [known, order] : recent_)
      if (order && known == epoch) return order;
    auto& slot = recent_[oldest_++ % recent_.size()];
    slot = {epoch, shuffle(epoch)};
    return slot.second;
  }

 private:
  // Fisher and Yates: every order is equally likely.
  Order shuffle(std::uint64_t epoch) const {
    Random random(seed_, stream_of(Purpose::shuffle, epoch, 0));
    auto order = std::make_shared<std::vector<Index>>(faces_of_epoch(faces_, ends_, seed_, epoch));
    for (std::size_t i = order->size(); i > 1; --i)
      std::swap((*order)[i - 1], (*order)[random.below(i)]);
    return order;
  }

  Index faces_;
  std::vector<double> ends_;
  std::uint64_t seed_;
  std::mutex mutex_;
  std::array<std::pair<std::uint64_t, Order>, 3> recent_;
  std::size_t oldest_ = 0;
};

BatchPlan batches_of(Index faces, std::vector<double> ends, Index batch, std::uint64_t seed) {
  require(
      faces >= 1 && batch >= 1,
      "[shuffled_batches] expected at least one face and a batch of at least one, got {} and {}",
      faces, batch);
  // Shared, so that copies of the function share the orders.
  auto orders = std::make_shared<EpochOrders>(faces, std::move(ends), seed);
  return [orders, faces, batch](std::uint64_t step) {
    std::vector<Index> indices(static_cast<std::size_t>(batch));
    const auto count = static_cast<std::uint64_t>(faces);
    std::uint64_t position = step * static_cast<std::uint64_t>(batch);
    EpochOrders::Order order = orders->of(position / count);
    for (std::size_t i = 0; i < indices.size(); ++i, ++position) {
      if (i > 0 && position % count == 0) order = orders->of(position / count);
      indices[i] = (*order)[position % count];
    }
    return indices;
  };
}

}  // namespace

BatchPlan shuffled_batches(Index faces, Index batch, std::uint64_t seed) {
  return batches_of(faces, {}, batch, seed);
}

BatchPlan weighted_batches(std::span<const double> weights, Index batch, std::uint64_t seed) {
  const auto faces = static_cast<double>(weights.size());
  std::vector<double> ends;
  double sum = 0;
  for (const double weight : weights) {
    require(weight >= 0 && weight <= faces,
            "[weighted_batches] expected weights of 0 to the number of faces, got {} of {}", weight,
            weights.size());
    ends.push_back(sum += weight);
  }
  require(!weights.empty() && std::fabs(sum - faces) <= 1e-6 * faces,
          "[weighted_batches] expected weights whose sum is their number, {}, got {}",
          weights.size(), sum);
  ends.back() = faces;  // exactly, so that every epoch is full
  return batches_of(static_cast<Index>(weights.size()), std::move(ends), batch, seed);
}

// A ring of depth + 1 batches: one in the hands of the caller, the others being filled or waiting.
// Step t stands in slot (t - first_step) % (depth + 1).
struct Loader::State {
  struct Slot {
    Batch batch;
    bool ready = false;
    std::exception_ptr error;
  };

  const FaceDataset& dataset;
  const FaceStore& store;
  const BatchPlan plan;
  const Index side;
  const AugmentOptions augment;
  const std::uint64_t seed, first_step;
  const Places places;

  std::mutex mutex;
  std::condition_variable room, filled;
  std::vector<Slot> ring;
  std::uint64_t claimed = 0;   // batches that workers have begun, counted from first_step
  std::uint64_t returned = 0;  // batches that next() has returned
  bool stop = false;
  std::vector<std::thread> workers;

  Slot& slot(std::uint64_t number) { return ring[number % ring.size()]; }
  // The caller holds batch returned - 1; its slot is the one that this leaves out.
  bool has_room() const { return claimed < returned + ring.size() - 1; }

  void work();
  void fill(Batch& batch, std::uint64_t step, Image& scratch) const;
  void shut_down();
};

void Loader::State::work() {
  unpin_this_thread();  // the thread that starts workers is pinned; they would share its processor
  Image scratch;
  std::unique_lock lock(mutex);
  for (;;) {
    room.wait(lock, [&] { return stop || has_room(); });
    if (stop) return;
    const std::uint64_t number = claimed++;
    Slot& mine = slot(number);
    mine.ready = false;
    lock.unlock();
    std::exception_ptr error;
    try {
      fill(mine.batch, first_step + number, scratch);
    } catch (...) {
      error = std::current_exception();
    }
    lock.lock();
    mine.error = error;
    mine.ready = true;
    filled.notify_one();
  }
}

void Loader::State::fill(Batch& batch, std::uint64_t step, Image& scratch) const {
  batch.step = step;
  batch.faces = plan(step);
  const std::size_t count = batch.faces.size(), bytes = store.bytes_of_face();
  const std::size_t first = std::min(count, static_cast<std::size_t>(places.first));
  const std::size_t here = std::min(count - first, static_cast<std::size_t>(places.count));
  batch.pixels.resize(here * bytes);
  batch.variations.resize(here);
  batch.ages.resize(count);
  batch.genders.resize(count);
  for (std::size_t j = 0; j < count; ++j) {
    const Index face = batch.faces[j];
    if (j >= first && j < first + here) {
      std::ranges::copy(store.pixels(face, scratch), &batch.pixels[(j - first) * bytes]);
      // By its place in the whole batch, whoever computes it.
      Random random(seed, stream_of(Purpose::augment, step, static_cast<Index>(j)));
      batch.variations[j - first] = draw_variation(augment, store.side(), side, &random);
    }
    const Face& labelled = dataset.faces.at(static_cast<std::size_t>(face));
    batch.ages[j] = labelled.age;
    batch.genders[j] = labelled.gender;
  }
}

void Loader::State::shut_down() {
  {
    const std::lock_guard lock(mutex);
    stop = true;
  }
  room.notify_all();
  for (std::thread& worker : workers) worker.join();
}

Loader::Loader(const FaceDataset& dataset, const FaceStore& store, BatchPlan plan, Index input_side,
               const AugmentOptions& augment, std::uint64_t seed, std::uint64_t first_step,
               int workers, int depth, Places places) {
  require(workers >= 1 && depth >= 1,
          "[loader] expected at least one worker and a depth of at least one, got {} and {}",
          workers, depth);
  require(input_side >= 1 && input_side <= store.side(),
          "[loader] expected an input of 1 to {} pixels (what faces are stored at), got {}",
          store.side(), input_side);
  state_.reset(new State{dataset,
                         store,
                         std::move(plan),
                         input_side,
                         augment,
                         seed,
                         first_step,
                         places,
                         {},
                         {},
                         {},
                         {},
                         0,
                         0,
                         false,
                         {}});
  state_->ring.resize(static_cast<std::size_t>(depth) + 1);
  try {
    for (int i = 0; i < workers; ++i) state_->workers.emplace_back([this] { state_->work(); });
  } catch (...) {  // the system has no more threads
    state_->shut_down();
    throw;
  }
}

Loader::~Loader() {
  state_->shut_down();
}

const Batch& Loader::next() {
  std::unique_lock lock(state_->mutex);
  State::Slot& slot = state_->slot(state_->returned);
  state_->filled.wait(lock, [&] { return slot.ready; });
  if (slot.error) std::rethrow_exception(slot.error);
  slot.ready = false;
  ++state_->returned;
  state_->room.notify_one();
  return slot.batch;
}

}  // namespace twinage
