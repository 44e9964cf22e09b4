// The paper's experiments as data: the runs that each compares, what is measured of them, and how
// it is shown. tools/experiments/experiments.cpp has the tables; what runs, measures and writes
// goes through them and knows none by name. A new row, or a new experiment, is a line there.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "train/settings/config.h"

namespace twinage {

// One line of a table: the same run from each seed.
struct ExperimentRow {
  std::string name;   // its runs are FOLDER/runs/NAME-seed1 and so on
  std::string label;  // for people
  std::string recipe = "default";
  std::string preset = "";                 // empty: that of --preset
  std::vector<std::string> settings = {};  // "loss.tau=3", on top of the recipe
};

// What is measured beside errors, and costs more than they do.
struct Measures {
  bool probe = false;       // gender by a linear probe, before training and after it
  bool plane = false;       // embeddings before and after training: neighbours, points to draw
  bool references = false;  // the error by each read-out of 10, 30, 100 ... references
};

enum class Unit { years, share, count };  // a share, 0 to 1, is written in per cent

// A figure of a run (tools/experiments/measure.h lists the keys) as a column.
struct Column {
  std::string key, title;
  Unit unit = Unit::years;
  int digits = 2;
  bool published = false;  // beside it stands what was published of the row
};

struct Picture {
  enum class Kind {
    bars,        // of a figure, one for each row
    curves,      // the error of the validation faces against steps, a line for each row
    references,  // the error against the number of references, a line for each read-out
    plane,       // the embedding, before and after, by age and by gender
  };
  Kind kind;
  std::string name;              // NAME.svg
  std::string title, axis = "";  // axis: of a figure, with its unit
  std::string key = "";          // of bars
  Unit unit = Unit::years;
  std::string rows = "";  // only rows whose names begin so
};

struct Experiment {
  std::string name;
  std::string question;  // one line
  std::string paper;     // where it is in the paper
  std::vector<ExperimentRow> rows;
  std::vector<Column> columns;
  std::vector<Picture> pictures;
  Measures measures = {};
};

const std::vector<Experiment>& experiments();
// Throws UsageError for a name that there is not.
const Experiment& experiment(std::string_view name);
const ExperimentRow& row_of(const Experiment& experiment, std::string_view name);
std::string experiments_help();  // a paragraph each: question and rows; at most 80 columns

// What all runs of an experiment have in common.
struct CommonOptions {
  std::string data, val, format = "auto";
  AgeRanges age_ranges = AgeRanges::skip;
  std::string preset = "tiny";
  double minutes = 0;  // one of the two is above 0
  Index steps = 0;
  std::vector<std::string> settings = {};  // "key=value", of --set
};

// The configuration of one run. Throws UsageError, naming the row, for settings that make no sense
// and for a common one that the row sets itself.
TrainConfig config_of(const ExperimentRow& row, const CommonOptions& common, std::uint64_t seed);

}  // namespace twinage
