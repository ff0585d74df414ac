// Answers what CloudWatch RUM's API tells of monitors; they are declared in the stack, so none is made or changed here.
#include <fmt/format.h>

#include "aws/aws.h"
#include "rum/rum.h"

namespace securebase::rum {

namespace {

using aws::Call;
using aws::Outcome;
using aws::Value;

Value show(const Monitor& monitor) {
  auto settings =
      Value::structure({{"SessionSampleRate", monitor.sample_rate}, {"AllowCookies", false}, {"EnableXRay", true}});
  auto log = Value::structure({{"CwLogEnabled", !monitor.log_group.empty()}});
  if (!monitor.log_group.empty()) log.set("CwLogGroup", monitor.log_group);
  auto tags = Value::structure();
  for (const auto& [name, value] : monitor.tags) tags.set(name, value);
  auto shown = Value::structure({{"Id", monitor.id},
                                 {"Name", monitor.name},
                                 {"State", "ACTIVE"},
                                 {"AppMonitorConfiguration", std::move(settings)},
                                 {"DataStorage", Value::structure({{"CwLog", std::move(log)}})},
                                 {"Tags", std::move(tags)}});
  if (!monitor.domains.empty()) shown.set("Domain", monitor.domains.front());
  return shown;
}

}  // namespace

void add_operations(aws::Operations& operations, const Rum& rum) {
  operations.add("rum", "ListAppMonitors", [&rum](const Call& call) -> Outcome {
    auto list = Value::list();
    for (const auto& monitor : rum.config()->monitors) {
      list.push_back(Value::structure({{"Id", monitor.id}, {"Name", monitor.name}, {"State", "ACTIVE"}}));
    }
    auto page = aws::paginate(call, Value::structure({{"AppMonitorSummaries", std::move(list)}}), "Name");
    if (!page) return page.error();
    return aws::Answer(std::move(*page));
  });
  operations.add("rum", "GetAppMonitor", [&rum](const Call& call) -> Outcome {
    const auto name = call.input["Name"].string_or("");
    for (const auto& monitor : rum.config()->monitors) {
      if (monitor.name == name) return aws::Answer(Value::structure({{"AppMonitor", show(monitor)}}));
    }
    return aws::Fault{"ResourceNotFoundException", fmt::format("App monitor {} was not found", name), 0, {}};
  });
}

}  // namespace securebase::rum
