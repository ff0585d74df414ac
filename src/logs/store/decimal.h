// Numbers as texts write them: a text that is read as a number here is written again by it, byte by byte.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace securebase::logs {

// "-12.340": -12340 with three decimals.
struct Decimal {
  double mantissa = 0;  // an integer
  int decimals = 0;

  double value() const;
};

// nullopt: no decimal number of at most 15 digits, or one that is written in another way ("007", "1e5", "-0").
std::optional<Decimal> decimal_of(std::string_view text);

// How numbers of a column are written: with so many decimals, or with as many as each needs.
using NumberForm = std::uint8_t;
inline constexpr NumberForm kMostDecimals = 15;
inline constexpr NumberForm kShortest = 16;           // "7", "7.25"
inline constexpr NumberForm kShortestWithPoint = 17;  // "7.0", "7.25", as Python writes floats

// One that all of them have. nullopt: there is none.
std::optional<NumberForm> form_of(std::span<const Decimal> numbers);
// Nothing, where no text of that form has such a number.
void append_number(std::string& out, double number, NumberForm form);
void append_decimal(std::string& out, const Decimal& decimal);

}  // namespace securebase::logs
