// The parts of a report that need no face: what was run, and its curves.
#pragma once
#include <span>
#include <string>
#include <vector>

#include "tools/report/figure.h"
#include "tools/report/run_record.h"

namespace twinage {

// "finished", "broke off: the loss became nan ...", "still going: step 1,200 of 22,419".
std::string status_text(const RunRecord& run);

// A column for each run: recipe, preset, data, seed, length, time, machine, commit.
Section overview_of(std::span<const RunRecord> runs);
// Losses by name, errors of held-out and validation faces, genders, step factor, images a second;
// of several runs side by side.
Section curves_of(std::span<const RunRecord> runs);
// The whole configuration, shown when asked for.
Section configuration_of(const RunRecord& run);

}  // namespace twinage
