#include "tools/live_server.h"

#include "core/error.h"

#if TWINAGE_HTTPLIB
#include <random>
#include <thread>

#include <httplib.h>

#include "tools/report/report.h"
#include "train/run_directory.h"
#endif

namespace twinage {

#if TWINAGE_HTTPLIB

namespace {

// 128 bits that nobody can guess.
std::string make_token() {
  std::random_device device;
  std::string token;
  for (int i = 0; i < 4; ++i) token += fmt::format("{:08x}", device());
  return token;
}

// Takes as long for every wrong token.
bool same_token(std::string_view given, std::string_view token) {
  unsigned different = given.size() == token.size() ? 0 : 1;
  for (std::size_t i = 0; i < token.size(); ++i)
    different |= static_cast<unsigned char>(token[i]) ^
                 static_cast<unsigned char>(i < given.size() ? given[i] : 0);
  return different == 0;
}

}  // namespace

struct LiveServer::Parts {
  std::filesystem::path run;
  std::function<void()> stop;
  std::string token = make_token();
  int port = 0;
  httplib::Server server;
  std::thread thread;

  Report report() const {
    std::error_code missing;
    if (!std::filesystem::exists(RunDirectory(run).config(), missing)) {
      Report none;
      none.title = "Twinage: " + run.filename().string();
      none.summary = "The faces are being read. Curves come with the first steps.";
      return none;
    }
    std::vector<RunRecord> runs{read_run(run)};
    name_apart(runs);
    return report_of_records(runs);
  }

  void answer_page(const httplib::Request& request, httplib::Response& response) const {
    const std::string given = request.get_param_value("token");
    PageOptions options;
    options.refresh_url = "/main";
    if (!given.empty() && same_token(given, token)) options.stop_token = token;
    response.set_content(to_page(report(), options), "text/html; charset=utf-8");
  }
  void answer_stop(const httplib::Request& request, httplib::Response& response) const {
    if (!same_token(request.get_param_value("token"), token)) {
      response.status = 403;
      response.set_content("wrong token: it was printed on the terminal\n", "text/plain");
      return;
    }
    stop();
    response.set_content(
        "The training ends after its current step and saves its state: --resume goes on.\n",
        "text/plain; charset=utf-8");
  }

  // A page of another site must not get here by a name that it made point to this machine.
  bool is_addressed(const httplib::Request& request) const {
    const std::string host = request.get_header_value("Host");
    return host == fmt::format("127.0.0.1:{}", port) || host == fmt::format("localhost:{}", port);
  }

  void prepare() {
    // One browser is enough: more than two threads would only wait.
    server.new_task_queue = [] { return new httplib::ThreadPool(2); };
    server.set_payload_max_length(4096);
    server.set_default_headers(
        {{"Cache-Control", "no-store"},
         {"X-Content-Type-Options", "nosniff"},
         {"Referrer-Policy", "no-referrer"},
         {"Content-Security-Policy",
          "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
          "img-src data:; connect-src 'self'; form-action 'self'; base-uri 'none'; "
          "frame-ancestors 'none'"}});
    server.set_pre_routing_handler([this](const auto& request, auto& response) {
      if (is_addressed(request)) return httplib::Server::HandlerResponse::Unhandled;
      response.status = 421;
      response.set_content("ask for 127.0.0.1\n", "text/plain");
      return httplib::Server::HandlerResponse::Handled;
    });
    server.Get("/",
               [this](const auto& request, auto& response) { answer_page(request, response); });
    server.Get("/main", [this](const auto&, auto& response) {
      response.set_content(to_main(report()), "text/html; charset=utf-8");
    });
    server.Get("/numbers.json", [this](const auto&, auto& response) {
      response.set_content(to_json_text(report()), "application/json");
    });
    server.Post("/stop",
                [this](const auto& request, auto& response) { answer_stop(request, response); });
    // Files that cannot be read just now are told to whoever looks; the training goes on.
    server.set_exception_handler([](const auto&, auto& response, std::exception_ptr problem) {
      response.status = 500;
      try {
        std::rethrow_exception(problem);
      } catch (const std::exception& error) {
        response.set_content(error.what(), "text/plain; charset=utf-8");
      }
    });
  }
};

LiveServer::LiveServer(std::filesystem::path run, int port, std::function<void()> stop)
    : parts_(std::make_unique<Parts>()) {
  parts_->run = std::move(run);
  parts_->stop = std::move(stop);
  parts_->prepare();
  httplib::Server& server = parts_->server;
  const bool bound = port == 0 ? (parts_->port = server.bind_to_any_port("127.0.0.1")) > 0
                               : server.bind_to_port("127.0.0.1", port);
  require(bound,
          "[live] port {} of 127.0.0.1 cannot be had: another program uses it; choose "
          "another, --live=8766, or --live=0 for one that is free",
          port);
  if (port != 0) parts_->port = port;
  parts_->thread = std::thread([&server] { server.listen_after_bind(); });
  while (!server.is_running()) std::this_thread::yield();
}

LiveServer::~LiveServer() {
  parts_->server.stop();
  parts_->thread.join();
}

int LiveServer::port() const {
  return parts_->port;
}
std::string LiveServer::url() const {
  return fmt::format("http://127.0.0.1:{}/", parts_->port);
}
std::string LiveServer::url_with_token() const {
  return fmt::format("{}?token={}", url(), parts_->token);
}

#else

struct LiveServer::Parts {};

LiveServer::LiveServer(std::filesystem::path, int, std::function<void()>) {
  fail(
      "[live] this build has no --live: cpp-httplib was not found when it was built (Debian: "
      "libcpp-httplib-dev). 'twinage report RUN' shows the same page of a run at any time");
}
LiveServer::~LiveServer() = default;
int LiveServer::port() const {
  return 0;
}
std::string LiveServer::url() const {
  return "";
}
std::string LiveServer::url_with_token() const {
  return "";
}

#endif

}  // namespace twinage
