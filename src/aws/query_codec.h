// The parameters of the query protocol as Values: "MetricData.member.1.Dimensions.member.2.Name=Host".
// https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
#pragma once

#include <vector>

#include "aws/complaint.h"
#include "aws/form.h"
#include "aws/model.h"
#include "aws/value.h"

namespace securebase::aws {

// `parameters` without Action and Version. Lists are taken flattened or not, whatever the model says: clients differ.
// Parameters that the shape does not know come along: as text, or as structures of what follows their dots.
Result<Value, Complaint> decode_query(std::vector<Parameter> parameters, const Shape& shape);

}  // namespace securebase::aws
