#include "train/metrics_log.h"

#include <doctest/doctest.h>

#include "core/files.h"
#include "tests/support/file_size_limit.h"
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

TEST_CASE("metrics log: while the disk is full its lines wait, whole; then they are written") {
  const twinage::test::TemporaryFolder folder;
  const auto path = folder / "metrics.jsonl";
  MetricsLog log(path, 0);
  log.write({{"step", 1}});
  {
    const twinage::test::FileSizeLimit full(20);
    log.write({{"step", 2}, {"text", "longer than the disk"}});
    log.write({{"step", 3}});
    CHECK_THROWS_WITH_AS(log.require_written(), doctest::Contains("cannot write"), Error);
    CHECK(read_text_file(path) == "{\"step\":1}\n");
  }
  CHECK_NOTHROW(log.require_written());
  CHECK(read_text_file(path) ==
        "{\"step\":1}\n{\"step\":2,\"text\":\"longer than the disk\"}\n{\"step\":3}\n");
}

TEST_CASE("metrics log: one of any length is resumed" * doctest::test_suite("long")) {
  const twinage::test::TemporaryFolder folder;
  const auto path = folder / "metrics.jsonl";
  constexpr std::size_t kLines = 70;  // of a million bytes: more than other files may have
  const std::string text(1'000'000, 'x');
  {
    AtomicFile file(path);
    for (std::size_t step = 1; step <= kLines; ++step)
      file.write(fmt::format("{{\"step\":{},\"text\":\"{}\"}}\n", step, text));
    file.commit();
  }
  const auto bytes = std::filesystem::file_size(path);
  { MetricsLog log(path, kLines); }
  CHECK(std::filesystem::file_size(path) == bytes);
  { MetricsLog log(path, 1); }
  CHECK(std::filesystem::file_size(path) < 2'000'000);
}
