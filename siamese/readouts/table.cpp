#include "siamese/readouts/table.h"

#include <array>

#include "core/error.h"

namespace twinage {

// Each in its file of this folder.
std::unique_ptr<Readout> make_comparison(const ReadoutParts& parts);
std::unique_ptr<Readout> make_knn(const ReadoutParts& parts);
std::unique_ptr<Readout> make_prototype(const ReadoutParts& parts);
std::unique_ptr<Readout> make_expectation(const ReadoutParts& parts);

namespace {

constexpr ReadoutInputs kEmbedding{.embedding = true, .ages = false};
constexpr ReadoutInputs kAges{.embedding = false, .ages = true};

constexpr std::array kTable{
    ReadoutRow{ReadoutKind::comparison, kEmbedding, ReadoutKind::knn, make_comparison,
               "every reference votes: is this face of its age class?"},
    ReadoutRow{ReadoutKind::knn, kEmbedding, ReadoutKind::knn, make_knn,
               "the median age of the k nearest references"},
    ReadoutRow{ReadoutKind::prototype, kEmbedding, ReadoutKind::knn, make_prototype,
               "the age whose mean embedding is nearest"},
    ReadoutRow{ReadoutKind::expectation, kAges, ReadoutKind::expectation, make_expectation,
               "the mean of what the age head says of every age"},
};

}  // namespace

std::span<const ReadoutRow> readout_table() {
  return kTable;
}

const ReadoutRow& readout_row(ReadoutKind kind) {
  for (const ReadoutRow& row : kTable)
    if (row.kind == kind) return row;
  fail_unknown_value(EnumNames<ReadoutKind>::what, static_cast<int>(kind));
}

void require_readable(ReadoutKind kind, ReadoutInputs given) {
  const ReadoutInputs needs = readout_row(kind).needs;
  if (given.contains(needs)) return;
  throw UsageError(fmt::format(
      "[readout] {} needs {}, and this network has none: use another read-out or train one that "
      "has it",
      to_string(kind), needs.ages && !given.ages ? "an age head" : "an embedding"));
}

std::string readout_help() {
  std::string text;
  for (const ReadoutRow& row : kTable)
    text += fmt::format("{}  {:<12} {}", text.empty() ? "" : "\n", to_string(row.kind), row.help);
  return text;
}

}  // namespace twinage
