#include <fmt/format.h>

#include <charconv>

#include "load/artillery/json_path_step.h"

namespace securebase::load::artillery {
namespace {

using PathStep = JsonPath::Step;
using PathFilter = JsonPath::Filter;
using PathFilterPointer = std::shared_ptr<const PathFilter>;

class JsonPathParser {
 public:
  JsonPathParser(std::string_view text, const JsonPath::Limits& limits) : text_(text), limits_(limits) {}

  Result<std::vector<PathStep>> read() {
    std::vector<PathStep> steps;
    if (peek() == '$') ++at_;
    // "a.b" stands for "$.a.b".
    else if (!done() && peek() != '[' && peek() != '.') {
      auto step = read_name(false);
      if (!step) return step.error();
      steps.push_back(std::move(*step));
    }
    while (!done()) {
      bool anywhere = false;
      if (peek() == '.') {
        ++at_;
        if (peek() == '.') ++at_, anywhere = true;
        if (done()) return wrong("expected a name, * or [ after the dot");
      }
      auto step = peek() == '[' ? read_brackets() : read_name(anywhere);
      if (!step) return step.error();
      step->anywhere = anywhere;
      steps.push_back(std::move(*step));
    }
    return steps;
  }

 private:
  bool done() const { return at_ >= text_.size(); }
  char peek() const { return done() ? '\0' : text_[at_]; }
  bool take(std::string_view what) {
    if (!text_.substr(at_).starts_with(what)) return false;
    at_ += what.size();
    return true;
  }
  void blanks() {
    while (peek() == ' ' || peek() == '\t') ++at_;
  }
  Error wrong(std::string_view what) const {
    return Error{Errc::kMalformed, fmt::format("\"{}\" is no JSONPath: {} (at character {})", text_, what, at_ + 1)};
  }

  Result<PathStep> read_name(bool anywhere) {
    PathStep step;
    if (take("*")) {
      step.kind = PathStep::Kind::kAll;
      return step;
    }
    if (peek() == '^' || peek() == '~' || peek() == '@') {
      return wrong(fmt::format("{} (parents, names and types) is not supported", peek()));
    }
    std::string name;
    while (!done() && std::string_view(".[^~").find(peek()) == std::string_view::npos) name += text_[at_++];
    if (name.empty()) return wrong(anywhere ? "expected a name after .." : "expected a name");
    step.names.push_back(std::move(name));
    return step;
  }

  std::optional<std::int64_t> whole_number() {
    std::int64_t number = 0;
    const auto got = std::from_chars(text_.data() + at_, text_.data() + text_.size(), number);
    if (got.ec != std::errc{}) return std::nullopt;
    at_ = static_cast<std::size_t>(got.ptr - text_.data());
    return number;
  }

  Result<std::string> quoted() {
    const char quote = text_[at_++];
    std::string value;
    for (; !done() && peek() != quote; ++at_) {
      if (peek() == '\\' && at_ + 1 < text_.size()) ++at_;
      value += peek();
    }
    if (done()) return wrong("a quote is not closed");
    ++at_;
    return value;
  }

  Result<PathStep> read_brackets() {
    ++at_;
    blanks();
    PathStep step;
    if (take("?")) {
      blanks();
      auto filter = read_filter_in_brackets();
      if (!filter) return filter.error();
      step.kind = PathStep::Kind::kFilter;
      step.filter = std::move(*filter);
    } else if (take("(")) {
      if (auto got = read_from_last(step); !got) return got.error();
    } else if (take("*")) {
      step.kind = PathStep::Kind::kAll;
    } else if (peek() == '\'' || peek() == '"') {
      do {
        blanks();
        if (peek() != '\'' && peek() != '"') return wrong("expected a name in quotes");
        auto name = quoted();
        if (!name) return name.error();
        step.names.push_back(std::move(*name));
        blanks();
      } while (take(","));
    } else if (auto got = read_numbers(step); !got) {
      return got.error();
    }
    blanks();
    if (!take("]")) return wrong("expected ]");
    return step;
  }

  // (@.length-1): the one script that paths have in the wild.
  Result<Done> read_from_last(PathStep& step) {
    blanks();
    if (!take("@.length")) return wrong("only (@.length-n) is supported in [( )]");
    blanks();
    if (take("-")) {
      blanks();
      const auto number = whole_number();
      if (!number || *number < 0) return wrong("expected a number after @.length-");
      step.from_last = *number;
    }
    blanks();
    if (!take(")")) return wrong("expected )");
    step.kind = PathStep::Kind::kFromLast;
    return Done{};
  }

  Result<Done> read_numbers(PathStep& step) {
    step.kind = PathStep::Kind::kIndices;
    auto first = whole_number();
    blanks();
    if (peek() == ':') {
      step.kind = PathStep::Kind::kSlice;
      step.begin = first;
      ++at_;
      blanks();
      step.end = whole_number();
      blanks();
      if (take(":")) {
        blanks();
        step.stride = whole_number().value_or(1);
        if (step.stride < 1) return wrong("a slice's step is at least 1");
      }
      return Done{};
    }
    if (!first) {
      // [name], [name,name] without quotes.
      step.kind = PathStep::Kind::kNames;
      do {
        std::string name;
        while (!done() && peek() != ']' && peek() != ',') name += text_[at_++];
        if (name.empty()) return wrong("expected a number, a name in quotes, *, or ?( in the brackets");
        step.names.push_back(std::move(name));
      } while (take(","));
      return Done{};
    }
    step.indices.push_back(*first);
    while (take(",")) {
      blanks();
      const auto number = whole_number();
      if (!number) return wrong("expected a number after the comma");
      step.indices.push_back(*number);
      blanks();
    }
    return Done{};
  }

  Result<PathFilterPointer> read_filter_in_brackets() {
    if (!take("(")) return wrong("expected ?( and a condition");
    auto filter = read_or(0);
    if (!filter) return filter;
    blanks();
    if (!take(")")) return wrong("expected ) of the filter, or && or ||");
    return filter;
  }

  static PathFilterPointer join(PathFilter::Kind kind, PathFilterPointer left, PathFilterPointer right) {
    auto joined = std::make_shared<PathFilter>();
    joined->kind = kind;
    joined->parts = {std::move(left), std::move(right)};
    return joined;
  }

  Result<PathFilterPointer> read_or(int depth) {
    auto left = read_and(depth);
    for (int links = 0; left; ++links) {
      blanks();
      if (!take("||")) break;
      if (links + depth > limits_.depth) return wrong("the filter is too long");
      auto right = read_and(depth);
      if (!right) return right;
      left = join(PathFilter::Kind::kOr, *left, *right);
    }
    return left;
  }

  Result<PathFilterPointer> read_and(int depth) {
    auto left = read_condition(depth);
    for (int links = 0; left; ++links) {
      blanks();
      if (!take("&&")) break;
      if (links + depth > limits_.depth) return wrong("the filter is too long");
      auto right = read_condition(depth);
      if (!right) return right;
      left = join(PathFilter::Kind::kAnd, *left, *right);
    }
    return left;
  }

  Result<PathFilterPointer> read_condition(int depth) {
    if (depth > limits_.depth) return wrong("the filter has too many brackets");
    blanks();
    if (peek() == '!' && !text_.substr(at_).starts_with("!=")) {
      ++at_;
      auto inner = read_condition(depth + 1);
      if (!inner) return inner;
      auto negated = std::make_shared<PathFilter>();
      negated->kind = PathFilter::Kind::kNot;
      negated->parts = {std::move(*inner)};
      return PathFilterPointer(negated);
    }
    if (take("(")) {
      auto inner = read_or(depth + 1);
      if (!inner) return inner;
      blanks();
      if (!take(")")) return wrong("expected )");
      return inner;
    }
    if (peek() == '/') return read_test();
    auto left = read_operand();
    if (!left) return left;
    blanks();
    if (take(".includes(")) return read_part(*left, "", "");
    if (take(".startsWith(")) return read_part(*left, "^", "");
    if (take(".endsWith(")) return read_part(*left, "", "$");
    if (take("=~") || take(".match(")) return read_match(*left, text_[at_ - 1] == '(');
    for (const std::string_view word : {"===", "!==", "==", "!=", "<=", ">=", "<", ">"}) {
      if (!take(word)) continue;
      auto right = read_operand();
      if (!right) return right;
      auto made = std::make_shared<PathFilter>();
      made->kind = PathFilter::Kind::kCompare;
      made->comparison = std::string(word);
      made->parts = {std::move(*left), std::move(*right)};
      return PathFilterPointer(made);
    }
    return left;
  }

  // /.../ and perhaps its i.
  Result<std::shared_ptr<const re2::RE2>> read_pattern() {
    blanks();
    if (!take("/")) return wrong("expected a regular expression: /.../");
    std::string source;
    for (; !done() && peek() != '/'; ++at_) {
      if (peek() == '\\' && at_ + 1 < text_.size()) source += text_[at_++];
      source += peek();
    }
    if (!take("/")) return wrong("the regular expression is not closed");
    re2::RE2::Options options(re2::RE2::Quiet);
    if (take("i")) options.set_case_sensitive(false);
    auto pattern = std::make_shared<const re2::RE2>(source, options);
    if (!pattern->ok()) return wrong(fmt::format("/{}/: {}", source, pattern->error()));
    return pattern;
  }

  static PathFilterPointer matching(std::shared_ptr<const re2::RE2> pattern, PathFilterPointer of) {
    auto made = std::make_shared<PathFilter>();
    made->kind = PathFilter::Kind::kMatch;
    made->pattern = std::move(pattern);
    made->parts = {std::move(of)};
    return made;
  }

  Result<PathFilterPointer> read_match(PathFilterPointer left, bool bracket) {
    auto pattern = read_pattern();
    if (!pattern) return pattern.error();
    blanks();
    if (bracket && !take(")")) return wrong("expected ) of match(");
    return matching(std::move(*pattern), std::move(left));
  }

  // /.../.test(@.name)
  Result<PathFilterPointer> read_test() {
    auto pattern = read_pattern();
    if (!pattern) return pattern.error();
    if (!take(".test(")) return wrong("expected .test( after the regular expression");
    auto of = read_operand();
    if (!of) return of;
    blanks();
    if (!take(")")) return wrong("expected ) of test(");
    return matching(std::move(*pattern), std::move(*of));
  }

  // 'text') of includes(, startsWith( and endsWith(.
  Result<PathFilterPointer> read_part(PathFilterPointer left, std::string_view before, std::string_view behind) {
    blanks();
    if (peek() != '\'' && peek() != '"') return wrong("expected a text in quotes");
    auto text = quoted();
    if (!text) return text.error();
    blanks();
    if (!take(")")) return wrong("expected ) after the text");
    if (before.empty() && behind.empty()) {
      auto made = std::make_shared<PathFilter>();
      made->kind = PathFilter::Kind::kIncludes;
      made->constant = *text;
      made->parts = {std::move(left)};
      return PathFilterPointer(made);
    }
    const auto source = fmt::format("{}{}{}", before, re2::RE2::QuoteMeta(*text), behind);
    return matching(std::make_shared<const re2::RE2>(source, re2::RE2::Quiet), std::move(left));
  }

  Result<PathFilterPointer> read_operand() {
    blanks();
    auto made = std::make_shared<PathFilter>();
    if (peek() == '\'' || peek() == '"') {
      auto text = quoted();
      if (!text) return text.error();
      made->constant = *text;
      return PathFilterPointer(made);
    }
    if (take("true")) return made->constant = true, PathFilterPointer(made);
    if (take("false")) return made->constant = false, PathFilterPointer(made);
    if (take("null")) return PathFilterPointer(made);
    if (take("undefined")) return made->kind = PathFilter::Kind::kUndefined, PathFilterPointer(made);
    if (peek() == '@') return read_filter_path(made);
    double number = 0;
    const auto got = std::from_chars(text_.data() + at_, text_.data() + text_.size(), number);
    if (got.ec != std::errc{}) {
      return wrong("a filter compares paths (@.name), numbers, texts, true, false and null");
    }
    at_ = static_cast<std::size_t>(got.ptr - text_.data());
    made->constant = number;
    return PathFilterPointer(made);
  }

  Result<PathFilterPointer> read_filter_path(const std::shared_ptr<PathFilter>& made) {
    ++at_;
    made->kind = PathFilter::Kind::kPath;
    for (;;) {
      bool function = false;
      for (const char* known : {".match(", ".includes(", ".startsWith(", ".endsWith("}) {
        function = function || text_.substr(at_).starts_with(known);
      }
      if (function) break;
      if (take(".")) {
        std::string name;
        while (!done() && std::string_view(" \t.[]()=!<>&|~,'\"+-*/%").find(peek()) == std::string_view::npos)
          name += text_[at_++];
        if (name.empty()) return wrong("expected a name after @.");
        if (peek() == '(') return wrong(fmt::format("the function {}() is not supported in a filter", name));
        if (peek() != '\0' && std::string_view("+-*/%").find(peek()) != std::string_view::npos)
          return wrong("a filter does not compute: compare a path with a value");
        made->steps.push_back(std::move(name));
      } else if (peek() == '[') {
        ++at_;
        if (peek() == '\'' || peek() == '"') {
          auto name = quoted();
          if (!name) return name.error();
          made->steps.push_back(std::move(*name));
        } else {
          const auto index = whole_number();
          if (!index || *index < 0) return wrong("expected a number or a name in quotes");
          made->steps.push_back(std::to_string(*index));
        }
        if (!take("]")) return wrong("expected ]");
      } else {
        break;
      }
    }
    return PathFilterPointer(made);
  }

  const std::string_view text_;
  const JsonPath::Limits& limits_;
  std::size_t at_ = 0;
};

}  // namespace

Result<std::vector<JsonPath::Step>> parse_json_path(std::string_view text, const JsonPath::Limits& limits) {
  if (text.size() > limits.text_bytes) {
    return Error{Errc::kLimit, fmt::format("a JSONPath has at most {} bytes", limits.text_bytes)};
  }
  if (text.empty()) return Error{Errc::kMalformed, "the JSONPath is empty: $ is the whole document"};
  return JsonPathParser(text, limits).read();
}

}  // namespace securebase::load::artillery
