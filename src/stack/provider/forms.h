// How the ids, ARNs and addresses of each type look in AWS, as patterns in which {x} stands for the attribute x
// (written, or made by its own pattern), {region}, {account} and {partition} for where the stack is, and {17} for that
// many hexadecimal digits that follow from the address. Any thread.
#pragma once

#include <span>
#include <string_view>

namespace securebase::stack {

struct Form {
  std::string_view type;       // without its aws_
  std::string_view attribute;  // of an ARN the pattern is what stands behind arn:PARTITION:
  std::string_view pattern;
};

std::span<const Form> forms_of(std::string_view type);

}  // namespace securebase::stack
