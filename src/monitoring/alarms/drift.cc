#include "monitoring/alarms/drift.h"

#include <set>

#include "base/json.h"

namespace securebase::monitoring {

namespace {

// Where Terraform's provider does not follow the API's word.
constexpr std::pair<std::string_view, std::string_view> kOtherNames[] = {
    {"Metrics", "metric_query"},
    {"EvaluateLowSampleCountPercentile", "evaluate_low_sample_count_percentiles"},
    {"ActionsSuppressor", "actions_suppressor[0].alarm"},
    {"ActionsSuppressorWaitPeriod", "actions_suppressor[0].wait_period"},
    {"ActionsSuppressorExtensionPeriod", "actions_suppressor[0].extension_period"}};

std::string attribute_of(std::string_view member) {
  for (const auto& [api, terraform] : kOtherNames) {
    if (api == member) return std::string(terraform);
  }
  return stack::terraform_name(member);
}

// Dimensions and tags are lists of pairs in the API, and maps in Terraform.
stack::Value value_of(std::string_view member, const base::Json& json) {
  if (member != "Dimensions" && member != "Tags") return stack::Value::from_json(json);
  stack::Value::Map map;
  const auto* name = member == "Tags" ? "Key" : "Name";
  if (const auto* pairs = json.as_array()) {
    for (const auto& pair : *pairs) map.emplace(pair[name].string_or(""), pair["Value"].string_or(""));
  }
  return map;
}

}  // namespace

std::string_view terraform_type(const AlarmDefinition& definition) {
  return definition.is_composite() ? "aws_cloudwatch_composite_alarm" : "aws_cloudwatch_metric_alarm";
}

std::vector<stack::Change::Attribute> drift_of(const AlarmDefinition& now, const AlarmDefinition& wanted) {
  const auto is = to_json(now);
  const auto should = to_json(wanted);
  std::set<std::string> members;
  for (const auto* side : {&is, &should}) {
    for (const auto& [member, value] : *side->as_object()) members.insert(member);
  }
  std::vector<stack::Change::Attribute> drifted;
  for (const auto& member : members) {
    if (is[member] == should[member]) continue;
    drifted.push_back(
        {attribute_of(member), value_of(member, is[member]), value_of(member, should[member]), false, "", false});
  }
  return drifted;
}

}  // namespace securebase::monitoring
