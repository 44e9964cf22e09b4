// The table of read-outs: who goes through it knows none of them by name.
#pragma once
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "siamese/objective.h"
#include "siamese/readouts/readout.h"

namespace twinage {

// What a network gives, or a read-out needs.
struct ReadoutInputs {
  bool embedding = false;           // and a gallery of embedded faces of known age
  AgeSaid ages = AgeSaid::nothing;  // by an age head

  bool contains(ReadoutInputs other) const {
    return (embedding || !other.embedding) &&
           (ages == other.ages || other.ages == AgeSaid::nothing);
  }
};
// What a network gives that was trained so.
ReadoutInputs inputs_of(const ObjectiveOptions& objective);

struct ReadoutRow {
  ReadoutKind kind;
  ReadoutInputs needs;
  // What reads the same outputs while the network is still being trained, when there is no
  // calibration and the gallery is a small one.
  ReadoutKind in_training;
  std::unique_ptr<Readout> (*make)(const ReadoutParts&);
  std::string_view help;  // one line
};

std::span<const ReadoutRow> readout_table();
// Throws Error for a kind that has no row.
const ReadoutRow& readout_row(ReadoutKind kind);
// "an age head, and this network has none": what of the needs is not given.
std::string_view lacking(ReadoutInputs needs, ReadoutInputs given);
// Throws UsageError that says so.
void require_readable(ReadoutKind kind, ReadoutInputs given);
// A line for each read-out, for --help: its name and what it does.
std::string readout_help();

}  // namespace twinage
