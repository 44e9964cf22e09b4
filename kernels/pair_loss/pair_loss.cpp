#include "kernels/pair_loss/pair_loss.h"

#include <array>

#include "kernels/check.h"

namespace twinage {
namespace {

struct Name {
  PairLossKind kind;
  std::string_view name;
};
constexpr std::array kNames{
    Name{PairLossKind::contrastive, "contrastive"},
    Name{PairLossKind::revised_contrastive, "revised-contrastive"},
    Name{PairLossKind::graded_contrastive, "graded-contrastive"},
    Name{PairLossKind::gap_regression, "gap-regression"},
};

}  // namespace

std::string to_string(PairLossKind kind) {
  for (const Name& entry : kNames)
    if (entry.kind == kind) return std::string(entry.name);
  fail_unknown_pair_loss(kind);
}

void fail_unknown_pair_loss(PairLossKind kind) {
  fail("[pair_loss] unknown kind {}", static_cast<int>(kind));
}

PairLossKind parse_pair_loss(std::string_view name) {
  std::string known;
  for (const Name& entry : kNames) {
    if (entry.name == name) return entry.kind;
    known += (known.empty() ? "" : ", ") + std::string(entry.name);
  }
  throw UsageError(fmt::format("[pair_loss] unknown loss '{}'; choose one of {}", name, known));
}

bool same_class(const PairLoss& loss, float gap) {
  switch (loss.kind) {
    case PairLossKind::contrastive:
      return gap == 0.0F;
    case PairLossKind::revised_contrastive:
    case PairLossKind::graded_contrastive:
    case PairLossKind::gap_regression:
      return gap <= loss.tau;
  }
  fail_unknown_pair_loss(loss.kind);
}

void pair_loss(const Context& ctx, float* loss, float* dd, const float* d, const float* gap,
               const float* weight, Index count, const PairLoss& kind) {
  require(count >= 0, "[pair_loss] expected count >= 0, got {}", count);
  require(kind.margin > 0, "[pair_loss] expected margin > 0, got {}", kind.margin);
  require(kind.gap_max > 0, "[pair_loss] expected gap_max > 0 years, got {}", kind.gap_max);
  require(kind.scale > 0, "[pair_loss] expected scale > 0 years, got {}", kind.scale);
  require(kind.beta > 0, "[pair_loss] expected beta > 0, got {}", kind.beta);
  TWINAGE_DISPATCH(ctx, pair_loss, loss, dd, d, gap, weight, count, kind);
}

}  // namespace twinage
