// What a terminal can show beside words: bars of one line. Plain where the output goes to a file or
// another program, where NO_COLOR is set (https://no-color.org), on a dumb terminal, and where the
// locale is not UTF-8: then callers leave these lines out.
#pragma once
#include <span>
#include <string>
#include <vector>

#include "siamese/readouts/age_readout.h"

namespace twinage {

// Of standard output.
bool terminal_can_draw();

// One block for each value from 0 to `most` (0: the largest of them): " ▁▂▃▄▅▆▇█".
std::string sparkline(std::span<const double> values, double most = 0);

// Three lines of at most 62 columns: what spoke for which age, the interval with the age in it
// (none: a dot alone), years.
//
//     ▁▂▅█▇▃▁
//     ├──●───┤
//   0    10   20   30 ...
std::string age_bar(const AgeEstimate& estimate, bool interval);

}  // namespace twinage
