#include "train/metrics_log.h"

#include <doctest/doctest.h>

#include "core/files.h"
#include "tests/support/temporary_folder.h"

using namespace twinage;

TEST_CASE("metrics log: a resumed run drops what it will do again, and a half-written line") {
  const twinage::test::TemporaryFolder folder;
  const auto path = folder / "metrics.jsonl";
  {
    MetricsLog log(path, 0);
    for (int step : {10, 20, 30}) log.write({{"step", step}});
  }
  write_file_atomically(path, read_text_file(path) + "{\"step\": 5, \"lo");
  {
    MetricsLog log(path, 20);
    log.write({{"step", 21}});
  }
  CHECK(read_text_file(path) == "{\"step\":10}\n{\"step\":20}\n{\"step\":21}\n");
  MetricsLog fresh(path, 0);
  CHECK(read_text_file(path).empty());
}
