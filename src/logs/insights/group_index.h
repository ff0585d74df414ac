// Numbers the groups of `stats ... by`: each different combination of keys gets the next number.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "logs/insights/flat_index.h"
#include "logs/insights/frame.h"

namespace securebase::logs::insights {

// Numbers the different values of one key. 0 is what is missing.
class KeyValues {
 public:
  KeyValues();
  // Writes the number of each selected row's value.
  void number(const Vector& values, const Selection& rows, std::vector<std::uint32_t>& numbers);
  std::uint32_t number(const Cell& cell);
  const Cell& value(std::uint32_t number) const { return values_[number]; }
  std::size_t bytes() const { return arena_.bytes() + index_.bytes() + values_.capacity() * sizeof(Cell); }

 private:
  std::uint32_t number_text(std::string_view text);

  Arena arena_;
  FlatIndex index_;
  std::vector<Cell> values_;
};

class GroupIndex {
 public:
  explicit GroupIndex(std::size_t keys) : keys_(keys), combined_(keys) {}
  // Writes the group of each selected row. `keys`: a column for each key.
  void find(std::span<const Vector* const> keys, const Selection& rows, std::vector<std::uint32_t>& groups);
  // Where the groups of another index are here.
  std::vector<std::uint32_t> merge(const GroupIndex& other);
  std::size_t groups() const { return groups_; }
  Cell key(std::size_t group, std::size_t which) const;
  std::size_t bytes() const;

 private:
  std::uint32_t group_of(std::span<const std::uint32_t> numbers);

  std::vector<KeyValues> keys_;
  // The numbers of the first i keys together, for each i: (number of the first ones, number of the next) -> number.
  std::vector<FlatIndex> combined_;
  std::vector<std::uint32_t> counts_ = {};
  std::vector<std::uint32_t> members_;  // of each group, a number for each key
  std::size_t groups_ = 0;
};

}  // namespace securebase::logs::insights
