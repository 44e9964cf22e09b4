// `twinage train --live`: the page of a report, served to this machine's browsers while a run is
// being trained. It reads the run's files as any other reader would, and has no part in the
// training but for the stop button: whoever looks changes no bit of the result.
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

namespace twinage {

class LiveServer {
 public:
  // Serves on 127.0.0.1 alone; port 0: one that is free. stop() is called, from another thread,
  // when a page that knows the token asks for it. Throws Error where the port is taken, and in a
  // build without cpp-httplib.
  LiveServer(std::filesystem::path run, int port, std::function<void()> stop);
  ~LiveServer();
  LiveServer(const LiveServer&) = delete;
  LiveServer& operator=(const LiveServer&) = delete;

  int port() const;
  // What to open: only with the token does the page have a stop button.
  std::string url() const;
  std::string url_with_token() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace twinage
