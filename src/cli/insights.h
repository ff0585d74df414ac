// `securebase logs insights`: starts a query on the running platform, waits for its rows, shows them. `aws logs
// insights query`, which no AWS CLI has, comes here, too (aws_program.h), so the options are spelled as that CLI would
// spell them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"

namespace CLI {
class App;
}

namespace securebase::cli {

struct InsightsOptions {
  std::vector<std::string> groups;
  std::string query;
  std::string begin;  // seconds since 1970; empty: an hour before the end
  std::string end;    // empty: now
  std::int64_t limit = 10'000;
  bool json = false;
  std::string output = "table";
  std::string verb, region;  // taken and not looked at
};

// Below `securebase logs`.
void add_insights_command(CLI::App& logs, std::filesystem::path& state, std::function<int()>& chosen);

// From and to, in seconds since 1970. kMalformed: a time that is none, or an end before the beginning.
Result<std::pair<std::int64_t, std::int64_t>> window_of(const InsightsOptions& options, base::TimePoint now);
// Rows under their names, in columns no wider than `width` allows (0: as wide as they are). The event pointers, which
// are for programs, are left out.
std::string table_of(const base::Json& progress, std::size_t width);
// The query's line with a mark under what is wrong in it; offsets in characters.
std::string marked(const std::string& query, std::size_t begin, std::size_t end);

}  // namespace securebase::cli
