// The parts of a report that show faces: the map of embeddings, readings, errors.
#pragma once
#include <string>
#include <vector>

#include "tools/report/figure.h"
#include "tools/report/measured_run.h"
#include "tools/report/run_record.h"

namespace twinage {

struct FaceOptions {
  bool pictures = true;  // false: names and numbers alone
};

// Sections of one run, behind those that `report` has; pictures go to report.sheets, the faces of
// maps to report.faces. References are shown where the files of the training are still there.
// several: of several runs; titles then name this one. record: of its training, if there is one.
void add_faces(Report& report, const MeasuredRun& run, const RunRecord* record,
               const FaceOptions& options, bool several);

}  // namespace twinage
