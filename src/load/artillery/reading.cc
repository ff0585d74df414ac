#include "load/artillery/reading.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "load/artillery/spelling.h"

namespace securebase::load::artillery {
namespace {

std::optional<double> number_in(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  double number = 0;
  const auto got = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || got.ec != std::errc{} || got.ptr != text.data() + text.size() || !std::isfinite(number))
    return {};
  return number;
}

}  // namespace

void Reading::error(const Place& place, std::string_view message) {
  if (errors_.size() < kMostErrors) {
    errors_.push_back(fmt::format("{}: {}", place.text(), message));
  } else {
    ++more_errors_;
  }
}

void Reading::warn(const Place& place, std::string_view message) {
  if (warnings_.size() < kMostErrors) warnings_.push_back(fmt::format("{}: {}", place.text(), message));
}

Error Reading::failure() const {
  std::string all;
  for (const auto& one : errors_) all += fmt::format("{}{}", all.empty() ? "" : "\n", one);
  if (more_errors_ > 0) all += fmt::format("\nand {} more", more_errors_);
  return Error{Errc::kMalformed, all};
}

void Reading::check_keys(const Node& map, std::string_view where, const std::vector<std::string_view>& known) {
  if (unknown_keys_ == UnknownKeys::kPassed) return;
  for (const auto& member : map.members) {
    if (std::find(known.begin(), known.end(), member.key) != known.end()) continue;
    const std::string suggestion = did_you_mean(member.key, known);
    if (suggestion.empty()) {
      warn(member.place, fmt::format("{}: the key {} is not known here, and does nothing", where, member.key));
    } else {
      error(member.place, fmt::format("{}: unknown key {}{}", where, member.key, suggestion));
    }
  }
}

bool Reading::expect_map(const Node& node, std::string_view where) {
  if (node.is_map()) return true;
  error(node.place, fmt::format("{}: expected a map (key: value), and {} came", where, node.what()));
  return false;
}

bool Reading::expect_list(const Node& node, std::string_view where) {
  if (node.is_list()) return true;
  error(node.place, fmt::format("{}: expected a list, and {} came", where, node.what()));
  return false;
}

std::optional<std::string> Reading::text(const Node& map, std::string_view where, std::string_view key) {
  const Node* node = map.find(key);
  if (node == nullptr || node->is_null()) return std::nullopt;
  if (!node->is_scalar()) {
    error(node->place, fmt::format("{}.{}: expected text, and {} came", where, key, node->what()));
    return std::nullopt;
  }
  std::string out;
  append_as_text(&node->scalar, out);
  return out;
}

std::optional<double> Reading::as_number(const Node& node, std::string_view where, double least) {
  std::optional<double> number;
  if (node.is_scalar() && node.scalar.is_number()) number = node.scalar.number_or(0);
  if (node.is_scalar() && node.scalar.is_string()) number = number_in(*node.scalar.as_string());
  if (number && *number >= least) return number;
  error(node.place, fmt::format("{}: expected a number{}, and {} came", where,
                                least == 0  ? " from 0 on"
                                : least > 0 ? fmt::format(" from {} on", least)
                                            : "",
                                node.what()));
  return std::nullopt;
}

std::optional<double> Reading::number(const Node& map, std::string_view where, std::string_view key, double least) {
  const Node* node = map.find(key);
  if (node == nullptr || node->is_null()) return std::nullopt;
  return as_number(*node, fmt::format("{}.{}", where, key), least);
}

std::optional<bool> Reading::boolean(const Node& map, std::string_view where, std::string_view key) {
  const Node* node = map.find(key);
  if (node == nullptr || node->is_null()) return std::nullopt;
  if (node->is_scalar() && node->scalar.is_bool()) return node->scalar.bool_or(false);
  if (node->is_scalar() && node->scalar.string_or("") == "true") return true;
  if (node->is_scalar() && node->scalar.string_or("") == "false") return false;
  error(node->place, fmt::format("{}.{}: expected true or false, and {} came", where, key, node->what()));
  return std::nullopt;
}

std::vector<std::string> Reading::texts(const Node& map, std::string_view where, std::string_view key) {
  const Node* node = map.find(key);
  std::vector<std::string> all;
  if (node == nullptr || node->is_null()) return all;
  const auto take = [&](const Node& one) {
    if (one.is_scalar() && !one.is_null()) {
      std::string out;
      append_as_text(&one.scalar, out);
      all.push_back(std::move(out));
    } else {
      error(one.place, fmt::format("{}.{}: expected text or a list of texts, and {} came", where, key, one.what()));
    }
  };
  if (node->is_list()) {
    for (const auto& one : node->items) take(one);
  } else {
    take(*node);
  }
  return all;
}

std::optional<std::chrono::nanoseconds> Reading::as_duration(const Node& node, std::string_view where) {
  std::optional<std::chrono::nanoseconds> duration;
  if (node.is_scalar() && !node.is_null() && !node.scalar.is_bool()) {
    std::string text;
    append_as_text(&node.scalar, text);
    duration = parse_duration(text);
  }
  if (!duration) {
    error(node.place,
          fmt::format("{}: expected seconds (60) or a time with its unit (\"90s\", \"5m\", \"1h\"), and {} came", where,
                      node.what()));
  }
  return duration;
}

Template Reading::as_template(const Node& node, std::string_view where) {
  if (!node.is_scalar()) {
    error(node.place, fmt::format("{}: expected text, and {} came", where, node.what()));
    return {};
  }
  std::string text;
  if (!node.is_null()) append_as_text(&node.scalar, text);
  auto compiled = Template::compile(text);
  if (compiled) return std::move(*compiled);
  error(node.place, fmt::format("{}: {}", where, compiled.error().message));
  return {};
}

TemplateValue Reading::as_template_value(const Node& node, std::string_view where) {
  auto compiled = TemplateValue::compile(node.to_json());
  if (compiled) return std::move(*compiled);
  error(node.place, fmt::format("{}: {}", where, compiled.error().message));
  return {};
}

TemplateList Reading::as_template_list(const Node& node, std::string_view where, bool lower_case) {
  TemplateList list;
  if (!expect_map(node, where)) return list;
  for (const auto& member : node.members) {
    std::string name = member.key;
    if (lower_case) {
      for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    }
    list.emplace_back(std::move(name), as_template(member.value, fmt::format("{}.{}", where, member.key)));
  }
  return list;
}

std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text) {
  std::size_t digits = 0;
  while (digits < text.size() && ((text[digits] >= '0' && text[digits] <= '9') || text[digits] == '.')) ++digits;
  const auto count = number_in(text.substr(0, digits));
  if (!count) return std::nullopt;
  std::string unit;
  for (const char c : text.substr(digits)) {
    if (c != ' ') unit += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  }
  struct Unit {
    std::string_view names;
    double seconds;
  };
  static constexpr Unit kUnits[] = {
      {" s sec secs second seconds ", 1},
      {" ms msec msecs millisecond milliseconds ", 0.001},
      {" m min mins minute minutes ", 60},
      {" h hr hrs hour hours ", 3600},
      {" d day days ", 86'400},
      {" w week weeks ", 604'800},
  };
  if (unit.empty()) unit = "s";
  for (const auto& known : kUnits) {
    if (known.names.find(fmt::format(" {} ", unit)) == std::string_view::npos) continue;
    const double seconds = *count * known.seconds;
    if (seconds > 366 * 86'400.0) return std::nullopt;
    return std::chrono::nanoseconds(static_cast<std::int64_t>(std::llround(seconds * 1e9)));
  }
  return std::nullopt;
}

std::optional<Jitter> parse_jitter(std::string_view text) {
  const bool percent = text.ends_with('%');
  const auto amount = number_in(percent ? text.substr(0, text.size() - 1) : text);
  if (!amount || *amount < 0) return std::nullopt;
  return Jitter{*amount, percent};
}

}  // namespace securebase::load::artillery
