// A scenario out of access lines: which paths were asked for, how often, without what nobody should find in a file.
//
// Only GET and HEAD are taken: bodies are not in access lines, and what changes something must not be done again by
// accident. Query strings and matrix parameters are dropped, and segments of a path that look like a secret or an
// address are replaced (path_secrets.h). Lines that were answered with an error are left out, for a load test would
// count them as errors of its own.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "load/engine/exchange.h"
#include "load/scenarios/http_flow.h"
#include "load/scenarios/path_secrets.h"

namespace securebase::load {

inline constexpr std::string_view kScenarioFormat = "securebase-load-scenario/1";

class Recording {
 public:
  static constexpr std::size_t kMostPaths = 1000;  // distinct ones; what comes after them is counted as left out
  static constexpr std::size_t kMostPathBytes = 2048;

  // `strip` is cut off the front of paths: the stage, as in "/prod".
  explicit Recording(std::string strip = {}) : strip_(std::move(strip)) {}

  // A line of JSON with httpMethod (or method), path and status, as the gateway writes it in the format of
  // service/infra; or one of the common log format, "GET /path HTTP/1.1" 200. Anything else is counted as not
  // understood.
  void add(std::string_view line);

  std::uint64_t taken() const { return taken_; }
  std::uint64_t not_understood() const { return not_understood_; }
  std::uint64_t left_out() const { return left_out_; }

  base::Json scenario() const;

 private:
  struct Line {
    std::string method;
    std::string path;
    std::string endpoint;  // the route with its parameters, where the line has it
    std::int64_t status = 0;
  };
  static bool read_json(std::string_view text, Line& line);
  static bool read_common(std::string_view text, Line& line);

  struct Asked {
    std::string endpoint;
    std::uint64_t count = 0;
  };
  const std::string strip_;
  std::map<std::pair<std::string, std::string>, Asked> asked_;  // by method and path
  std::uint64_t taken_ = 0;
  std::uint64_t not_understood_ = 0;
  std::uint64_t left_out_ = 0;
};

// The steps of a scenario file against a base URL, each with `headers`.
Result<std::vector<HttpStep>> steps_of(const base::Json& scenario, const Url& base, const HeaderList& headers);

}  // namespace securebase::load
