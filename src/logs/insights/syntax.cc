#include "logs/insights/syntax.h"

#include <fmt/format.h>

namespace securebase::logs::insights {

namespace {

std::string_view sign_of(Operator op) {
  constexpr std::string_view kSigns[] = {"+",  "-", "*",  "/", "%",  "^",     "=",
                                         "!=", "<", "<=", ">", ">=", " and ", " or "};
  return kSigns[static_cast<std::size_t>(op)];
}

std::string quoted_text(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted.push_back('\\');
    quoted.push_back(c);
  }
  return quoted + "\"";
}

std::string listed(const std::vector<Expression>& children, std::size_t from) {
  std::string list;
  for (std::size_t i = from; i < children.size(); ++i) {
    if (i > from) list += ",";
    list += children[i].canonical();
  }
  return list;
}

}  // namespace

std::string Expression::field_name() const {
  std::string joined;
  for (const auto& segment : segments) {
    if (&segment != &segments.front()) joined += ".";
    joined += segment;
  }
  return joined;
}

std::string Expression::canonical() const {
  const std::string no = negated ? " not" : "";
  switch (kind) {
    case Kind::kField:
      return field_name();
    case Kind::kNumber:
      return fmt::format("{}", number);
    case Kind::kBoolean:
      return number != 0 ? "true" : "false";
    case Kind::kText:
      return quoted_text(text);
    case Kind::kPeriod:
      return period.months != 0 ? fmt::format("{}mo", period.months)
                                : fmt::format("{}ms{}", period.milliseconds, period.weeks ? "w" : "");
    case Kind::kCall:
      return fmt::format("{}({})", text, listed(children, 0));
    case Kind::kNegate:
      return fmt::format("-({})", children[0].canonical());
    case Kind::kNot:
      return fmt::format("not ({})", children[0].canonical());
    case Kind::kBinary:
      return fmt::format("({}{}{})", children[0].canonical(), sign_of(op), children[1].canonical());
    case Kind::kContains:
      return fmt::format("({}{} like {})", children[0].canonical(), no, quoted_text(text));
    case Kind::kMatches:
      return fmt::format("({}{} like /{}/)", children[0].canonical(), no, text);
    case Kind::kIn:
      return fmt::format("({}{} in [{}])", children[0].canonical(), no, listed(children, 1));
    case Kind::kInSubquery:
      return fmt::format("({}{} in ({}))", children[0].canonical(), no, static_cast<const void*>(subquery.get()));
  }
  return {};
}

}  // namespace securebase::logs::insights
