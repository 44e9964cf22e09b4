#include "tools/experiments/published.h"

#include <functional>
#include <map>

#include "core/error.h"
#include "tools/embedded.h"
#include "train/settings/toml.h"

namespace twinage {
namespace {

PublishedFigure figure_of(const toml::table& table, const std::string& source, int number) {
  PublishedFigure figure;
  std::map<std::string, std::string*> texts{
      {"experiment", &figure.experiment}, {"row", &figure.row},
      {"metric", &figure.metric},         {"unit", &figure.unit},
      {"method", &figure.method},         {"data", &figure.data},
      {"protocol", &figure.protocol},     {"source", &figure.source}};
  for (const auto& [name, text] : texts) {
    const auto value = table[name].value_exact<std::string>();
    require(value.has_value(), "[published] {}, figure {}: expected {} = \"...\"", source, number,
            name);
    *text = *value;
  }
  const auto value = table["value"].value<double>();
  require(value.has_value() && *value > 0, "[published] {}, figure {}: expected value = a number",
          source, number);
  figure.value = *value;
  require(figure.unit == "years" || figure.unit == "%",
          "[published] {}, figure {}: expected the unit \"years\" or \"%\", got \"{}\"", source,
          number, figure.unit);
  require(table.size() == texts.size() + 1, "[published] {}, figure {}: has an unknown key", source,
          number);
  return figure;
}

}  // namespace

std::vector<PublishedFigure> parse_published(std::string_view text, const std::string& source) {
  toml::table file;
  try {
    file = toml::parse(text);
  } catch (const toml::parse_error& error) {
    fail("[published] {}, line {}: {}", source, error.source().begin.line, error.description());
  } catch (const FailedTomlAssertion&) {
    fail("[published] {} is no TOML: there is something where a key belongs", source);
  }
  const toml::array* figures = file["figure"].as_array();
  require(figures != nullptr && file.size() == 1, "[published] {}: expected tables [[figure]] only",
          source);
  std::vector<PublishedFigure> all;
  for (const toml::node& node : *figures) {
    const int number = static_cast<int>(all.size()) + 1;
    require(node.is_table(), "[published] {}: figure {} is no table", source, number);
    all.push_back(figure_of(*node.as_table(), source, number));
  }
  return all;
}

std::vector<PublishedFigure> published_figures() {
  return parse_published(kPublishedText, "docs/published/figures.toml");
}

}  // namespace twinage
