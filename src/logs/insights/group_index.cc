#include "logs/insights/group_index.h"

#include <bit>
#include <cmath>

#include "base/hash.h"

namespace securebase::logs::insights {

namespace {

constexpr std::uint32_t kUnknown = ~std::uint32_t{0};

}  // namespace

KeyValues::KeyValues() { values_.push_back({}); }

std::uint32_t KeyValues::number_text(std::string_view text) {
  const auto hash = base::hash64(text);
  // Texts of one hash stand behind each other.
  for (std::uint64_t key = hash;; ++key) {
    const auto [number, is_new] = index_.insert(key, static_cast<std::uint32_t>(values_.size()));
    if (is_new) {
      values_.push_back(Cell::of(arena_.keep(text)));
      return number;
    }
    if (values_[number].kind == Cell::Kind::kText && values_[number].text == text) return number;
  }
}

std::uint32_t KeyValues::number(const Cell& cell) {
  if (cell.missing()) return 0;
  if (cell.kind == Cell::Kind::kText) {
    // "5" and 5 in one column are displayed alike, so they are one group.
    const auto spelled = number_of(cell.text);
    if (!spelled || display_number(*spelled, Precision::kStored) != cell.text) return number_text(cell.text);
    return number(Cell::of(*spelled));
  }
  const double value = cell.number == 0 ? 0.0 : cell.number;
  for (std::uint64_t key = mixed(std::bit_cast<std::uint64_t>(value) + 1);; ++key) {
    const auto [number, is_new] = index_.insert(key, static_cast<std::uint32_t>(values_.size()));
    if (is_new) {
      values_.push_back(cell);
      return number;
    }
    if (values_[number].kind != Cell::Kind::kText && values_[number].number == value) return number;
  }
}

void KeyValues::number(const Vector& values, const Selection& rows, std::vector<std::uint32_t>& numbers) {
  if (values.kind == Vector::Kind::kDictionary) {
    std::vector<std::uint32_t> of_words(values.words.size(), kUnknown);
    return rows.each([&](std::size_t row) {
      const auto code = values.codes[row];
      if (code >= of_words.size()) {
        numbers[row] = 0;
        return;
      }
      if (of_words[code] == kUnknown) of_words[code] = number(Vector::text_cell(values.words[code]));
      numbers[row] = of_words[code];
    });
  }
  if (values.kind == Vector::Kind::kNumbers) {
    double last = 0;
    std::uint32_t last_number = kUnknown;
    return rows.each([&](std::size_t row) {
      const double value = values.numbers[row];
      if (value != last || last_number == kUnknown) {
        last_number = number(values.number_cell(value));
        last = value;
      }
      numbers[row] = std::isnan(value) ? 0 : last_number;
    });
  }
  rows.each([&](std::size_t row) { numbers[row] = number(values.at(row)); });
}

std::uint32_t GroupIndex::group_of(std::span<const std::uint32_t> numbers) {
  std::uint32_t so_far = 0;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const auto fresh = i + 1 == numbers.size() ? static_cast<std::uint32_t>(groups_) : counts_[i];
    const auto [found, is_new] = combined_[i].insert(static_cast<std::uint64_t>(so_far) << 32 | numbers[i], fresh);
    if (is_new && i + 1 == numbers.size()) {
      ++groups_;
      members_.insert(members_.end(), numbers.begin(), numbers.end());
    } else if (is_new) {
      ++counts_[i];
    }
    so_far = found;
  }
  return so_far;
}

void GroupIndex::find(std::span<const Vector* const> keys, const Selection& rows, std::vector<std::uint32_t>& groups) {
  groups.resize(rows.rows);
  if (keys.empty()) {
    groups_ = 1;
    groups.assign(rows.rows, 0);
    return;
  }
  counts_.resize(keys_.size());
  std::vector<std::vector<std::uint32_t>> numbers(keys.size(), std::vector<std::uint32_t>(rows.rows));
  for (std::size_t i = 0; i < keys.size(); ++i) keys_[i].number(*keys[i], rows, numbers[i]);
  std::vector<std::uint32_t> last(keys.size(), kUnknown);
  std::uint32_t last_group = 0;
  rows.each([&](std::size_t row) {
    bool same = true;
    for (std::size_t i = 0; i < keys.size(); ++i) {
      if (last[i] == numbers[i][row]) continue;
      last[i] = numbers[i][row];
      same = false;
    }
    if (!same) last_group = group_of(last);
    groups[row] = last_group;
  });
}

std::vector<std::uint32_t> GroupIndex::merge(const GroupIndex& other) {
  std::vector<std::uint32_t> places(other.groups_);
  if (keys_.empty()) {
    groups_ = std::max(groups_, other.groups_);
    return places;
  }
  counts_.resize(keys_.size());
  std::vector<std::uint32_t> numbers(keys_.size());
  for (std::size_t group = 0; group < other.groups_; ++group) {
    for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = keys_[i].number(other.key(group, i));
    places[group] = group_of(numbers);
  }
  return places;
}

Cell GroupIndex::key(std::size_t group, std::size_t which) const {
  return keys_[which].value(members_[group * keys_.size() + which]);
}

std::size_t GroupIndex::bytes() const {
  std::size_t total = members_.capacity() * sizeof(std::uint32_t);
  for (const auto& key : keys_) total += key.bytes();
  for (const auto& index : combined_) total += index.bytes();
  return total;
}

}  // namespace securebase::logs::insights
