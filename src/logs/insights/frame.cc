#include "logs/insights/frame.h"

#include <algorithm>
#include <limits>

#include "logs/insights/json.h"

namespace securebase::logs::insights {

namespace {

constexpr double kNoNumber = std::numeric_limits<double>::quiet_NaN();

bool bit(std::span<const std::uint64_t> bits, std::size_t row) { return (bits[row / 64] >> (row % 64) & 1) != 0; }

std::string_view there(std::string_view text) { return text.data() == nullptr ? std::string_view("", 0) : text; }

}  // namespace

Vector Vector::view() const {
  Vector seen;
  seen.kind = kind;
  seen.time = time;
  seen.numbers = numbers;
  seen.texts = texts;
  seen.codes = codes;
  seen.words = words;
  seen.cells = cells;
  seen.later = later;
  seen.made = made;
  return seen;
}

std::vector<double>& Vector::make_numbers(std::size_t rows) {
  kind = Kind::kNumbers;
  own_numbers.resize(rows);
  numbers = own_numbers;
  return own_numbers;
}

std::vector<std::string_view>& Vector::make_texts(std::size_t rows) {
  kind = Kind::kTexts;
  own_texts.resize(rows);
  texts = own_texts;
  return own_texts;
}

std::vector<Cell>& Vector::make_cells(std::size_t rows) {
  kind = Kind::kCells;
  own_cells.resize(rows);
  cells = own_cells;
  return own_cells;
}

void Vector::import(const Column& column, std::size_t rows) {
  const bool whole = column.present.empty();
  const auto present = [&](std::size_t row) { return whole || bit(column.present, row); };
  switch (column.kind) {
    case Column::Kind::kMissing:
      kind = Kind::kMissing;
      return;
    case Column::Kind::kNumbers:
      kind = Kind::kNumbers;
      numbers = column.numbers;
      if (whole) return;
      make_numbers(rows);
      for (std::size_t row = 0; row < rows; ++row) own_numbers[row] = present(row) ? column.numbers[row] : kNoNumber;
      return;
    case Column::Kind::kTexts:
      kind = Kind::kTexts;
      texts = column.texts;
      if (whole) return;
      make_texts(rows);
      for (std::size_t row = 0; row < rows; ++row) {
        own_texts[row] = present(row) ? there(column.texts[row]) : std::string_view();
      }
      return;
    case Column::Kind::kDictionary:
      kind = Kind::kDictionary;
      codes = column.codes;
      words = column.words;
      if (whole) return;
      own_codes.resize(rows);
      for (std::size_t row = 0; row < rows; ++row) own_codes[row] = present(row) ? column.codes[row] : kNoWord;
      codes = own_codes;
      return;
    case Column::Kind::kMixed:
      make_cells(rows);
      for (std::size_t row = 0; row < rows; ++row) {
        if (!present(row)) {
          own_cells[row] = {};
        } else if (bit(column.is_text, row)) {
          own_cells[row] = Cell::of(there(column.texts[row]));
        } else {
          own_cells[row] = number_cell(column.numbers[row]);
        }
      }
      return;
    case Column::Kind::kLater:
      kind = Kind::kLater;
      later = column.later;
      return;
    case Column::Kind::kMade:
      kind = Kind::kMade;
      made = column.made;
      return;
  }
}

void Vector::gather(const Vector& from, std::span<const std::uint32_t> rows) {
  kind = from.kind;
  time = from.time;
  const auto take = [rows](auto& own, auto& shown, const auto& given) {
    own.resize(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) own[i] = given[rows[i]];
    shown = own;
  };
  switch (kind) {
    case Kind::kMissing:
      return;
    case Kind::kNumbers:
      return take(own_numbers, numbers, from.numbers);
    case Kind::kTexts:
      return take(own_texts, texts, from.texts);
    case Kind::kDictionary:
      words = from.words;
      return take(own_codes, codes, from.codes);
    case Kind::kCells:
      return take(own_cells, cells, from.cells);
    case Kind::kMade:
      make_cells(rows.size());
      for (std::size_t i = 0; i < rows.size(); ++i) own_cells[i] = from.at(rows[i]);
      return;
    case Kind::kLater:
      kind = Kind::kMissing;  // nobody loaded it
      return;
  }
}

void subtract(const Selection& from, const Selection& without, Selection& left) {
  left.all = false;
  left.rows = from.rows;
  left.list.clear();
  if (without.all) return;
  auto next = without.list.begin();
  from.each([&](std::size_t row) {
    if (next != without.list.end() && *next == row) {
      ++next;
    } else {
      left.list.push_back(static_cast<std::uint32_t>(row));
    }
  });
}

void unite(const Selection& a, const Selection& b, Selection& both) {
  both.rows = a.rows;
  both.list.clear();
  both.all = a.all || b.all || a.list.size() + b.list.size() == a.rows;
  if (both.all) return;
  both.list.resize(a.list.size() + b.list.size());
  std::merge(a.list.begin(), a.list.end(), b.list.begin(), b.list.end(), both.list.begin());
}

Frame::Frame(std::size_t register_count, std::size_t scratch_count)
    : registers(register_count), scratch(scratch_count), json(std::make_unique<JsonReader>()) {}
Frame::~Frame() = default;
Frame::Frame(Frame&&) noexcept = default;

}  // namespace securebase::logs::insights
