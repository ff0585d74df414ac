// Regular expressions of a query: RE2, which takes what the original's Hyperscan takes, in time linear to the text; in
// front of it what is faster where it does: a text that has to be there, and SequenceRegex.
#pragma once

#include <re2/re2.h>

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "logs/insights/find_text.h"
#include "logs/insights/sequence_regex.h"

namespace securebase::logs::insights {

// Immutable: any thread.
class Regex {
 public:
  // kMalformed: what RE2 says about it. Group names may be written (?<name>...), which this RE2 knows as (?P<name>...).
  static Result<Regex> compile(const std::string& pattern);

  int groups() const { return expression_->NumberOfCapturingGroups(); }
  const std::map<int, std::string>& names() const { return expression_->CapturingGroupNames(); }
  bool is_in(std::string_view text) const;
  // `found` has the whole match and as many groups as it has room for; a group that took no part is null.
  bool match(std::string_view text, std::span<std::string_view> found) const;

  // Where whether there is a match is seen in what begins with a text and is no longer than so many bytes.
  struct Around {
    const TextFinder& lead;
    std::size_t bytes;
  };
  std::optional<Around> around() const;
  // Of a part that has all places of the lead with the bytes that it asks for. kAskOther: the whole text has to be
  // asked.
  SequenceRegex::Found is_in_part(std::string_view part) const { return sequence_->match(part, {}); }

 private:
  Regex(std::unique_ptr<re2::RE2> expression, const std::string& pattern);
  std::unique_ptr<re2::RE2> expression_;
  std::optional<SequenceRegex> sequence_;
  TextFinder required_;
  bool sequence_alone_ = false;  // asks no less of a text than required_
};

// A text that everything the expression matches contains; empty: none is known. Found without a case-insensitive flag
// only, and outside groups and alternatives.
std::string required_text(const std::string& pattern);

}  // namespace securebase::logs::insights
