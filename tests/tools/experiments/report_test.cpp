#include "tools/experiments/report.h"

#include <doctest/doctest.h>

#include "core/error.h"
#include "core/files.h"
#include "tests/support/temporary_folder.h"
#include "tools/experiments/report_text.h"
#include "tools/experiments/session.h"

using namespace twinage;

namespace {

RunResult done(const std::string& row, std::uint64_t seed, std::map<std::string, double> figures) {
  RunResult run;
  run.row = row;
  run.seed = seed;
  run.progress = RunProgress::done;
  run.figures = std::move(figures);
  run.curve = {{10, 9.5}, {20, 7.25}};
  return run;
}

Results some_losses() {
  Results r;
  r.experiment = "losses";
  r.common.data = "my faces";
  r.common.val = "others";
  r.common.minutes = 10;
  r.protocol = "UTKFace, random split";
  r.seeds = 2;
  r.jobs = 2;
  r.cores = 2;
  r.device = "cpu";
  r.processor = "a processor";
  r.commit = "abc1234";
  r.date = "2026-11-29";
  r.runs = {done("method", 1, {{"mae", 6.5}, {"cs5", 0.5}, {"faces", 1834}, {"steps", 3000}}),
            done("method", 2, {{"mae", 7.0}, {"cs5", 0.25}, {"faces", 1834}, {"steps", 2000}}),
            done("contrastive", 1, {{"mae", 8}, {"faces", 1834}})};
  RunResult failed;
  failed.row = "contrastive";
  failed.seed = 2;
  failed.progress = RunProgress::failed;
  failed.reason = "[train] the loss became inf | at\nstep 3";
  r.runs.push_back(failed);
  return r;
}

std::vector<PublishedFigure> some_published() {
  return {{"losses", "method", "mae", 2.24, "years", "theirs", "MORPH", "random split", "doi:1"},
          {"losses", "contrastive", "mae", 3.74, "years", "a", "MORPH", "q", "doi:1"},
          {"losses", "contrastive", "mae", 3.72, "years", "b", "MORPH", "q", "doi:2"},
          {"losses", "", "mae", 2.89, "years", "M-LSDML", "MORPH", "q", "doi:1"},
          {"heads", "", "mae", 1.97, "years", "of another", "MORPH", "q", "doi:3"}};
}

std::string line_with(const std::string& text, const std::string& start) {
  const auto at = text.find("\n" + start);
  REQUIRE(at != std::string::npos);
  return text.substr(at + 1, text.find('\n', at + 1) - at - 1);
}

bool has(const std::string& text, const std::string& what) {
  return text.find(what) != std::string::npos;
}

const std::string& file(const std::vector<ReportFile>& files, const std::string& name) {
  for (const ReportFile& f : files)
    if (f.name == name) return f.text;
  FAIL("no file " << name);
  return files.front().text;
}

}  // namespace

TEST_CASE("a table has the mean, the least and the most of the seeds, beside what was published") {
  const std::string table = table_of(some_losses(), some_published());
  CHECK(line_with(table, "| method |") ==
        "| method | this method: revised-contrastive | tiny | 6.75 (6.50 to 7.00) | 2.24 | "
        "theirs: MORPH, random split | 37.5 (25.0 to 50.0) | – | – | 2,500 (2,000 to 3,000) | "
        "2 of 2 |");
  CHECK(line_with(table, "| contrastive |") ==
        "| contrastive | contrastive | tiny | 8.00 | 3.74; 3.72 | a: MORPH, q; b: MORPH, q | – | "
        "– | – | – | 1 of 2, 1 failed |");
  CHECK_FALSE(has(table, "triplet"));  // it has no run
}

TEST_CASE("a report says what was measured, how, and what failed") {
  const auto files = report_of(some_losses(), some_published());
  const std::string& text = file(files, "results.md");
  for (const char* said :
       {"| protocol | UTKFace, random split |", "1,834 measured", "10 minutes a run", "abc1234",
        "2026-11-29", "2 cores of a processor",
        "twinage experiment losses --data 'my faces' --val others --minutes 10 --preset tiny "
        "--seeds 2 --jobs 2",
        "- contrastive, seed 2: [train] the loss became inf", "![Error of each row](mae.svg)",
        "![Error while training](curves.svg)", "| M-LSDML | mae | 2.89 years | MORPH | q | doi:1 |",
        "Published figures: doi:1; doi:2.", "`model.heads=embedding`"})
    CHECK_MESSAGE(has(text, said), said);
  CHECK_FALSE(has(text, "of another"));
  CHECK(has(file(files, "mae.svg"), "n = 1,834 faces"));
  CHECK(has(file(files, "curves.svg"), ">contrastive</text>"));
}

TEST_CASE("before anything is done there is a table without figures, and no picture") {
  Results r = some_losses();
  RunResult left;
  left.row = "method";
  r.runs = {left};
  const auto files = report_of(r, some_published());
  CHECK(files.size() == 1);
  CHECK(has(files[0].text, "0 of 1"));
}

TEST_CASE("references and planes are tabled and drawn where they were measured") {
  Results r = some_losses();
  r.experiment = "readout";
  r.runs = {done("default", 1,
                 {{"mae:knn", 5}, {"mae:knn@10", 9}, {"mae:knn@100", 6}, {"mae:prototype@10", 8}})};
  auto files = report_of(r, {});
  CHECK(has(file(files, "results.md"), "| 10 | 9.00 | 8.00 |"));
  CHECK(has(file(files, "results.md"), "| 100 | 6.00 | – |"));
  CHECK(has(file(files, "references-default.svg"), ">prototype</text>"));
  r.experiment = "toy";
  r.runs = {done("age", 1, {{"neighbours", 0.5}})};
  r.runs[0].before = {{0, 1, 20, 0}};
  r.runs[0].after = {{2, 3, 20, 0}, {3, 3, 40, 1}};
  files = report_of(r, {});
  CHECK(has(file(files, "plane-age-after.svg"), "2 faces"));
  CHECK(has(file(files, "plane-age-before.svg"), "1 faces"));
}

TEST_CASE("results read back are those that were written") {
  Results r = some_losses();
  r.runs[0].before = {{0.5F, -1, 20, 0}};
  r.runs[0].after = {{2, 3.25F, 20, -1}};
  r.common.settings = {"training.batch=8"};
  const std::string text = to_json_text(r);
  CHECK(text.starts_with(kResultsTitle));
  const Results back = results_from_json(text, "f");
  CHECK(to_json_text(back) == text);
  CHECK(table_of(back, some_published()) == table_of(r, some_published()));
  CHECK(back.runs.size() == r.runs.size());
  for (const std::string& bad : {std::string("{}"), text.substr(0, 200), std::string("[]")})
    CHECK_THROWS_WITH_AS(results_from_json(bad, "f"), doctest::Contains("f holds no results"),
                         Error);
}

TEST_CASE("a summary is of the runs that are done and have the figure") {
  const Results r = some_losses();
  CHECK(summary_of(r, "contrastive", "mae").runs == 1);
  CHECK(summary_of(r, "contrastive", "gender").runs == 0);
  const Summary s = summary_of(r, "method", "mae");
  CHECK(s.mean == 6.75);
  CHECK(s.least == 6.5);
  CHECK(s.most == 7);
}

TEST_CASE("a report is written as files, and again over the old ones") {
  const test::TemporaryFolder folder;
  write_report(folder.path(), some_losses());
  write_report(folder.path(), some_losses());
  CHECK(read_results(folder.path()).runs.size() == 4);
  CHECK(exists(folder / "results.md"));
  CHECK(exists(folder / "mae.svg"));
}
