#include "tools/onnx/reading.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "core/error.h"
#include "siamese/interval_width.h"
#include "siamese/prototypes.h"
#include "siamese/readouts/age_readout.h"

namespace twinage::onnx_out {
namespace {

constexpr auto kDouble = onnx::TensorProto::DOUBLE;
constexpr double kHalfYear = 0.5;  // the least half-width, as AgeReadout has it

Name cast(Graph& g, const Name& x, std::int64_t type) {
  return g.add("Cast", {x}, {{"to", type}});
}
Name sum(Graph& g, const Name& x) {
  return g.add("ReduceSum", {x}, {{"keepdims", std::int64_t{0}}});
}

std::vector<double> wide(ConstView x) {
  return {x.data, x.data + x.shape.size()};
}

// The reading of one face: the body of a Scan over the rows of what the network says, `width`
// numbers each. Numbers are doubles.
class OneFace {
 public:
  OneFace(onnx::GraphProto& body, const Model& model, const ReadoutOptions& readout, Index width)
      : g_(body, "face_"), model_(model), readout_(readout) {
    g_.input("face_said", onnx::TensorProto::FLOAT, {width});
  }

  // outer: of what the references are put into, once for all faces.
  void build(Graph& outer) {
    const Raw raw = read(outer);
    const Name below = reach(raw.age, half_width(g_.add("Sub", {raw.age, raw.low})), Side::below);
    const Name above = reach(raw.age, half_width(g_.add("Sub", {raw.high, raw.age})), Side::above);
    put_out("face_age", raw.age);
    put_out("face_low", g_.add("Max", {g_.add("Sub", {raw.age, below}), g_.number(0)}));
    put_out("face_high", g_.add("Add", {raw.age, above}));
  }

 private:
  struct Votes {
    Name ages, weights;  // sorted by age
  };
  struct Raw {  // RawEstimate, in siamese/readouts/readout.h
    Name age, low, high;
  };

  Raw read(Graph& outer) {
    switch (readout_.kind) {
      case ReadoutKind::comparison:
        return by_votes(votes(distances(outer)));
      case ReadoutKind::knn:
        return by_votes(nearest(distances(outer)));
      case ReadoutKind::prototype:
        return prototype(outer);
      case ReadoutKind::expectation:
        return expectation();
      case ReadoutKind::direct:
        return direct();
    }
    fail_unknown_value(EnumNames<ReadoutKind>::what, static_cast<int>(readout_.kind));
  }

  Raw by_votes(const Votes& votes) { return {quantile(votes, 0.5), low(votes), high(votes)}; }
  Name low(const Votes& votes) { return quantile(votes, (1 - kCoverage) / 2); }
  Name high(const Votes& votes) { return quantile(votes, (1 + kCoverage) / 2); }

  // To all references, formed in float.
  Name distances(Graph& outer) {
    const Tensor& z = model_.gallery.embeddings;
    const Name references = outer.floats(std::span(z.data(), static_cast<std::size_t>(z.size())),
                                         {z.shape().n, z.shape().c}, "references");
    return cast(g_, g_.add("Sqrt", {squares(references, "face_said")}), kDouble);
  }
  // Of the distances of x to the rows of a table.
  Name squares(const Name& table, const Name& x) {
    const Name gaps = g_.add("Sub", {table, x});
    return g_.add("ReduceSum", {g_.add("Mul", {gaps, gaps}), g_.list({1})},
                  {{"keepdims", std::int64_t{0}}});
  }

  // The age of the nearest of the years' mean embeddings; their votes fall off as a Gaussian does.
  Raw prototype(Graph& outer) {
    const YearBins bins(model_.gallery);
    const Prototypes prototypes(model_.gallery, bins);
    const ConstView means = prototypes.means().embeddings.view();
    const std::vector<float>& years = prototypes.means().ages;
    const Name table = outer.doubles(wide(means), {means.shape.n, means.shape.c});
    const Name d2 = squares(table, cast(g_, "face_said", kDouble));
    const Name least = g_.add("ReduceMin", {d2}, {{"keepdims", std::int64_t{0}}});
    const Name best = g_.add("ArgMin", {d2}, {{"keepdims", std::int64_t{0}}});
    const double variance = std::max(prototypes.scatter(), std::numeric_limits<double>::min());
    const Name ages = g_.doubles(std::vector<double>(years.begin(), years.end()), {means.shape.n});
    const Votes votes{
        ages,
        g_.add("Exp", {g_.add("Div", {g_.add("Sub", {least, d2}), g_.number(2 * variance)})})};
    return {g_.add("Gather", {ages, best}), low(votes), high(votes)};
  }

  // The mean of the head's distribution, and quantiles of it, each age spread over its year.
  Raw expectation() {
    const Name p = cast(g_, "face_said", kDouble), total = sum(g_, p);
    std::vector<double> years(static_cast<std::size_t>(kAges));
    std::iota(years.begin(), years.end(), 0.0);
    const Name mean = sum(g_, g_.add("Mul", {p, g_.doubles(years, {kAges})}));
    const Name below = g_.add("CumSum", {p, g_.integer(0)}, {{"exclusive", std::int64_t{1}}});
    const auto quantile = [&](double q) {
      const Name target = g_.add("Mul", {total, g_.number(q)});
      const Name short_of = g_.add("Less", {g_.add("Add", {below, p}), target});
      const Name here =
          g_.add("And", {g_.add("Not", {short_of}), g_.add("Greater", {p, g_.number(0)})});
      const Name first = g_.add("ArgMax", {cast(g_, here, onnx::TensorProto::FLOAT)},
                                {{"keepdims", std::int64_t{0}}});
      const Name left = g_.add("Sub", {target, g_.add("Gather", {below, first})});
      const Name part = g_.add("Div", {left, g_.add("Gather", {p, first})});
      return g_.add("Add", {g_.add("Sub", {cast(g_, first, kDouble), g_.number(0.5)}), part});
    };
    return {g_.add("Div", {mean, total}), quantile((1 - kCoverage) / 2),
            quantile((1 + kCoverage) / 2)};
  }

  // The head's number, a year to either side.
  Raw direct() {
    const Name years = cast(g_, g_.add("Gather", {"face_said", g_.integer(0)}), kDouble);
    const Name age = g_.add("Max", {years, g_.number(0)});
    return {age, g_.add("Sub", {age, g_.number(1)}), g_.add("Add", {age, g_.number(1)})};
  }

  void put_out(const Name& name, const Name& value) {
    g_.add("Cast", {value}, {{"to", std::int64_t{onnx::TensorProto::FLOAT}}}, name);
    g_.output(name, onnx::TensorProto::FLOAT, {});
  }

  // knn: weights 1 / (D + d0), d0 a tenth of the k-th distance.
  Votes nearest(const Name& distances) {
    const Index k = std::min(readout_.k, model_.gallery.embeddings.shape().n);
    const Name near = top(distances, k), at = last_index_;
    const Name farthest = g_.add("Gather", {near, g_.integer(k - 1)});
    const Name d0 = g_.add("Max", {g_.add("Mul", {farthest, g_.number(0.1)}), g_.number(1e-12)});
    const Name weights = g_.add("Div", {g_.number(1), g_.add("Add", {near, d0})});
    const std::vector<double> all(model_.gallery.ages.begin(), model_.gallery.ages.end());
    const Name ages =
        g_.add("Gather", {g_.doubles(all, {static_cast<std::int64_t>(all.size())}), at});
    const Name sorted = top(ages, k);
    return {sorted, g_.add("Gather", {weights, last_index_})};
  }
  // The k least of x, ascending, of equal ones the first; their places are in last_index_.
  Name top(const Name& x, Index k) {
    const Name values = g_.add_two("TopK", {x, g_.list({k})}, last_index_,
                                   {{"largest", std::int64_t{0}}, {"sorted", std::int64_t{1}}});
    return values;
  }

  // comparison: P(same class | D)^(2 tau + 1) of every reference, added up in each year.
  Votes votes(const Name& distances) {
    const Calibration& c = model_.calibration;
    const auto steps = static_cast<std::int64_t>(c.distances.size());
    // The step that D falls into: so many ends are below it. Beyond the last: the last.
    const Name ends =
        g_.floats(std::span(c.distances).first(c.distances.size() - 1), {1, steps - 1});
    const Name column =
        g_.add("Unsqueeze", {cast(g_, distances, onnx::TensorProto::FLOAT), g_.list({1})});
    const Name below = cast(g_, g_.add("Less", {ends, column}), onnx::TensorProto::INT64);
    const Name step = g_.add("ReduceSum", {below, g_.list({1})}, {{"keepdims", std::int64_t{0}}});
    const std::vector<double> said(c.probabilities.begin(), c.probabilities.end());
    const Name p = g_.add("Gather", {g_.doubles(said, {steps}), step});
    const Name small = g_.add("Div", {g_.number(1e-3), g_.add("Add", {distances, g_.number(1)})});
    const Name vote = g_.add("Add", {p, small});
    const Name largest = g_.add("ReduceMax", {vote}, {{"keepdims", std::int64_t{0}}});
    const double power = 2 * static_cast<double>(c.tau) + 1;
    const Name weight = g_.add("Pow", {g_.add("Div", {vote, largest}), g_.number(power)});
    return by_year(weight);
  }

  Votes by_year(const Name& weight) {
    const YearBins bins(model_.gallery);
    // Years without a reference have no weight and no place.
    std::vector<std::int64_t> place(bins.counts.size(), 0);
    std::vector<double> years;
    for (std::size_t i = 0; i < bins.counts.size(); ++i) {
      place[i] = static_cast<std::int64_t>(years.size());
      if (bins.counts[i] > 0) years.push_back(static_cast<double>(bins.year(i)));
    }
    std::vector<std::int64_t> of_reference;
    for (const std::size_t bin : bins.of_reference) of_reference.push_back(place[bin]);
    const auto count = static_cast<std::int64_t>(years.size());
    const Name none = g_.doubles(std::vector<double>(years.size(), 0.0), {count});
    const Name sums = g_.add(
        "ScatterElements",
        {none, g_.integers(of_reference, {static_cast<std::int64_t>(of_reference.size())}), weight},
        {{"axis", std::int64_t{0}}, {"reduction", std::string("add")}});
    return {g_.doubles(years, {count}), sums};
  }

  // siamese/readouts/weighted_quantile.h: straight lines between the centres, from a centre at 0.
  Name quantile(const Votes& votes, double q) {
    const auto& [ages, weights] = votes;
    const Name centres = g_.add("Sub", {g_.add("CumSum", {weights, g_.integer(0)}),
                                        g_.add("Mul", {weights, g_.number(0.5)})});
    const Name target = g_.add("Mul", {sum(g_, weights), g_.number(q)});
    const Name below =
        sum(g_, cast(g_, g_.add("Less", {centres, target}), onnx::TensorProto::INT64));
    const Name last = g_.add("Sub", {g_.add("Size", {centres}), g_.integer(1)});
    const Name next = g_.add("Min", {below, last});
    const Name before = g_.add("Max", {g_.add("Sub", {below, g_.integer(1)}), g_.integer(0)});
    const Name first = g_.add("Equal", {below, g_.integer(0)});
    const Name age_before = g_.add("Gather", {ages, before}),
               age_next = g_.add("Gather", {ages, next});
    const Name centre_before =
        g_.add("Where", {first, g_.number(0), g_.add("Gather", {centres, before})});
    const Name step = g_.add("Sub", {g_.add("Gather", {centres, next}), centre_before});
    const Name flat = g_.add("Not", {g_.add("Greater", {step, g_.number(0)})});
    const Name part =
        g_.add("Where", {flat, g_.number(1),
                         g_.add("Div", {g_.add("Sub", {target, centre_before}),
                                        g_.add("Where", {flat, g_.number(1), step})})});
    const Name rise = g_.add("Mul", {part, g_.add("Sub", {age_next, age_before})});
    return g_.add("Add", {age_before, rise});
  }

  Name half_width(const Name& raw) {
    const auto found = model_.calibration.interval_scales.find(readout_.kind);
    const double scale =
        found == model_.calibration.interval_scales.end() ? 1 : static_cast<double>(found->second);
    return g_.add("Mul", {g_.add("Max", {raw, g_.number(kHalfYear)}), g_.number(scale)});
  }

  // siamese/interval_width.h: where half f(a) - |a - age|, straight between the knots of f, last
  // falls below 0 on this side.
  Name reach(const Name& age, const Name& half, Side side) {
    const auto found = model_.calibration.interval_widths.find(readout_.kind);
    if (found == model_.calibration.interval_widths.end() || found->second.empty()) return half;
    std::vector<double> widths(found->second.begin(), found->second.end()), knots;
    for (Index i = 0; i < kWidthAges; ++i) knots.push_back(kWidthStep * static_cast<double>(i));
    if (side == Side::below) {
      std::ranges::reverse(widths);
      std::ranges::reverse(knots);
    }
    // How far each knot is from the age on this side; negative: on the other.
    const double sign = side == Side::above ? 1 : -1;
    const Name away =
        g_.add("Mul", {g_.add("Sub", {g_.doubles(knots, {kWidthAges}), age}), g_.number(sign)});
    const Name width = g_.doubles(widths, {kWidthAges});
    const auto slice = [&](const Name& x, std::int64_t begin, std::int64_t end) {
      return g_.add("Slice", {x, g_.list({begin}), g_.list({end})});
    };
    const Name away0 = slice(away, 0, kWidthAges - 1), away1 = slice(away, 1, kWidthAges);
    const Name width0 = slice(width, 0, kWidthAges - 1), width1 = slice(width, 1, kWidthAges);
    // Of each piece the part on this side: from `start` on, 0 where the age lies within the piece.
    const Name start = g_.add("Max", {away0, g_.number(0)});
    const Name share =
        g_.add("Div", {g_.add("Sub", {start, away0}), g_.add("Sub", {away1, away0})});
    const Name width_start =
        g_.add("Add", {width0, g_.add("Mul", {share, g_.add("Sub", {width1, width0})})});
    const Name slack0 = g_.add("Sub", {g_.add("Mul", {half, width_start}), start});
    const Name slack1 = g_.add("Sub", {g_.add("Mul", {half, width1}), away1});
    const Name zero = g_.number(0);
    const Name here = g_.add("Greater", {away1, zero});
    const Name falls =
        g_.add("And", {g_.add("And", {here, g_.add("Not", {g_.add("Less", {slack0, zero})})}),
                       g_.add("Less", {slack1, zero})});
    const Name fall = g_.add("Where", {falls, g_.add("Sub", {slack0, slack1}), g_.number(1)});
    const Name crossing = g_.add(
        "Add",
        {start, g_.add("Div", {g_.add("Mul", {g_.add("Sub", {away1, start}), slack0}), fall})});
    const Name furthest = g_.add("ReduceMax", {g_.add("Where", {falls, crossing, zero})},
                                 {{"keepdims", std::int64_t{0}}});
    // Beyond the last knot f is constant.
    const Name end_away = g_.add("Gather", {away, g_.integer(kWidthAges - 1)});
    const Name end_reach = g_.add("Mul", {half, g_.number(widths.back())});
    const Name beyond = g_.add("Or", {g_.add("Not", {g_.add("Greater", {end_away, zero})}),
                                      g_.add("Not", {g_.add("Less", {end_reach, end_away})})});
    return g_.add("Where", {beyond, end_reach, furthest});
  }

  Graph g_;
  const Model& model_;
  const ReadoutOptions& readout_;
  Name last_index_;
};

}  // namespace

std::vector<Name> reading(Graph& graph, const Said& said, const Model& model,
                          const ReadoutOptions& readout) {
  require_readable(readout.kind, inputs_of(model.config.objective));
  // What predict refuses with this model is refused here.
  const AgeReadout checked(model.gallery, model.calibration, readout);
  const bool compares = readout_row(readout.kind).needs.embedding;
  const Task task = compares ? Task::embedding : Task::age;
  onnx::GraphProto body;
  body.set_name("one_face");
  OneFace(body, model, readout, model.network->said(task)).build(graph);
  return graph.scan({said[task]}, std::move(body));
}

}  // namespace twinage::onnx_out
