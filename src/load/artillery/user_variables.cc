#include "load/artillery/user_variables.h"

#include <algorithm>

namespace securebase::load::artillery {
namespace {

base::Json::Array payload_table(const Payload& payload) {
  base::Json::Array table;
  for (const auto& row : payload.rows) {
    if (payload.fields.empty()) {
      table.push_back(row);
      continue;
    }
    base::Json::Object object;
    for (std::size_t i = 0; i < payload.fields.size(); ++i) {
      object.emplace_back(payload.fields[i], i < row.size() ? row[i] : base::Json());
    }
    table.push_back(std::move(object));
  }
  return table;
}

}  // namespace

std::shared_ptr<const SharedVariables> variables_for_users(const Script& script, const base::Json::Object& of_before) {
  auto shared = std::make_shared<SharedVariables>();
  const auto put = [&](const std::string& name, base::Json value) {
    const auto known =
        std::find_if(shared->values.begin(), shared->values.end(), [&](const auto& one) { return one.first == name; });
    if (known == shared->values.end()) {
      shared->values.emplace_back(name, std::move(value));
    } else {
      known->second = std::move(value);
    }
  };
  // The script's are what is always there, then config.variables; neither is changed by what `before` left under a name
  // of its own.
  for (const auto& [name, value] : of_before) put(name, value);
  for (const auto& payload : script.config.payloads) {
    if (payload.load_all) put(payload.name, payload_table(payload));
  }
  for (const auto& [name, value] : script.variables->values) put(name, value);
  return shared;
}

}  // namespace securebase::load::artillery
