// What CloudWatch Logs' operations do, in files by what they are about. Logs::add_operations registers them.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aws/aws.h"
#include "logs/engine.h"

namespace securebase::logs {

using NamedHandlers = std::vector<std::pair<std::string_view, aws::Handler>>;

void add_group_operations(Logs::Engine& engine, NamedHandlers& into);  // api_groups.cc
void add_event_operations(Logs::Engine& engine, NamedHandlers& into);  // api_events.cc
// PutLogEvents from the bytes of its JSON.
aws::QuickHandler quick_put_events(Logs::Engine& engine);
void add_metric_filter_operations(Logs::Engine& engine, NamedHandlers& into);  // api_filters.cc
void add_subscription_operations(Logs::Engine& engine, NamedHandlers& into);   // api_filters.cc

// --- api_common.cc ------------------------------------------------------------------------------------------------

aws::Fault invalid_parameter(std::string message);
aws::Fault no_group();
aws::Fault fault_of(const Error& error);
// By logGroupName, or logGroupIdentifier, which may be an ARN.
Result<std::shared_ptr<Group>, aws::Fault> group_of(Logs::Engine& engine, const aws::Value& input);
Result<std::shared_ptr<Group>, aws::Fault> group_named(Logs::Engine& engine, std::string_view name, aws::Fault missing);
std::string group_name_of(const aws::Value& input);
// "x" of "arn:aws:logs:...:log-group:x[:*]", or what was given.
std::string name_in_arn(std::string_view arn);
Result<Done, aws::Fault> check_group_name(std::string_view name);
Result<Done, aws::Fault> check_stream_name(std::string_view name);

// One page of a list in the order given: at most `limit` and the input's own, from nextToken on. `name` of an element
// tells it from the others.
Result<aws::Value, aws::Fault> page_of(const aws::Value& input, std::string_view key,
                                       std::vector<std::pair<std::string, aws::Value>> elements,
                                       std::size_t limit = 50);

}  // namespace securebase::logs
