// The C interface. Nothing is computed here: calls are checked, exceptions become codes.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "siamese/calibration.h"
#include "tools/library/twinage.h"
#include "tools/picture_limits.h"
#include "tools/prediction_json.h"
#include "train/model/face_reader.h"

using namespace twinage;

struct twinage_model {
  FaceReader reader;
  std::mutex one_at_a_time;  // the network's buffers are one reading's
};

struct twinage_face {
  struct Nearest {
    std::string name;
    double age, distance;
  };
  double age = 0, low = 0, high = 0;
  std::optional<double> female;
  IntervalClaim::Kind claim = IntervalClaim::Kind::none;
  std::vector<float> embedding;
  std::vector<Nearest> nearest;
  std::string json;
};

namespace {

// Of a fixed size: there is one to have when memory has run out.
thread_local char last_message[1024] = "";

twinage_status failed(twinage_status status, const char* what) noexcept {
  std::snprintf(last_message, sizeof last_message, "%s", what);
  return status;
}

// What f() returns, or the code of what it throws: an Error is `error`, one of use a bad call.
template <class Function>
twinage_status guarded(twinage_status error, Function&& f) noexcept {
  try {
    return f();
  } catch (const UsageError& problem) {
    return failed(TWINAGE_BAD_CALL, problem.what());
  } catch (const Error& problem) {
    return failed(error, problem.what());
  } catch (const std::bad_alloc&) {
    return failed(TWINAGE_NO_MEMORY, "no memory left");
  } catch (const std::exception& problem) {
    return failed(TWINAGE_FAILED, problem.what());
  } catch (...) {
    return failed(TWINAGE_FAILED, "unknown error");
  }
}

twinage_status null_argument(const char* function, const char* argument) noexcept {
  std::snprintf(last_message, sizeof last_message, "[%s] %s is null", function, argument);
  return TWINAGE_BAD_CALL;
}

EngineOptions engine_options(const twinage_options& options) {
  EngineOptions engine;
  if (options.device != nullptr) engine.device = parse_device(options.device);
  if (engine.device.device == Device::simt)
    throw UsageError(
        "[twinage_open] device simt handles a signal of the whole process: expected cpu or cuda");
  engine.threads = options.threads;
  return engine;
}

std::unique_ptr<twinage_face> face_of(const Readings& r, std::size_t i, const Model& model) {
  auto face = std::make_unique<twinage_face>();
  const AgeEstimate& e = r.estimates[i];
  face->age = e.age;
  face->low = e.low;
  face->high = e.high;
  face->claim = model.calibration.claim().kind;
  if (model.knows_gender()) face->female = r.embedded.female[i];
  if (const Tensor& z = r.embedded.z; z.size() > 0) {
    const Index width = z.shape().c;
    const float* row = z.data() + static_cast<Index>(i) * width;
    face->embedding.assign(row, row + width);
  }
  for (const Neighbour& n : e.nearest) {
    const auto reference = static_cast<std::size_t>(n.reference);
    face->nearest.push_back(
        {model.gallery.names[reference], model.gallery.ages[reference], n.distance});
  }
  face->json = line_of(prediction_json(r, i, model));
  return face;
}

// Faces in the pictures' places; of what could not be read, the first.
struct Read {
  std::vector<std::unique_ptr<twinage_face>> faces;
  std::string first_problem;
};

Read read_together(twinage_model& model, std::vector<Face> pictures) {
  const std::scoped_lock lock(model.one_at_a_time);
  Read read;
  for (std::size_t from = 0; from < pictures.size(); from += kPicturesTogether) {
    const std::size_t to = std::min(from + kPicturesTogether, pictures.size());
    const Readings r =
        model.reader.read_pictures({pictures.begin() + static_cast<std::ptrdiff_t>(from),
                                    pictures.begin() + static_cast<std::ptrdiff_t>(to)});
    std::size_t next = 0;
    for (std::size_t i = from; i < to; ++i) {
      if (next < r.dataset.faces.size() && r.dataset.faces[next].path == pictures[i].path)
        read.faces.push_back(face_of(r, next++, model.reader.model()));
      else
        read.faces.push_back(nullptr);
    }
    if (read.first_problem.empty() && !r.dataset.skipped.empty())
      read.first_problem = description(r.dataset.skipped.front());
  }
  return read;
}

twinage_status read_one(twinage_model& model, Face picture, twinage_face** face) {
  std::vector<Face> pictures;
  pictures.push_back(std::move(picture));
  Read read = read_together(model, std::move(pictures));
  if (!read.faces[0]) return failed(TWINAGE_BAD_PICTURE, read.first_problem.c_str());
  *face = read.faces[0].release();
  return TWINAGE_OK;
}

void assign(double* to, double value) {
  if (to != nullptr) *to = value;
}

}  // namespace

extern "C" {

const char* twinage_version(void) {
  return TWINAGE_VERSION;
}

const char* twinage_message(void) {
  return last_message;
}

twinage_status twinage_open(const char* path, const twinage_options* options,
                            twinage_model** model) {
  if (model == nullptr) return null_argument("twinage_open", "model");
  *model = nullptr;
  if (path == nullptr) return null_argument("twinage_open", "path");
  if (options != nullptr && options->size != sizeof(twinage_options))
    return failed(TWINAGE_BAD_CALL,
                  "[twinage_open] options of a size that no version of this library had: begin "
                  "with TWINAGE_OPTIONS_INIT");
  twinage_options given = TWINAGE_OPTIONS_INIT;
  if (options != nullptr) given = *options;
  std::optional<Engine> engine;
  if (const twinage_status status = guarded(TWINAGE_BAD_CALL,
                                            [&] {
                                              engine.emplace(engine_options(given));
                                              return TWINAGE_OK;
                                            });
      status != TWINAGE_OK)
    return status;
  return guarded(TWINAGE_BAD_MODEL, [&] {
    std::optional<ReadoutKind> readout;
    if (given.readout != nullptr) readout = parse<ReadoutKind>(given.readout);
    *model = new twinage_model{FaceReader(path, std::move(*engine), readout), {}};
    return TWINAGE_OK;
  });
}

void twinage_close(twinage_model* model) {
  delete model;
}

twinage_status twinage_read_file(twinage_model* model, const char* path, twinage_face** face) {
  if (face == nullptr) return null_argument("twinage_read_file", "face");
  return twinage_read_files(model, &path, 1, face, nullptr);
}

twinage_status twinage_read_memory(twinage_model* model, const void* bytes, size_t size,
                                   twinage_face** face) {
  if (face == nullptr) return null_argument("twinage_read_memory", "face");
  *face = nullptr;
  if (model == nullptr) return null_argument("twinage_read_memory", "model");
  if (bytes == nullptr && size > 0) return null_argument("twinage_read_memory", "bytes");
  return guarded(TWINAGE_FAILED, [&] {
    const auto* begin = static_cast<const std::byte*>(bytes);
    Face picture;
    picture.path = "picture";
    picture.picture = std::make_shared<const std::vector<std::byte>>(begin, begin + size);
    return read_one(*model, std::move(picture), face);
  });
}

twinage_status twinage_read_files(twinage_model* model, const char* const* paths, size_t count,
                                  twinage_face** faces, twinage_status* statuses) {
  constexpr const char* kName = "twinage_read_files";
  if (count > 0 && faces == nullptr) return null_argument(kName, "faces");
  std::fill_n(faces, count, nullptr);
  const auto all = [&](twinage_status status) {
    if (statuses != nullptr) std::fill_n(statuses, count, status);
    return status;
  };
  if (model == nullptr) return all(null_argument(kName, "model"));
  if (count > 0 && paths == nullptr) return all(null_argument(kName, "paths"));
  const twinage_status status = guarded(TWINAGE_FAILED, [&]() -> twinage_status {
    std::vector<Face> pictures(count);
    for (std::size_t i = 0; i < count; ++i) {
      if (paths[i] == nullptr) return null_argument(kName, "a path");
      pictures[i].path = paths[i];
    }
    Read read = read_together(*model, std::move(pictures));
    bool bad = false;
    for (std::size_t i = 0; i < count; ++i) {
      faces[i] = read.faces[i].release();
      bad = bad || faces[i] == nullptr;
      if (statuses != nullptr) statuses[i] = faces[i] != nullptr ? TWINAGE_OK : TWINAGE_BAD_PICTURE;
    }
    return bad ? failed(TWINAGE_BAD_PICTURE, read.first_problem.c_str()) : TWINAGE_OK;
  });
  return status == TWINAGE_OK || status == TWINAGE_BAD_PICTURE ? status : all(status);
}

void twinage_face_free(twinage_face* face) {
  delete face;
}

double twinage_age(const twinage_face* face) {
  return face != nullptr ? face->age : std::numeric_limits<double>::quiet_NaN();
}

twinage_status twinage_interval(const twinage_face* face, double* low, double* high,
                                double* share) {
  if (face == nullptr) return null_argument("twinage_interval", "face");
  if (face->claim == IntervalClaim::Kind::none)
    return failed(TWINAGE_NOT_KNOWN,
                  "[twinage_interval] too few faces were held out in training to calibrate one");
  assign(low, face->low);
  assign(high, face->high);
  assign(share, face->claim == IntervalClaim::Kind::coverage ? kCoverage : std::nan(""));
  return TWINAGE_OK;
}

twinage_status twinage_female(const twinage_face* face, double* probability) {
  if (face == nullptr) return null_argument("twinage_female", "face");
  if (!face->female)
    return failed(TWINAGE_NOT_KNOWN,
                  "[twinage_female] the model was not trained on labels of both genders");
  assign(probability, *face->female);
  return TWINAGE_OK;
}

twinage_status twinage_embedding(const twinage_face* face, const float** values, size_t* count) {
  if (face == nullptr) return null_argument("twinage_embedding", "face");
  if (values == nullptr) return null_argument("twinage_embedding", "values");
  if (count == nullptr) return null_argument("twinage_embedding", "count");
  *values = face->embedding.empty() ? nullptr : face->embedding.data();
  *count = face->embedding.size();
  if (*count > 0) return TWINAGE_OK;
  return failed(TWINAGE_NOT_KNOWN, "[twinage_embedding] the model's network gives none");
}

size_t twinage_nearest_count(const twinage_face* face) {
  return face != nullptr ? face->nearest.size() : 0;
}

twinage_status twinage_nearest(const twinage_face* face, size_t rank, const char** name,
                               double* age, double* distance) {
  if (face == nullptr) return null_argument("twinage_nearest", "face");
  if (rank >= face->nearest.size())
    return failed(TWINAGE_BAD_CALL, "[twinage_nearest] expected a rank below the count");
  const twinage_face::Nearest& nearest = face->nearest[rank];
  if (name != nullptr) *name = nearest.name.c_str();
  assign(age, nearest.age);
  assign(distance, nearest.distance);
  return TWINAGE_OK;
}

const char* twinage_json(const twinage_face* face) {
  return face != nullptr ? face->json.c_str() : "";
}

}  // extern "C"
