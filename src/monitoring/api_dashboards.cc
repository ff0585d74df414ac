// CloudWatch's operations on dashboards.
#include <fmt/format.h>

#include "monitoring/api.h"

namespace securebase::monitoring::api {

namespace {

using aws::Value;

constexpr std::size_t kDashboardsPage = 1000;  // entries of ListDashboards, CloudWatch's own

std::string arn_of(const aws::Call& call, std::string_view name) {
  return fmt::format("arn:aws:cloudwatch::{}:dashboard/{}", call.account, name);
}

Value messages_of(const std::vector<DashboardMessage>& messages) {
  Value list = Value::list();
  for (const auto& [path, message] : messages)
    list.push_back(Value::structure({{"DataPath", path}, {"Message", message}}));
  return list;
}

aws::Fault no_dashboard(const std::string& message) { return {"ResourceNotFound", message, 404, {}}; }

}  // namespace

aws::Outcome put_dashboard(Dashboards& dashboards, const aws::Call& call) {
  DashboardCheck check;
  auto done = dashboards.put(std::string(call.input["DashboardName"].string_or("")),
                             std::string(call.input["DashboardBody"].string_or("")), check);
  if (!done && done.error().code == Errc::kMalformed) {
    return aws::Fault{"InvalidParameterInput", done.error().message, 400,
                      Value::structure({{"dashboardValidationMessages", messages_of(check.errors)}})};
  }
  if (!done) return fault_of(done.error());
  return aws::Answer(Value::structure({{"DashboardValidationMessages", messages_of(check.warnings)}}));
}

aws::Outcome get_dashboard(Dashboards& dashboards, const aws::Call& call) {
  const std::string name(call.input["DashboardName"].string_or(""));
  const auto found = dashboards.find(name);
  if (!found) return no_dashboard(fmt::format("Dashboard {} does not exist", name));
  return aws::Answer(Value::structure(
      {{"DashboardArn", arn_of(call, name)}, {"DashboardBody", found->body}, {"DashboardName", name}}));
}

aws::Outcome list_dashboards(Dashboards& dashboards, const aws::Call& call) {
  std::string after;
  if (const auto token = call.input["NextToken"].string_or(""); !token.empty()) {
    const auto place = page_place(token);
    if (!place) return aws::Fault{"InvalidParameterValue", "The NextToken is none that this operation gave", 400, {}};
    after = *place;
  }
  Value list = Value::list();
  Value output = Value::structure();
  std::size_t count = 0;
  for (const auto& entry : dashboards.list(call.input["DashboardNamePrefix"].string_or(""))) {
    if (entry.name <= after) continue;
    if (++count > kDashboardsPage) {
      output.set("NextToken", page_token(after));
      break;
    }
    list.push_back(Value::structure({{"DashboardName", entry.name},
                                     {"DashboardArn", arn_of(call, entry.name)},
                                     {"LastModified", entry.modified},
                                     {"Size", static_cast<std::int64_t>(entry.body.size())}}));
    after = entry.name;
  }
  output.set("DashboardEntries", std::move(list));
  return aws::Answer(std::move(output));
}

aws::Outcome delete_dashboards(Dashboards& dashboards, const aws::Call& call) {
  std::vector<std::string> names;
  for (const auto& name : call.input["DashboardNames"].elements()) names.emplace_back(name.string_or(""));
  auto done = dashboards.remove(names);
  if (!done && done.error().code == Errc::kNotFound) return no_dashboard(done.error().message);
  if (!done) return fault_of(done.error());
  return aws::Answer(Value::structure());
}

}  // namespace securebase::monitoring::api
