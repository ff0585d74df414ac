#include "monitoring/metrics/known_series.h"

#include "base/random.h"

namespace securebase::monitoring {

namespace {

constexpr std::size_t kFirstPlaces = 256;
constexpr std::size_t kBlockBytes = std::size_t{64} << 10;

}  // namespace

KnownSeries::KnownSeries() : places_(kFirstPlaces), mask_(kFirstPlaces - 1) {
  for (auto& secret : secrets_) secret = base::random_u64();
}

const char* KnownSeries::keep(const Spelling& spelling) {
  const std::size_t size = spelling.name_space.size() + spelling.name.size() + spelling.dimensions.size();
  if (blocks_.empty() || block_left_ < size) {
    blocks_.push_back(std::make_unique_for_overwrite<char[]>(kBlockBytes));
    block_left_ = kBlockBytes;
    bytes_ += kBlockBytes;
  }
  char* const text = blocks_.back().get() + (kBlockBytes - block_left_);
  block_left_ -= size;
  char* at = text;
  for (const auto part : {spelling.name_space, spelling.name, spelling.dimensions}) {
    at = std::copy(part.begin(), part.end(), at);
  }
  return text;
}

void KnownSeries::place(std::uint64_t hash, std::size_t entry) {
  std::size_t at = hash & mask_;
  while (places_[at] != 0) at = (at + 1) & mask_;
  places_[at] = (hash >> 32 << 32) | (entry + 1);
}

// The lower half of a hash is not in its place: it is computed again.
void KnownSeries::grow() {
  mask_ = places_.size() * 2 - 1;
  places_.assign(mask_ + 1, 0);
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const Entry& entry = entries_[i];
    const std::string_view text(
        entry.text, std::size_t{entry.name_space_size} + entry.name_size + std::size_t{entry.dimensions_size});
    Spelling spelling{text.substr(0, entry.name_space_size), text.substr(entry.name_space_size, entry.name_size),
                      text.substr(std::size_t{entry.name_space_size} + entry.name_size), entry.unit, 0};
    place(hash_of(spelling, hash_of(spelling.name_space)), i);
  }
}

void KnownSeries::add(const Spelling& spelling, const SeriesRef& series) {
  if (spelling.dimensions.size() > kLongestDimensions || find(spelling).series) return;
  if (bytes_ + entries_.size() * sizeof(Entry) > kMostBytes) clear();
  if ((entries_.size() + 1) * 2 > places_.size()) grow();
  entries_.push_back({keep(spelling), static_cast<std::uint32_t>(spelling.dimensions.size()),
                      static_cast<std::uint8_t>(spelling.name_space.size()),
                      static_cast<std::uint8_t>(spelling.name.size()), spelling.unit, series});
  place(spelling.hash, entries_.size() - 1);
}

void KnownSeries::clear() {
  places_.assign(kFirstPlaces, 0);
  mask_ = kFirstPlaces - 1;
  entries_.clear();
  blocks_.clear();
  block_left_ = 0;
  bytes_ = 0;
}

}  // namespace securebase::monitoring
