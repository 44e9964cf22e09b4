#include <memory>

#include "core/error.h"
#include "core/files.h"
#include "core/output.h"
#include "core/safetensors.h"
#include "tools/commands.h"
#include "tools/options.h"
#include "train/model/import/torch_weights.h"
#include "train/model/model_file.h"
#ifdef TWINAGE_ONNX
#include "tools/onnx/export.h"
#endif

namespace twinage {
namespace {

namespace fs = std::filesystem;

struct ExportArguments {
  std::string run, onnx, safetensors, readout;
  bool gallery = false, force = false;
};

constexpr const char* kHelp =
    "Writes a trained model for other programs.\n\n"
    "  twinage export run --onnx model.onnx                 what the heads say\n"
    "  twinage export run --onnx model.onnx --with-gallery  and the age, its interval\n"
    "  twinage export run --safetensors w.safetensors       for PyTorch\n\n"
    "The ONNX model (opset 17) takes the bytes of any number of pictures of one size\n"
    "and does the rest itself: looks, scaling, network, heads and, with --with-gallery,\n"
    "the read-out: comparison with references, which are in the file then, or what an\n"
    "age head says (expectation, direct), which needs none.\n"
    "What 'twinage predict' does before that is yours: a picture's middle square,\n"
    "brought to that size. It knows no faces by their content: one that was trained on\n"
    "is read by itself. Weights for PyTorch have torchvision's names and layout; pixels\n"
    "are (byte / 255 - 0.5) / 0.5 then.";

bool is_onnx_of_ours(const std::string& path) {
  constexpr std::string_view kBegin("\x08\x08\x12\x07twinage", 11);  // version 8, producer
  return beginning_of(path, kBegin.size()) == kBegin;
}
bool is_weights_of_ours(const std::string& path) {
  try {
    return SafetensorsFile::open(path).metadata().contains("pixels");
  } catch (const Error&) {
    return false;
  }
}

// A file that is there is replaced only where it was written by this command, or is asked to be.
void require_free(const std::string& path, bool force, bool (*is_ours)(const std::string&)) {
  std::error_code missing;
  if (fs::exists(path, missing) && !force && !is_ours(path))
    throw UsageError(
        fmt::format("[export] {} would be overwritten, and export did not write it: choose another "
                    "name, or add "
                    "--force",
                    path));
  require_writable(path);
}

void write_onnx(const ExportArguments& a, Model& model) {
#ifdef TWINAGE_ONNX
  OnnxOptions options{a.gallery, model.config.readout};
  if (!a.readout.empty()) options.readout.kind = parse<ReadoutKind>(a.readout);
  require_free(a.onnx, a.force, is_onnx_of_ours);
  const std::string outputs = export_onnx(model, a.onnx, options);
  const Index side = model.network->preset().load;
  print_result("{}: pictures (N, {}, {}, 3), bytes, to\n{}", a.onnx, side, side, outputs);
#else
  (void)a;
  (void)model;
  fail("[export] this build has no ONNX: install libonnx-dev and libprotobuf-dev, then build anew");
#endif
}

void run(const ExportArguments& a) {
  if (a.onnx.empty() == a.safetensors.empty())
    throw UsageError("[export] name one file: --onnx FILE, or --safetensors FILE");
  if (a.onnx.empty() && (a.gallery || !a.readout.empty()))
    throw UsageError("[export] --with-gallery and --readout are of --onnx");
  if (!a.readout.empty() && !a.gallery)
    throw UsageError("[export] --readout is of --with-gallery: without it no age is read");
  Model model = load_model(a.run);
  if (!a.onnx.empty()) return write_onnx(a, model);
  require_free(a.safetensors, a.force, is_weights_of_ours);
  write_torch_weights(*model.network, a.safetensors);
  print_result("{}: {} tensors; pixels are (byte / 255 - 0.5) / 0.5\n", a.safetensors,
               model.network->parameters().size());
}

}  // namespace

void add_export_command(CLI::App& app) {
  CLI::App* command = app.add_subcommand("export", "write a model for other programs");
  command->footer(kHelp);
  auto a = std::make_shared<ExportArguments>();
  command->add_option("RUN", a->run, "a run directory or model file")->required();
  command->add_option("--onnx", a->onnx, "the whole as ONNX")->type_name("FILE");
  command->add_flag("--with-gallery", a->gallery, "with ages, and the references to read them by");
  command->add_option("--readout", a->readout,
                      choices<ReadoutKind>() + "; the model's own if absent");
  command->add_option("--safetensors", a->safetensors, "the weights, as torchvision names them")
      ->type_name("FILE");
  command->add_flag("--force", a->force, "replace a file that is there");
  command->callback([a] { run(*a); });
}

}  // namespace twinage
