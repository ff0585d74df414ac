// What the models demand of an input beyond its types: required members, lengths, ranges, enumerations, patterns.
#pragma once

#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "aws/complaint.h"
#include "aws/model.h"
#include "aws/value.h"

namespace re2 {
class RE2;
}

namespace securebase::aws {

// Any thread.
class Constraints {
 public:
  Constraints();
  ~Constraints();
  // At most ten complaints; empty: accepted. Services that do not check their models' bounds themselves (S3,
  // CloudFront, API Gateway, and those of the Query protocol that have their own words) are held to required members.
  std::vector<Complaint> check(const Value& input, const Shape& shape, const Service& service) const;

 private:
  class Walk;
  // Null: the pattern is none that RE2 knows, and is not checked.
  const re2::RE2* pattern_of(const Shape& shape) const;

  mutable std::mutex mutex_;
  mutable std::unordered_map<const Shape*, std::unique_ptr<re2::RE2>>
      patterns_;  // at most one a shape, never taken out
};

}  // namespace securebase::aws
