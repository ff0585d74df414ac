#include <fmt/format.h>

#include "aws/aws.h"
#include "aws/model.h"
#include "base/check.h"

namespace securebase::aws {

void Operations::add(std::string_view service, std::string_view operation, Handler handler) {
  insert(service, operation, std::move(handler));
}

void Operations::add_on_worker(std::string_view service, std::string_view operation, WorkerHandler handler) {
  insert(service, operation, std::move(handler));
}

void Operations::insert(std::string_view service, std::string_view operation, Either handler) {
  const auto* model = find_service(service);
  check(model != nullptr, fmt::format("the models have a service \"{}\"", service));
  check(model->find(operation) != nullptr, fmt::format("{} has an operation \"{}\"", service, operation));
  const bool fresh = handlers_[std::string(service)].emplace(operation, std::move(handler)).second;
  check(fresh, fmt::format("{} {} is answered once", service, operation));
}

const Operations::Either& Operations::find(std::string_view service, std::string_view operation) const {
  static const Either none;
  const auto of_service = handlers_.find(service);
  if (of_service == handlers_.end()) return none;
  const auto found = of_service->second.find(operation);
  return found == of_service->second.end() ? none : found->second;
}

void Operations::add_quick(std::string_view service, std::string_view operation, QuickBody body, QuickHandler handler) {
  check(std::holds_alternative<Handler>(find(service, operation)),
        fmt::format("{} {} has a handler for what is out of the ordinary", service, operation));
  quick_.emplace(std::tuple(service, operation, body), std::move(handler));
}

const QuickHandler* Operations::find_quick(std::string_view service, std::string_view operation, QuickBody body) const {
  const auto found = quick_.find(std::tuple(std::string(service), std::string(operation), body));
  return found == quick_.end() ? nullptr : &found->second;
}

std::vector<std::pair<std::string, std::string>> Operations::all() const {
  std::vector<std::pair<std::string, std::string>> names;
  for (const auto& [service, operations] : handlers_) {
    for (const auto& [operation, handler] : operations) names.emplace_back(service, operation);
  }
  return names;
}

}  // namespace securebase::aws
