#include "tools/report/measured_run.h"

#include <algorithm>
#include <numeric>

#include "core/error.h"

namespace twinage {

MeasuredRun measure(std::string name, std::unique_ptr<FaceReader> reader, FaceDataset faces,
                    std::string data, const std::function<void(Index, Index)>& progress) {
  MeasuredRun run;
  run.name = std::move(name);
  run.data = std::move(data);
  run.reader = std::move(reader);
  run.readings = run.reader->read(std::move(faces), progress, FaceStore::WhenNone::fail,
                                  FaceReader::CopiesCount::once);
  require(!run.readings.dataset.faces.empty(), "[report] no face of {} is left to measure",
          run.data);
  const Evaluation evaluation = evaluate(*run.reader, run.readings);
  run.origins = evaluation.origins;
  run.unlike = evaluation.unlike;
  run.metrics = evaluation.unseen.value_or(evaluation.all);
  for (std::size_t i = 0; i < run.readings.origins.size(); ++i)
    if (!evaluation.unseen || run.readings.origins[i] == Origin::unseen)
      run.shown.push_back(static_cast<Index>(i));
  return run;
}

Tensor shown_embeddings(const MeasuredRun& run) {
  if (!run.has_embeddings()) return {};
  const Index width = run.readings.embedded.z.shape().c;
  Tensor z(matrix(static_cast<Index>(run.shown.size()), width));
  for (std::size_t row = 0; row < run.shown.size(); ++row)
    std::copy_n(run.readings.embedded.z.view().pixel(run.shown[row]), width,
                z.view().pixel(static_cast<Index>(row)));
  return z;
}

}  // namespace twinage
