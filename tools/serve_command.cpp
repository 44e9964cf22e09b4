#include <chrono>
#include <memory>
#include <thread>

#include "core/error.h"
#include "core/output.h"
#include "tools/commands.h"
#include "tools/model_options.h"
#include "tools/serve/http_service.h"
#include "tools/stop_signals.h"
#include "train/model/reading_text.h"

namespace twinage {
namespace {

struct ServeArguments {
  ModelOptions model;
  ServiceOptions service;
  double most_megabytes = 16;
};

constexpr const char* kHelp =
    "Answers HTTP requests on 127.0.0.1 with what 'twinage predict --json' would say.\n\n"
    "  twinage serve run\n"
    "  curl --data-binary @face.jpg http://127.0.0.1:8766/read\n"
    "  curl -F a=@one.jpg -F b=@two.jpg http://127.0.0.1:8766/read\n"
    "  curl http://127.0.0.1:8766/metrics          counts, for Prometheus\n\n"
    "Pictures that wait are read together. Who asks for more than the limits is refused:\n"
    "413 (too large), 503 (too many are waiting), and a client that falls silent in the\n"
    "middle of a request is cut off. Ctrl-C or SIGTERM ends it: what was asked before is\n"
    "answered. Only this machine can ask; there is no encryption and no password, so\n"
    "put a server in front of it that has both, if others are to ask.";

void run(ServeArguments a) {
  a.service.most_bytes = static_cast<std::size_t>(a.most_megabytes * 1e6);
  auto reader =
      std::make_unique<FaceReader>(a.model.run, a.model.device.engine(), a.model.readout_kind());
  for (const std::string& line : shortcomings(reader->model())) note("note: {}\n", line);
  handle_stop_signals();
  const HttpService service(std::move(reader), a.service);
  print_result("serving {} on {}\n", a.model.run, service.url());
  if (!results_written()) note("serving on {}\n", service.url());
  while (!stop_flag()) std::this_thread::sleep_for(std::chrono::milliseconds(50));
  note("ending: what was asked is answered\n");
}

}  // namespace

void add_serve_command(CLI::App& app) {
  CLI::App* command = app.add_subcommand("serve", "answer HTTP requests of this machine");
  command->footer(kHelp);
  auto a = std::make_shared<ServeArguments>();
  a->model.add_run(*command);
  command->add_option("--port", a->service.port, "of 127.0.0.1; 0: one that is free")
      ->check(CLI::Range(0, 65535))
      ->capture_default_str();
  command->add_option("--max-megabytes", a->most_megabytes, "of a request")
      ->check(CLI::Range(0.001, 1000.0))
      ->capture_default_str();
  command->add_option("--max-pictures", a->service.most_pictures, "of a request")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  command->add_option("--queue", a->service.most_waiting, "pictures that may wait, of all requests")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  command->add_option("--connections", a->service.connections, "that are answered at a time")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command->add_option("--timeout", a->service.seconds, "seconds that a client may be silent")
      ->check(CLI::Range(1, 3600))
      ->capture_default_str();
  a->model.add_readout(*command);
  a->model.add_device(*command);
  command->callback([a] { run(*a); });
}

}  // namespace twinage
