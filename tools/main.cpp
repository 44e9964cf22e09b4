// twinage: trains and runs a Siamese network that reads age and gender from faces.
// Exit codes: 0 done, 1 failed, 2 wrong usage, 130 stopped by Ctrl-C.
#include <cstdio>
#include <exception>
#include <new>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "core/error.h"
#include "tools/commands.h"

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
    "  twinage predict run face.jpg                      read a picture\n\n"
    "Each command explains itself: twinage train --help";

int report(const char* what, int code) {
  fmt::print(stderr, "twinage: {}\n", what);
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(kDescription, "twinage");
  app.require_subcommand(1);
  app.set_version_flag("--version", "twinage 0.1");
  app.get_formatter()->column_width(26);
  twinage::add_synth_command(app);
  twinage::add_data_command(app);
  twinage::add_train_command(app);
  twinage::add_eval_command(app);
  twinage::add_predict_command(app);
  twinage::add_compare_command(app);
  twinage::add_embed_command(app);
  twinage::add_info_command(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& asked_for_help) {
    return app.exit(asked_for_help);
  } catch (const CLI::RuntimeError& ended) {  // a command that says its own exit code
    return ended.get_exit_code();
  } catch (const CLI::ParseError& error) {
    fmt::print(stderr, "twinage: {}\nRun 'twinage --help' or 'twinage COMMAND --help'.\n",
               error.what());
    return kUsage;
  } catch (const twinage::UsageError& error) {
    return report(error.what(), kUsage);
  } catch (const std::bad_alloc&) {
    return report("[memory] no memory left: use a smaller batch, preset or data.memory_gb",
                  kFailed);
  } catch (const std::exception& error) {
    return report(error.what(), kFailed);
  }
  // What was printed may still wait to be written, to a disk that is full.
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0)
    return report("[output] what was printed could not be written: is the disk full?", kFailed);
  return 0;
}
