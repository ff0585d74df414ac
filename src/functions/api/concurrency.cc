// How many calls at a time, how many instances are kept warm, and how events that nobody waits for are retried.
#include <fmt/format.h>

#include "functions/api/lambda_api.h"

namespace securebase::functions {

namespace {

using aws::Fault;
using aws::Value;

constexpr std::int64_t kLeastUnreserved = 100;  // Lambda keeps as many for functions that reserve none

std::int64_t reserved_of_others(const stack::Stack& stack, std::string_view function) {
  std::int64_t all = 0;
  for (const auto& found : stack.all<FunctionResource>("aws_lambda_function")) {
    if (found.value.function_name != function && found.value.reserved > 0) all += found.value.reserved;
  }
  return all;
}

std::optional<stack::Found<ProvisionedResource>> provisioned_at(const stack::Stack& stack, std::string_view function,
                                                                std::string_view qualifier) {
  for (const auto& found : stack.all<ProvisionedResource>("aws_lambda_provisioned_concurrency_config")) {
    if (name_of(found.value.function_name) == function && found.value.qualifier == qualifier) return found;
  }
  return std::nullopt;
}

std::optional<stack::Found<EventInvokeResource>> event_invoke_at(const stack::Stack& stack, std::string_view function,
                                                                 std::string_view qualifier) {
  for (const auto& found : stack.all<EventInvokeResource>("aws_lambda_function_event_invoke_config")) {
    if (name_of(found.value.function_name) == function && found.value.qualifier == qualifier) return found;
  }
  return std::nullopt;
}

Value described(const stack::Stack& stack, const EventInvokeResource& config, base::TimePoint now) {
  std::string arn =
      fmt::format("arn:aws:lambda:{}:{}:function:{}", stack.region, stack.account, name_of(config.function_name));
  arn += ":" + (config.qualifier.empty() ? std::string("$LATEST") : config.qualifier);
  return Value::structure({{"FunctionArn", arn},
                           {"LastModified", now},
                           {"MaximumRetryAttempts", config.retries},
                           {"MaximumEventAgeInSeconds", config.age}});
}

}  // namespace

aws::Outcome LambdaApi::put_function_concurrency(const aws::Call& call) {
  const Named name = named(call);
  const auto wanted = call.input["ReservedConcurrentExecutions"].integer_or(0);
  auto now = change([&](const stack::Stack& current) -> Result<Edits, Fault> {
    auto found = require(current, {name.function, ""});
    if (!found) return std::move(found.error());
    const auto left =
        static_cast<std::int64_t>(doors_.account_concurrency) - reserved_of_others(current, name.function) - wanted;
    if (left < kLeastUnreserved) {
      return faults::invalid(
          fmt::format("Specified ReservedConcurrentExecutions for function decreases account's "
                      "UnreservedConcurrentExecution below its minimum value of [{}].",
                      kLeastUnreserved));
    }
    return Edits{stack::update(found->resource.address, {{"reserved_concurrent_executions", wanted}})};
  });
  if (!now) return std::move(now.error());
  return Value::structure({{"ReservedConcurrentExecutions", wanted}});
}

aws::Outcome LambdaApi::get_function_concurrency(const aws::Call& call) {
  const auto stack = doors_.changes.current();
  auto found = require(*stack, {named(call).function, ""});
  if (!found) return std::move(found.error());
  Value made = Value::structure();
  if (found->value.reserved >= 0) made.set("ReservedConcurrentExecutions", found->value.reserved);
  return made;
}

aws::Outcome LambdaApi::delete_function_concurrency(const aws::Call& call) {
  auto now = change([&](const stack::Stack& current) -> Result<Edits, Fault> {
    auto found = require(current, {named(call).function, ""});
    if (!found) return std::move(found.error());
    return Edits{stack::update(found->resource.address, {{"reserved_concurrent_executions", nullptr}})};
  });
  if (!now) return std::move(now.error());
  return Value::structure();
}

// --- provisioned ----------------------------------------------------------------------------------------------------

Value LambdaApi::provisioned_description(const stack::Stack& stack, const ProvisionedResource& config,
                                         base::TimePoint now) const {
  const Named name{name_of(config.function_name), config.qualifier};
  const auto version = version_of(stack, name).value_or("$LATEST");
  const auto wanted = config.executions;
  const auto ready = static_cast<std::int64_t>(doors_.functions.ready_instances(name.function, version));
  return Value::structure({{"RequestedProvisionedConcurrentExecutions", wanted},
                           {"AvailableProvisionedConcurrentExecutions", std::min(ready, wanted)},
                           {"AllocatedProvisionedConcurrentExecutions", std::min(ready, wanted)},
                           {"Status", ready >= wanted ? "READY" : "IN_PROGRESS"},
                           {"LastModified", lambda_time(now)}});
}

aws::Outcome LambdaApi::put_provisioned_concurrency(const aws::Call& call) {
  const Named name = named(call);
  const auto wanted = call.input["ProvisionedConcurrentExecutions"].integer_or(0);
  if (wanted < 1) return faults::invalid("ProvisionedConcurrentExecutions is at least 1");
  auto now = change([&](const stack::Stack& current) -> Result<Edits, Fault> {
    auto found = require(current, name);
    if (!found) return std::move(found.error());
    if (name.qualifier == "$LATEST" || name.qualifier.empty()) {
      return faults::invalid("Provisioned Concurrency Configs cannot be applied to unpublished function versions.");
    }
    if (const auto there = provisioned_at(current, name.function, name.qualifier)) {
      return Edits{stack::update(there->resource.address, {{"provisioned_concurrent_executions", wanted}})};
    }
    return Edits{stack::create("aws_lambda_provisioned_concurrency_config", name.whole(),
                               {{"function_name", name.function},
                                {"qualifier", name.qualifier},
                                {"provisioned_concurrent_executions", wanted}})};
  });
  if (!now) return std::move(now.error());
  aws::Answer answer(
      provisioned_description(**now, provisioned_at(**now, name.function, name.qualifier)->value, call.now));
  return answer;
}

aws::Outcome LambdaApi::get_provisioned_concurrency(const aws::Call& call) {
  const auto stack = doors_.changes.current();
  const Named name = named(call);
  const auto found = provisioned_at(*stack, name.function, name.qualifier);
  if (!found) {
    return Fault{"ProvisionedConcurrencyConfigNotFoundException",
                 "No Provisioned Concurrency Config found for this function",
                 404,
                 {}};
  }
  return provisioned_description(*stack, found->value, call.now);
}

aws::Outcome LambdaApi::list_provisioned_concurrency(const aws::Call& call) {
  const auto stack = doors_.changes.current();
  const Named name = named(call);
  auto function = require(*stack, {name.function, ""});
  if (!function) return std::move(function.error());
  Value all = Value::list();
  for (const auto& found : stack->all<ProvisionedResource>("aws_lambda_provisioned_concurrency_config")) {
    if (name_of(found.value.function_name) != name.function) continue;
    Value one = provisioned_description(*stack, found.value, call.now);
    one.set("FunctionArn", fmt::format("{}function:{}:{}", arn_prefix(*stack), name.function, found.value.qualifier));
    all.push_back(std::move(one));
  }
  return Value::structure({{"ProvisionedConcurrencyConfigs", std::move(all)}});
}

aws::Outcome LambdaApi::delete_provisioned_concurrency(const aws::Call& call) {
  const Named name = named(call);
  auto now = change([&](const stack::Stack& current) -> Result<Edits, Fault> {
    const auto found = provisioned_at(current, name.function, name.qualifier);
    if (!found) return Edits{};
    return Edits{stack::remove(found->resource.address)};
  });
  if (!now) return std::move(now.error());
  return Value::structure();
}

// --- events that nobody waits for
// -------------------------------------------------------------------------------------

namespace {

stack::Value::Map event_invoke_attributes(const Value& input) {
  stack::Value::Map made;
  if (input["MaximumRetryAttempts"].is_integer()) {
    made.emplace("maximum_retry_attempts", input["MaximumRetryAttempts"].integer_or(2));
  }
  if (input["MaximumEventAgeInSeconds"].is_integer()) {
    made.emplace("maximum_event_age_in_seconds", input["MaximumEventAgeInSeconds"].integer_or(21'600));
  }
  return made;
}

bool has_destination(const Value& input) {
  const Value& config = input["DestinationConfig"];
  return config["OnSuccess"]["Destination"].is_string() || config["OnFailure"]["Destination"].is_string();
}

Fault no_event_invoke(const std::string& function) {
  return faults::not_found(fmt::format("The function {} doesn't have an EventInvokeConfig", function));
}

}  // namespace

// Put replaces all of it, Update changes what it names.
aws::Outcome LambdaApi::set_event_invoke(const aws::Call& call, bool replace) {
  const Named name = named(call);
  if (has_destination(call.input)) {
    return faults::invalid("DestinationConfig: what becomes of an event is counted and logged here, not sent on");
  }
  auto now = change([&](const stack::Stack& current) -> Result<Edits, Fault> {
    auto function = require(current, name);
    if (!function) return std::move(function.error());
    auto attributes = event_invoke_attributes(call.input);
    const auto there = event_invoke_at(current, name.function, name.qualifier);
    if (!there && !replace) return no_event_invoke(name.whole());
    if (replace) {
      attributes.try_emplace("maximum_retry_attempts", nullptr);
      attributes.try_emplace("maximum_event_age_in_seconds", nullptr);
    }
    if (there) return Edits{stack::update(there->resource.address, std::move(attributes))};
    attributes.emplace("function_name", name.function);
    if (!name.qualifier.empty()) attributes.emplace("qualifier", name.qualifier);
    return Edits{stack::create("aws_lambda_function_event_invoke_config", name.whole(), std::move(attributes))};
  });
  if (!now) return std::move(now.error());
  return described(**now, event_invoke_at(**now, name.function, name.qualifier)->value, call.now);
}

aws::Outcome LambdaApi::put_event_invoke(const aws::Call& call) { return set_event_invoke(call, true); }
aws::Outcome LambdaApi::update_event_invoke(const aws::Call& call) { return set_event_invoke(call, false); }

aws::Outcome LambdaApi::get_event_invoke(const aws::Call& call) {
  const auto stack = doors_.changes.current();
  const Named name = named(call);
  const auto found = event_invoke_at(*stack, name.function, name.qualifier);
  if (!found) return no_event_invoke(name.whole());
  return described(*stack, found->value, call.now);
}

aws::Outcome LambdaApi::list_event_invokes(const aws::Call& call) {
  const auto stack = doors_.changes.current();
  const Named name = named(call);
  Value all = Value::list();
  for (const auto& found : stack->all<EventInvokeResource>("aws_lambda_function_event_invoke_config")) {
    if (name_of(found.value.function_name) == name.function) all.push_back(described(*stack, found.value, call.now));
  }
  return Value::structure({{"FunctionEventInvokeConfigs", std::move(all)}});
}

aws::Outcome LambdaApi::delete_event_invoke(const aws::Call& call) {
  const Named name = named(call);
  auto now = change([&](const stack::Stack& current) -> Result<Edits, Fault> {
    const auto found = event_invoke_at(current, name.function, name.qualifier);
    if (!found) return no_event_invoke(name.whole());
    return Edits{stack::remove(found->resource.address)};
  });
  if (!now) return std::move(now.error());
  return Value::structure();
}

aws::Outcome LambdaApi::get_account_settings(const aws::Call&) {
  const auto stack = doors_.changes.current();
  const auto all = static_cast<std::int64_t>(doors_.account_concurrency);
  std::int64_t functions = 0;
  for (const auto& found : stack->all<FunctionResource>("aws_lambda_function"))
    functions += found.value.filename ? 1 : 0;
  return Value::structure(
      {{"AccountLimit", Value::structure({{"ConcurrentExecutions", all},
                                          {"UnreservedConcurrentExecutions", all - reserved_of_others(*stack, "")},
                                          {"CodeSizeUnzipped", 250 << 20},
                                          {"CodeSizeZipped", 50 << 20}})},
       {"AccountUsage", Value::structure({{"FunctionCount", functions}})}});
}

}  // namespace securebase::functions
