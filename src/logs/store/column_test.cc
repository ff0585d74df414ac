#include "logs/store/column.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

#include "logs/store/read_block.h"

namespace securebase::logs {
namespace {

DecodedColumn round_trip(const ColumnValues& values, std::size_t rows) {
  const auto encoded = encode_column(values, rows);
  DecodedColumn decoded;
  auto done = decode_column(encoded.kind, encoded.bytes, encoded.raw_bytes, rows, decoded);
  EXPECT_TRUE(done) << done.error().message;
  return decoded;
}

TEST(Column, KeepsNumbersToTheLastBit) {
  const std::vector<double> sets[] = {{1, 2, 3},
                                      {0.1, 12.34, 99.99, 1e6},
                                      {1.0 / 3, 2.5e-7, -1e300},
                                      {1.7e12, 1.7e12 + 1, 1.7e12 + 5, 1.7e12 - 1000},
                                      {-5, 0, 5},
                                      {std::numeric_limits<double>::max(), std::numeric_limits<double>::denorm_min()},
                                      {42}};
  for (const auto& set : sets) {
    ColumnValues values;
    for (std::uint32_t row = 0; row < set.size(); ++row) values.number(row, set[row]);
    EXPECT_EQ(round_trip(values, set.size()).numbers, set);
  }
}

TEST(Column, KeepsTextsWhateverTheyAre) {
  const std::vector<std::string> sets[] = {
      {"a", "", std::string("\0\xff", 2), std::string(70'000, 'x')},
      {"3f2c8a10-0000-4000-8000-0123456789ab", "00000000-0000-0000-0000-000000000000"},
      {"3f2c8a10-0000-4000-8000-0123456789ab", "3F2C8A10-0000-4000-8000-0123456789AB"},
      {"x", "y", "x", "x", "y", "x", "x", "x"}};
  for (const auto& set : sets) {
    ColumnValues values;
    for (std::uint32_t row = 0; row < set.size(); ++row) values.text(row, set[row]);
    const auto decoded = round_trip(values, set.size());
    for (std::size_t row = 0; row < set.size(); ++row) EXPECT_EQ(text_at(decoded.view, row), set[row]);
  }
}

TEST(Column, KnowsWhichRowsHaveIt) {
  ColumnValues values;
  for (std::uint32_t row = 0; row < 300; ++row) {
    if (row % 3 == 0) values.number(row, row * 0.5);
    if (row % 3 == 1) values.text(row, row % 2 ? "odd" : "even");
  }
  const auto decoded = round_trip(values, 300);
  ASSERT_EQ(decoded.view.kind, Column::Kind::kMixed);
  for (std::size_t row = 0; row < 300; ++row) {
    EXPECT_EQ(is_present(decoded.view, row), row % 3 != 2);
    const bool is_text = (decoded.view.is_text[row / 64] >> (row % 64) & 1) != 0;
    EXPECT_EQ(is_text, row % 3 == 1);
    if (row % 3 == 0) {
      EXPECT_EQ(decoded.view.numbers[row], row * 0.5);
    }
    if (row % 3 == 1) {
      EXPECT_EQ(decoded.view.texts[row], row % 2 ? "odd" : "even");
    }
  }
}

TEST(Column, MakesADictionaryOfWordsThatRepeat) {
  ColumnValues values;
  for (std::uint32_t row = 0; row < 4096; ++row) values.text(row, row % 3 ? "START" : "REPORT");
  const auto encoded = encode_column(values, 4096);
  EXPECT_EQ(encoded.kind, Column::Kind::kDictionary);
  EXPECT_LT(encoded.bytes.size(), 200U);
}

TEST(Column, StoresRandomTextsOfOneLengthAndAscendingNumbersInFewBytes) {
  ColumnValues times;
  ColumnValues numbers;
  std::vector<std::string> texts;
  for (std::uint32_t row = 0; row < 4096; ++row) {
    const auto digits = std::to_string(1'000'000 + row * 2654435761U % 1'000'000);
    texts.push_back("2026-11-27T05:00:00." + digits.substr(1) + "Z");
    numbers.number(row, 1.7e12 + row * 3);
  }
  for (std::uint32_t row = 0; row < 4096; ++row) times.text(row, texts[row]);
  const auto encoded = encode_column(times, 4096);
  ASSERT_EQ(encoded.kind, Column::Kind::kTexts);
  EXPECT_LT(encoded.bytes.size(), 4096U * 6 * 7 / 16);  // 3.5 bits for each of six digits
  const auto decoded = round_trip(times, 4096);
  for (std::uint32_t row = 0; row < 4096; ++row) ASSERT_EQ(decoded.view.texts[row], texts[row]);
  EXPECT_LT(encode_column(numbers, 4096).bytes.size(), 100U);
}

TEST(Column, RefusesBytesThatAreNone) {
  ColumnValues values;
  for (std::uint32_t row = 0; row < 100; ++row) values.text(row, row % 2 ? "a" : "b");
  const auto encoded = encode_column(values, 100);
  DecodedColumn into;
  EXPECT_FALSE(decode_column(encoded.kind, encoded.bytes.substr(1), encoded.raw_bytes, 100, into));
  EXPECT_FALSE(decode_column(encoded.kind, encoded.bytes, encoded.raw_bytes + 1, 100, into));
  EXPECT_FALSE(decode_column(Column::Kind::kNumbers, encoded.bytes, encoded.raw_bytes, 5000, into));
  auto rotten = encoded.bytes;
  rotten[rotten.size() / 2] = static_cast<char>(rotten[rotten.size() / 2] ^ 1);
  EXPECT_FALSE(decode_column(encoded.kind, rotten, encoded.raw_bytes, 100, into));
}

// Whether a column can have a byte is known by its layout; what is known must be true.
TEST(StoredColumn, TellsWhatItsTextsAreMadeOf) {
  const auto alphabet_of = [](const std::vector<std::string>& texts, bool sparse) {
    ColumnValues values;
    for (std::uint32_t i = 0; i < texts.size(); ++i) values.text(sparse ? 3 * i : i, texts[i]);
    const auto rows = sparse ? 3 * texts.size() : texts.size();
    const auto encoded = encode_column(values, rows);
    const auto alphabet = alphabet_of_column(encoded.kind, encoded.bytes, encoded.raw_bytes, rows);
    EXPECT_TRUE(alphabet);
    for (const auto& text : texts) {
      for (const char c : text) EXPECT_TRUE(alphabet->has(c)) << text;
    }
    return *alphabet;
  };
  for (const bool sparse : {false, true}) {
    for (const int repeated : {1, 6}) {
      std::vector<std::string> ids;
      std::vector<std::string> customers;
      std::vector<std::string> words;
      for (int i = 0; i < 40; ++i) {
        for (int k = 0; k < repeated; ++k) {
          ids.push_back(fmt::format("3f2c8a10-0000-4000-8000-0123456789{:02x}", i));
          customers.push_back(fmt::format("customer-{}", i));
          words.push_back(std::string(static_cast<std::size_t>(i), 'w'));
        }
      }
      EXPECT_FALSE(alphabet_of(ids, sparse).has('r'));
      EXPECT_FALSE(alphabet_of(customers, sparse).has('f'));
      EXPECT_TRUE(alphabet_of(words, sparse).has('f')) << "of which nothing is known";
    }
  }
}

}  // namespace
}  // namespace securebase::logs
