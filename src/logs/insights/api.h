// The operations of CloudWatch Logs that are about queries.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aws/aws.h"
#include "logs/insights/definitions.h"
#include "logs/insights/queries.h"

namespace securebase::logs::insights {

struct Api {
  Queries& queries;
  Definitions& definitions;
  // Whether a name stands for a group, or begins the names of some. An error: one of them cannot be read.
  std::function<Result<bool>(std::string_view group)> knows_group;
  // The fields of the event that an @ptr points to. kNotFound: it is gone, or none.
  std::function<Result<std::vector<std::pair<std::string, std::string>>>(std::string_view pointer)> record;
};

// Each by its name: StartQuery, GetQueryResults, StopQuery, DescribeQueries, PutQueryDefinition,
// DescribeQueryDefinitions, DeleteQueryDefinition, GetLogRecord, GetLogGroupFields.
std::vector<std::pair<std::string_view, aws::Handler>> operations_of(const Api& api);
// Registers them; what `api` refers to outlives `operations`.
void add_operations(aws::Operations& operations, const Api& api);

}  // namespace securebase::logs::insights
