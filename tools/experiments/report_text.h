// The words and numbers of a report, the same in its table and its pictures.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "tools/experiments/published.h"
#include "tools/experiments/results.h"

namespace twinage {

// For a cell of a Markdown table: no line breaks, and | not as its end.
std::string escaped_cell(std::string text);

// "5.54", of several runs "5.54 (5.50 to 5.61)", of none "–". A share is in per cent.
std::string summary_text(const Summary& summary, Unit unit, int digits);
std::string published_text(const PublishedFigure& figure);  // as it was printed, without the unit
std::string count_text(double count);                       // "1,834"

// "3 of 3", "1 of 3, 1 failed"
std::string runs_text(const Results& results, const std::string& row);
bool has_runs(const Results& results, const std::string& row);

std::string budget_text(const CommonOptions& common);  // "10 minutes a run"
// What stands above the table: data, protocol, budget, machine, commit, date.
std::vector<std::pair<std::string, std::string>> header_of(const Results& results);
// What a picture is of: the faces and their number, the seeds, the budget.
std::string of_what(const Results& results);
std::string command_of(const Results& results);

// Of Measures::references: the read-outs and numbers of references that any run has.
std::string references_key(const std::string& readout, Index references);
std::vector<std::string> readouts_of(const Results& results);
std::vector<Index> reference_counts(const Results& results, const std::string& row);

}  // namespace twinage
