#include "tools/serve/http_service.h"

#include "core/error.h"

#if TWINAGE_HTTPLIB
#include <condition_variable>
#include <list>
#include <mutex>
#include <thread>

#include <httplib.h>
#include <nlohmann/json.hpp>

#include "core/output.h"
#include "tools/picture_limits.h"
#include "tools/prediction_json.h"
#include "tools/serve/reading_queue.h"
#include "tools/serve/service_metrics.h"
#include "train/model/reading_text.h"
#endif

namespace twinage {

#if TWINAGE_HTTPLIB

namespace {

constexpr const char* kJson = "application/json";

constexpr const char* kUsage =
    "POST /read      a picture's bytes, or several as multipart/form-data: JSON\n"
    "GET  /model     what the model is\n"
    "GET  /health    ok\n"
    "GET  /metrics   counts, for Prometheus\n\n"
    "  curl --data-binary @face.jpg http://127.0.0.1:PORT/read\n"
    "  curl -F a=@one.jpg -F b=@two.jpg http://127.0.0.1:PORT/read\n";

// So many threads, and as many connections again that wait for one. Who comes then waits in the
// system's own queue, which is short: nothing here grows with those who ask.
class BoundedPool final : public httplib::TaskQueue {
 public:
  explicit BoundedPool(int count) : most_(static_cast<std::size_t>(count)) {
    for (int i = 0; i < count; ++i) threads_.emplace_back([this] { work(); });
  }
  void enqueue(std::function<void()> task) override {
    std::unique_lock lock(mutex_);
    room_.wait(lock, [this] { return ending_ || tasks_.size() < most_; });
    tasks_.push_back(std::move(task));
    more_.notify_one();
  }
  void shutdown() override {
    {
      const std::scoped_lock lock(mutex_);
      ending_ = true;
      more_.notify_all();
      room_.notify_all();
    }
    for (std::thread& thread : threads_) thread.join();
  }

 private:
  void work() {
    for (;;) {
      std::function<void()> task;
      {
        std::unique_lock lock(mutex_);
        more_.wait(lock, [this] { return ending_ || !tasks_.empty(); });
        if (tasks_.empty()) return;
        task = std::move(tasks_.front());
        tasks_.pop_front();
        room_.notify_one();
      }
      task();
    }
  }

  std::size_t most_;
  std::mutex mutex_;
  std::condition_variable more_, room_;
  std::list<std::function<void()>> tasks_;
  bool ending_ = false;
  std::vector<std::thread> threads_;
};

std::string error_json(const std::string& what) {
  return nlohmann::json{{"error", what}}.dump(-1, ' ', false,
                                              nlohmann::json::error_handler_t::replace) +
         "\n";
}

Face picture_of(std::string name, const std::string& bytes) {
  Face face;
  face.path = std::move(name);
  const auto* begin = reinterpret_cast<const std::byte*>(bytes.data());
  face.picture = std::make_shared<const std::vector<std::byte>>(begin, begin + bytes.size());
  return face;
}

}  // namespace

struct HttpService::Parts {
  std::unique_ptr<FaceReader> reader;
  ServiceOptions options;
  ServiceMetrics metrics;
  ReadingQueue queue;
  httplib::Server server;
  std::thread thread;
  int port = 0;

  Parts(std::unique_ptr<FaceReader> with, const ServiceOptions& given)
      : reader(std::move(with)),
        options(given),
        queue([this](std::vector<Face> pictures) { return read(std::move(pictures)); },
              kPicturesTogether, given.most_waiting) {}

  // Names may be the same: each picture is told by its place.
  Answers read(std::vector<Face> pictures) {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < pictures.size(); ++i) {
      names.push_back(std::move(pictures[i].path));
      pictures[i].path = fmt::format("{}", i);
    }
    Answers answers(names.size());
    Readings readings = reader->read_pictures(std::move(pictures));
    for (std::size_t i = 0; i < readings.dataset.faces.size(); ++i) {
      const std::size_t place = std::stoul(readings.dataset.faces[i].path);
      readings.dataset.faces[i].path = names[place];
      answers[place] = line_of(prediction_json(readings, i, reader->model()));
    }
    for (const Skipped& bad : readings.dataset.skipped) {
      const std::size_t place = std::stoul(bad.path);
      answers[place] = line_of(unreadable_json({names[place], bad.reason}));
    }
    metrics.count_pictures(readings.dataset.faces.size(), readings.dataset.skipped.size());
    return answers;
  }

  // The pictures of a request; too many or none: an answer instead.
  std::vector<Face> pictures_of(const httplib::Request& request, httplib::Response& response) {
    std::vector<Face> pictures;
    if (request.is_multipart_form_data()) {
      for (const auto& [name, file] : request.files)
        pictures.push_back(picture_of(file.filename.empty() ? name : file.filename, file.content));
    } else if (!request.body.empty()) {
      pictures.push_back(picture_of("picture", request.body));
    }
    if (pictures.empty())
      refuse(response, 400, "no picture: its bytes are the request's body, or a part of a form");
    if (pictures.size() > options.most_pictures) {
      refuse(response, 413,
             fmt::format("{} pictures, expected at most {} a request", pictures.size(),
                         options.most_pictures));
      pictures.clear();
    }
    return pictures;
  }

  static void refuse(httplib::Response& response, int status, const std::string& why) {
    response.status = status;
    response.set_content(error_json(why), kJson);
  }

  void answer_read(const httplib::Request& request, httplib::Response& response) {
    const bool several = request.is_multipart_form_data();
    std::vector<Face> pictures = pictures_of(request, response);
    if (pictures.empty()) return;
    auto asked = queue.ask(std::move(pictures));
    if (!asked) {
      response.set_header("Retry-After", "1");
      return refuse(response, 503, "too many pictures are waiting: ask again");
    }
    const Answers answers = asked->get();
    if (several) {
      response.set_content(fmt::format("[{}]\n", fmt::join(answers, ",\n")), kJson);
      return;
    }
    if (answers[0].starts_with("{\"image\":\"picture\",\"error\"")) response.status = 422;
    response.set_content(answers[0] + "\n", kJson);
  }

  void answer_model(httplib::Response& response) const {
    const Model& model = reader->model();
    const nlohmann::ordered_json json = {{"preset", model.config.preset},
                                         {"references", model.gallery.names.size()},
                                         {"readout", to_string(model.config.readout.kind)},
                                         {"tau", model.calibration.tau},
                                         {"interval_holds", claim_json(model.calibration.claim())},
                                         {"gender", model.knows_gender()},
                                         {"most_bytes", options.most_bytes},
                                         {"most_pictures", options.most_pictures}};
    response.set_content(json.dump() + "\n", kJson);
  }

  // A page of another site must not get here by a name that it made point to this machine.
  bool is_addressed(const httplib::Request& request) const {
    const std::string host = request.get_header_value("Host");
    return host == fmt::format("127.0.0.1:{}", port) || host == fmt::format("localhost:{}", port);
  }

  void prepare() {
    const int connections = options.connections;
    server.new_task_queue = [connections] { return new BoundedPool(connections); };
    server.set_payload_max_length(options.most_bytes);
    server.set_read_timeout(options.seconds, 0);
    server.set_write_timeout(options.seconds, 0);
    server.set_keep_alive_timeout(2);  // seconds: a connection holds a thread
    server.set_keep_alive_max_count(1000);
    server.set_tcp_nodelay(true);
    server.set_default_headers(
        {{"Cache-Control", "no-store"}, {"X-Content-Type-Options", "nosniff"}});
    server.set_pre_routing_handler([this](const auto& request, auto& response) {
      if (is_addressed(request)) return httplib::Server::HandlerResponse::Unhandled;
      refuse(response, 421, "ask for 127.0.0.1");
      return httplib::Server::HandlerResponse::Handled;
    });
    server.Post("/read", [this](const auto& request, auto& response) {
      const auto begin = std::chrono::steady_clock::now();
      answer_read(request, response);
      const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
      metrics.count_request(response.status == -1 ? 200 : response.status, took.count());
    });
    server.Get("/", [](const auto&, auto& response) {
      response.set_content(kUsage, "text/plain; charset=utf-8");
    });
    server.Get("/health",
               [](const auto&, auto& response) { response.set_content("ok\n", "text/plain"); });
    server.Get("/model", [this](const auto&, auto& response) { answer_model(response); });
    server.Get("/metrics", [this](const auto&, auto& response) {
      response.set_content(metrics.text(queue.waiting(), queue.batches()),
                           "text/plain; version=0.0.4; charset=utf-8");
    });
    server.set_error_handler([](const auto&, auto& response) {
      if (!response.body.empty()) return;
      response.set_content(error_json(response.status == 413   ? "larger than is taken"
                                      : response.status == 404 ? "not there: GET / says what is"
                                                               : "not understood"),
                           kJson);
    });
    server.set_exception_handler([](const auto&, auto& response, std::exception_ptr problem) {
      try {
        std::rethrow_exception(problem);
      } catch (const std::bad_alloc&) {
        refuse(response, 503, "no memory left");
      } catch (const std::exception& error) {
        refuse(response, 500, error.what());
      } catch (...) {
        refuse(response, 500, "unknown error");
      }
    });
  }
};

HttpService::HttpService(std::unique_ptr<FaceReader> reader, const ServiceOptions& options)
    : parts_(std::make_unique<Parts>(std::move(reader), options)) {
  parts_->prepare();
  httplib::Server& server = parts_->server;
  const bool bound = options.port == 0 ? (parts_->port = server.bind_to_any_port("127.0.0.1")) > 0
                                       : server.bind_to_port("127.0.0.1", options.port);
  require(bound,
          "[serve] port {} of 127.0.0.1 cannot be had: another program uses it; choose another "
          "--port, or 0 for one that is free",
          options.port);
  if (options.port != 0) parts_->port = options.port;
  parts_->thread = std::thread([&server] { server.listen_after_bind(); });
  while (!server.is_running()) std::this_thread::yield();
}

HttpService::~HttpService() {
  parts_->server.stop();  // takes no more; what is being answered is
  parts_->thread.join();
  parts_->queue.finish();
}

std::string HttpService::url() const {
  return fmt::format("http://127.0.0.1:{}/", parts_->port);
}

#else

struct HttpService::Parts {};
HttpService::HttpService(std::unique_ptr<FaceReader>, const ServiceOptions&) {
  fail(
      "[serve] this build has no HTTP: cpp-httplib was not found when it was built (Debian: "
      "libcpp-httplib-dev)");
}
HttpService::~HttpService() = default;
std::string HttpService::url() const {
  return "";
}

#endif

}  // namespace twinage
