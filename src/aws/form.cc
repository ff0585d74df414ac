#include "aws/form.h"

#include <fmt/format.h>

#include "base/encoding.h"

namespace securebase::aws {

Result<std::vector<Parameter>, Complaint> parse_form(std::string_view text) {
  std::vector<Parameter> parameters;
  while (!text.empty()) {
    const auto end = std::min(text.find('&'), text.size());
    const auto pair = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (pair.empty()) continue;
    const auto equals = std::min(pair.find('='), pair.size());
    auto name = base::percent_decode(pair.substr(0, equals), base::Plus::kSpace);
    auto value = base::percent_decode(pair.substr(std::min(equals + 1, pair.size())), base::Plus::kSpace);
    if (!name || !value) {
      return Complaint{Complaint::Kind::kUnparsable,
                       "",
                       fmt::format("\"{}\" has a '%' without two hex digits", pair.substr(0, 100)),
                       {}};
    }
    if (parameters.size() == kMaxParameters) {
      return Complaint{Complaint::Kind::kUnparsable, "", fmt::format("more than {} parameters", kMaxParameters), {}};
    }
    parameters.push_back({std::move(*name), std::move(*value)});
  }
  return parameters;
}

const std::string* find_parameter(const std::vector<Parameter>& parameters, std::string_view name) {
  for (const auto& one : parameters) {
    if (one.name == name) return &one.value;
  }
  return nullptr;
}

}  // namespace securebase::aws
