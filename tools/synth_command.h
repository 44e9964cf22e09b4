#pragma once
#include <CLI/CLI.hpp>

namespace twinage {

// twinage synth: writes procedural faces.
void add_synth_command(CLI::App& app);

}  // namespace twinage
