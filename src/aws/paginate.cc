// Pages of lists. A token is the key of the last element that was given, wrapped so that it says which list it is of;
// the next page begins behind that key, whatever was added or taken away meanwhile.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "aws/aws.h"
#include "aws/model.h"
#include "base/check.h"
#include "base/encoding.h"

namespace securebase::aws {

namespace {

constexpr std::size_t kUsualLimit = 100;

std::string token_from(const Call& call, std::string_view key) {
  return base::base64url(fmt::format("1\n{}\n{}", call.operation, key));
}

std::optional<std::string> key_from(const Call& call, std::string_view token) {
  const auto text = base::from_base64url(token);
  const auto prefix = fmt::format("1\n{}\n", call.operation);
  if (!text || !text->starts_with(prefix)) return std::nullopt;
  return text->substr(prefix.size());
}

std::string_view key_of(const Value& element, std::string_view key) {
  return element.is_string() ? element.string_or("") : element[key].string_or("");
}

// The code for a token that is none, as far as the services agree.
std::string_view bad_token(const Service& service) {
  for (const auto code : {"InvalidNextToken", "InvalidNextTokenException", "InvalidMarker", "InvalidPaginationToken"}) {
    if (service.find_exception(code)) return code;
  }
  if (service.name == "lambda") return "InvalidParameterValueException";
  if (service.name == "cloudfront" || service.name == "s3") return "InvalidArgument";
  if (service.name == "logs" || service.name == "secretsmanager") return "InvalidParameterException";
  return service.protocol == Protocol::kQuery ? "InvalidParameterValue" : "ValidationException";
}

// The member that a path names, made where it is missing: "DistributionList.Items". Null: something else is in the way.
Value* member_at(Value& value, std::string_view path) {
  Value* at = &value;
  while (!path.empty()) {
    const auto dot = std::min(path.find('.'), path.size());
    const auto name = path.substr(0, dot);
    path.remove_prefix(std::min(dot + 1, path.size()));
    if (at->is_null()) *at = Value::structure();
    auto* members = at->as_structure();
    if (!members) return nullptr;
    auto found = std::find_if(members->begin(), members->end(), [&](const auto& one) { return one.first == name; });
    if (found == members->end()) found = members->insert(members->end(), {std::string(name), Value()});
    at = &found->second;
  }
  return at;
}

std::size_t limit_of(const Call& call, const Operation& operation) {
  const auto& pages = operation.pages;
  const auto* member = operation.input && !pages.limit.empty() ? operation.input->find(pages.limit) : nullptr;
  std::size_t most = kUsualLimit;
  if (member && member->shape->max) most = static_cast<std::size_t>(std::max(1.0, *member->shape->max));
  // Some services' limits are texts.
  const auto& asked = call.input[pages.limit];
  std::int64_t wanted = asked.integer_or(0);
  if (const auto* text = asked.as_string()) wanted = std::atoll(text->c_str());
  if (wanted <= 0) return std::min(most, kUsualLimit);
  // Without a bound in the model a client may have it all at once.
  return member && member->shape->max ? std::min<std::size_t>(static_cast<std::size_t>(wanted), most)
                                      : static_cast<std::size_t>(wanted);
}

}  // namespace

Result<Value, Fault> paginate(const Call& call, Value output, std::string_view key) {
  const auto* service = find_service(call.service);
  const auto* operation = service ? service->find(call.operation) : nullptr;
  check(operation != nullptr, fmt::format("the model has {}", call.operation));
  // A list of which neither the model nor compile_models.py knows how it comes in pages comes whole.
  if (operation->pages.results.empty() || operation->pages.input_tokens.empty()) return output;
  const auto& pages = operation->pages;
  auto* list = member_at(output, pages.results.front());
  check(list != nullptr, fmt::format("{} has a list at {}", call.operation, pages.results.front()));
  if (list->is_null()) *list = Value::List();
  auto& elements = *list->as_list();
  const auto before = [key](const Value& a, const Value& b) { return key_of(a, key) < key_of(b, key); };
  if (!std::is_sorted(elements.begin(), elements.end(), before)) {
    std::stable_sort(elements.begin(), elements.end(), before);
  }

  auto begin = elements.begin();
  if (const auto token = call.input[pages.input_tokens.front()].string_or(""); !token.empty()) {
    const auto last = key_from(call, token);
    if (!last) {
      return Fault{std::string(bad_token(*service)),
                   fmt::format("{} is no token that {} gave", pages.input_tokens.front(), call.operation),
                   0,
                   {}};
    }
    begin = std::upper_bound(elements.begin(), elements.end(), *last,
                             [key](std::string_view wanted, const Value& one) { return wanted < key_of(one, key); });
  }
  const auto left = static_cast<std::size_t>(elements.end() - begin);
  const auto count = std::min(left, limit_of(call, *operation));
  const bool more = left > count;
  elements.erase(begin + static_cast<std::ptrdiff_t>(count), elements.end());
  elements.erase(elements.begin(), begin);
  const std::string next = more ? token_from(call, key_of(elements.back(), key)) : std::string();

  if (auto* token = member_at(output, pages.output_tokens.front())) *token = more ? Value(next) : Value();
  if (!pages.more.empty()) {
    if (auto* flag = member_at(output, pages.more)) *flag = more;
  }
  // CloudFront says beside the list how many stand in it.
  const auto parent = pages.results.front().substr(0, pages.results.front().rfind('.'));
  auto* around = parent.size() < pages.results.front().size() ? member_at(output, parent) : nullptr;
  if (around && around->find("Quantity")) around->set("Quantity", static_cast<std::int64_t>(count));
  return output;
}

}  // namespace securebase::aws
