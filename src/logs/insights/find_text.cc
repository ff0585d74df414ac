#include "logs/insights/find_text.h"

#include <immintrin.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace securebase::logs::insights {

namespace {

// How often a byte stands in log lines, roughly: rare bytes make few candidates.
int commonness(unsigned char c) {
  constexpr std::string_view kOften = " etaoinsrhldcum0123456789\"-:.,/fpgwybvk=_[]{}()";
  const auto at = kOften.find(static_cast<char>(c));
  return at == std::string_view::npos ? 0 : static_cast<int>(kOften.size() - at);
}

struct Probe {
  const char* needle;
  std::size_t size;
  std::size_t first;
  std::size_t second;
};

constexpr std::size_t kNowhere = std::string_view::npos;

std::size_t find_plainly(const char* text, std::size_t from, std::size_t last, const Probe& probe) {
  const char* at = text + from + probe.first;
  const char* const end = text + last + probe.first + 1;
  while (at < end) {
    at = static_cast<const char*>(std::memchr(at, probe.needle[probe.first], static_cast<std::size_t>(end - at)));
    if (at == nullptr) return kNowhere;
    const char* const begin = at - probe.first;
    if (begin[probe.second] == probe.needle[probe.second] && std::memcmp(begin, probe.needle, probe.size) == 0) {
      return static_cast<std::size_t>(begin - text);
    }
    ++at;
  }
  return kNowhere;
}

// Compares both rare bytes at 32 places at once; only where both are, the whole needle. `last`: where a match can begin
// at the latest.
__attribute__((target("avx2"))) std::size_t find_by_32(const char* text, std::size_t last, const Probe& probe) {
  const __m256i first = _mm256_set1_epi8(probe.needle[probe.first]);
  const __m256i second = _mm256_set1_epi8(probe.needle[probe.second]);
  std::size_t i = 0;
  while (i + 31 <= last) {
    const auto at_first = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(text + i + probe.first));
    const auto at_second = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(text + i + probe.second));
    auto both = static_cast<std::uint32_t>(_mm256_movemask_epi8(
        _mm256_and_si256(_mm256_cmpeq_epi8(at_first, first), _mm256_cmpeq_epi8(at_second, second))));
    while (both != 0) {
      const auto place = i + static_cast<std::size_t>(__builtin_ctz(both));
      if (std::memcmp(text + place, probe.needle, probe.size) == 0) return place;
      both &= both - 1;
    }
    i += 32;
  }
  // What is left is less than a stride: the last stride again, if there is one.
  if (i <= last && last >= 31) {
    const std::size_t from = last - 31;
    const auto at_first = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(text + from + probe.first));
    const auto at_second = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(text + from + probe.second));
    auto both = static_cast<std::uint32_t>(_mm256_movemask_epi8(
        _mm256_and_si256(_mm256_cmpeq_epi8(at_first, first), _mm256_cmpeq_epi8(at_second, second))));
    while (both != 0) {
      const auto place = from + static_cast<std::size_t>(__builtin_ctz(both));
      if (std::memcmp(text + place, probe.needle, probe.size) == 0) return place;
      both &= both - 1;
    }
    return kNowhere;
  }
  return find_plainly(text, i, last, probe);
}

std::size_t find_by_16(const char* text, std::size_t last, const Probe& probe) {
  const __m128i first = _mm_set1_epi8(probe.needle[probe.first]);
  const __m128i second = _mm_set1_epi8(probe.needle[probe.second]);
  std::size_t i = 0;
  for (; i + 15 <= last; i += 16) {
    const auto at_first = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text + i + probe.first));
    const auto at_second = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text + i + probe.second));
    auto both = static_cast<std::uint32_t>(
        _mm_movemask_epi8(_mm_and_si128(_mm_cmpeq_epi8(at_first, first), _mm_cmpeq_epi8(at_second, second))));
    while (both != 0) {
      const auto place = i + static_cast<std::size_t>(__builtin_ctz(both));
      if (std::memcmp(text + place, probe.needle, probe.size) == 0) return place;
      both &= both - 1;
    }
  }
  return find_plainly(text, i, last, probe);
}

const bool kHasAvx2 = __builtin_cpu_supports("avx2") != 0;

}  // namespace

TextFinder::TextFinder(std::string needle) : needle_(std::move(needle)) {
  const auto rarer = [this](std::size_t a, std::size_t b) {
    return commonness(static_cast<unsigned char>(needle_[a])) < commonness(static_cast<unsigned char>(needle_[b]));
  };
  for (std::size_t i = 1; i < needle_.size(); ++i) {
    if (rarer(i, first_)) first_ = i;
  }
  second_ = first_ == 0 && needle_.size() > 1 ? 1 : 0;
  for (std::size_t i = 0; i < needle_.size(); ++i) {
    if (i != first_ && rarer(i, second_)) second_ = i;
  }
}

std::size_t TextFinder::find(std::string_view haystack) const {
  if (needle_.empty()) return 0;
  if (haystack.size() < needle_.size()) return kNowhere;
  const Probe probe{needle_.data(), needle_.size(), first_, second_};
  const std::size_t last = haystack.size() - needle_.size();
  return kHasAvx2 ? find_by_32(haystack.data(), last, probe) : find_by_16(haystack.data(), last, probe);
}

}  // namespace securebase::logs::insights
