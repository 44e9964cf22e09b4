#include "tools/prediction_writer.h"

#include <algorithm>
#include <unordered_map>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/output.h"
#include "tools/options.h"
#include "tools/photo_options.h"
#include "tools/photo_text.h"
#include "tools/prediction_json.h"
#include "tools/terminal.h"
#include "train/faces/csv.h"
#include "train/model/reading_text.h"

namespace twinage {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kNearestShown = 3;

bool has_intervals(const Model& model) {
  return model.calibration.claim().kind != IntervalClaim::Kind::none;
}

// A face of a photograph.
struct Place {
  const CroppedFace* face;  // null: the picture is the face
  std::size_t number;       // in the photograph, from 1
};

// prediction_json, and behind the image's name where in it the face is.
Json as_json(const Readings& r, std::size_t i, const Model& model, const Place& place) {
  Json json = prediction_json(r, i, model);
  if (place.face == nullptr) return json;
  Json placed = {{"image", json["image"]}, {"face", place.number}};
  add_photo(placed, *place.face);
  placed.update(json);
  return placed;
}

void print_text(const Readings& r, std::size_t i, const Model& model, const Place& place) {
  const AgeEstimate& e = r.estimates[i];
  const Gallery& gallery = model.gallery;
  print_result(
      "{}{}\n  age {:.0f} years ({}), {}\n", r.dataset.faces[i].path,
      place.face == nullptr ? ""
                            : fmt::format(": face {} {}", place.number, photo_text(*place.face)),
      e.age, interval_text(e, model.calibration), gender_text(r.embedded.female[i], model));
  if (terminal_can_draw()) print_result("{}", age_bar(e, has_intervals(model)));
  for (const std::string& warning : warnings(r, i, model)) print_result("  {}\n", warning);
  if (e.nearest.empty()) return;
  print_result("  nearest references:");
  for (std::size_t k = 0; k < std::min(kNearestShown, e.nearest.size()); ++k)
    print_result("{} age {:.0f} at {:.2f}", k == 0 ? "" : ",",
                 gallery.ages[static_cast<std::size_t>(e.nearest[k].reference)],
                 e.nearest[k].distance);
  print_result("\n");
}

void print_csv(const Readings& r, std::size_t i, const Model& model, const Place& place) {
  const AgeEstimate& e = r.estimates[i];
  const float female = r.embedded.female[i];
  const std::string interval =
      has_intervals(model) ? fmt::format("{:.2f},{:.2f}", e.low, e.high) : ",";
  const std::string gender =
      model.knows_gender()
          ? fmt::format("{},{:.4f}", says_female(female) ? "female" : "male", female)
          : ",";
  print_result(
      "{},{:.2f},{},{},{},{}\n", csv_field(r.dataset.faces[i].path), e.age, interval, gender,
      csv_field(fmt::format("{}", fmt::join(warnings(r, i, model), "; "))),
      place.face == nullptr ? "" : fmt::format(",{},{}", place.number, photo_fields(*place.face)));
}

// An element of an array that is printed piece by piece, indented as the whole would be.
std::string as_element(const Json& json) {
  std::string text = to_text(json);
  for (std::size_t at = text.find('\n'); at != std::string::npos; at = text.find('\n', at + 1))
    text.insert(at + 1, "  ");
  return "  " + text;
}

}  // namespace

PredictionWriter::PredictionWriter(PredictionForm form, const Model& model, bool of_photographs)
    : form_(form), model_(model), of_photographs_(of_photographs) {
  if (form_ == PredictionForm::json) print_result("[");
  if (form_ == PredictionForm::csv)
    print_result("image,age,low,high,gender,p_female,warnings,error{}\n",
                 of_photographs ? fmt::format(",face,{}", kPhotoColumns) : "");
}

void PredictionWriter::write(const std::vector<std::string>& names, const Readings& readings) {
  std::unordered_map<std::string, const Skipped*> bad;
  for (const Skipped& skipped : readings.dataset.skipped) bad.emplace(skipped.path, &skipped);
  std::size_t i = 0;
  for (const std::string& name : names) {
    begin_one();
    ++pictures_;
    // One file that is named twice may be gone the second time: then its readings are fewer.
    const auto found = bad.find(name);
    if (i < readings.dataset.faces.size() && readings.dataset.faces[i].path == name)
      write_one(readings, i++);
    else if (found != bad.end())
      write_bad(*found->second);
    else
      fail("[predict] {} was not read, and nothing says why", name);
  }
}

void PredictionWriter::write(const std::vector<PhotoFaces>& photos, const Readings& readings) {
  std::size_t i = 0;
  for (const PhotoFaces& photo : photos) {
    ++pictures_;
    if (photo.faces.empty()) {
      begin_one();
      write_bad({photo.path, photo.fault.empty() ? "no face was found" : photo.fault});
    }
    for (std::size_t k = 0; k < photo.faces.size(); ++k) {
      begin_one();
      write_one(readings, i++, &photo.faces[k], k + 1);
    }
  }
  require(i == readings.dataset.faces.size(), "[predict] {} faces were cut out, and {} read", i,
          readings.dataset.faces.size());
}

void PredictionWriter::begin_one() {
  if (form_ == PredictionForm::json) print_result("{}\n", any_written_ ? "," : "");
  any_written_ = true;
}

void PredictionWriter::write_one(const Readings& readings, std::size_t i, const CroppedFace* face,
                                 std::size_t number) {
  const Place place{face, number};
  switch (form_) {
    case PredictionForm::text:
      return print_text(readings, i, model_, place);
    case PredictionForm::json:
      return print_result("{}", as_element(as_json(readings, i, model_, place)));
    case PredictionForm::jsonl:
      return print_result("{}\n", line_of(as_json(readings, i, model_, place)));
    case PredictionForm::csv:
      return print_csv(readings, i, model_, place);
  }
}

void PredictionWriter::write_bad(const Skipped& skipped) {
  if (unreadable_++ == 0) first_reason_ = description(skipped);
  const Json json = unreadable_json(skipped);
  switch (form_) {
    case PredictionForm::text:
      break;
    case PredictionForm::json:
      print_result("{}", as_element(json));
      break;
    case PredictionForm::jsonl:
      print_result("{}\n", line_of(json));
      break;
    case PredictionForm::csv:
      print_result("{},,,,,,,{}{}\n", csv_field(skipped.path), csv_field(skipped.reason),
                   of_photographs_ ? ",,,,,,,,," : "");
      break;
  }
}

void PredictionWriter::finish() {
  if (form_ == PredictionForm::json) print_result("{}]\n", any_written_ ? "\n" : "");
}

}  // namespace twinage
