// What an API changed of an alarm that the files declare, in Terraform's terms.
#pragma once

#include <string_view>
#include <vector>

#include "monitoring/alarms.h"
#include "stack/plan.h"

namespace securebase::monitoring {

std::string_view terraform_type(const AlarmDefinition& definition);
// Every attribute in which they differ: as it is, and as the files say.
std::vector<stack::Change::Attribute> drift_of(const AlarmDefinition& now, const AlarmDefinition& wanted);

}  // namespace securebase::monitoring
