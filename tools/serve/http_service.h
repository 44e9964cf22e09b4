// `twinage serve`: a trained model behind HTTP, for this machine.
#pragma once
#include <atomic>
#include <memory>
#include <string>

#include "train/model/face_reader.h"

namespace twinage {

struct ServiceOptions {
  int port = 8766;                    // of 127.0.0.1; 0: one that is free
  std::size_t most_bytes = 16 << 20;  // of a request
  std::size_t most_pictures = 64;     // of a request
  std::size_t most_waiting = 256;     // pictures, of all requests
  int connections = 32;               // answered at a time
  int seconds = 10;                   // that a client may be silent in the middle of a request
};

class HttpService {
 public:
  // Listens from here on. Throws Error where the port is taken, and in a build without cpp-httplib.
  HttpService(std::unique_ptr<FaceReader> reader, const ServiceOptions& options);
  ~HttpService();  // what was asked before is answered
  HttpService(const HttpService&) = delete;
  HttpService& operator=(const HttpService&) = delete;

  std::string url() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace twinage
