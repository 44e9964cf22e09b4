// The parts of a report that say how well ages and genders are read, of one run or of several.
#pragma once
#include <span>
#include <string>
#include <vector>

#include "tools/report/figure.h"
#include "tools/report/measured_run.h"

namespace twinage {

// "reads ages with a mean error of 5.13 years (95 %: 4.91 to 5.36) ...".
std::string summary_of(const MeasuredRun& m);

// "on 1,834 faces of utkface/val that it never saw"
std::string of_faces(const MeasuredRun& m);

// Each of at least one run; figures that a run has no numbers for leave it out.
Section errors_of(std::span<const MeasuredRun> runs);      // predicted and true, CS, by groups
Section intervals_of(std::span<const MeasuredRun> runs);   // coverage and width by decade
Section same_class_of(std::span<const MeasuredRun> runs);  // P(same class | D), ROC

}  // namespace twinage
