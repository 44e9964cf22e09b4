// Every operation that is no convolution and no matrix product: what it moves, and what share that
// is of what the machine moves in a simple loop (y += x) measured beside it, once with operands in
// the second-level cache and once with operands in memory, as after the rest of a training step.
//
// Bytes are those that an operation's passes read and write, each pass counted: batch norm's
// backward reads dy and x twice. A tensor that is only written is read by the processor all the
// same; that is not counted, so that from memory y = f(x) reaches 2/3 at most. Operations that
// compute much for each byte (losses, JPEG) stay far below 1: their time is what counts.
#include <cstdio>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <nlohmann/json.hpp>

// clang-format off
#include "kernels/dropout/dropout.h"  // before layers.h, which has another function of this name
// clang-format on
#include "benchmarks/bandwidth.h"
#include "benchmarks/whole_step.h"
#include "core/error.h"
#include "core/isa.h"
#include "core/parallel.h"
#include "kernels/adadelta/adadelta.h"
#include "kernels/batch_norm/batch_norm.h"
#include "kernels/distance/distance.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/l2_normalize/l2_normalize.h"
#include "kernels/normalize_images/normalize_images.h"
#include "kernels/pool/pool.h"
#include "kernels/relu/relu.h"
#include "kernels/tanh/tanh.h"
#include "train/faces/pictures/image.h"
#include "train/faces/synthetic_face.h"

using namespace twinage;
using bench::From;
using bench::Operand;

namespace {

constexpr double kFloat = sizeof(float);

// What one call is, of operands where they were asked for.
struct Call {
  double bytes = 0;
  std::function<void()> run;
};
struct Operation {
  std::string name;
  std::function<Call(const Context&, From)> make;
};

// Maps of Inception's first blocks in preset tiny: of 2 faces for the cache, of 64 for memory.
Shape maps(From from) {
  return {from == From::cache ? 2 : 64, 15, 15, 64};
}

double bytes_of(Shape shape) {
  return kFloat * static_cast<double>(shape.size());
}

// Operations on up to three tensors of one shape; `passes`: how often one of them is read or
// written.
template <class F>
Operation on_maps(const std::string& name, double passes, F f) {
  return {name, [passes, f](const Context& ctx, From from) {
            const Shape s = maps(from);
            const Operand a(from, s, 1), b(from, s, 2), c(from, s, 3);
            return Call{passes * bytes_of(s), [=, &ctx] { f(ctx, a.next(), b.next(), c.next()); }};
          }};
}

// A number for each channel, four times.
struct PerChannel {
  Tensor mean{vector(64)}, variance{vector(64)}, gamma{vector(64)}, beta{vector(64)};
  PerChannel() {
    variance.fill(1);
    gamma.fill(1);
  }
};

void add_batch_norm(std::vector<Operation>& all) {
  const auto p = std::make_shared<PerChannel>();
  all.push_back(on_maps("batch norm statistics", 1, [p](const Context& ctx, View, View b, View) {
    batch_norm_statistics(ctx, p->mean.data(), p->variance.data(), b);
  }));
  all.push_back(on_maps("batch norm + ReLU", 2, [p](const Context& ctx, View a, View b, View) {
    batch_norm_apply(ctx, a, b, p->mean.data(), p->variance.data(), p->gamma.data(), p->beta.data(),
                     {});
  }));
  all.push_back(on_maps("  backward", 5, [p](const Context& ctx, View a, View b, View c) {
    Tensor dgamma(vector(64)), dbeta(vector(64));
    batch_norm_backward(ctx, a, dgamma.data(), dbeta.data(), b, c, p->mean.data(),
                        p->variance.data(), p->gamma.data(), p->beta.data(), {});
  }));
}

Operation pool_of(const std::string& name, Pool pool, double passes_x, double passes_y,
                  void (*f)(const Context&, View x, View dx, View y, View dy, Pool)) {
  return {name, [=](const Context& ctx, From from) {
            const Shape x = maps(from), y = pool_shape(x, pool);
            const Operand xs(from, x, 1), dxs(from, x, 2), ys(from, y, 3), dys(from, y, 4);
            return Call{passes_x * bytes_of(x) + passes_y * bytes_of(y),
                        [=, &ctx] { f(ctx, xs.next(), dxs.next(), ys.next(), dys.next(), pool); }};
          }};
}

void add_pools(std::vector<Operation>& all) {
  const Pool halve{3, 2, 0}, keep{3, 1, 1};
  all.push_back(pool_of("max pool 3x3/2", halve, 1, 1,
                        [](const Context& ctx, View x, View, View y, View, Pool p) {
                          max_pool_forward(ctx, y, x, p);
                        }));
  all.push_back(pool_of("  backward", halve, 2, 2,
                        [](const Context& ctx, View x, View dx, View y, View dy, Pool p) {
                          max_pool_backward(ctx, dx, dy, x, y, p);
                        }));
  all.push_back(pool_of("average pool 3x3", keep, 1, 1,
                        [](const Context& ctx, View x, View, View y, View, Pool p) {
                          average_pool_forward(ctx, y, x, p);
                        }));
  all.push_back(pool_of("  backward", keep, 1, 1,
                        [](const Context& ctx, View, View dx, View, View dy, Pool p) {
                          average_pool_backward(ctx, dx, dy, p);
                        }));
  const auto rows = [](View y) { return y.images(0, y.shape.n); };
  all.push_back({"global average pool", [rows](const Context& ctx, From from) {
                   const Shape x = maps(from), y = matrix(x.n, x.c);
                   const Operand xs(from, x, 1), ys(from, y, 2);
                   return Call{bytes_of(x) + bytes_of(y), [=, &ctx] {
                                 global_average_pool_forward(ctx, rows(ys.next()), xs.next());
                               }};
                 }});
  all.push_back({"  backward", [rows](const Context& ctx, From from) {
                   const Shape x = maps(from), y = matrix(x.n, x.c);
                   const Operand xs(from, x, 1), ys(from, y, 2);
                   return Call{bytes_of(x) + bytes_of(y), [=, &ctx] {
                                 global_average_pool_backward(ctx, xs.next(), rows(ys.next()));
                               }};
                 }});
}

void add_elementwise(std::vector<Operation>& all) {
  const auto p = std::make_shared<PerChannel>();
  using C = const Context&;
  all.push_back(on_maps("fill", 1, [](C ctx, View a, View, View) { fill(ctx, a, 0); }));
  all.push_back(on_maps("copy", 2, [](C ctx, View a, View b, View) { copy(ctx, a, b); }));
  all.push_back(on_maps("add", 3, [](C ctx, View a, View b, View) { add(ctx, a, b); }));
  all.push_back(
      on_maps("multiply", 3, [](C ctx, View a, View b, View c) { multiply(ctx, a, b, c); }));
  all.push_back(
      on_maps("add bias", 2, [p](C ctx, View a, View, View) { add_bias(ctx, a, p->beta.data()); }));
  all.push_back(on_maps("sum over pixels", 1,
                        [p](C ctx, View a, View, View) { sum_pixels(ctx, p->mean.data(), a); }));
  all.push_back(on_maps("scale rows", 2, [p](C ctx, View a, View b, View) {
    scale_rows(ctx, a, b, p->gamma.data());
  }));
  all.push_back(on_maps("lerp", 3, [](C ctx, View a, View b, View) { lerp(ctx, a, b, 0.1F); }));
  all.push_back(on_maps("all finite", 1, [](C ctx, View a, View, View) {
    require(all_finite(ctx, a), "[benchmark] expected finite numbers");
  }));
  all.push_back(on_maps("ReLU backward", 3,
                        [](C ctx, View a, View b, View c) { relu_backward(ctx, a, b, c); }));
  all.push_back(on_maps("tanh", 2, [](C ctx, View a, View b, View) { tanh_forward(ctx, a, b); }));
  all.push_back(
      on_maps("  backward", 3, [](C ctx, View a, View b, View c) { tanh_backward(ctx, a, b, c); }));
  all.push_back(on_maps("dropout", 2, [](C ctx, View a, View b, View) {
    static constexpr DropoutKey key{.seed = 1, .step = 1, .stream = 1, .first = 0};
    dropout(ctx, a, b, dropout_rule(0.5), &key);
  }));
  all.push_back({"ADADELTA", [](C ctx, From from) {
                   const Shape s = maps(from);
                   const Operand x(from, s, 1), g(from, s, 2), eg(from, s, 3), ex(from, s, 4);
                   for (const Operand& squares : {eg, ex})
                     for (int i = 0; i < 64; ++i) fill(ctx, squares.next(), 1);
                   return Call{7 * bytes_of(s), [=, &ctx] {
                                 adadelta(ctx, x.next().data, eg.next().data, ex.next().data,
                                          g.next().data, s.size(), {}, 1e-3F);
                               }};
                 }});
}

// Over rows of 128 numbers, as embeddings are.
Shape rows_of(From from) {
  return matrix(from == From::cache ? 64 : 8192, 128);
}

void add_embeddings(std::vector<Operation>& all) {
  all.push_back({"l2 normalize", [](const Context& ctx, From from) {
                   const Shape s = rows_of(from);
                   const Operand y(from, s, 1), x(from, s, 2);
                   return Call{3 * bytes_of(s),
                               [=, &ctx] { l2_normalize_forward(ctx, y.next(), x.next(), 2); }};
                 }});
  all.push_back({"  backward", [](const Context& ctx, From from) {
                   const Shape s = rows_of(from);
                   const Operand dx(from, s, 1), dy(from, s, 2), x(from, s, 3);
                   return Call{5 * bytes_of(s), [=, &ctx] {
                                 l2_normalize_backward(ctx, dx.next(), dy.next(), x.next(), 2,
                                                       Write::overwrite);
                               }};
                 }});
  all.push_back({"distance, rows to rows", [](const Context& ctx, From from) {
                   const Shape b = rows_of(from), a = matrix(64, b.c), d = matrix(a.n, b.n);
                   const Operand as(From::cache, a, 1), bs(from, b, 2), ds(from, d, 3);
                   return Call{bytes_of(a) + bytes_of(b) + bytes_of(d), [=, &ctx] {
                                 distance_matrix(ctx, ds.next(), as.next(), bs.next());
                               }};
                 }});
}

std::vector<IndexPair> all_pairs(Index rows) {
  std::vector<IndexPair> pairs;
  for (std::int32_t a = 0; a < rows; ++a)
    for (std::int32_t b = a + 1; b < rows; ++b) pairs.push_back({a, b});
  return pairs;
}

void add_pair_distances(std::vector<Operation>& all) {
  constexpr Index kRows = 64;
  const auto pairs = std::make_shared<std::vector<IndexPair>>(all_pairs(kRows));
  const auto count = static_cast<Index>(pairs->size());
  const Shape z = matrix(kRows, 128);
  const double read = 2.0 * static_cast<double>(count) * bytes_of(matrix(1, 128));
  all.push_back({"distance of all pairs", [=](const Context& ctx, From from) {
                   const Operand zs(from, z, 1), d(from, vector(count), 2);
                   return Call{read + bytes_of(vector(count)), [=, &ctx] {
                                 distance_pairs_forward(ctx, d.next().data, zs.next(), *pairs);
                               }};
                 }});
  all.push_back({"  backward", [=](const Context& ctx, From from) {
                   const Operand zs(from, z, 1), dz(from, z, 2), dd(from, vector(count), 3);
                   const auto d = std::make_shared<Tensor>(vector(count));
                   d->fill(1);
                   return Call{2 * read, [=, &ctx] {
                                 distance_pairs_backward(ctx, dz.next(), zs.next(), *pairs,
                                                         d->data(), dd.next().data);
                               }};
                 }});
}

// Forward and backward in one, of a batch of 64.
Operation loss_of(Task task, const std::string& name) {
  return {"loss " + name, [=](const Context& ctx, From from) {
            constexpr Index kFaces = 64;
            const Index width = head_form(task, {name}, 128).outputs;
            const std::shared_ptr<Loss> loss =
                make_loss(task, {name}, {kFaces, width, 1, Device::cpu, {}});
            Random random(1);
            std::vector<float> ages;
            std::vector<std::int32_t> genders;
            for (Index i = 0; i < kFaces; ++i) {
              ages.push_back(static_cast<float>(random.below(90)));
              genders.push_back(static_cast<std::int32_t>(random.below(2)));
            }
            loss->set_labels({ages, genders});
            const Shape s = matrix(kFaces, width);
            const Operand y(from, s, 2), dy(from, s, 3);
            return Call{2 * bytes_of(s), [=, &ctx] { loss->compute(ctx, dy.next(), y.next()); }};
          }};
}

// Pictures as the loader has them, 64 of them in memory.
Operation images_of(const std::string& name, bool resample) {
  return {name, [=](const Context& ctx, From from) {
            const Index faces = from == From::cache ? 4 : 64;
            const Preset& tiny = preset("tiny");
            auto batch = std::make_shared<Batch>(bench::batch_of_noise(tiny, faces));
            for (ImageVariation& v : batch->variations) {
              if (resample) v = look_at_centre(tiny.load, tiny.input, 0.93F, false);
              v.resample = resample;
            }
            const Operand y(from, {faces, tiny.input, tiny.input, 3}, 1);
            const double bytes = static_cast<double>(batch->pixels.size()) +
                                 bytes_of({faces, tiny.input, tiny.input, 3});
            return Call{bytes, [=, &ctx] {
                          normalize_images(ctx, y.next(), batch->pixels.data(), tiny.load,
                                           batch->variations.data());
                        }};
          }};
}

// One thread, one picture of 200 x 200 pixels; bytes: of its pixels.
void add_pictures(std::vector<Operation>& all) {
  const auto picture =
      std::make_shared<Image>(render_synthetic_face(synthetic_face(1, 1), 200).image);
  const auto jpeg = std::make_shared<std::vector<std::byte>>(encode_jpeg(*picture, 90));
  const auto bytes = static_cast<double>(picture->rgb.size());
  all.push_back({"JPEG of 200 x 200, decoded", [=](const Context&, From) {
                   return Call{bytes, [=] {
                                 require(decode_image(*jpeg, "face").width == 200,
                                         "[benchmark] expected a face of 200 pixels");
                               }};
                 }});
  all.push_back({"JPEG of 200 x 200, encoded", [=](const Context&, From) {
                   return Call{bytes, [=] {
                                 require(!encode_jpeg(*picture, 90).empty(),
                                         "[benchmark] expected a file");
                               }};
                 }});
  all.push_back({"200 x 200 shrunk to 80 x 80", [=](const Context&, From) {
                   return Call{bytes + 80 * 80 * 3, [=] {
                                 require(resize_square(*picture, 80).width == 80,
                                         "[benchmark] expected 80 pixels");
                               }};
                 }});
}

std::vector<Operation> operations() {
  std::vector<Operation> all;
  add_batch_norm(all);
  add_pools(all);
  add_elementwise(all);
  add_embeddings(all);
  add_pair_distances(all);
  for (const Task task : kTasks)
    for (const std::string& name : loss_names(task)) all.push_back(loss_of(task, name));
  all.push_back(images_of("images cropped, normalised", false));
  all.push_back(images_of("images zoomed, normalised", true));
  add_pictures(all);
  return all;
}

void run(const bench::Options& options) {
  bench::Stream cache(From::cache, options.threads, options.clock);
  bench::Stream memory(From::memory, options.threads, options.clock);
  if (!options.json) {
    fmt::print("{} threads, {}; y += x moves {:.1f} GB/s in the cache, {:.1f} GB/s in memory\n",
               options.threads, to_string(isa()), cache.bytes_per_second() * 1e-9,
               memory.bytes_per_second() * 1e-9);
    fmt::print("{:<29} {:>9} {:>7} {:>6}  {:>9} {:>7} {:>6}\n", "", "cache, us", "GB/s", "share",
               "mem., us", "GB/s", "share");
  }
  Workspace workspace(Index{8} << 20);
  Context ctx{.threads = options.threads};
  ctx.workspace = &workspace;
  for (const Operation& operation : operations()) {
    if (operation.name.find(options.filter) == std::string::npos) continue;
    if (!options.json) fmt::print("{:<29}", operation.name);
    for (const From from : {From::cache, From::memory}) {
      const Call call = operation.make(ctx, from);
      const bench::Moved moved =
          bench::measure_moved(options, from == From::cache ? cache : memory, call.bytes, call.run);
      if (options.json)
        fmt::print("{}\n", nlohmann::json{{"operation", operation.name},
                                          {"from", from == From::cache ? "cache" : "memory"},
                                          {"threads", options.threads},
                                          {"isa", to_string(isa())},
                                          {"bytes", call.bytes},
                                          {"us", moved.microseconds},
                                          {"gbytes_per_s", moved.gbytes},
                                          {"share", moved.share}}
                               .dump());
      else
        fmt::print(" {:9.1f} {:7.2f} {:6.2f} ", moved.microseconds, moved.gbytes, moved.share);
      std::fflush(stdout);
    }
    if (!options.json) fmt::print("\n");
  }
}

}  // namespace

int main(int argc, char** argv) {
  const bench::Options options = bench::parse_options(
      argc, argv, "What operations other than convolution move, in GB/s", {"v3"});
  try {
    run(options);
  } catch (const Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
}
