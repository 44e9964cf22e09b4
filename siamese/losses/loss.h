// One term of the objective: what a head's outputs of a batch are worth, and the gradient to begin
// backward with. Labels are on the host, arithmetic on the device. A loss of pairs, of the whole
// batch or of single faces comes through this same door; siamese/losses/losses.cpp has the table.
#pragma once
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/context.h"
#include "core/view.h"
#include "kernels/log_ratio/log_ratio.h"
#include "kernels/pair_loss/pair_loss.h"
#include "kernels/rank_n_contrast/rank_n_contrast.h"
#include "siamese/head_form.h"
#include "siamese/pairs.h"
#include "siamese/tasks.h"

namespace twinage {

// Of a batch, on the host.
struct Labels {
  std::span<const float> ages;            // years [batch]
  std::span<const std::int32_t> genders;  // 0 male, 1 female, below 0 absent [batch]
};

// What losses can be told; each reads what it needs.
struct LossOptions {
  PairMode pairs = PairMode::all;
  bool balanced = false;                            // see pair_weights
  float margin = PairLoss{}.margin;                 // distance
  float tau = PairLoss{}.tau;                       // years
  float gap_max = PairLoss{}.gap_max;               // years
  float scale = PairLoss{}.scale;                   // years per unit of distance
  float beta = PairLoss{}.beta;                     // distance
  float gap_min = LogRatio{}.gap_min;               // years
  float temperature = RankNContrast{}.temperature;  // distance
  // Of age heads (kernels/age_loss/age_loss.h).
  float age_sigma = 2;         // years; label-distribution
  float age_error = 1;         // weight of |E - age|; label-distribution
  float age_mean = 0.2F;       // weight of (E - age)^2 / 2; mean-variance
  float age_variance = 0.05F;  // weight of V; mean-variance
};

struct LossValue {
  double loss = 0;  // not yet multiplied by its weight
  // One more figure that tells how it goes, by its name in the log; none: an empty name.
  std::string_view figure_name;
  double figure = 0;
};

// All memory is taken in the constructor: a step allocates nothing. A step is set_labels, compute,
// value; the middle one is all the device's work, so that it can be recorded and repeated.
class Loss {
 public:
  virtual ~Loss() = default;

  virtual Index workspace(const Context& /*ctx*/) const { return 0; }  // floats compute() takes
  virtual void set_labels(const Labels& labels) = 0;
  // y = the head's outputs, matrix(batch, width); dy = weight * d loss / d y. Both on the device.
  virtual void compute(const Context& ctx, View dy, ConstView y) = 0;
  // Waits for compute().
  virtual LossValue value() = 0;
};

struct LossSetup {
  Index batch = 0, width = 0;  // of y
  float weight = 1;
  Device device = Device::cpu;
  LossOptions options = {};
};

// The name of a loss in the table of losses.cpp.
struct LossName {
  std::string name;
};

// Throws UsageError for a name that this task has no loss of.
std::unique_ptr<Loss> make_loss(Task task, const LossName& name, const LossSetup& setup);
std::vector<std::string> loss_names(Task task);
// What this loss wants of its head. Throws UsageError as make_loss.
HeadForm head_form(Task task, const LossName& name, Index embedding_width);
// One line a loss, of at most 80 columns: its task, its name and what it is.
std::string losses_table();

}  // namespace twinage
