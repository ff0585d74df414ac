// The parameters of the families postgres15 and aurora-postgresql15: the settings of PostgreSQL 15 that are not the
// platform's own.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace securebase::database {

// One row of pg_settings.
struct Setting {
  enum class Takes { kNothing, kRestart, kReload };  // what a change of it needs; kNothing: nobody can change it
  std::string_view name;
  Takes takes = Takes::kReload;
  std::string_view type;  // "bool", "integer", "real", "string", "enum"
  std::string_view unit;  // "8kB", "kB", "MB", "B", "ms", "s", "min" or ""
  std::string_view low;   // of numbers
  std::string_view high;
  std::string_view words;  // of enumerations, divided by commas

  std::string allowed() const;  // "0-262143", "debug5,debug4,..." as RDS writes it
};
const std::vector<Setting>& settings();
const Setting* find_setting(std::string_view name);

// An error names the parameter and says what it takes; kNotFound with a suggestion, kDenied when it is the platform's
// own. Names with a dot are extensions' own and pass.
Result<Done> check_parameter(std::string_view name, std::string_view value);
// How the platform reaches the server, and how nobody else does.
bool is_platforms_own(std::string_view name);
// "rds." parameters: known, and not acted on; the reason. Empty for all others.
std::string_view why_not_honoured(std::string_view name);

}  // namespace securebase::database
