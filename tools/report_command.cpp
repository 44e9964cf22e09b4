#include <filesystem>
#include <memory>
#include <optional>

#include "core/error.h"
#include "core/files.h"
#include "core/output.h"
#include "tools/commands.h"
#include "tools/data_options.h"
#include "tools/options.h"
#include "tools/report/report.h"
#include "train/progress.h"

namespace twinage {
namespace {

constexpr const char* kHelp =
    "Makes one page of a training that can be mailed and opened from disk: how good the\n"
    "model is and for whom, its curves, where it is wrong, which faces it confuses,\n"
    "whether its interval may be trusted, a map of its embeddings, and the faces.\n\n"
    "  twinage report run --out report.html              faces of the run's --val\n"
    "  twinage report run --data others --out report.html\n"
    "  twinage report run_a run_b --data others --out both.html   side by side\n"
    "  twinage report run --data others --json           every number behind every chart\n\n"
    "Without faces to measure with (no --data, and the run had no --val) it shows the\n"
    "curves alone; so it does of a run that is still going or broke off. --no-faces\n"
    "leaves out every picture, for a page that goes to others.";

struct ReportArguments {
  std::vector<std::string> runs;
  std::string data, out;
  bool json = false, no_faces = false;
  DataOptions dataset;
  DeviceOptions device;
};

void run(const ReportArguments& a) {
  if (a.out.empty() && !a.json)
    throw UsageError("[report] --out FILE.html is missing (or --json, to print the numbers)");
  if (!a.out.empty()) require_page_writable(a.out, "report");
  ReportRequest request;
  for (const std::string& folder : a.runs) request.runs.emplace_back(folder);
  request.data = a.data;
  request.pictures = !a.no_faces;
  request.find = [&](const std::string& path) { return a.dataset.find(path); };
  request.engine = [&] { return a.device.engine(); };
  Report report;
  {
    Progress bar("reading faces");
    request.progress = bar.counter("faces");
    report = make_report(request);
  }
  if (!a.out.empty()) {
    const std::string page = to_page(report);
    write_file_atomically(a.out, page);
    note("{}: {:.1f} MB; open it in a browser\n", a.out, static_cast<double>(page.size()) / 1e6);
  }
  if (a.json) print_result("{}", to_json_text(report));
}

}  // namespace

void add_report_command(CLI::App& app) {
  CLI::App* command = app.add_subcommand("report", "make a page of a run that people look at");
  command->footer(kHelp);
  auto a = std::make_shared<ReportArguments>();
  command->add_option("RUN", a->runs, "run directories")->required();
  command->add_option("--data", a->data, "faces to measure with; the run's --val if absent");
  a->dataset.add_to(*command);
  command->add_option("--out", a->out, "the page to write")->type_name("FILE.html");
  command->add_flag("--no-faces", a->no_faces, "no picture of a face");
  command->add_flag("--json", a->json, "print every number behind every chart");
  a->device.add_to(*command);
  command->callback([a] { run(*a); });
}

}  // namespace twinage
