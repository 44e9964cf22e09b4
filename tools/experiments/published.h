// What others published: docs/published/figures.toml, which the build puts into the binary.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace twinage {

struct PublishedFigure {
  std::string experiment;
  std::string row;     // of the experiment; empty: of none, it stands below the table
  std::string metric;  // "mae" or another key of a column
  double value = 0;
  std::string unit;      // "years" or "%"
  std::string method;    // what it is the figure of, in its authors' words
  std::string data;      // the faces
  std::string protocol;  // how they were split, and what the network knew before
  std::string source;    // doi or arXiv, and where in it
};

std::vector<PublishedFigure> published_figures();
// Throws Error naming `source`: a key is missing, unknown or of another type.
std::vector<PublishedFigure> parse_published(std::string_view text, const std::string& source);

}  // namespace twinage
