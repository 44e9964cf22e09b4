#include "train/run_directory.h"

#include "core/error.h"

namespace twinage {
namespace fs = std::filesystem;

// A configuration alone is what a run leaves that ended before its first state: it may start again.
void RunDirectory::require_new() const {
  require(!fs::exists(state()) && !fs::exists(model()),
          "[train] {} already holds a run: continue it with --resume, or choose another --out",
          folder_.string());
}

void RunDirectory::create() const {
  std::error_code status;
  fs::create_directories(folder_, status);
  require(!status, "[train] cannot create {}: {}", folder_.string(), status.message());
}

void RunDirectory::require_state() const {
  require(fs::exists(state()), "[train] {} holds no state to resume: start without --resume",
          folder_.string());
}

}  // namespace twinage
