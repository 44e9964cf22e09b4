#include "tools/data_command.h"

#include <algorithm>
#include <memory>

#include <unistd.h>

#include "core/files.h"
#include "core/output.h"
#include "core/parallel.h"
#include "tools/commands.h"
#include "tools/data_options.h"
#include "tools/embedded.h"
#include "tools/options.h"
#include "tools/report/data_sections.h"
#include "tools/report/page.h"
#include "train/faces/copies.h"
#include "train/faces/face_store.h"
#include "train/session_log.h"

namespace twinage {
namespace {

constexpr const char* kHelp =
    "Says what faces are found under PATH and what is skipped and why, before you\n"
    "train on them, and which pictures are copies of each other. PATH is a folder of\n"
    "pictures named age_gender_race_time.jpg (as in UTKFace, and as 'twinage synth'\n"
    "writes them), a CSV manifest with a header line such as\n"
    "path,age,gender,race,subject, or a data set laid out as it is published.\n\n"
    "  twinage data --formats                 the layouts that are understood\n"
    "  twinage data faces                     counts, ages, what is skipped\n"
    "  twinage data faces --decode            also finds pictures that are damaged\n"
    "  twinage data faces --val others        and what both have in common\n"
    "  twinage data faces --report faces.html a page: ages, conflicts, a contact sheet\n"
    "  twinage data faces.csv --json          for programs";

struct DataArguments {
  std::string path, val, report;
  DataOptions dataset;
  bool json = false, decode = false, formats = false, no_faces = false;
};

// Reads every picture, which tells copies; with `decode` also its pixels, and forgets them. What
// fails is moved to dataset.skipped.
void read_pictures(FaceDataset& dataset, bool decode) {
  const bool show_progress = ::isatty(STDERR_FILENO) == 1;
  Index shown = -1;
  const auto progress = [&](Index done, Index total) {
    const Index percent = total == 0 ? 100 : 100 * done / total;
    if (!show_progress || percent == shown) return;
    shown = percent;
    note("\r{} {:>3} %{}", decode ? "decoding" : "reading", percent,
         done == total ? "\r\033[K" : "");
  };
  if (decode) {
    const FaceStore store(dataset, 1, hardware_threads(), 0, progress);
  } else {
    read_contents(dataset, hardware_threads(), progress);
  }
  merge_copies(dataset);
}

nlohmann::ordered_json common_as_json(const InCommon& common, const std::string& val) {
  return {{"path", val},
          {"copies", common.copies},
          {"persons", common.persons},
          {"more_faces_of_these_persons", common.faces_of_persons}};
}

void write_report(const DataArguments& a, const FaceDataset& dataset) {
  Report report = data_report(dataset, a.path, !a.no_faces, hardware_threads());
  report.made = fmt::format("Made by twinage, commit {}, {}.", kCommit, utc_now());
  const std::string page = to_page(report);
  write_file_atomically(a.report, page);
  note("{}: {:.1f} MB; open it in a browser\n", a.report, static_cast<double>(page.size()) / 1e6);
}

void run(const DataArguments& a) {
  if (!a.report.empty()) require_page_writable(a.report, "data");
  if (a.formats) {
    print_result("{}", a.json ? to_text(formats_as_json()) + "\n" : formats_as_text());
    return;
  }
  FaceDataset dataset = a.dataset.find(a.path);
  read_pictures(dataset, a.decode);
  InCommon common;
  if (!a.val.empty()) {
    FaceDataset val = a.dataset.find(a.val);
    read_pictures(val, false);
    common = in_common(dataset, val);
  }
  if (!a.report.empty()) write_report(a, dataset);
  if (a.json) {
    nlohmann::ordered_json all = {{"path", a.path}, {"decoded", a.decode}};
    all.update(data_as_json(dataset));
    if (!a.val.empty()) all["in_val"] = common_as_json(common, a.val);
    print_result("{}\n", to_text(all));
    return;
  }
  print_result("{}\n{}", printable(a.path), data_as_text(dataset));
  if (!a.val.empty())
    print_result(
        "also in {}:\n"
        "  {} faces, the same pictures; {} persons, of whom there are {} more faces here:\n"
        "  with --val, none of these is trained on\n",
        printable(a.val), common.copies, common.persons, common.faces_of_persons);
  if (a.decode)
    print_result("every face counted here could be decoded\n");
  else
    print_result("the files were compared, not decoded; --decode also finds damaged ones\n");
}

}  // namespace

void add_data_command(CLI::App& app) {
  CLI::App* command = app.add_subcommand("data", "say what faces a folder or manifest holds");
  command->footer(kHelp);
  auto a = std::make_shared<DataArguments>();
  const CLI::Option* path =
      command->add_option("PATH", a->path, "a folder of pictures or a list of them");
  command->add_option("--val", a->val, "faces to validate on: what both have in common");
  a->dataset.add_to(*command);
  command->add_flag("--formats", a->formats, "list the layouts that are understood");
  command->add_flag("--decode", a->decode, "decode every picture and report the damaged ones");
  command->add_flag("--json", a->json, "print a JSON object");
  command->add_option("--report", a->report, "also write a page to look at")
      ->type_name("FILE.html");
  command->add_flag("--no-faces", a->no_faces, "no picture of a face on that page");
  command->callback([a, path] {
    if (!a->formats && path->count() == 0) throw CLI::RequiredError("PATH");
    run(*a);
  });
}

}  // namespace twinage
