#include "logs/store/column.h"

#include <algorithm>
#include <bit>

#include "logs/store/bytes.h"
#include "logs/store/numbers.h"
#include "logs/store/texts.h"
#include "logs/store/zstd.h"

namespace securebase::logs {

namespace {

using Kind = Column::Kind;

std::size_t words_for(std::size_t rows) { return (rows + 63) / 64; }

// A bit a row, lowest first.
void put_bits(std::string& out, const std::vector<std::uint64_t>& bits) {
  for (const auto word : bits) put_fixed(out, word);
}

bool take_bits(ByteReader& from, std::size_t rows, std::vector<std::uint64_t>& into) {
  into.resize(words_for(rows));
  for (auto& word : into) word = from.fixed<std::uint64_t>();
  // Bits of no row would be counted as rows.
  if (rows % 64 != 0 && !into.empty()) into.back() &= (std::uint64_t{1} << (rows % 64)) - 1;
  return from.ok();
}

std::size_t count_bits(const std::vector<std::uint64_t>& bits) {
  std::size_t count = 0;
  for (const auto word : bits) count += static_cast<std::size_t>(std::popcount(word));
  return count;
}

template <class Visit>
void for_each_bit(const std::vector<std::uint64_t>& bits, Visit visit) {
  for (std::size_t i = 0; i < bits.size(); ++i) {
    for (auto word = bits[i]; word != 0; word &= word - 1) {
      visit(i * 64 + static_cast<std::size_t>(std::countr_zero(word)));
    }
  }
}

// To the rows that have one.
template <class T>
void spread(const std::vector<std::uint64_t>& present, std::size_t rows, std::vector<T>& values) {
  std::vector<T> spread_out(rows);
  std::size_t next = 0;
  for_each_bit(present, [&](std::size_t row) { spread_out[row] = values[next++]; });
  values.swap(spread_out);
}

Error no_column(std::string_view what) {
  return {Errc::kMalformed, std::string("the ") + std::string(what) + " of a stored log column cannot be read"};
}

}  // namespace

EncodedColumn encode_column(const ColumnValues& values, std::size_t rows) {
  EncodedColumn out;
  if (values.rows.empty()) return out;
  MixedBytes raw;
  raw.push_back(values.rows.size() == rows ? 0 : 1);
  if (values.rows.size() != rows) {
    std::vector<std::uint64_t> present(words_for(rows));
    for (const auto row : values.rows) present[row / 64] |= std::uint64_t{1} << (row % 64);
    put_bits(raw, present);
  }
  if (!values.numbers.empty()) {
    const auto [least, most] = std::minmax_element(values.numbers.begin(), values.numbers.end());
    out.least = *least;
    out.most = *most;
  }
  if (values.texts.empty()) {
    out.kind = Kind::kNumbers;
    put_numbers(raw, values.numbers);
  } else if (!values.numbers.empty()) {
    out.kind = Kind::kMixed;
    std::vector<std::uint64_t> is_text(words_for(rows));
    for (std::size_t i = 0; i < values.rows.size(); ++i) {
      if (values.is_text[i] != 0) is_text[values.rows[i] / 64] |= std::uint64_t{1} << (values.rows[i] % 64);
    }
    put_bits(raw, is_text);
    put_numbers(raw, values.numbers);
    put_texts(raw, values.texts);
  } else {
    std::vector<std::string_view> words;
    std::vector<std::uint64_t> codes;
    if (as_dictionary(values.texts, words, codes)) {
      out.kind = Kind::kDictionary;
      put_varint(raw, words.size());
      put_texts(raw, words);
      put_codes(raw, codes, words.size());
      out.words = std::move(words);
    } else {
      out.kind = Kind::kTexts;
      put_texts(raw, values.texts);
    }
  }
  check(raw.size() <= kMostRawBytes, "a block of log events is a few MiB");
  out.raw_bytes = static_cast<std::uint32_t>(raw.size());
  out.bytes = compress(raw);
  return out;
}

Result<Done> decode_column(Kind kind, std::string_view bytes, std::size_t raw_bytes, std::size_t rows,
                           DecodedColumn& into) {
  into.view = Column{};
  if (kind == Kind::kMissing) return Done{};
  if (raw_bytes > kMostRawBytes || rows > kMostRows) return no_column("size");
  if (auto done = decompress(bytes, raw_bytes, into.bytes); !done) return done;
  ByteReader from(into.bytes);
  const bool sparse = from.fixed<std::uint8_t>() != 0;
  std::size_t count = rows;
  into.present.clear();
  if (sparse) {
    if (!take_bits(from, rows, into.present)) return no_column("rows");
    count = count_bits(into.present);
  }
  switch (kind) {
    case Kind::kMissing:
      break;
    case Kind::kLater:  // none of these two is ever stored
    case Kind::kMade:
      return no_column("kind");
    case Kind::kNumbers:
      into.numbers.resize(count);
      if (!take_numbers(from, count, into.numbers.data())) return no_column("numbers");
      if (sparse) spread(into.present, rows, into.numbers);
      into.view.numbers = into.numbers;
      break;
    case Kind::kTexts:
      if (!take_texts(from, count, into.texts, into.unpacked)) return no_column("texts");
      if (sparse) spread(into.present, rows, into.texts);
      into.view.texts = into.texts;
      break;
    case Kind::kDictionary: {
      const auto words = from.varint();
      if (words > count || (words == 0 && count > 0)) return no_column("dictionary");
      if (!take_texts(from, words, into.words, into.unpacked)) return no_column("dictionary");
      if (!take_codes(from, count, words, into.codes)) return no_column("codes");
      if (sparse) spread(into.present, rows, into.codes);
      into.view.codes = into.codes;
      into.view.words = into.words;
      break;
    }
    case Kind::kMixed: {
      if (!take_bits(from, rows, into.is_text)) return no_column("kinds");
      if (sparse) {
        for (std::size_t i = 0; i < into.is_text.size(); ++i) into.is_text[i] &= into.present[i];
      }
      const auto texts = count_bits(into.is_text);
      auto is_number = into.is_text;
      for (std::size_t i = 0; i < is_number.size(); ++i) {
        is_number[i] = ~is_number[i] & (sparse ? into.present[i] : ~std::uint64_t{0});
      }
      if (rows % 64 != 0 && !is_number.empty()) is_number.back() &= (std::uint64_t{1} << (rows % 64)) - 1;
      into.numbers.resize(count - texts);
      if (!take_numbers(from, count - texts, into.numbers.data())) return no_column("numbers");
      if (!take_texts(from, texts, into.texts, into.unpacked)) return no_column("texts");
      spread(is_number, rows, into.numbers);
      spread(into.is_text, rows, into.texts);
      into.view.numbers = into.numbers;
      into.view.texts = into.texts;
      into.view.is_text = into.is_text;
      break;
    }
  }
  into.view.kind = kind;
  into.view.present = into.present;
  return Done{};
}

Result<Alphabet> alphabet_of_column(Kind kind, std::string_view bytes, std::size_t raw_bytes, std::size_t rows) {
  if (kind != Kind::kTexts && kind != Kind::kDictionary) return Alphabet::any();
  if (raw_bytes > kMostRawBytes || rows > kMostRows) return no_column("size");
  thread_local std::string raw;
  if (auto done = decompress(bytes, raw_bytes, raw); !done) return done.error();
  ByteReader from(raw);
  if (from.fixed<std::uint8_t>() != 0) from.take(words_for(rows) * sizeof(std::uint64_t));
  if (kind == Kind::kDictionary) from.varint();
  const auto alphabet = alphabet_of_texts(from);
  return from.ok() ? Result<Alphabet>(alphabet) : no_column("texts");
}

std::string_view text_at(const Column& column, std::size_t row) {
  if (column.kind == Column::Kind::kDictionary) return column.words[column.codes[row]];
  if (column.kind == Column::Kind::kTexts || column.kind == Column::Kind::kMixed) return column.texts[row];
  return {};
}

bool is_present(const Column& column, std::size_t row) {
  if (column.kind == Column::Kind::kMissing) return false;
  return column.present.empty() || (column.present[row / 64] >> (row % 64) & 1) != 0;
}

}  // namespace securebase::logs
