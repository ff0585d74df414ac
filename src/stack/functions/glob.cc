#include "stack/functions/glob.h"

#include <re2/re2.h>

#include <string>

namespace securebase::stack {

namespace {

std::string expression_of(std::string_view pattern) {
  std::string out;
  int braces = 0;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (pattern.substr(i).starts_with("**/")) {
      out += "(?:[^/]+/)*";
      i += 2;
    } else if (pattern.substr(i).starts_with("**")) {
      out += ".*";
      i += 1;
    } else if (c == '*') {
      out += "[^/]*";
    } else if (c == '?') {
      out += "[^/]";
    } else if (c == '{') {
      out += "(?:";
      ++braces;
    } else if (c == '}' && braces > 0) {
      out += ")";
      --braces;
    } else if (c == ',' && braces > 0) {
      out += "|";
    } else if (c == '[' && pattern.find(']', i + 1) != std::string_view::npos) {
      const std::size_t end = pattern.find(']', i + 1);
      out += pattern.substr(i, end - i + 1);
      i = end;
    } else {
      if (c == '\\' && i + 1 < pattern.size()) ++i;
      out += RE2::QuoteMeta(re2::StringPiece(&pattern[i], 1));
    }
  }
  return out;
}

}  // namespace

bool glob_matches(std::string_view pattern, std::string_view path) {
  RE2::Options options(RE2::Quiet);
  options.set_dot_nl(true);
  options.set_encoding(RE2::Options::EncodingLatin1);
  const RE2 expression(expression_of(pattern), options);
  return expression.ok() && RE2::FullMatch(re2::StringPiece(path.data(), path.size()), expression);
}

}  // namespace securebase::stack
