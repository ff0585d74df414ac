#include "logs/store/tokens.h"

#include <algorithm>

namespace securebase::logs {

namespace {

constexpr std::size_t kFirstSlots = 1 << 14;
constexpr std::size_t kFilterBytes = 64 << 10;  // as large as a filter gets; beyond, it only becomes less sharp
constexpr int kProbes = 4;
constexpr std::size_t kBitsOfHash = 6;  // one in 18 that are not there seems to be

// The bits of a hash in a filter of so many.
template <class Visit>
void for_each_probe(std::uint64_t hash, std::size_t bits, Visit visit) {
  const std::uint64_t step = (hash >> 33) | 1;
  for (int i = 0; i < kProbes; ++i, hash += step) visit(hash % bits);
}

}  // namespace

// A word of `part` may be a piece of a UUID in the text around it, if nothing but words and dashes is between it and an
// edge.
std::vector<std::uint64_t> whole_words(std::string_view part) {
  std::vector<std::uint64_t> hashes;
  for (std::size_t at = 0; at < part.size(); ++at) {
    if (part[at] != '-' || !is_dash_of_uuid(part, at)) continue;
    hashes.push_back(hash_of_word(part.substr(at - kUuidFirstDash, kUuidText)));
  }
  const auto may_go_on = [](char c) { return c == '-' || kWordBytes.is_word[static_cast<unsigned char>(c)]; };
  const auto first = std::find_if_not(part.begin(), part.end(), may_go_on);
  if (first == part.end()) return hashes;
  const auto last = std::find_if_not(part.rbegin(), part.rend(), may_go_on).base();
  for_each_word(std::string_view(first, last), [&](std::uint64_t hash, std::string_view) { hashes.push_back(hash); });
  return hashes;
}

FieldHash::FieldHash(std::string_view name) : name_(mix(hash_of_word(name))) {}

std::uint64_t FieldHash::operator()(std::string_view text) const {
  if (is_uuid(text)) return hash_of_word(text);
  const auto hash = mix(name_ ^ hash_of_word(text));
  return hash == 0 ? 1 : hash;
}

std::uint64_t hash_of_field(std::string_view name, std::string_view text) { return FieldHash(name)(text); }

TokenSet::TokenSet() : slots_(kFirstSlots) {}

bool TokenSet::add(std::uint64_t hash) {
  const auto mask = slots_.size() - 1;
  for (auto at = hash & mask;; at = (at + 1) & mask) {
    if (slots_[at] == hash) return false;
    if (slots_[at] != 0) continue;
    slots_[at] = hash;
    if (++count_ * 2 > slots_.size()) grow();
    return true;
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
  std::string out(std::min(kFilterBytes, count_ * kBitsOfHash / 8 + 8), '\0');
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
