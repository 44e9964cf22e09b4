// The commands of the `twinage` binary, one file each. Every function registers one subcommand:
// its options, its help, and the callback that does the work. Callbacks throw Error (exit code 1)
// and UsageError (exit code 2).
#pragma once
#include <CLI/CLI.hpp>

namespace twinage {

void add_synth_command(CLI::App& app);
void add_data_command(CLI::App& app);
void add_split_command(CLI::App& app);
void add_train_command(CLI::App& app);
void add_eval_command(CLI::App& app);
void add_predict_command(CLI::App& app);
void add_compare_command(CLI::App& app);
void add_embed_command(CLI::App& app);
void add_crop_command(CLI::App& app);
void add_export_command(CLI::App& app);
void add_serve_command(CLI::App& app);
void add_report_command(CLI::App& app);
void add_experiment_command(CLI::App& app);
void add_info_command(CLI::App& app);

}  // namespace twinage
