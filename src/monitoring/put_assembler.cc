#include "monitoring/put_assembler.h"

#include <algorithm>

namespace securebase::monitoring {

bool PutAssembler::name_space(std::string_view name) {
  if (has_name_space() || !is_name(name, kLongestName) || name.starts_with("AWS/")) return false;
  name_space_ = name;
  name_space_hash_ = known_.hash_of(name);
  return true;
}

void PutAssembler::reserve(std::size_t data) {
  batch_.data.reserve(data);
  batch_.values.reserve(data);
}

// Gives the datum's values their counts, if there are any. false: they do not fit.
bool PutAssembler::give_counts() {
  if (counts_.empty()) return true;
  if (!listed_ || counts_.size() != batch_.values.size() - first_value_) return false;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    if (!(counts_[i] > 0 && counts_[i] <= kLargestCount)) return false;
    batch_.values[first_value_ + i].second = static_cast<std::uint64_t>(std::max(1.0, std::nearbyint(counts_[i])));
  }
  return true;
}

void PutAssembler::look_up_unit(std::string_view name) {
  const auto number = unit_number(name);
  if (!number) return fail();
  unit_name_ = name;
  unit_ = *number;
}

// As append_metric_key() writes it.
bool PutAssembler::append_key(std::string_view name, Dimensions& dimensions) {
  const auto begin = dimensions.all.begin();
  const auto end = begin + static_cast<std::ptrdiff_t>(dimensions.count);
  for (auto at = begin; at != end; ++at) {
    if (!is_name(at->first, kLongestName) || !is_name(at->second, kLongestDimensionValue)) return false;
  }
  std::sort(begin, end);
  const auto same_name = [](const auto& a, const auto& b) { return a.first == b.first; };
  if (std::adjacent_find(begin, end, same_name) != end) return false;
  append_key_text(batch_.keys, name_space_);
  append_key_text(batch_.keys, name);
  for (auto at = begin; at != end; ++at) {
    append_key_text(batch_.keys, at->first);
    append_key_text(batch_.keys, at->second);
  }
  return true;
}

}  // namespace securebase::monitoring
