#include "tools/prediction_json.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "siamese/twin_network.h"
#include "train/model/reading_text.h"

namespace twinage {

using Json = nlohmann::ordered_json;

Json prediction_json(const Readings& r, std::size_t i, const Model& model) {
  const AgeEstimate& e = r.estimates[i];
  const Gallery& gallery = model.gallery;
  const float female = r.embedded.female[i];
  Json json = {{"image", r.dataset.faces[i].path},
               {"age", e.age},
               {"interval", interval_json(e, model.calibration)},
               {"interval_holds", claim_json(model.calibration.claim())},
               {"gender", nullptr},
               {"gender_probability", nullptr}};
  if (model.knows_gender()) {
    json["gender"] = says_female(female) ? "female" : "male";
    json["gender_probability"] = std::max(female, 1 - female);
  }
  add_warnings(json, r, i, model);
  json["nearest"] = Json::array();
  for (const auto& n : e.nearest)
    json["nearest"].push_back({{"name", gallery.names[static_cast<std::size_t>(n.reference)]},
                               {"age", gallery.ages[static_cast<std::size_t>(n.reference)]},
                               {"distance", n.distance}});
  return json;
}

Json unreadable_json(const Skipped& skipped) {
  return {{"image", skipped.path}, {"error", skipped.reason}};
}

std::string line_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace twinage
