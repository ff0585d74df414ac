#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "traces/filter/syntax.h"

namespace securebase::traces {

namespace {

using Expression = Filter::Expression;
using Pointer = std::unique_ptr<Expression>;

enum class ValueKind { kBool, kNumber, kText };
struct Keyword {
  std::string_view name;
  Subject subject;
  ValueKind kind;
};
constexpr std::array kKeywords = {
    Keyword{"ok", Subject::kOk, ValueKind::kBool},
    Keyword{"error", Subject::kError, ValueKind::kBool},
    Keyword{"throttle", Subject::kThrottle, ValueKind::kBool},
    Keyword{"fault", Subject::kFault, ValueKind::kBool},
    Keyword{"partial", Subject::kPartial, ValueKind::kBool},
    Keyword{"inferred", Subject::kInferred, ValueKind::kBool},
    Keyword{"remote", Subject::kRemote, ValueKind::kBool},
    Keyword{"root", Subject::kRoot, ValueKind::kBool},
    Keyword{"responsetime", Subject::kResponseTime, ValueKind::kNumber},
    Keyword{"duration", Subject::kDuration, ValueKind::kNumber},
    Keyword{"http.status", Subject::kHttpStatus, ValueKind::kNumber},
    Keyword{"http.url", Subject::kHttpUrl, ValueKind::kText},
    Keyword{"http.method", Subject::kHttpMethod, ValueKind::kText},
    Keyword{"http.useragent", Subject::kHttpUserAgent, ValueKind::kText},
    Keyword{"http.clientip", Subject::kHttpClientIp, ValueKind::kText},
    Keyword{"user", Subject::kUser, ValueKind::kText},
    Keyword{"name", Subject::kName, ValueKind::kText},
    Keyword{"type", Subject::kType, ValueKind::kText},
    Keyword{"message", Subject::kMessage, ValueKind::kText},
    Keyword{"availabilityzone", Subject::kAvailabilityZone, ValueKind::kText},
    Keyword{"instance.id", Subject::kInstanceId, ValueKind::kText},
    Keyword{"resource.arn", Subject::kResourceArn, ValueKind::kText},
};

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

// How many letters have to change.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t k = 0; k <= b.size(); ++k) row[k] = k;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t k = 1; k <= b.size(); ++k) {
      const auto above = row[k];
      row[k] = std::min({row[k] + 1, row[k - 1] + 1, diagonal + (a[i - 1] != b[k - 1])});
      diagonal = above;
    }
  }
  return row[b.size()];
}

std::string suggestion(std::string_view word) {
  if (word.size() > 32) return {};
  std::string_view best;
  std::size_t least = 3;
  const auto try_word = [&](std::string_view known) {
    if (const auto far = distance(word, known); far < least) least = far, best = known;
  };
  for (const auto& keyword : kKeywords) try_word(keyword.name);
  for (const std::string_view known : {"service", "edge", "annotation", "and", "or"}) try_word(known);
  // "status" stands for "http.status".
  for (const auto& keyword : kKeywords) {
    if (best.empty() && !word.empty() && keyword.name.ends_with(fmt::format(".{}", word))) best = keyword.name;
  }
  return best.empty() ? std::string() : fmt::format("; did you mean {}?", best);
}

class FilterParser {
 public:
  FilterParser(std::string_view text, Filter::Limits limits) : text_(text), limits_(limits) {}

  Result<Pointer> read() {
    skip_blanks();
    if (at_ == text_.size()) return Pointer();
    auto made = read_or(0);
    if (!made) return made;
    if (at_ < text_.size()) return wrong("expected AND, OR or the end");
    return made;
  }

 private:
  Error wrong(std::string_view what) const {
    const auto rest = text_.substr(at_, 20);
    return Error{Errc::kMalformed, fmt::format("filter expression, at {}: {}, {}", at_ + 1, what,
                                               rest.empty() ? "and it ends here" : fmt::format("not \"{}\"", rest))};
  }

  void skip_blanks() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_]))) ++at_;
  }
  bool take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    skip_blanks();
    return true;
  }
  // A word that stands for itself: AND, CONTAINS.
  bool take_word(std::string_view word) {
    if (lower(text_.substr(at_, word.size())) != word) return false;
    const auto end = at_ + word.size();
    if (end < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[end])) || text_[end] == '_')) return false;
    at_ = end;
    skip_blanks();
    return true;
  }

  static Pointer join(Expression::Kind kind, Pointer left, Pointer right) {
    auto made = std::make_unique<Expression>();
    made->kind = kind;
    made->parts.push_back(std::move(left));
    if (right) made->parts.push_back(std::move(right));
    return made;
  }

  Result<Pointer> read_or(int level) {
    auto left = read_and(level);
    while (left && take_word("or")) {
      auto right = read_and(level);
      if (!right) return right;
      left = join(Expression::Kind::kOr, std::move(*left), std::move(*right));
    }
    return left;
  }

  Result<Pointer> read_and(int level) {
    auto left = read_one(level);
    while (left && (take_word("and") || another_begins())) {
      auto right = read_one(level);
      if (!right) return right;
      left = join(Expression::Kind::kAnd, std::move(*left), std::move(*right));
    }
    return left;
  }

  // "ok !partial duration < 3": AND may be left out.
  bool another_begins() const {
    if (at_ >= text_.size()) return false;
    const char c = text_[at_];
    return (c == '!' || c == '(' || std::isalpha(static_cast<unsigned char>(c))) &&
           !FilterParser(*this).take_word("or");
  }

  Result<Pointer> read_one(int level) {
    if (level > limits_.levels) {
      return Error{Errc::kLimit, fmt::format("a filter expression has at most {} levels", limits_.levels)};
    }
    if (take('!') || take_word("not")) {
      auto inner = read_one(level + 1);
      if (!inner) return inner;
      return join(Expression::Kind::kNot, std::move(*inner), nullptr);
    }
    if (take('(')) {
      auto inner = read_or(level + 1);
      if (inner && !take(')')) return wrong("expected )");
      return inner;
    }
    const auto begin = at_;
    while (at_ < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[at_])) ||
                                  std::string_view("._-").find(text_[at_]) != std::string_view::npos)) {
      ++at_;
    }
    const std::string_view written = text_.substr(begin, at_ - begin);
    const std::string word = lower(written);
    if (word.empty()) return wrong("expected a keyword");
    if (word.starts_with("annotation.") && word.size() > 11) {
      skip_blanks();
      return read_annotation(std::string(written.substr(11)));
    }
    if (word == "annotation" && at_ < text_.size() && text_[at_] == '[') {
      ++at_;
      skip_blanks();
      return read_bracketed_annotation();
    }
    skip_blanks();
    if (word == "service") return read_service(level);
    if (word == "edge") return read_edge(level);
    if (word.starts_with("rootcause") || word == "json" || word == "group.name" || word == "group.arn" ||
        word == "coverage" || word == "index" || word == "first" || word == "last") {
      return Error{Errc::kUnsupported, fmt::format("filter expression: {} is not judged here", word)};
    }
    const auto found = std::ranges::find(kKeywords, std::string_view(word), &Keyword::name);
    if (found == kKeywords.end()) {
      at_ = begin;
      return wrong("expected a keyword" + suggestion(word));
    }
    auto made = std::make_unique<Expression>();
    made->subject = found->subject;
    return read_comparison(std::move(made), found->kind);
  }

  // = != < <= > >= CONTAINS BEGINSWITH ENDSWITH; nullopt: none stands here.
  std::optional<Comparison> read_operator() {
    static constexpr std::pair<std::string_view, Comparison> kSigns[] = {
        {"!=", Comparison::kUnequal}, {"<=", Comparison::kLessEqual}, {">=", Comparison::kMoreEqual},
        {"=", Comparison::kEqual},    {"<", Comparison::kLess},       {">", Comparison::kMore}};
    for (const auto& [sign, comparison] : kSigns) {
      if (!text_.substr(at_).starts_with(sign)) continue;
      at_ += sign.size();
      skip_blanks();
      return comparison;
    }
    if (take_word("contains")) return Comparison::kContains;
    if (take_word("beginswith")) return Comparison::kBeginsWith;
    if (take_word("endswith")) return Comparison::kEndsWith;
    return std::nullopt;
  }

  static bool compares_texts_only(Comparison comparison) {
    return comparison == Comparison::kContains || comparison == Comparison::kBeginsWith ||
           comparison == Comparison::kEndsWith;
  }

  Result<Pointer> read_comparison(Pointer made, ValueKind kind) {
    const auto comparison = read_operator();
    if (!comparison) {
      // "fault" says by itself what "fault = true" says, "http.url" that there is one.
      if (kind == ValueKind::kNumber) return wrong("expected an operator");
      if (kind == ValueKind::kText) made->comparison = Comparison::kIsSet;
      return made;
    }
    made->comparison = *comparison;
    if (kind == ValueKind::kNumber) {
      const auto number = read_number();
      if (!number || compares_texts_only(*comparison)) return wrong("expected a number to compare with");
      made->value = *number;
      return made;
    }
    if (kind == ValueKind::kBool) {
      const bool equality = *comparison == Comparison::kEqual || *comparison == Comparison::kUnequal;
      const bool yes = take_word("true");
      if (!equality || (!yes && !take_word("false"))) return wrong("expected = true or = false");
      made->value = yes;
      return made;
    }
    auto value = read_text();
    if (!value) return value.error();
    if (*comparison == Comparison::kLess || *comparison == Comparison::kMore || *comparison == Comparison::kLessEqual ||
        *comparison == Comparison::kMoreEqual) {
      return wrong("texts compare by =, !=, CONTAINS, BEGINSWITH and ENDSWITH");
    }
    made->value = std::move(*value);
    return made;
  }

  Result<Pointer> read_bracketed_annotation() {
    std::string key;
    if (at_ < text_.size() && (text_[at_] == '"' || text_[at_] == '\'')) {
      auto quoted = read_text();
      if (!quoted) return quoted.error();
      key = std::move(*quoted);
    } else {
      const auto end = text_.find_first_of("] ", at_);
      key = text_.substr(at_, end == std::string_view::npos ? end : end - at_);
      at_ = std::min(end, text_.size());
      skip_blanks();
    }
    if (!take(']')) return wrong("expected ]");
    return read_annotation(std::move(key));
  }

  // Without an operator: it is there, or is true.
  Result<Pointer> read_annotation(std::string key) {
    auto made = std::make_unique<Expression>();
    made->subject = Subject::kAnnotation;
    made->key = std::move(key);
    const auto comparison = read_operator();
    if (!comparison) {
      made->comparison = Comparison::kIsSet;
      return made;
    }
    made->comparison = *comparison;
    if (take_word("true")) {
      made->value = true;
    } else if (take_word("false")) {
      made->value = false;
    } else if (const auto number = read_number()) {
      made->value = *number;
    } else {
      auto value = read_text();
      if (!value) return value.error();
      made->value = std::move(*value);
    }
    return made;
  }

  // "x", or id(name: "x", type: "y"), or nothing.
  Result<ServiceChoice> read_choice() {
    ServiceChoice choice;
    if (take_word("id")) {
      if (!take('(')) return wrong("expected (");
      while (!take(')')) {
        const bool name = take_word("name");
        const bool type = !name && take_word("type");
        const bool account = !name && !type && take_word("account.id");
        if (!name && !type && !account) return wrong("expected name:, type: or account.id:");
        if (!take(':')) return wrong("expected :");
        auto value = read_text();
        if (!value) return value.error();
        if (name) choice.name = std::move(*value);
        if (type) choice.type = std::move(*value);
        take(',');
      }
      return choice;
    }
    if (at_ < text_.size() && (text_[at_] == '"' || text_[at_] == '\'')) {
      auto name = read_text();
      if (!name) return name.error();
      choice.name = std::move(*name);
    }
    return choice;
  }

  Result<Pointer> read_block(Pointer made, int level) {
    if (!take(')')) return wrong("expected )");
    if (!take('{')) return made;
    if (take('}')) return made;
    auto inner = read_or(level + 1);
    if (!inner) return inner;
    made->parts.push_back(std::move(*inner));
    if (!take('}')) return wrong("expected }");
    return made;
  }

  Result<Pointer> read_service(int level) {
    auto made = std::make_unique<Expression>();
    made->kind = Expression::Kind::kService;
    if (!take('(')) return wrong("expected (");
    auto choice = read_choice();
    if (!choice) return choice.error();
    made->services.push_back(std::move(*choice));
    return read_block(std::move(made), level);
  }

  Result<Pointer> read_edge(int level) {
    auto made = std::make_unique<Expression>();
    made->kind = Expression::Kind::kEdge;
    if (!take('(')) return wrong("expected (");
    for (int i = 0; i < 2; ++i) {
      if (i == 1 && !take(',')) return wrong("expected , and the service that is called");
      auto choice = read_choice();
      if (!choice) return choice.error();
      made->services.push_back(std::move(*choice));
    }
    return read_block(std::move(made), level);
  }

  std::optional<double> read_number() {
    double value = 0;
    const char* const begin = text_.data() + at_;
    const auto [end, failure] = std::from_chars(begin, text_.data() + text_.size(), value);
    if (failure != std::errc{}) return std::nullopt;
    at_ += static_cast<std::size_t>(end - begin);
    skip_blanks();
    return value;
  }

  Result<std::string> read_text() {
    if (at_ >= text_.size() || (text_[at_] != '"' && text_[at_] != '\'')) return wrong("expected a text in quotes");
    const char quote = text_[at_];
    std::string value;
    for (auto i = at_ + 1; i < text_.size(); ++i) {
      if (text_[i] == quote) {
        at_ = i + 1;
        skip_blanks();
        return value;
      }
      if (text_[i] == '\\' && i + 1 < text_.size()) ++i;
      value += text_[i];
    }
    return wrong("expected a closing quote");
  }

  const std::string_view text_;
  const Filter::Limits limits_;
  std::size_t at_ = 0;
};

}  // namespace

Result<Filter> Filter::parse(std::string_view text, Limits limits) {
  if (text.size() > limits.bytes) {
    return Error{Errc::kLimit, fmt::format("a filter expression has at most {} characters", limits.bytes)};
  }
  auto expression = FilterParser(text, limits).read();
  if (!expression) return expression.error();
  Filter filter;
  filter.expression_ = std::move(*expression);
  return filter;
}

}  // namespace securebase::traces
