#include "logs/insights/regex.h"

#include <fmt/format.h>

#include <vector>

namespace securebase::logs::insights {

namespace {

// A program of RE2 in memory, its states included. As much as one query may make us hold a regular expression.
constexpr std::int64_t kRegexMemory = 8 << 20;

std::string with_named_groups(const std::string& pattern) {
  std::string made;
  bool bracketed = false;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    made.push_back(c);
    if (c == '\\' && i + 1 < pattern.size()) {
      made.push_back(pattern[++i]);
    } else if (bracketed) {
      bracketed = c != ']';
    } else if (c == '[') {
      bracketed = true;
    } else if (pattern.compare(i, 3, "(?<") == 0 && i + 3 < pattern.size() && pattern[i + 3] != '=' &&
               pattern[i + 3] != '!') {
      made += "?P";
      ++i;
    }
  }
  return made;
}

bool is_punctuation(char c) {
  return std::string_view(".^$*+?()[]{}|\\/-\"'=:,;<>@#%&_~! ").find(c) != std::string_view::npos;
}

}  // namespace

Regex::Regex(std::unique_ptr<re2::RE2> expression, const std::string& pattern)
    : expression_(std::move(expression)),
      sequence_(SequenceRegex::compile(pattern)),
      required_(required_text(pattern)) {
  sequence_alone_ = sequence_ && sequence_->lead() && sequence_->lead()->needle() == required_.needle();
}

Result<Regex> Regex::compile(const std::string& pattern) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kRegexMemory);
  auto made = std::make_unique<re2::RE2>(with_named_groups(pattern), options);
  if (made->ok()) return Regex(std::move(made), pattern);
  const bool around = pattern.find("(?=") != std::string::npos || pattern.find("(?!") != std::string::npos ||
                      pattern.find("(?<=") != std::string::npos || pattern.find("(?<!") != std::string::npos;
  return Error{Errc::kMalformed, fmt::format("the regular expression is not one of RE2: {}{}", made->error(),
                                             around ? "; there is no look-ahead and no look-behind" : "")};
}

std::optional<Regex::Around> Regex::around() const {
  constexpr std::size_t kMostAround = 256;  // beyond it most of a line is needed anyway
  if (!sequence_ || !sequence_->lead() || sequence_->most_bytes().value_or(kMostAround + 1) > kMostAround) {
    return std::nullopt;
  }
  return Around{*sequence_->lead(), *sequence_->most_bytes()};
}

bool Regex::is_in(std::string_view text) const { return match(text, {}); }

bool Regex::match(std::string_view text, std::span<std::string_view> found) const {
  if (!sequence_alone_ && !required_.in(text)) return false;
  if (sequence_) {
    const auto said = sequence_->match(text, found);
    if (said != SequenceRegex::Found::kAskOther) return said == SequenceRegex::Found::kYes;
    if (sequence_alone_ && !required_.in(text)) return false;
  }
  thread_local std::vector<re2::StringPiece> pieces;
  pieces.resize(found.size());
  if (!expression_->Match({text.data(), text.size()}, 0, text.size(), re2::RE2::UNANCHORED, pieces.data(),
                          static_cast<int>(pieces.size()))) {
    return false;
  }
  for (std::size_t i = 0; i < found.size(); ++i) {
    found[i] = pieces[i].data() == nullptr ? std::string_view() : std::string_view(pieces[i].data(), pieces[i].size());
  }
  return true;
}

std::string required_text(const std::string& pattern) {
  std::string best;
  std::string run;
  const auto end_run = [&] {
    if (run.size() > best.size()) best = run;
    run.clear();
  };
  std::size_t depth = 0;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    char c = pattern[i];
    if (pattern.compare(i, 2, "(?") == 0 && i + 2 < pattern.size() && pattern[i + 2] != ':' && pattern[i + 2] != '<' &&
        pattern[i + 2] != 'P') {
      return {};  // flags may change what letters mean
    }
    if (c == '|' && depth == 0) return {};
    if (c == '(') {
      end_run();
      ++depth;
      continue;
    }
    if (c == ')') {
      end_run();
      if (depth > 0) --depth;
      continue;
    }
    if (c == '[') {  // a class; "]" right behind the bracket belongs to it
      end_run();
      i += i + 1 < pattern.size() && pattern[i + 1] == '^' ? 2 : 1;
      if (i < pattern.size() && pattern[i] == ']') ++i;
      while (i < pattern.size() && pattern[i] != ']') i += pattern[i] == '\\' ? 2 : 1;
      continue;
    }
    if (c == '*' || c == '?' || c == '{') {  // what stands before may be absent
      if (!run.empty()) run.pop_back();
      while (!run.empty() && (static_cast<unsigned char>(run.back()) & 0x80) != 0) run.pop_back();  // of a UTF-8 letter
      end_run();
      if (c == '{') {
        while (i < pattern.size() && pattern[i] != '}') ++i;
      }
      continue;
    }
    if (c == '+' || c == '.' || c == '^' || c == '$') {
      end_run();
      continue;
    }
    if (c == '\\') {
      if (i + 1 == pattern.size() || !is_punctuation(pattern[i + 1])) {
        if (i + 1 < pattern.size() && pattern[i + 1] == 'Q') return {};
        end_run();
        ++i;
        // Arguments of \pN, \x41, \x{...} would be taken for text: the run after them is not known to be required.
        if (i < pattern.size() && std::string_view("bBdDwWsSnrtAz").find(pattern[i]) == std::string_view::npos) {
          return best;
        }
        continue;
      }
      c = pattern[++i];
    }
    if (depth == 0) run.push_back(c);
  }
  end_run();
  return best;
}

}  // namespace securebase::logs::insights
