// Functions of providers: those of aws, and those of the terraform provider that is part of Terraform. They bear their
// whole names, with the provider's usual local name.
// https://registry.terraform.io/providers/hashicorp/aws/latest/docs/functions/arn_parse
// https://developer.hashicorp.com/terraform/language/functions/terraform-encode_expr
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "stack/evaluate/evaluator.h"
#include "stack/functions/function.h"
#include "stack/syntax/parser.h"

namespace securebase::stack {

namespace {

constexpr std::size_t kArnParts = 6;
using Arn = std::array<std::string, kArnParts>;  // "arn", partition, service, region, account, resource

// The resource, which is the last, may have colons of its own.
Arn arn_argument(Arguments& a) {
  const std::string text = a.text(0);
  Arn parts;
  std::size_t start = 0;
  for (std::size_t i = 0; i < kArnParts; ++i) {
    const auto colon = i + 1 < kArnParts ? text.find(':', start) : std::string::npos;
    parts[i] = text.substr(start, colon - start);
    if (i == 0 && (parts[0] != "arn" || colon == std::string::npos)) {
      a.fail(0, fmt::format("{} is no ARN, which begins with \"arn:\"", in_quotes(text)));
      return {};
    }
    if (i + 1 < kArnParts && colon == std::string::npos) {
      a.fail(0, fmt::format("{} has too few parts for an ARN: arn:partition:service:region:account-id:resource",
                            in_quotes(text)));
      return {};
    }
    start = colon + 1;
  }
  return parts;
}

Value arn_parse(Arguments& a) {
  const Arn arn = arn_argument(a);
  return Value::map(
      {{"partition", arn[1]}, {"service", arn[2]}, {"region", arn[3]}, {"account_id", arn[4]}, {"resource", arn[5]}});
}

Value arn_build(Arguments& a) {
  std::string made = "arn";
  for (std::size_t i = 0; i + 1 < kArnParts; ++i) made += ":" + a.text(i);
  return made;
}

Value trim_iam_role_path(Arguments& a) {
  Arn arn = arn_argument(a);
  if (a.failed()) return {};
  constexpr std::string_view kRole = "role/";
  if (arn[2] != "iam" || !arn[3].empty() || !arn[5].starts_with(kRole)) {
    return a.fail(0,
                  "it takes the ARN of an IAM role, whose service is \"iam\", whose region is empty and whose "
                  "resource begins with \"role/\"");
  }
  arn[5] = std::string(kRole) + arn[5].substr(arn[5].rfind('/') + 1);
  return fmt::format("{}", fmt::join(arn, ":"));
}

Value user_agent(Arguments& a) {
  std::string made = a.text(0);
  const std::string version = a.text(1);
  const std::string comment = a.text(2);
  if (made.empty()) return a.fail(0, "product_name must be set");
  if (!version.empty()) made += "/" + version;
  if (!comment.empty()) made += " (" + comment + ")";
  return made;
}

// Values as `terraform fmt` would leave them: the equals signs of neighbours stand below one another, and a line that
// opens brackets moves what follows to the right by one step, however many they are.
class ExpressionWriter {
 public:
  void value(const Value& value) {
    if (value.is_sequence()) {
      list(value.elements());
    } else if (value.is_map()) {
      object(value.members());
    } else {
      add(value.is_string() ? in_quotes(value.string()) : value.to_text().value_or("null"));
    }
  }

  void attribute(const std::string& name, const Value& of) {
    lines_.back().name = is_identifier(name) ? name : in_quotes(name);
    value(of);
    end_line();
  }

  std::string text() const {
    std::string out;
    std::vector<int> open;  // brackets that each line opened, where they are open still
    for (std::size_t i = 0; i < lines_.size(); ++i) {
      const Line& line = lines_[i];
      for (int closed = -line.brackets; closed > 0 && !open.empty();) {
        const int here = std::min(closed, open.back());
        closed -= here;
        if ((open.back() -= here) == 0) open.pop_back();
      }
      if (i > 0) out += '\n';
      if (!line.name.empty() || !line.rest.empty()) out += std::string(2 * open.size(), ' ');
      if (!line.name.empty()) out += fmt::format("{:<{}} = ", line.name, width_at(i));
      out += line.rest;
      if (line.brackets > 0) open.push_back(line.brackets);
    }
    return out;
  }

 private:
  struct Line {
    std::string name;  // of the attribute that begins in it; empty: none
    std::string rest;
    int brackets = 0;  // more opened than closed
  };

  void add(std::string_view text, int brackets = 0) {
    lines_.back().rest += text;
    lines_.back().brackets += brackets;
  }
  void end_line() { lines_.emplace_back(); }

  void list(const Value::List& elements) {
    add("[", 1);
    for (std::size_t i = 0; i < elements.size(); ++i) {
      if (i > 0) add(", ");
      value(elements[i]);
    }
    add("]", -1);
  }

  void object(const Value::Map& members) {
    add("{", 1);
    if (!members.empty()) end_line();
    for (const auto& [name, member] : members) attribute(name, member);
    add("}", -1);
  }

  // Of the names of all the lines around this one that hold a whole attribute each.
  std::size_t width_at(std::size_t at) const {
    const auto whole = [&](std::size_t i) { return !lines_[i].name.empty() && lines_[i].brackets == 0; };
    std::size_t width = lines_[at].name.size();
    if (!whole(at)) return width;
    for (std::size_t i = at; i-- > 0 && whole(i);) width = std::max(width, lines_[i].name.size());
    for (std::size_t i = at + 1; i < lines_.size() && whole(i); ++i) width = std::max(width, lines_[i].name.size());
    return width;
  }

  std::vector<Line> lines_{1};
};

Value encode_expr(Arguments& a) {
  ExpressionWriter writer;
  writer.value(a[0]);
  return writer.text();
}

Value encode_tfvars(Arguments& a) {
  ExpressionWriter writer;
  for (const auto& [name, value] : a.map(0)) {
    if (!is_identifier(name)) return a.fail(0, fmt::format("{} is no name of a variable", in_quotes(name)));
    writer.attribute(name, value);
  }
  return writer.text();
}

Value decode_tfvars(Arguments& a) {
  const auto file = std::make_shared<const SourceFile>(SourceFile{"<decode_tfvars argument>", a.text(0)});
  if (a.failed()) return {};
  Diagnostics wrong;
  Value::Map made;
  if (const auto body = parse_file(file, wrong)) {
    for (const auto& block : body->blocks) {
      wrong.error("Unexpected block", "Blocks are not allowed here: values are written name = value.", block.range);
    }
    for (const auto& attribute : body->attributes) {
      auto value = evaluate_literal(*attribute.value, wrong);
      if (value) made.emplace(attribute.name, std::move(*value));
    }
  }
  if (!wrong.has_errors()) return made;
  std::string detail = wrong[0].detail;
  if (detail.ends_with('.')) detail.pop_back();
  return a.fail(0, fmt::format("{}: {}", wrong[0].range.text(), detail));
}

constexpr Function kProviderFunctions[] = {
    {"provider::aws::arn_build", 5, 5, arn_build},
    {"provider::aws::arn_parse", 1, 1, arn_parse},
    {"provider::aws::trim_iam_role_path", 1, 1, trim_iam_role_path},
    {"provider::aws::user_agent", 3, 3, user_agent},
    {"provider::terraform::decode_tfvars", 1, 1, decode_tfvars},
    {"provider::terraform::encode_expr", 1, 1, encode_expr},
    {"provider::terraform::encode_tfvars", 1, 1, encode_tfvars},
};

}  // namespace

std::span<const Function> provider_functions() { return kProviderFunctions; }

}  // namespace securebase::stack
