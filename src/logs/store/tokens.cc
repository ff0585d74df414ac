#include "logs/store/tokens.h"

#include <algorithm>

namespace securebase::logs {

namespace {

constexpr std::size_t kFirstSlots = 1 << 14;
constexpr std::size_t kFilterBytes = 64 << 10;  // as large as a filter gets; beyond, it only becomes less sharp
constexpr int kProbes = 4;

// The bits of a hash in a filter of so many.
template <class Visit>
void for_each_probe(std::uint64_t hash, std::size_t bits, Visit visit) {
  const std::uint64_t step = (hash >> 33) | 1;
  for (int i = 0; i < kProbes; ++i, hash += step) visit(hash % bits);
}

}  // namespace

std::vector<std::uint64_t> whole_words(std::string_view part) {
  const auto is_word = [](char c) { return kWordBytes.is_word[static_cast<unsigned char>(c)]; };
  const auto first = std::find_if_not(part.begin(), part.end(), is_word);
  if (first == part.end()) return {};
  const auto last = std::find_if_not(part.rbegin(), part.rend(), is_word).base();
  std::vector<std::uint64_t> hashes;
  for_each_word(std::string_view(first, last), [&](std::uint64_t hash) { hashes.push_back(hash); });
  return hashes;
}

std::uint64_t hash_of_field(std::string_view name, std::string_view text) {
  std::uint64_t hash = ~kWordSeed;
  for (const char c : name) hash = hash_step(hash, c);
  hash = hash_step(hash, '\0');
  for (const char c : text) hash = hash_step(hash, c);
  return hash_end(hash);
}

TokenSet::TokenSet() : slots_(kFirstSlots) {}

void TokenSet::add(std::uint64_t hash) {
  const auto mask = slots_.size() - 1;
  for (auto at = hash & mask;; at = (at + 1) & mask) {
    if (slots_[at] == hash) return;
    if (slots_[at] != 0) continue;
    slots_[at] = hash;
    if (++count_ * 2 > slots_.size()) grow();
    return;
  }
}

void TokenSet::grow() {
  std::vector<std::uint64_t> before(slots_.size() * 2);
  before.swap(slots_);
  const auto mask = slots_.size() - 1;
  for (const auto hash : before) {
    if (hash == 0) continue;
    auto at = hash & mask;
    while (slots_[at] != 0) at = (at + 1) & mask;
    slots_[at] = hash;
  }
}

void TokenSet::clear() {
  std::fill(slots_.begin(), slots_.end(), 0);
  count_ = 0;
}

std::string TokenSet::filter() const {
  if (count_ == 0) return {};
  std::string out(std::min(kFilterBytes, (count_ + 7) / 8 * 8), '\0');
  const auto bits = out.size() * 8;
  for (const auto hash : slots_) {
    if (hash == 0) continue;
    for_each_probe(hash, bits,
                   [&](std::size_t bit) { out[bit / 8] = static_cast<char>(out[bit / 8] | 1 << (bit % 8)); });
  }
  return out;
}

bool may_have(std::string_view filter, std::uint64_t hash) {
  if (filter.empty()) return false;
  bool all = true;
  for_each_probe(hash, filter.size() * 8, [&](std::size_t bit) {
    all = all && (static_cast<unsigned char>(filter[bit / 8]) >> (bit % 8) & 1) != 0;
  });
  return all;
}

}  // namespace securebase::logs
