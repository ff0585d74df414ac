// What the native load tests are told on the command line, and what a run is made of by it.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "cli/load_files.h"
#include "cli/load_worker.h"
#include "load/load.h"

namespace securebase::cli {

struct LoadOptions {
  std::string url;
  std::string name;  // of the stack's declaration; empty: none was asked for
  double rate = 0;
  double ramp_to = 0;
  std::uint64_t users = 10;
  double duration = 30;  // seconds, as all below
  double warm_up = 0;
  double think = 0;
  double timeout = 10;
  std::size_t threads = 1;
  std::size_t connections = 0;
  bool new_connections = false;
  std::filesystem::path scenario;
  std::string method;  // empty: GET, or POST when there is a body
  std::vector<std::string> headers;
  std::string body;
  std::vector<std::string> thresholds;
  std::string criteria;
  bool insecure = false;
  std::string authorities;
  LoadFiles files;
  FleetOptions fleet;
  bool quiet = false;
  pid_t target_pid = 0;
  // of scenarios
  std::uint64_t from_users = 10;
  std::uint64_t to_users = 0;
  double step = 10;
  double rise = 10;
  double before = 20;
  double limit_ms = 100;
};
using Options = std::shared_ptr<LoadOptions>;

std::chrono::nanoseconds from_seconds(double seconds);

// Everything but the phases. Without a URL it is the running platform of `state` that is asked, at its API's health
// route. kMalformed: what the command line says makes no run; others: a file that cannot be read, no platform.
Result<load::RunSettings> read_settings(const LoadOptions& options, const std::filesystem::path& state);

}  // namespace securebase::cli
