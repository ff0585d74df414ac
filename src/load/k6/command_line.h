// The flags of `k6 run` and `k6 inspect`.
#pragma once

#include <memory>

#include "base/result.h"
#include "k6/run.h"

namespace CLI {
class App;
}

namespace securebase::k6 {

class RunFlags {
 public:
  struct Words;  // what the command line says, before it is understood

  RunFlags();
  ~RunFlags();
  // Both outlive the parsing; some flags are put into `settings` directly. For several commands the same words.
  void add_to(CLI::App& app, RunSettings& settings);
  // After the parsing. An error names the flag.
  Result<Done> understand(RunSettings& settings, bool http_debug) const;

 private:
  std::unique_ptr<Words> words_;
};

}  // namespace securebase::k6
