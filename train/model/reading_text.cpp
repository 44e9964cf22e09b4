#include "train/model/reading_text.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "core/error.h"

namespace twinage {
namespace {

using Json = nlohmann::ordered_json;
using Kind = IntervalClaim::Kind;

std::string years(const AgeEstimate& e) {
  return fmt::format("{:.0f} to {:.0f}", e.low, e.high);
}

const char* name_of(Origin origin) {
  switch (origin) {
    case Origin::unseen:
      return "unseen";
    case Origin::held_out:
      return "held out";
    case Origin::trained:
      return "trained on";
    case Origin::reference:
      return "reference";
    case Origin::unknown:
      break;
  }
  return nullptr;
}

}  // namespace

std::string interval_text(const AgeEstimate& estimate, const Calibration& calibration) {
  const IntervalClaim claim = calibration.claim();
  switch (claim.kind) {
    case Kind::none:
      return claim_text(claim);
    case Kind::coverage:
      return fmt::format("80 %: {}", years(estimate));
    case Kind::rough:
      return fmt::format("{}, which may hold {:.0f} to {:.0f} %", years(estimate), 100 * claim.low,
                         100 * claim.high);
    case Kind::unknown:
      break;
  }
  return fmt::format("80 % if enough faces were held out: {}", years(estimate));
}

std::string claim_text(const IntervalClaim& claim) {
  switch (claim.kind) {
    case Kind::none:
      return fmt::format("no interval: only {} {} held out, hold out at least {}", claim.held_out,
                         claim.held_out == 1 ? "face was" : "faces were", kHeldOutForCoverage);
    case Kind::coverage:
      return fmt::format("calibrated on {} held-out faces to hold 80 %{}", claim.held_out,
                         claim.by_age ? ", at each age" : "");
    case Kind::rough:
      return fmt::format(
          "calibrated on only {} held-out faces: it may hold {:.0f} to {:.0f} % (from {} on: 80 %)",
          claim.held_out, 100 * claim.low, 100 * claim.high, kHeldOutForCoverage);
    case Kind::unknown:
      break;
  }
  return "calibrated to hold 80 %, on how many faces this older model does not say";
}

Json interval_json(const AgeEstimate& estimate, const Calibration& calibration) {
  if (calibration.claim().kind == Kind::none) return nullptr;
  return {estimate.low, estimate.high};
}

Json claim_json(const IntervalClaim& claim) {
  Json json = {{"share", nullptr},
               {"share_between", nullptr},
               {"held_out", nullptr},
               {"by_age", claim.by_age}};
  if (claim.kind == Kind::coverage) json["share"] = kCoverage;
  if (claim.kind == Kind::rough) json["share_between"] = {claim.low, claim.high};
  if (claim.kind != Kind::unknown) json["held_out"] = claim.held_out;
  return json;
}

std::string gender_text(float female, const Model& model) {
  if (!model.has(Task::gender)) return "no gender: its network has no head for it";
  if (!model.knows_gender()) return "no gender: it was not trained on labels of both";
  return fmt::format("{} ({:.0f} %)", says_female(female) ? "female" : "male",
                     100 * std::max(female, 1 - female));
}

std::optional<bool> unlike_training(const AgeEstimate& estimate, const Calibration& calibration) {
  if (!calibration.nearest_limit || estimate.nearest.empty()) return std::nullopt;
  return estimate.nearest.front().distance > *calibration.nearest_limit;
}

std::string unlike_text(const AgeEstimate& estimate, const Calibration& calibration) {
  if (!unlike_training(estimate, calibration).value_or(false)) return "";
  return fmt::format(
      "unlike the faces of training (nearest reference at {:.2f}, {:.0f} % of faces have one "
      "within "
      "{:.2f}): do not trust this reading",
      estimate.nearest.front().distance, 100 * calibration.limit_share(),
      *calibration.nearest_limit);
}

std::string origin_text(const Face& face, Origin origin, const Gallery& gallery) {
  if (origin == Origin::reference) {
    const auto own = static_cast<std::size_t>(gallery.references_of(face.content).front());
    return fmt::format(
        "this picture is a reference of the model ({}, age {:.0f}): left out of its own reading, "
        "but the network was trained on it, so that new faces are read less well",
        gallery.names[own], gallery.ages[own]);
  }
  if (origin == Origin::trained)
    return "the network was trained on this picture: new faces are read less well";
  if (origin == Origin::held_out)
    return "this picture was held out to choose and calibrate the model: new faces may be read "
           "less "
           "well";
  return "";
}

std::vector<std::string> warnings(const Readings& readings, std::size_t i, const Model& model) {
  std::vector<std::string> all{
      unlike_text(readings.estimates[i], model.calibration),
      origin_text(readings.dataset.faces[i], readings.origins[i], model.gallery)};
  if (!readings.crops.empty()) all.push_back(readings.crops[i]);
  std::erase(all, "");
  return all;
}

void add_warnings(Json& json, const Readings& readings, std::size_t i, const Model& model) {
  const AgeEstimate& estimate = readings.estimates[i];
  json["nearest_distance"] = nullptr;
  json["nearest_limit"] = nullptr;
  json["unlike_training"] = nullptr;
  json["origin"] = nullptr;
  json["crop_warning"] = nullptr;
  if (!readings.crops.empty() && !readings.crops[i].empty())
    json["crop_warning"] = readings.crops[i];
  if (!estimate.nearest.empty()) json["nearest_distance"] = estimate.nearest.front().distance;
  if (model.calibration.nearest_limit) json["nearest_limit"] = *model.calibration.nearest_limit;
  if (const auto unlike = unlike_training(estimate, model.calibration))
    json["unlike_training"] = *unlike;
  if (const char* name = name_of(readings.origins[i])) json["origin"] = name;
}

void require_embedding(const Model& model, std::string_view command) {
  if (model.has(Task::embedding)) return;
  std::vector<std::string> heads;
  for (const Task task : model.config.objective.heads) heads.emplace_back(to_string(task));
  throw UsageError(fmt::format(
      "[{}] this model gives no embedding (its heads: {}): read ages with 'twinage predict', or "
      "train one with the head embedding (model.heads)",
      command, fmt::join(heads, ", ")));
}

std::vector<std::string> shortcomings(const Model& model) {
  std::vector<std::string> all;
  if (!model.gallery.knows_contents())
    all.push_back(
        "this older model cannot recognise the faces it was trained on: those are read at distance "
        "0 to themselves, far too well");
  const Calibration& calibration = model.calibration;
  if (!model.has(Task::embedding))
    all.push_back("this model cannot tell a face from other pictures: it gives no embedding");
  else if (!calibration.nearest_limit)
    all.push_back(fmt::format("this model cannot tell a face from other pictures: {}",
                              calibration.held_out == 0
                                  ? "it is an older one"
                                  : fmt::format("only {} faces were held out, {} are needed",
                                                calibration.held_out, kHeldOutForLimit)));
  return all;
}

OriginCounts count_origins(const std::vector<Origin>& origins) {
  const auto of = [&](Origin origin) {
    return static_cast<Index>(std::ranges::count(origins, origin));
  };
  OriginCounts counts;
  counts.faces = static_cast<Index>(origins.size());
  counts.references = of(Origin::reference);
  counts.trained = counts.references + of(Origin::trained);
  counts.held_out = of(Origin::held_out);
  counts.unseen = of(Origin::unseen);
  counts.unknown = of(Origin::unknown);
  return counts;
}

std::string origins_text(const OriginCounts& counts) {
  if (counts.unknown == counts.faces)
    return "This older model cannot recognise the faces it was trained on. If these are\n"
           "some of them, the figures below mean nothing.\n";
  std::string text;
  if (counts.trained > 0)
    text += fmt::format(
        "{} of {} faces were trained on: the figures on them are too good and say\n"
        "nothing of new faces.{}\n",
        counts.trained, counts.faces,
        counts.references == 0
            ? ""
            : fmt::format(" ({} are references; each is left out of its own reading.)",
                          counts.references));
  if (counts.held_out > 0)
    text += fmt::format(
        "{} of {} faces were held out to choose and calibrate the model: the figures on\n"
        "them are a little too good.\n",
        counts.held_out, counts.faces);
  if (!text.empty() && counts.unseen == 0) text += "Measure with faces that it never saw.\n";
  return text;
}

Json origins_json(const OriginCounts& counts) {
  Json json = {{"faces", counts.faces},
               {"trained_on", counts.trained},
               {"references", counts.references},
               {"held_out", counts.held_out},
               {"unseen", counts.unseen},
               {"unknown", counts.unknown},
               {"warning", nullptr}};
  std::string text = origins_text(counts);
  std::ranges::replace(text, '\n', ' ');
  if (!text.empty()) json["warning"] = text.substr(0, text.size() - 1);
  return json;
}

}  // namespace twinage
