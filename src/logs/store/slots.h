// One variable of a template: what it is in each of the template's messages. What is a field of the event already is
// stored there only; other values are numbers, words that repeat (which a field of other events may have already), or
// texts.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "logs/store/bytes.h"
#include "logs/store/column.h"
#include "logs/store/decimal.h"
#include "logs/store/zstd.h"

namespace securebase::logs {

// A field all of whose values are texts, by row; "" where a row has none.
struct TextField {
  std::string_view name;
  std::vector<std::string_view> values;
  std::vector<std::string_view> words;  // of its column, where that is a dictionary
};

// A field all of whose values are numbers, by row; NaN where a row has none.
struct NumberField {
  std::string_view name;
  std::vector<double> values;
};

// What messages of a block may refer to.
struct MessageFields {
  std::vector<TextField> texts;
  std::vector<NumberField> numbers;
};

class Slot {
 public:
  // `values` are those of the messages at `rows`. What has all their words is shown to `visit_words`, each text once
  // where that is known.
  using VisitText = std::function<void(std::string_view text)>;
  static void put(MixedBytes& out, std::span<const std::string_view> values, std::span<const std::uint32_t> rows,
                  const MessageFields& fields, const VisitText& visit_words);

  // A column of the same block.
  using FieldOf = std::function<Result<const Column*>(std::string_view name)>;

  // The values of `count` messages. kMalformed: these are none, or a field is not what it was. Refers to the bytes and
  // the columns.
  Result<Done> take(ByteReader& from, std::size_t count, const FieldOf& field);
  // That of the message `index` of the template, which is in the block's row `row`.
  void append(std::string& out, std::size_t index, std::size_t row) const;
  bool is_number() const { return kind_ == Kind::kNumbers || kind_ == Kind::kNumberField; }
  // Of the messages in `rows`, which are the template's, those whose value is such; words that repeat are asked about
  // once.
  void for_each_with(const std::function<bool(std::string_view value)>& is_such, std::span<const std::uint32_t> rows,
                     const std::function<void(std::uint32_t row)>& visit) const;

 private:
  enum class Kind : std::uint8_t { kTextField, kNumbers, kDictionary, kTexts, kNumberField, kWordsOfField };

  Result<Done> take_field(ByteReader& from, const FieldOf& field);
  Result<Done> take_words_of_field(ByteReader& from, std::size_t count, const FieldOf& field);
  Result<Done> take_number_field(ByteReader& from, const FieldOf& field);

  Kind kind_ = Kind::kTexts;
  const Column* field_ = nullptr;
  NumberForm form_ = 0;
  double factor_ = 1;
  std::vector<double> numbers_;          // mantissas, where the form has a fixed number of decimals
  std::vector<std::string_view> texts_;  // words, for a dictionary
  std::vector<std::uint32_t> codes_;
  std::string unpacked_;
};

}  // namespace securebase::logs
