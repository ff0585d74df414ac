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
#include "logs/store/reach.h"
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

  // Notes where the values of `count` messages are, and goes past them. kMalformed: these are none.
  Result<Done> note(ByteReader& from, std::size_t count);
  // What was noted is read, once. kMalformed: these are no values, or a field is not what it was. Refers to the bytes
  // and the columns.
  Result<Done> read(const FieldOf& field);
  // What the values of a column of the same block are made of.
  using AlphabetOf = std::function<Alphabet(std::string_view name)>;
  // Of what was noted, read or not.
  Alphabet alphabet(const AlphabetOf& of_field) const;

  // --- of what was read ---
  // The value of the message `index` of the template, which is in the block's row `row`.
  void append(std::string& out, std::size_t index, std::size_t row) const;
  // Of the messages in `rows`, which are the template's, those whose value may have what is looked for; values that
  // repeat are asked about once.
  void for_each_with(const Reach& reach, std::span<const std::uint32_t> rows,
                     const std::function<void(std::uint32_t row, Has has)>& visit) const;

 private:
  enum class Kind : std::uint8_t { kTextField, kNumbers, kDictionary, kTexts, kNumberField, kWordsOfField };

  bool is_number() const { return kind_ == Kind::kNumbers || kind_ == Kind::kNumberField; }
  Result<Done> read_now(const FieldOf& field);
  void for_each_number_with(const Reach& reach, std::span<const std::uint32_t> rows,
                            const std::function<void(std::uint32_t row, Has has)>& visit) const;
  Result<Done> take_field(ByteReader& from, const FieldOf& field);
  Result<Done> take_words_of_field(ByteReader& from, std::size_t count, const FieldOf& field);
  Result<Done> take_number_field(ByteReader& from, const FieldOf& field);

  Kind kind_ = Kind::kTexts;
  std::size_t count_ = 0;
  ByteReader stored_{{}};  // behind the kind
  bool read_ = false;
  const Column* field_ = nullptr;
  NumberForm form_ = 0;
  double factor_ = 1;
  std::vector<double> numbers_;          // mantissas, where the form has a fixed number of decimals
  std::vector<std::string_view> texts_;  // words, for a dictionary
  std::vector<std::uint32_t> codes_;
  std::string unpacked_;
};

}  // namespace securebase::logs
