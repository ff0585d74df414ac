// Filter policies (SNS developer guide, "Amazon SNS subscription filter policies"): which messages a subscription gets.
//
//   {"store": ["example"], "price": [{"numeric": [">=", 100]}], "$or": [{"a": ["1"]}, {"b": [{"exists": false}]}]}
//
// Keys are joined by AND, the conditions of one key by OR. In the scope MessageBody the values of keys may be objects,
// which are looked for in the message's JSON; arrays in a message match when one of their elements does. Immutable.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "notify/message.h"

namespace securebase::notify {

enum class FilterScope { kMessageAttributes, kMessageBody };

class FilterPolicy {
 public:
  struct Condition;  // filter_condition.h
  struct Node;       // filter_policy.cc

  // SNS's own limits: 256 KB, five keys, 150 combinations. kMalformed with what is wrong.
  static Result<FilterPolicy> parse(std::string_view text, FilterScope scope);
  FilterPolicy(FilterPolicy&&) noexcept;
  FilterPolicy& operator=(FilterPolicy&&) noexcept;
  ~FilterPolicy();

  enum class Verdict {
    kMatches,
    kNoMatch,
    kNoAttributes,  // the message has none at all
    kInvalidBody,   // the scope is MessageBody, and the body is no JSON object
  };
  // `text`: what the subscription would be sent.
  Verdict judge(const Message& message, std::string_view text) const;

 private:
  explicit FilterPolicy(FilterScope scope, std::unique_ptr<Node> root);

  FilterScope scope_;
  std::unique_ptr<Node> root_;
};

}  // namespace securebase::notify
