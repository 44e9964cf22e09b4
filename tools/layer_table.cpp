#include "tools/layer_table.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace twinage {
namespace {

constexpr std::size_t kColumns = 6;
using Row = std::array<std::string, kColumns>;

// "conv_bn_relu 3x3/2". The padding is told where a map is neither as large as before nor unpadded.
std::string what(const LayerDescription& part) {
  std::string text = part.kind;
  if (part.kind == "concat" || part.kind == "dense" || part.kind == "split")
    text += fmt::format(" of {}", part.parts.size());
  if (part.has_option("kernel_h")) {
    text += fmt::format(" {}x{}", part.option("kernel_h"), part.option("kernel_w"));
    if (part.option("stride") != 1) text += fmt::format("/{}", part.option("stride"));
    const bool same_size = part.x.h == part.y.h && part.x.w == part.y.w;
    const double h = part.option("pad_h"), w = part.option("pad_w");
    if (!same_size && h == w && h > 0) text += fmt::format(" pad {}", h);
    if (!same_size && h != w) text += fmt::format(" pad {},{}", h, w);
  }
  if (part.has_option("rate")) text += fmt::format(" {}", part.option("rate"));
  return text;
}

struct Costs {
  Index weights = 0, statistics = 0, bytes = 0;
  double flops = 0;

  void add(const LayerDescription& part) {
    for (const Parameter* p : part.parameters)
      (p->trained ? weights : statistics) += p->value.size();
    bytes += part.activation_bytes;
    flops += part.flops;
  }
};

class Table {
 public:
  explicit Table(Index batch) : batch_(static_cast<double>(batch)) {
    rows_.push_back({"name", "layer", "output", "weights", "MFLOP", "KiB"});
  }

  // name: without the block's, behind what shows where the part lies.
  void add(const std::string& name, const LayerDescription& part) {
    Costs own;
    own.add(part);
    total_.add(part);
    dense_ = dense_ || part.kind == "dense";
    split_ = split_ || part.kind == "split";
    const Shape y = part.y;
    add(name, what(part),
        y.h == 1 && y.w == 1 ? fmt::format("{}", y.c) : fmt::format("{}x{}x{}", y.h, y.w, y.c),
        own);
  }

  std::string text() {
    add("total", "", "", total_);
    std::array<std::size_t, kColumns> widths{};
    for (const Row& row : rows_)
      for (std::size_t c = 0; c < kColumns; ++c) widths[c] = std::max(widths[c], row[c].size());
    std::string all;
    for (const Row& row : rows_) {
      all += fmt::format("{:<{}} {:<{}} {:>{}} {:>{}} {:>{}} {:>{}}", row[0], widths[0], row[1],
                         widths[1], row[2], widths[2], row[3], widths[3], row[4], widths[4], row[5],
                         widths[5]);
      all.erase(all.find_last_not_of(' ') + 1);
      all += '\n';
    }
    return all +
           fmt::format(
               "weights: trained parameters, without {} running statistics.\n"
               "MFLOP: of one face, forward. KiB: kept for the way back at batch {}.\n"
               "\"/2\": the stride. \"-\" begins a branch; all branches read the same input.\n{}{}",
               total_.statistics, batch_,
               split_ ? "Of a split every branch reads channels of its own.\n" : "",
               dense_
                   ? "\"+\" adds its output to the block's; all but the first have read what was "
                     "there.\n"
                   : "");
  }

 private:
  void add(const std::string& name, const std::string& layer, const std::string& output,
           const Costs& costs) {
    const auto or_nothing = [](double v, int digits) {
      return v == 0 ? std::string() : fmt::format("{:.{}f}", v, digits);
    };
    const double mflop = costs.flops / batch_ * 1e-6;
    rows_.push_back({name, layer, output, or_nothing(static_cast<double>(costs.weights), 0),
                     or_nothing(mflop, mflop < 1000 ? 2 : 1),
                     or_nothing(static_cast<double>(costs.bytes) / 1024, 0)});
  }

  double batch_;
  std::vector<Row> rows_;
  Costs total_;
  bool dense_ = false, split_ = false;  // whether there are such blocks
};

std::string without(const std::string& block, const std::string& name) {
  if (name == block) return "";
  return name.starts_with(block + ".") ? name.substr(block.size() + 1) : name;
}

// mark: "- " for the first row of a branch, "+ " of a dense block's part; depth: of blocks.
void add_rows(Table& table, const LayerDescription& part, const std::string& block,
              std::string mark, std::size_t depth) {
  if (part.kind == "chain" || part.kind == "heads") {
    for (const LayerDescription& inner : part.parts) {
      add_rows(table, inner, block, mark, depth);
      if (!mark.empty()) mark = "  ";
    }
    return;
  }
  table.add(std::string(2 * depth, ' ') + mark + without(block, part.name), part);
  const std::string& inner_block = part.name.empty() ? block : part.name;
  for (const LayerDescription& branch : part.parts)
    add_rows(table, branch, inner_block, part.kind == "dense" ? "+ " : "- ",
             depth + (mark.empty() ? 0 : 1));
}

nlohmann::ordered_json shape_json(Shape s) {
  return {s.n, s.h, s.w, s.c};
}

}  // namespace

std::string layer_table(const LayerDescription& network) {
  Table table(network.x.n);
  add_rows(table, network, "", "", 0);
  return table.text();
}

nlohmann::ordered_json layers_json(const LayerDescription& network) {
  nlohmann::ordered_json options = nlohmann::ordered_json::object();
  for (const auto& [name, value] : network.options) {
    const auto whole = static_cast<Index>(value);
    if (static_cast<double>(whole) == value)
      options[name] = whole;
    else
      options[name] = value;
  }
  nlohmann::ordered_json parameters = nlohmann::ordered_json::array();
  for (const Parameter* p : network.parameters)
    parameters.push_back(
        {{"name", p->name}, {"shape", shape_json(p->value.shape())}, {"trained", p->trained}});
  nlohmann::ordered_json parts = nlohmann::ordered_json::array();
  for (const LayerDescription& part : network.parts) parts.push_back(layers_json(part));
  return {{"kind", network.kind},
          {"name", network.name},
          {"options", options},
          {"x", shape_json(network.x)},
          {"y", shape_json(network.y)},
          {"parameters", parameters},
          {"flops", network.flops},
          {"activation_bytes", network.activation_bytes},
          {"parts", parts}};
}

}  // namespace twinage
