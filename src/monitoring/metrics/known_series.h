// How clients spell series, byte for byte, and which series that is. An agent says the same names in every request, so
// that a spelling that was read and found valid once need not be read again: its bytes are looked up, and that is all.
//
// A spelling is a namespace, a metric's name, and the dimensions as they lie in the request, whatever their order and
// encoding; two spellings may be one series. Only what was valid is added, so what is found is valid.
//
// Not thread-safe: the Store guards it. A series is not forgotten while its spellings are here.
#pragma once

#include <cstdint>
#include <cstring>
#include <deque>
#include <memory>
#include <string_view>
#include <vector>

#include "monitoring/metrics/catalog.h"

namespace securebase::monitoring {

class KnownSeries {
 public:
  // Of all spellings together; with more than that all are forgotten, and begin anew.
  static constexpr std::size_t kMostBytes = std::size_t{32} << 20;
  // Longer ones are not kept.
  static constexpr std::size_t kLongestDimensions = 2048;

  KnownSeries();

  struct Spelling {
    std::string_view name_space = "";  // at most 255 bytes, as the name
    std::string_view name = "";
    std::string_view dimensions = "";
    UnitNumber unit = 0;
    std::uint64_t hash = 0;  // hash_of()
  };
  // `of_name_space` is hash_of(name_space): once for a request.
  std::uint64_t hash_of(std::string_view name_space) const { return mix(name_space, secrets_[0]); }
  std::uint64_t hash_of(const Spelling& spelling, std::uint64_t of_name_space) const {
    return mix(spelling.dimensions, mix(spelling.name, of_name_space + spelling.unit));
  }

  // Spellings have numbers, in the order in which they were added. An agent says its series in the same order each
  // time, so after one of them comes, most likely, that of the next number, and nothing has to be hashed or looked up.
  static constexpr std::size_t kUnknown = SIZE_MAX;
  // kUnknown: not known.
  std::size_t number_of(const Spelling& spelling) const {
    for (std::size_t at = spelling.hash & mask_; places_[at] != 0; at = (at + 1) & mask_) {
      if ((places_[at] ^ spelling.hash) >> 32 != 0) continue;
      const std::size_t number = (places_[at] & 0xffffffff) - 1;
      if (is(entries_[number], spelling)) return number;
    }
    return kUnknown;
  }
  // Whether the spelling has that number, if there is such; its hash is not looked at.
  bool is_number(std::size_t number, const Spelling& spelling) const {
    return number < entries_.size() && is(entries_[number], spelling);
  }
  const SeriesRef& series_of(std::size_t number) const { return entries_[number].series; }
  // "": there is no such number, or its series has no dimensions.
  std::string_view dimensions_of(std::size_t number) const {
    if (number >= entries_.size()) return "";
    const Entry& entry = entries_[number];
    return {entry.text + entry.name_space_size + entry.name_size, entry.dimensions_size};
  }

  // No series: not known.
  SeriesRef find(const Spelling& spelling) const {
    const std::size_t number = number_of(spelling);
    return number == kUnknown ? SeriesRef{} : series_of(number);
  }
  void add(const Spelling& spelling, const SeriesRef& series);
  void clear();

  std::size_t size() const { return entries_.size(); }
  std::size_t bytes() const { return bytes_; }

 private:
  struct Entry {
    const char* text = nullptr;  // namespace, name and dimensions, one behind the other
    std::uint32_t dimensions_size = 0;
    std::uint8_t name_space_size = 0;
    std::uint8_t name_size = 0;
    UnitNumber unit = 0;
    SeriesRef series;
  };

  static bool is(const Entry& entry, const Spelling& spelling) {
    return entry.dimensions_size == spelling.dimensions.size() && entry.name_size == spelling.name.size() &&
           entry.name_space_size == spelling.name_space.size() && entry.unit == spelling.unit &&
           are_same(entry.text, spelling.name_space) && are_same(entry.text + entry.name_space_size, spelling.name) &&
           are_same(entry.text + entry.name_space_size + entry.name_size, spelling.dimensions);
  }
  // memcmp() of a few dozen bytes, without the call.
  static bool are_same(const char* kept, std::string_view said) {
    std::size_t at = 0;
    for (; at + 8 <= said.size(); at += 8) {
      if (eight(kept + at) != eight(said.data() + at)) return false;
    }
    for (; at < said.size(); ++at) {
      if (kept[at] != said[at]) return false;
    }
    return true;
  }

  static std::uint64_t eight(const char* at) {
    std::uint64_t value;
    std::memcpy(&value, at, sizeof value);
    return value;
  }
  static std::uint64_t fold(std::uint64_t a, std::uint64_t b) {
    const auto product = static_cast<unsigned __int128>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
  }
  // Sixteen bytes a multiplication. The secrets are of this process: nobody can choose names that fall together.
  std::uint64_t mix(std::string_view bytes, std::uint64_t state) const {
    const char* at = bytes.data();
    std::size_t left = bytes.size();
    for (; left > 16; left -= 16, at += 16) state = fold(eight(at) ^ secrets_[1], eight(at + 8) ^ state);
    std::uint64_t low = 0;
    std::uint64_t high = 0;
    if (left >= 8) {
      low = eight(at);
      high = eight(at + left - 8);
    } else {
      for (std::size_t i = 0; i < left; ++i) low = low << 8 | static_cast<unsigned char>(at[i]);
    }
    return fold(secrets_[2] ^ bytes.size(), fold(low ^ secrets_[1], high ^ state));
  }

  const char* keep(const Spelling& spelling);
  void place(std::uint64_t hash, std::size_t entry);
  void grow();

  std::uint64_t secrets_[3];
  // Open addressing, at most half full: upper half of the hash, and the number of the entry from 1; 0: free.
  std::vector<std::uint64_t> places_;
  std::size_t mask_;
  std::deque<Entry> entries_;
  std::vector<std::unique_ptr<char[]>> blocks_;
  std::size_t block_left_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace securebase::monitoring
