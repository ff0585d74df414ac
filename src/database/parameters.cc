#include "database/parameters.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdlib>
#include <set>

#include "database/settings_table.h"
#include "stack/stack.h"

namespace securebase::database {

namespace {

std::string_view take(std::string_view& text, char end) {
  const auto at = std::min(text.find(end), text.size());
  const auto part = text.substr(0, at);
  text.remove_prefix(std::min(at + 1, text.size()));
  return part;
}

std::vector<Setting> read_table() {
  std::vector<Setting> all;
  for (std::string_view text = kSettingsTable; !text.empty();) {
    std::string_view line = take(text, '\n');
    if (line.empty()) continue;
    Setting one;
    one.name = take(line, '|');
    const auto context = take(line, '|');
    one.takes = context == "internal"     ? Setting::Takes::kNothing
                : context == "postmaster" ? Setting::Takes::kRestart
                                          : Setting::Takes::kReload;
    one.type = take(line, '|');
    one.unit = take(line, '|');
    one.low = take(line, '|');
    one.high = take(line, '|');
    one.words = take(line, '|');
    all.push_back(one);
  }
  return all;
}

std::string lower(std::string_view text) {
  std::string lowered(text);
  std::transform(lowered.begin(), lowered.end(), lowered.begin(), [](unsigned char c) { return std::tolower(c); });
  return lowered;
}

// A unit in the smallest one of its kind (bytes, microseconds); nullopt: none of that kind.
std::optional<double> unit_size(std::string_view unit, bool time) {
  static const std::map<std::string_view, double> kBytes = {{"B", 1},        {"kB", 1024},       {"8kB", 8192},
                                                            {"MB", 1048576}, {"GB", 1073741824}, {"TB", 1099511627776}};
  static const std::map<std::string_view, double> kTimes = {{"us", 1},    {"ms", 1e3},  {"s", 1e6},
                                                            {"min", 6e7}, {"h", 3.6e9}, {"d", 8.64e10}};
  const auto& table = time ? kTimes : kBytes;
  const auto found = table.find(unit);
  return found == table.end() ? std::nullopt : std::optional(found->second);
}

bool is_time(std::string_view unit) { return unit == "ms" || unit == "s" || unit == "min"; }

// "64MB" in the setting's unit.
std::optional<double> number_in_unit(const Setting& setting, std::string_view value) {
  const std::string text(value);
  char* end = nullptr;
  const double number = std::strtod(text.c_str(), &end);
  if (end == text.c_str() || !std::isfinite(number)) return std::nullopt;
  std::string_view unit(end);
  while (!unit.empty() && unit.front() == ' ') unit.remove_prefix(1);
  while (!unit.empty() && unit.back() == ' ') unit.remove_suffix(1);
  if (unit.empty()) {
    const bool whole = setting.type == "real" || number == std::trunc(number);
    return whole ? std::optional(number) : std::nullopt;
  }
  if (setting.unit.empty()) return std::nullopt;
  const auto given = unit_size(unit, is_time(setting.unit));
  const auto own = unit_size(setting.unit, is_time(setting.unit));
  if (!given || !own) return std::nullopt;
  return number * *given / *own;
}

bool is_truth(std::string_view value) {
  static const std::set<std::string, std::less<>> kWords = {"on", "off", "true", "false", "yes", "no", "1", "0"};
  return kWords.contains(lower(value));
}

bool fits(const Setting& setting, std::string_view value) {
  if (setting.type == "bool") return is_truth(value);
  if (setting.type == "enum") {
    const std::string word = lower(value);
    for (std::string_view words = setting.words; !words.empty();) {
      if (take(words, ',') == word) return true;
    }
    return is_truth(value);  // several take these too, by names that pg_settings does not list
  }
  if (setting.type == "integer" || setting.type == "real") {
    const auto number = number_in_unit(setting, value);
    return number && *number >= std::atof(std::string(setting.low).c_str()) &&
           *number <= std::atof(std::string(setting.high).c_str());
  }
  return true;
}

std::string expected(const Setting& setting) {
  if (setting.type == "bool") return "on or off";
  if (setting.type == "enum") return fmt::format("one of {}", setting.words);
  return fmt::format("{} from {} to {}{}{}", setting.type == "real" ? "a number" : "a whole number", setting.low,
                     setting.high, setting.unit.empty() ? "" : " in units of ", setting.unit);
}

}  // namespace

std::string Setting::allowed() const {
  if (type == "bool") return "0,1";
  if (type == "enum") return std::string(words);
  return low.empty() ? "" : fmt::format("{}-{}", low, high);
}

const std::vector<Setting>& settings() {
  static const std::vector<Setting> kAll = read_table();
  return kAll;
}

const Setting* find_setting(std::string_view name) {
  const std::string wanted = lower(name);
  // The table has the order of pg_settings, whose names are mixed in case ("TimeZone").
  const auto found =
      std::find_if(settings().begin(), settings().end(), [&](const Setting& one) { return lower(one.name) == wanted; });
  return found == settings().end() ? nullptr : &*found;
}

bool is_platforms_own(std::string_view name) {
  static const std::set<std::string, std::less<>> kOwn = {"listen_addresses",
                                                          "port",
                                                          "unix_socket_directories",
                                                          "unix_socket_permissions",
                                                          "unix_socket_group",
                                                          "hba_file",
                                                          "ident_file",
                                                          "config_file",
                                                          "data_directory",
                                                          "external_pid_file",
                                                          "ssl",
                                                          "ssl_cert_file",
                                                          "ssl_key_file",
                                                          "ssl_ca_file",
                                                          "ssl_crl_file",
                                                          "password_encryption",
                                                          "logging_collector",
                                                          "log_destination",
                                                          "log_line_prefix",
                                                          "log_timezone",
                                                          "lc_messages",
                                                          "syslog_ident",
                                                          "fsync",
                                                          "full_page_writes",
                                                          "archive_command",
                                                          "archive_library",
                                                          "restore_command",
                                                          "archive_cleanup_command",
                                                          "recovery_end_command",
                                                          "ssl_passphrase_command",
                                                          "dynamic_library_path",
                                                          "krb_server_keyfile",
                                                          "restart_after_crash"};
  return kOwn.contains(lower(name));
}

std::string_view why_not_honoured(std::string_view name) {
  if (!name.starts_with("rds.")) return "";
  if (name == "rds.force_ssl") return "clients come in by TLS only, whatever it says";
  return "RDS's own, not PostgreSQL's";
}

Result<Done> check_parameter(std::string_view name, std::string_view value) {
  if (is_platforms_own(name)) {
    return Error{Errc::kDenied, fmt::format("the parameter {} is the platform's own.", name)};
  }
  const Setting* setting = find_setting(name);
  if (setting == nullptr) {
    if (name.find('.') != std::string_view::npos) return Done{};
    std::vector<std::string> names;
    for (const auto& one : settings()) names.emplace_back(one.name);
    const std::string near = stack::closest(name, names);
    return Error{Errc::kNotFound, fmt::format("PostgreSQL 15 has no parameter \"{}\".{}", name,
                                              near.empty() ? "" : fmt::format(" Did you mean \"{}\"?", near))};
  }
  if (setting->takes == Setting::Takes::kNothing) {
    return Error{Errc::kDenied, fmt::format("the parameter {} tells, and cannot be set.", name)};
  }
  if (fits(*setting, value)) return Done{};
  return Error{Errc::kMalformed, fmt::format("{} is \"{}\"; expected {}.", name, value, expected(*setting))};
}

}  // namespace securebase::database
