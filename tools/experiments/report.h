// An experiment's results as files to read: results.md, and its pictures.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "tools/experiments/published.h"
#include "tools/experiments/results.h"

namespace twinage {

struct ReportFile {
  std::string name, text;
};

// The table alone: a line a row, beside our figures those that were published of it, with the
// protocols of both.
std::string table_of(const Results& results, const std::vector<PublishedFigure>& published);

// results.md and the pictures of what is done so far.
std::vector<ReportFile> report_of(const Results& results,
                                  const std::vector<PublishedFigure>& published);

// results.json, then those; each is the old one or the new one. Throws Error.
void write_report(const std::filesystem::path& folder, const Results& results);

}  // namespace twinage
