#include <memory>

#include "core/error.h"
#include "core/files.h"
#include "core/output.h"
#include "core/parallel.h"
#include "tools/commands.h"
#include "tools/options.h"
#include "train/faces/synthetic_face.h"
#include "train/progress.h"

namespace twinage {
namespace {

struct SynthArguments {
  std::string out, sheet;
  Index count = 3000, side = 200, rows = 6;
  std::uint64_t seed = 1;
  int threads = 0;
  bool force = false;
};

constexpr const char* kHelp =
    "Draws faces of known age and gender, so that everything can be tried without a\n"
    "data set. Names follow UTKFace: age_gender_race_time.jpg.chip.jpg, gender 0 male,\n"
    "1 female. The same seed gives the same faces; another seed gives other people,\n"
    "to measure on:\n\n"
    "  twinage synth --out faces --count 6000 --seed 1\n"
    "  twinage synth --out held_out --count 600 --seed 2\n"
    "  twinage synth --sheet sheet.png              a few people growing old, to look at";

// Before anything is drawn.
void check_targets(const SynthArguments& a) {
  namespace fs = std::filesystem;
  if (a.out.empty() && a.sheet.empty())
    throw UsageError(
        "[synth] nothing to write: name a folder with --out, or a picture with --sheet");
  std::error_code status;
  if (!a.out.empty() && fs::exists(a.out, status))
    require(fs::is_directory(a.out, status) && fs::is_empty(a.out, status) && !status,
            "[synth] {} is not an empty folder: name another folder, or delete it first", a.out);
  if (a.sheet.empty()) return;
  const auto extension = fs::path(a.sheet).extension();
  if (extension != ".png" && extension != ".jpg")
    throw UsageError(fmt::format("[synth] expected --sheet FILE.png or FILE.jpg, got {}", a.sheet));
  require(a.force || !fs::exists(a.sheet, status),
          "[synth] {} would be overwritten: choose another --sheet, or add --force", a.sheet);
  require_writable(a.sheet);
}

void run(const SynthArguments& a) {
  check_targets(a);
  const int threads = a.threads > 0 ? a.threads : hardware_threads();
  if (!a.sheet.empty()) {
    const std::filesystem::path path = a.sheet;
    const Image sheet = synthetic_contact_sheet(a.seed, a.rows, a.side, threads);
    path.extension() == ".png" ? write_png(path, sheet) : write_jpeg(path, sheet, 85);
    print_result("{}: {} people of seed {}\n", a.sheet, a.rows, a.seed);
  }
  if (a.out.empty()) return;
  {
    Progress bar("drawing faces");
    write_synthetic_faces({a.out, a.count, a.seed, a.side, threads}, bar.counter());
  }
  print_result("{}: {} faces of seed {}, {} pixels a side\n", a.out, a.count, a.seed, a.side);
}

}  // namespace

void add_synth_command(CLI::App& app) {
  CLI::App* command =
      app.add_subcommand("synth", "draw faces of known age and gender to practise on");
  command->footer(kHelp);
  auto a = std::make_shared<SynthArguments>();
  command->add_option("--out", a->out, "the folder to write; must be new or empty");
  command->add_option("--count", a->count, "faces to draw")
      ->check(CLI::Range(1, 10'000'000))
      ->capture_default_str();
  command->add_option("--seed", a->seed, "which people")->capture_default_str();
  command->add_option("--size", a->side, "pixels a side")
      ->check(CLI::Range(kMinSyntheticSide, kMaxSyntheticSide))
      ->capture_default_str();
  command->add_option("--sheet", a->sheet, "also draw a sheet of a few people, each growing old");
  command->add_flag("--force", a->force, "replace the sheet if there is one");
  command->add_option("--rows", a->rows, "people on the sheet")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  add_threads_option(*command, a->threads);
  command->callback([a] { run(*a); });
}

}  // namespace twinage
