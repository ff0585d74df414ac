// Regular expressions of a query: RE2, which takes what the original's Hyperscan takes, in time linear to the text.
#pragma once

#include <re2/re2.h>

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace securebase::logs::insights {

// kMalformed: what RE2 says about it. Group names may be written (?<name>...), which this RE2 knows as (?P<name>...).
Result<std::unique_ptr<re2::RE2>> compile_regex(const std::string& pattern);

// A text that everything the expression matches contains; empty: none is known. Found without a case-insensitive flag
// only, and outside groups and alternatives.
std::string required_text(const std::string& pattern);

}  // namespace securebase::logs::insights
