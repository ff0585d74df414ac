// One aggregate over many groups: a state for each group, fed with columns.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "logs/insights/frame.h"
#include "logs/insights/plan.h"

namespace securebase::logs::insights {

class Aggregate {
 public:
  virtual ~Aggregate() = default;
  virtual void grow(std::size_t groups) = 0;
  // `groups`: of each row of the frame. `values` and `times` may be null.
  virtual void take(const Vector* values, const Vector* times, const Selection& rows,
                    std::span<const std::uint32_t> groups) = 0;
  // `other`'s group i is this one's group `places[i]`.
  virtual void merge(const Aggregate& other, std::span<const std::uint32_t> places) = 0;
  virtual Cell result(std::size_t group) const = 0;  // its text lives as long as the aggregate
  virtual std::size_t bytes() const = 0;
};

std::unique_ptr<Aggregate> make_aggregate(const AggregateSpec& spec);

}  // namespace securebase::logs::insights
