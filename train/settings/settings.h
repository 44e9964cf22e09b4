// All settings of a run, in the order in which they are written.
#pragma once
#include <vector>

#include "train/settings/config.h"
#include "train/settings/setting.h"

namespace twinage {

// They read and write `config`, which must outlive them.
std::vector<Setting> settings_of(TrainConfig& config);

// The table for people: every key with its value in `config` (a recipe's, usually), what is
// allowed, and what it is for; at most 80 columns.
std::string settings_table(const TrainConfig& config);

}  // namespace twinage
