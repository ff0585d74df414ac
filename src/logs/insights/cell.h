// One value of one row, and how values compare, sort and are displayed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace securebase::logs::insights {

struct Cell {
  enum class Kind : std::uint8_t {
    kMissing,
    kNumber,
    kTime,  // number: milliseconds since the epoch
    kText,
  };
  Kind kind = Kind::kMissing;
  double number = 0;
  std::string_view text;  // owned by whoever made the cell: a batch, an arena

  static Cell of(double number) { return {Kind::kNumber, number, {}}; }
  static Cell of(std::string_view text) { return {Kind::kText, 0, text}; }
  static Cell time(double milliseconds) { return {Kind::kTime, milliseconds, {}}; }
  bool missing() const { return kind == Kind::kMissing; }
};

// How many digits of a number are displayed: stored ones as they came, computed ones with at most four decimals.
enum class Precision : std::uint8_t { kStored, kComputed };

// A text that is wholly a decimal number ("12", "-1.5", "2e3"; not "0x1f", " 12", "inf").
std::optional<double> number_of(std::string_view text);
// The number that a cell is or wholly spells; NaN: none.
double number_of(const Cell& cell);

// Below zero, zero, above: numbers by value where both are numbers, else by text.
int compare(const Cell& a, const Cell& b);
// The order of `sort`: what is missing, then what is no number by runs of digits and of others, then numbers.
int natural_order(const Cell& a, const Cell& b);

// "2026-11-27 02:00:00.000", UTC; empty for what no calendar knows.
std::string display_time(double milliseconds);
std::string display_number(double number, Precision precision);
std::string display(const Cell& cell, Precision precision = Precision::kStored);

// Texts that live as long as the arena. Not for two threads at once.
class Arena {
 public:
  std::string_view keep(std::string_view text);
  // Room for a text of at most `bytes`, to be filled by the caller.
  char* room(std::size_t bytes);
  Cell keep(const Cell& cell) {
    Cell kept = cell;
    if (cell.kind == Cell::Kind::kText) kept.text = keep(cell.text);
    return kept;
  }
  // Forgets all texts and keeps one block of memory.
  void clear();
  std::size_t bytes() const { return bytes_; }

 private:
  static constexpr std::size_t kBlock = 64 << 10;
  std::vector<std::unique_ptr<char[]>> blocks_;
  char* at_ = nullptr;
  std::size_t left_ = 0;
  std::size_t bytes_ = 0;  // of all blocks
};

}  // namespace securebase::logs::insights
