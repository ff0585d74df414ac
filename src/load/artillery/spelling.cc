#include "load/artillery/spelling.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace securebase::load::artillery {
namespace {

// Levenshtein's distance; the same letters in another order are one mistake.
std::size_t letters_apart(std::string_view a, std::string_view b) {
  if (a != b && a.size() == b.size() && std::is_permutation(a.begin(), a.end(), b.begin())) return 1;
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t k = 1; k <= b.size(); ++k) {
      const auto above = row[k];
      row[k] = std::min({row[k] + 1, row[k - 1] + 1, diagonal + (a[i - 1] != b[k - 1])});
      diagonal = above;
    }
  }
  return row[b.size()];
}

std::string bare(std::string_view word) {
  std::string letters;
  for (const char c : word) {
    if (c == '-' || c == '_' || c == ' ') continue;
    letters += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  }
  return letters;
}

}  // namespace

std::string_view nearest(std::string_view word, const std::vector<std::string_view>& known) {
  if (word.size() > 40) return {};
  std::string_view best;
  std::size_t least = word.size() <= 4 ? 2 : 3;  // a short word is soon near to another
  const std::string letters = bare(word);
  for (const auto candidate : known) {
    if (candidate == word) continue;
    const auto apart = letters_apart(letters, bare(candidate));
    if (apart < least) least = apart, best = candidate;
  }
  return best;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& known) {
  const auto near = nearest(word, known);
  return near.empty() ? std::string() : fmt::format("; did you mean {}?", near);
}

}  // namespace securebase::load::artillery
