// twinage: trains and runs a Siamese network that reads age and gender from faces.
// Exit codes: 0 done, 1 failed, 2 wrong usage, 130 stopped by Ctrl-C.
#include <exception>
#include <new>
#include <system_error>

#include <CLI/CLI.hpp>

#include "core/error.h"
#include "core/output.h"
#include "tools/commands.h"
#include "tools/out_of_memory.h"

namespace {

constexpr int kFailed = 1, kUsage = 2;

constexpr const char* kDescription =
    "Trains and runs a multi-task Siamese network that reads age and gender from\n"
    "frontal faces (Jeong et al., Symmetry 2018), with kernels of its own.\n\n"
    "First steps:\n"
    "  twinage synth --out faces --count 3000            make faces to practise on\n"
    "  twinage train --data faces --minutes 5 --out run  train\n"
    "  twinage synth --out others --count 300 --seed 2   faces that it never saw\n"
    "  twinage eval run --data others                    measure\n"
    "  twinage predict run face.jpg                      read a picture\n"
    "  twinage report run --data others --out page.html  see how good it is\n\n"
    "Each command explains itself: twinage train --help";

int report(const char* what, int code) {
  twinage::note("twinage: {}\n", what);
  return code;
}

// What was printed may still wait to be written, to a disk that is full.
int exit_code(int code) {
  if (twinage::results_written()) return code;
  if (twinage::reader_has_gone()) return kFailed;
  return report("[output] what was printed could not be written: is the disk full?", kFailed);
}

int parse_and_run(CLI::App& app, int argc, char** argv) {
  try {
    app.parse(argc, argv);
    return exit_code(0);
  } catch (const CLI::Success& asked_for_help) {
    return exit_code(app.exit(asked_for_help));
  } catch (const CLI::RuntimeError& ended) {  // a command that says its own exit code
    return exit_code(ended.get_exit_code());
  } catch (const CLI::ParseError& error) {
    twinage::note("twinage: {}\nRun 'twinage --help' or 'twinage COMMAND --help'.\n", error.what());
    return kUsage;
  } catch (const twinage::UsageError& error) {
    return report(error.what(), kUsage);
  } catch (const std::bad_alloc&) {
    return report(twinage::kNoMemoryLeft, kFailed);
  } catch (const std::system_error&) {
    if (!twinage::results_written()) return exit_code(kFailed);
    throw;
  }
}

}  // namespace

int main(int argc, char** argv) {
  twinage::end_without_memory_in_words();
  if (!twinage::prepare_standard_streams()) return kFailed;
  try {
    CLI::App app(kDescription, "twinage");
    app.require_subcommand(1);
    app.set_version_flag("--version", "twinage 0.1");
    app.get_formatter()->column_width(26);
    twinage::add_synth_command(app);
    twinage::add_data_command(app);
    twinage::add_split_command(app);
    twinage::add_train_command(app);
    twinage::add_eval_command(app);
    twinage::add_predict_command(app);
    twinage::add_compare_command(app);
    twinage::add_embed_command(app);
    twinage::add_crop_command(app);
    twinage::add_export_command(app);
    twinage::add_serve_command(app);
    twinage::add_report_command(app);
    twinage::add_experiment_command(app);
    twinage::add_info_command(app);
    return parse_and_run(app, argc, argv);
  } catch (const std::bad_alloc&) {
    return report(twinage::kNoMemoryLeft, kFailed);
  } catch (const std::exception& error) {
    return report(error.what(), kFailed);
  }
}
