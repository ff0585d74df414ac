#include "logs/store/select_columns.h"

#include "logs/store/read_block.h"

namespace securebase::logs {

namespace {

template <class RowAt>
std::span<const std::uint64_t> select_bits(std::span<const std::uint64_t> bits, std::size_t count, RowAt row_at,
                                           std::vector<std::uint64_t>& into) {
  if (bits.empty()) return {};
  into.assign((count + 63) / 64, 0);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t row = row_at(i);
    into[i / 64] |= (bits[row / 64] >> (row % 64) & 1) << (i % 64);
  }
  return into;
}

template <class T>
std::span<const T> select_values(std::span<const T> values, std::span<const std::uint32_t> rows, std::vector<T>& into) {
  if (values.empty()) return {};
  into.clear();
  into.reserve(rows.size());
  for (const auto row : rows) into.push_back(values[row]);
  return into;
}

template <class T>
std::span<const T> part_of(std::span<const T> values, std::size_t begin, std::size_t end) {
  return values.empty() ? values : values.subspan(begin, end - begin);
}

}  // namespace

void select_range(const Column& from, std::size_t begin, std::size_t end, SelectedColumn& into) {
  const auto row_at = [begin](std::size_t i) { return begin + i; };
  into.view = from;
  into.view.numbers = part_of(from.numbers, begin, end);
  into.view.texts = part_of(from.texts, begin, end);
  into.view.codes = part_of(from.codes, begin, end);
  into.view.is_text = select_bits(from.is_text, end - begin, row_at, into.is_text);
  into.view.present = select_bits(from.present, end - begin, row_at, into.present);
}

void select_rows(const Column& from, std::span<const std::uint32_t> rows, SelectedColumn& into) {
  const auto row_at = [rows](std::size_t i) { return rows[i]; };
  into.view = from;
  into.view.numbers = select_values(from.numbers, rows, into.numbers);
  into.view.texts = select_values(from.texts, rows, into.texts);
  into.view.codes = select_values(from.codes, rows, into.codes);
  into.view.is_text = select_bits(from.is_text, rows.size(), row_at, into.is_text);
  into.view.present = select_bits(from.present, rows.size(), row_at, into.present);
}

}  // namespace securebase::logs
