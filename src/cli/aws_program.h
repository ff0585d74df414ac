// The program `aws` that `securebase env` puts in front of the PATH: the installed AWS CLI, called so that commands
// work as people type them against this platform.
//
//   - with the platform's endpoint, which older CLIs take only as a flag (--endpoint-url);
//   - cloudwatch get-metric-statistics: without times or period, the last hour by 300 s; without statistics, the five
//     simple ones; with a list of metrics (--metric-name CacheHits,CacheMisses), one call for each;
//   - logs insights query, which no AWS CLI has: `securebase logs insights query`.
// Everything else passes as it came.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"

namespace securebase::cli {

struct AwsCalls {
  // Each is the words of one command behind the program's name.
  std::vector<std::vector<std::string>> calls;
  enum class Program { kAws, kSecureBase } program = Program::kAws;
};

// `words`: what was typed behind `aws`. `endpoint`: AWS_ENDPOINT_URL; empty: none is added.
AwsCalls aws_calls(const std::vector<std::string>& words, const std::string& endpoint, base::TimePoint now);

// The file that a shell would find as `aws` on this PATH, leaving out `not_this` (the program that asks). Empty: none.
std::string find_aws(const std::string& path, const std::string& not_this);

// main() when the program was called as `aws`. Gives the exit code of the last call that failed, else 0.
int aws_main(int argc, char** argv);

}  // namespace securebase::cli
