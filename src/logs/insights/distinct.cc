#include "logs/insights/distinct.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/hash.h"

namespace securebase::logs::insights {

std::uint64_t Distinct::hash_of(const Cell& cell) {
  const double number = number_of(cell);
  if (std::isnan(number)) return base::hash64(cell.text);
  return mixed(std::bit_cast<std::uint64_t>(number == 0 ? 0.0 : number) + 0x9e3779b97f4a7c15ULL);
}

void Distinct::add(std::uint64_t hash) {
  if (!registers_.empty()) return note(hash);
  hashes_.insert(hash, 0);
  if (hashes_.size() <= kExact) return;
  registers_.resize(std::size_t{1} << kBits);
  hashes_.each_key([this](std::uint64_t key) { note(key); });
  hashes_ = {};
}

void Distinct::note(std::uint64_t hash) {
  const auto place = hash >> (64 - kBits);
  const auto rest = hash << kBits | std::uint64_t{1} << (kBits - 1);
  auto& held = registers_[place];
  held = std::max(held, static_cast<std::uint8_t>(std::countl_zero(rest) + 1));
}

void Distinct::merge(const Distinct& other) {
  other.hashes_.each_key([this](std::uint64_t key) { add(key); });
  if (other.registers_.empty()) return;
  if (registers_.empty()) {
    registers_.resize(std::size_t{1} << kBits);
    hashes_.each_key([this](std::uint64_t key) { note(key); });
    hashes_ = {};
  }
  for (std::size_t i = 0; i < registers_.size(); ++i) registers_[i] = std::max(registers_[i], other.registers_[i]);
}

// Flajolet et al., HyperLogLog (2007), with linear counting below 2.5 m.
double Distinct::count() const {
  if (registers_.empty()) return static_cast<double>(hashes_.size());
  const auto m = static_cast<double>(registers_.size());
  double sum = 0;
  double empty = 0;
  for (const auto held : registers_) {
    sum += std::ldexp(1.0, -held);
    empty += held == 0 ? 1 : 0;
  }
  const double estimate = 0.7213 / (1 + 1.079 / m) * m * m / sum;
  if (estimate <= 2.5 * m && empty > 0) return std::round(m * std::log(m / empty));
  return std::round(estimate);
}

}  // namespace securebase::logs::insights
