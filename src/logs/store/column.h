// One field of a block's rows as bytes. Which rows have it, numbers and texts are laid out so that zstd finds what is
// alike: numbers with few decimals as integers, above their least or as steps, byte by byte; texts that repeat as a
// dictionary; UUIDs as their 16 bytes; other texts of one length by position.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "logs/insights/source.h"
#include "logs/store/alphabet.h"

namespace securebase::logs {

using insights::Column;

// What a block gathers of a field, in rows that ascend.
struct ColumnValues {
  std::vector<std::uint32_t> rows;
  std::vector<std::uint8_t> is_text;    // for each of `rows`
  std::vector<double> numbers;          // of the rows that have one, in order
  std::vector<std::string_view> texts;  // of the rows that have one, in order

  void number(std::uint32_t row, double value) {
    rows.push_back(row);
    is_text.push_back(0);
    numbers.push_back(value);
  }
  void text(std::uint32_t row, std::string_view value) {
    rows.push_back(row);
    is_text.push_back(1);
    texts.push_back(value);
  }
};

struct EncodedColumn {
  Column::Kind kind = Column::Kind::kMissing;
  std::vector<std::string_view> words;  // of a dictionary, as it will be read
  std::uint32_t raw_bytes = 0;          // before compression
  std::string bytes;
  // Of the numbers; meaningless without any.
  double least = 0;
  double most = 0;
};

EncodedColumn encode_column(const ColumnValues& values, std::size_t rows);

// A column that was read: `view` refers to the rest, and to nothing else.
struct DecodedColumn {
  Column view;
  std::string bytes;
  std::vector<double> numbers;
  std::vector<std::string_view> texts;
  std::vector<std::uint32_t> codes;
  std::vector<std::string_view> words;
  std::vector<std::uint64_t> is_text;
  std::vector<std::uint64_t> present;
  std::string unpacked;  // UUIDs as texts
};

inline constexpr std::size_t kMostRawBytes = std::size_t{64} << 20;  // of a column; a block has a few MiB at most
inline constexpr std::size_t kMostRows = 1 << 16;

// kMalformed: these are no bytes of such a column. Reuses what `into` holds.
Result<Done> decode_column(Column::Kind kind, std::string_view bytes, std::size_t raw_bytes, std::size_t rows,
                           DecodedColumn& into);

// What the texts of a stored column are made of, as far as its layout says; the least that is decompressed is all of
// it.
Result<Alphabet> alphabet_of_column(Column::Kind kind, std::string_view bytes, std::size_t raw_bytes, std::size_t rows);

// A text of a column of texts or words; empty for others.
std::string_view text_at(const Column& column, std::size_t row);
bool is_present(const Column& column, std::size_t row);

}  // namespace securebase::logs
