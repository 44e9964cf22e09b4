#include "siamese/readouts/table.h"

#include <array>

#include "core/error.h"

namespace twinage {

// Each in its file of this folder.
std::unique_ptr<Readout> make_comparison(const ReadoutParts& parts);
std::unique_ptr<Readout> make_knn(const ReadoutParts& parts);
std::unique_ptr<Readout> make_prototype(const ReadoutParts& parts);
std::unique_ptr<Readout> make_expectation(const ReadoutParts& parts);
std::unique_ptr<Readout> make_direct(const ReadoutParts& parts);

namespace {

constexpr ReadoutInputs kEmbedding{.embedding = true};
constexpr ReadoutInputs kDistribution{.ages = AgeSaid::distribution};
constexpr ReadoutInputs kNumber{.ages = AgeSaid::number};

constexpr std::array kTable{
    ReadoutRow{ReadoutKind::comparison, kEmbedding, ReadoutKind::knn, make_comparison,
               "every reference votes: is this face of its age class?"},
    ReadoutRow{ReadoutKind::knn, kEmbedding, ReadoutKind::knn, make_knn,
               "the median age of the k nearest references"},
    ReadoutRow{ReadoutKind::prototype, kEmbedding, ReadoutKind::knn, make_prototype,
               "the age whose mean embedding is nearest"},
    ReadoutRow{ReadoutKind::expectation, kDistribution, ReadoutKind::expectation, make_expectation,
               "the mean of what the age head says of every age"},
    ReadoutRow{ReadoutKind::direct, kNumber, ReadoutKind::direct, make_direct,
               "the age that a head says which says nothing else"},
};

}  // namespace

ReadoutInputs inputs_of(const ObjectiveOptions& objective) {
  const Index any_width = 1;
  return {.embedding = has(objective.heads, Task::embedding),
          .ages = head_forms(objective, any_width)[Task::age].ages};
}

std::span<const ReadoutRow> readout_table() {
  return kTable;
}

const ReadoutRow& readout_row(ReadoutKind kind) {
  for (const ReadoutRow& row : kTable)
    if (row.kind == kind) return row;
  fail_unknown_value(EnumNames<ReadoutKind>::what, static_cast<int>(kind));
}

std::string_view lacking(ReadoutInputs needs, ReadoutInputs given) {
  if (needs.embedding && !given.embedding) return "an embedding, and this network has none";
  if (given.ages == AgeSaid::nothing) return "an age head, and this network has none";
  return needs.ages == AgeSaid::number
             ? "an age head that says one number, and this network's says a probability of every "
               "age"
             : "a probability of every age, and this network's age head says one number";
}

void require_readable(ReadoutKind kind, ReadoutInputs given) {
  const ReadoutInputs needs = readout_row(kind).needs;
  if (given.contains(needs)) return;
  throw UsageError(
      fmt::format("[readout] {} needs {}: use another read-out or train one that has it",
                  to_string(kind), lacking(needs, given)));
}

std::string readout_help() {
  std::string text;
  for (const ReadoutRow& row : kTable)
    text += fmt::format("{}  {:<12} {}", text.empty() ? "" : "\n", to_string(row.kind), row.help);
  return text;
}

}  // namespace twinage
