// Reads members of a script's maps with their types, and gathers everything that is wrong instead of stopping at the
// first: each message has file, line and column, the key, what was expected and what came.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "load/artillery/node.h"
#include "load/artillery/script.h"

namespace securebase::load::artillery {

class Reading {
 public:
  static constexpr std::size_t kMostErrors = 20;
  // kPassed: of what a program made, which may have keys of its own.
  enum class UnknownKeys { kSaid, kPassed };
  explicit Reading(UnknownKeys unknown_keys = UnknownKeys::kSaid) : unknown_keys_(unknown_keys) {}

  void error(const Place& place, std::string_view message);
  void warn(const Place& place, std::string_view message);
  bool failed() const { return !errors_.empty(); }
  Error failure() const;
  std::vector<std::string> warnings() const { return warnings_; }

  // `where` is the path of the map for messages ("config.phases[0]"). A key that is not known is an error when it looks
  // like a misspelt one, else a warning: plugins and later versions have keys of their own.
  void check_keys(const Node& map, std::string_view where, const std::vector<std::string_view>& known);
  bool expect_map(const Node& node, std::string_view where);
  bool expect_list(const Node& node, std::string_view where);

  // The member, or nullopt when it is not there; a wrong type is an error and nullopt. Numbers and booleans may be
  // text, as they are when they come from the environment.
  std::optional<std::string> text(const Node& map, std::string_view where, std::string_view key);
  std::optional<double> number(const Node& map, std::string_view where, std::string_view key, double least = 0);
  std::optional<bool> boolean(const Node& map, std::string_view where, std::string_view key);
  std::vector<std::string> texts(const Node& map, std::string_view where, std::string_view key);  // one, or a list

  std::optional<double> as_number(const Node& node, std::string_view where, double least);
  // Seconds, or text with a unit: 60, "60", "5m", "1.5 hours".
  std::optional<std::chrono::nanoseconds> as_duration(const Node& node, std::string_view where);

  // An error when its template does not compile.
  Template as_template(const Node& node, std::string_view where);
  TemplateValue as_template_value(const Node& node, std::string_view where);
  TemplateList as_template_list(const Node& node, std::string_view where, bool lower_case);

 private:
  const UnknownKeys unknown_keys_;
  std::vector<std::string> errors_;
  std::size_t more_errors_ = 0;
  std::vector<std::string> warnings_;
};

// As npm's ms, but a bare number is seconds. nullopt: no duration, or a negative one, or more than a year.
std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text);
std::optional<Jitter> parse_jitter(std::string_view text);

// The parts of the reader, each in the file of its name.
void read_config(const Node& config, Reading& reading, Script& script);
Scenario read_scenario(const Node& node, const std::string& where, std::size_t index, Reading& reading,
                       const Config& config);
std::vector<Step> read_flow(const Node& node, const std::string& where, Reading& reading, const Config& config);
RequestStep read_request(const std::string& method, const Node& node, const std::string& where, Reading& reading,
                         const Config& config);
void read_captures(const Node& request, const std::string& where, Reading& reading, RequestStep& step);
void read_expectations(const Node& request, const std::string& where, Reading& reading, RequestStep& step);

}  // namespace securebase::load::artillery
