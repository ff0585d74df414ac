#include "k6/endpoints.h"

#include <utility>

namespace securebase::k6 {

namespace {

// At most so many bytes, and no character cut in two.
std::string_view name_cut(std::string_view name) {
  if (name.size() <= Endpoints::kMostNameBytes) return name;
  std::size_t end = Endpoints::kMostNameBytes;
  while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xc0) == 0x80) --end;
  return name.substr(0, end);
}

}  // namespace

void Endpoints::Shard::add(std::size_t endpoint, double duration_ms, bool failed) {
  if (endpoint >= counted_.size()) counted_.resize(endpoint + 1);
  auto& counted = counted_[endpoint];
  if (!counted) counted = std::make_unique<Counted>();
  ++counted->requests;
  if (failed) ++counted->failed;
  counted->duration_ms.add(duration_ms);
}

std::size_t Endpoints::Names::number_of(std::string_view name) {
  name = name_cut(name);
  if (const auto known = known_.find(name); known != known_.end()) return known->second;
  if (complete_) return kMost;
  const std::size_t number = all_.number_of(name);
  if (number < kMost) {
    known_.emplace(name, number);
  } else {
    // No name will be new any more: with a copy of all, a script that makes a new one each time asks nobody again.
    const std::lock_guard lock(all_.mutex_);
    for (const auto& [other, its_number] : all_.numbers_) known_.emplace(other, its_number);
    complete_ = true;
  }
  return number;
}

std::size_t Endpoints::number_of(std::string_view name) {
  const std::lock_guard lock(mutex_);
  if (const auto known = numbers_.find(name); known != numbers_.end()) return known->second;
  if (names_.size() >= kMost) return kMost;
  names_.emplace_back(name);
  numbers_.emplace(name, names_.size() - 1);
  return names_.size() - 1;
}

Endpoints::Shard& Endpoints::shard_of(const load::Recorder& recorder) {
  const std::lock_guard lock(mutex_);
  auto& shard = by_recorder_[&recorder];
  if (!shard) shard = std::make_unique<Shard>();
  return *shard;
}

std::vector<Endpoints::Total> Endpoints::totals() const {
  const std::lock_guard lock(mutex_);
  std::vector<Total> totals(kMost + 1);
  for (std::size_t i = 0; i < names_.size(); ++i) totals[i].name = names_[i];
  for (const auto& [recorder, shard] : by_recorder_) {
    for (std::size_t i = 0; i < shard->counted_.size(); ++i) {
      if (!shard->counted_[i]) continue;
      totals[i].requests += shard->counted_[i]->requests;
      totals[i].failed += shard->counted_[i]->failed;
      totals[i].duration_ms.merge(shard->counted_[i]->duration_ms.sketch());
    }
  }
  std::erase_if(totals, [](const Total& total) { return total.requests == 0; });
  return totals;
}

}  // namespace securebase::k6
