// Rows in columns while a query looks at them: what a batch brought, and what the query has computed from it.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "logs/insights/cell.h"
#include "logs/insights/source.h"

namespace securebase::logs::insights {

// The values of one field or expression, by row. The spans show what the batch holds, or what this one owns.
struct Vector {
  enum class Kind : std::uint8_t {
    kMissing,
    kNumbers,     // NaN: missing
    kTexts,       // null: missing
    kDictionary,  // a code beyond the words: missing
    kCells,
    kLater,  // not read yet: load() first
    kMade,   // made->at(row)
  };
  static constexpr std::uint32_t kNoWord = ~std::uint32_t{0};

  Kind kind = Kind::kMissing;
  bool time = false;  // the numbers are times
  std::span<const double> numbers;
  std::span<const std::string_view> texts;
  std::span<const std::uint32_t> codes;
  std::span<const std::string_view> words;
  std::span<const Cell> cells;
  LaterColumn* later = nullptr;
  MadeTexts* made = nullptr;

  std::vector<double> own_numbers;
  std::vector<std::string_view> own_texts;
  std::vector<std::uint32_t> own_codes;
  std::vector<std::string_view> own_words;
  std::vector<Cell> own_cells;

  Cell at(std::size_t row) const {
    switch (kind) {
      case Kind::kMissing:
        return {};
      case Kind::kNumbers:
        return number_cell(numbers[row]);
      case Kind::kTexts:
        return text_cell(texts[row]);
      case Kind::kDictionary:
        return codes[row] < words.size() ? text_cell(words[codes[row]]) : Cell{};
      case Kind::kCells:
        return cells[row];
      case Kind::kMade:
        return text_cell(made->at(row));
      case Kind::kLater:
        break;
    }
    return {};
  }
  Cell number_cell(double number) const {
    if (std::isnan(number)) return {};
    return time ? Cell::time(number) : Cell::of(number);
  }
  static Cell text_cell(std::string_view text) { return text.data() == nullptr ? Cell{} : Cell::of(text); }

  // A view of the same values, which lives as long as what it was taken of.
  Vector view() const;

  // Makes room for the values of `rows` rows, of which none is set; the caller fills what own_* holds.
  std::vector<double>& make_numbers(std::size_t rows);
  std::vector<std::string_view>& make_texts(std::size_t rows);
  std::vector<Cell>& make_cells(std::size_t rows);
  // Takes a batch's column; what is missing becomes what this type says.
  void import(const Column& column, std::size_t rows);
  // What was left for later is read now.
  void load(std::size_t rows) {
    if (kind == Kind::kLater) import(later->read(), rows);
  }
  // The values of some rows of another, one after the other.
  void gather(const Vector& from, std::span<const std::uint32_t> rows);
};

// Which rows are still of interest: all, or those listed, in rising order.
struct Selection {
  bool all = true;
  std::size_t rows = 0;  // of the frame
  std::vector<std::uint32_t> list;

  static Selection whole(std::size_t rows) { return {true, rows, {}}; }
  std::size_t size() const { return all ? rows : list.size(); }
  template <class Visit>
  void each(Visit visit) const {
    if (all) {
      for (std::size_t row = 0; row < rows; ++row) visit(row);
    } else {
      for (const auto row : list) visit(static_cast<std::size_t>(row));
    }
  }
};

// The rows that `from` has and `without` has not, both of the same frame.
void subtract(const Selection& from, const Selection& without, Selection& left);
// Both together; they have no row in common.
void unite(const Selection& a, const Selection& b, Selection& both);

struct JsonReader;  // json.h

// One thread's: made once, used for batch after batch.
struct Frame {
  explicit Frame(std::size_t registers, std::size_t scratch);
  ~Frame();
  Frame(Frame&&) noexcept;

  std::size_t rows = 0;
  std::vector<Vector> registers;  // fields that were read, columns that were computed
  std::vector<Vector> scratch;    // one for each node of an expression that computes
  Arena arena;                    // texts of this batch
  std::unique_ptr<JsonReader> json;
};

}  // namespace securebase::logs::insights
