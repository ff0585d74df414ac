// Filter patterns (CloudWatch Logs user guide, "Filter pattern syntax"):
//
//   ERROR timeout "a phrase" -debug ?one ?other %regex%   texts that a message has, has not, has one of
//   [ip, user, ..., status = 4*, bytes > 1000]            a message of fields between spaces, "..." and [...] being one
//   { $.level = "ERROR" && ($.ms > 100 || $.tags[*] = x) } a JSON message
//
// Texts are found wherever they stand, upper and lower case apart. Values may have * at any place, or be %regex% (RE2).
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace securebase::logs {

class Pattern {
 public:
  static constexpr std::size_t kMostBytes = 1024;  // PutMetricFilter, filterPattern
  static constexpr std::size_t kMostConditions = 128;
  static constexpr std::size_t kMostLevels = 32;

  // kMalformed says what was expected and where. The empty pattern matches everything.
  static Result<Pattern> compile(std::string_view text);
  ~Pattern();
  Pattern(Pattern&&) noexcept;
  Pattern& operator=(Pattern&&) noexcept;

  // Any thread.
  bool matches(std::string_view message) const;
  bool matches_everything() const;
  // Texts that every message that matches has in it, as they stand: for whoever keeps an index.
  std::vector<std::string> texts() const;

  // What a metric takes from a message that matches: "$.latency" of JSON, "$bytes" of fields, anything else as it is.
  // nullopt: it is not there.
  std::optional<std::string> value(std::string_view selector, std::string_view message) const;
  // By selector, what the pattern looked at in a message that matches (TestMetricFilter's extractedValues).
  std::map<std::string, std::string> extracted(std::string_view message) const;

  struct Node;

 private:
  Pattern();
  std::unique_ptr<Node> node_;
};

// The value of a selector "$.a.b[0]" in JSON; null: it is not there. `[*]` is the first element that is there.
const base::Json* json_at(const base::Json& root, std::string_view selector);

}  // namespace securebase::logs
