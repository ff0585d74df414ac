#include "logs/store/slots.h"

#include <algorithm>
#include <optional>
#include <unordered_map>

#include "logs/store/numbers.h"
#include "logs/store/texts.h"

namespace securebase::logs {

namespace {

constexpr double kFactors[] = {1, 1e6};  // of a field to its text: "512 MB" is 512,000,000 bytes

constexpr std::size_t kLeastSharedWords = 16;
constexpr std::size_t kLeastSharedBytes = 8;

Error no_slot(std::string_view what) {
  return {Errc::kMalformed, std::string("the ") + std::string(what) + " of stored log messages cannot be read"};
}

const TextField* field_of(std::span<const std::string_view> values, std::span<const std::uint32_t> rows,
                          std::span<const TextField> fields) {
  for (const auto& field : fields) {
    bool same = true;
    for (std::size_t i = 0; same && i < values.size(); ++i) same = field.values[rows[i]] == values[i];
    if (same) return &field;
  }
  return nullptr;
}

struct FoundNumbers {
  const NumberField* field;
  std::size_t factor;
};

std::optional<FoundNumbers> field_of(std::span<const Decimal> numbers, std::span<const std::uint32_t> rows,
                                     std::span<const NumberField> fields) {
  for (const auto& field : fields) {
    for (std::size_t factor = 0; factor < std::size(kFactors); ++factor) {
      bool same = true;
      for (std::size_t i = 0; same && i < numbers.size(); ++i) {
        same = field.values[rows[i]] / kFactors[factor] == numbers[i].value();
      }
      if (same) return FoundNumbers{&field, factor};
    }
  }
  return std::nullopt;
}

// Codes of these words among those of a field that has them all; nullopt: there is no such field.
struct FoundWords {
  const TextField* field;
  std::vector<std::uint64_t> codes;  // for each word
};

std::optional<FoundWords> field_with(std::span<const std::string_view> words, std::span<const TextField> fields) {
  // Short words cost no more than their codes.
  if (words.size() < kLeastSharedWords || words.front().size() < kLeastSharedBytes) return std::nullopt;
  for (const auto& field : fields) {
    if (std::find(field.words.begin(), field.words.end(), words.front()) == field.words.end()) continue;
    std::unordered_map<std::string_view, std::uint64_t> known;
    for (const auto word : field.words) known.emplace(word, known.size());
    FoundWords found{&field, {}};
    for (const auto word : words) {
      const auto at = known.find(word);
      if (at == known.end()) break;
      found.codes.push_back(at->second);
    }
    if (found.codes.size() == words.size()) return found;
  }
  return std::nullopt;
}

// Empty: at least one is no number.
std::span<const Decimal> decimals_of(std::span<const std::string_view> values) {
  thread_local std::vector<Decimal> numbers;
  numbers.clear();
  for (const auto value : values) {
    const auto decimal = decimal_of(value);
    if (!decimal) return {};
    numbers.push_back(*decimal);
  }
  return numbers;
}

}  // namespace

void Slot::put(MixedBytes& out, std::span<const std::string_view> values, std::span<const std::uint32_t> rows,
               const MessageFields& fields, const VisitText& visit_words) {
  const auto put_kind = [&out](Kind kind) { out.push_back(static_cast<char>(kind)); };
  const auto visit_all = [&visit_words](std::span<const std::string_view> texts) {
    for (std::size_t i = 0; i < texts.size(); ++i) {
      if (i == 0 || texts[i] != texts[i - 1]) visit_words(texts[i]);
    }
  };
  if (const auto* field = field_of(values, rows, fields.texts)) {
    visit_all(field->words.empty() ? values : field->words);
    put_kind(Kind::kTextField);
    put_text(out, field->name);
    return;
  }
  const auto numbers = decimals_of(values);
  if (!numbers.empty()) visit_all(values);
  if (const auto form = form_of(numbers)) {
    if (const auto found = field_of(numbers, rows, fields.numbers)) {
      put_kind(Kind::kNumberField);
      put_text(out, found->field->name);
      out.push_back(static_cast<char>(found->factor));
      out.push_back(static_cast<char>(*form));
      return;
    }
    put_kind(Kind::kNumbers);
    out.push_back(static_cast<char>(*form));
    std::vector<double> stored;
    for (const auto& number : numbers) stored.push_back(*form <= kMostDecimals ? number.mantissa : number.value());
    put_numbers(out, stored);
    return;
  }
  std::vector<std::string_view> words;
  std::vector<std::uint64_t> codes;
  if (as_dictionary(values, words, codes)) {
    if (numbers.empty()) visit_all(words);
    if (const auto found = field_with(words, fields.texts)) {
      put_kind(Kind::kWordsOfField);
      put_text(out, found->field->name);
      for (auto& code : codes) code = found->codes[code];
      put_codes(out, codes, found->field->words.size());
      return;
    }
    put_kind(Kind::kDictionary);
    put_varint(out, words.size());
    put_texts(out, words);
    put_codes(out, codes, words.size());
  } else {
    if (numbers.empty()) visit_all(values);
    put_kind(Kind::kTexts);
    put_texts(out, values);
  }
}

Result<Done> Slot::take_field(ByteReader& from, const FieldOf& field) {
  auto column = field(from.text());
  if (!column) return column.error();
  field_ = *column;
  if (field_->kind != Column::Kind::kTexts && field_->kind != Column::Kind::kDictionary) return no_slot("fields");
  if (field_->kind == Column::Kind::kDictionary && field_->words.empty()) return no_slot("words");
  return Done{};
}

Result<Done> Slot::take_words_of_field(ByteReader& from, std::size_t count, const FieldOf& field) {
  if (auto taken = take_field(from, field); !taken) return taken;
  if (field_->kind != Column::Kind::kDictionary || !take_codes(from, count, field_->words.size(), codes_)) {
    return no_slot("words");
  }
  return Done{};
}

Result<Done> Slot::take_number_field(ByteReader& from, const FieldOf& field) {
  auto column = field(from.text());
  if (!column) return column.error();
  field_ = *column;
  const auto factor = from.fixed<std::uint8_t>();
  form_ = from.fixed<NumberForm>();
  if (field_->kind != Column::Kind::kNumbers || factor >= std::size(kFactors)) return no_slot("fields");
  factor_ = kFactors[factor];
  return Done{};
}

Result<Done> Slot::take(ByteReader& from, std::size_t count, const FieldOf& field) {
  kind_ = static_cast<Kind>(from.fixed<std::uint8_t>());
  switch (kind_) {
    case Kind::kTextField:
      return take_field(from, field);
    case Kind::kNumberField:
      return take_number_field(from, field);
    case Kind::kNumbers:
      form_ = from.fixed<NumberForm>();
      numbers_.resize(count);
      if (!take_numbers(from, count, numbers_.data())) return no_slot("numbers");
      return Done{};
    case Kind::kDictionary: {
      const auto words = from.varint();
      if (words > count || !take_texts(from, words, texts_, unpacked_) || !take_codes(from, count, words, codes_)) {
        return no_slot("words");
      }
      return Done{};
    }
    case Kind::kTexts:
      if (!take_texts(from, count, texts_, unpacked_)) return no_slot("texts");
      return Done{};
    case Kind::kWordsOfField:
      return take_words_of_field(from, count, field);
  }
  return no_slot("variables");
}

void Slot::append(std::string& out, std::size_t index, std::size_t row) const {
  switch (kind_) {
    case Kind::kTextField:
      out.append(text_at(*field_, row));
      break;
    case Kind::kNumberField:
      append_number(out, field_->numbers[row] / factor_, form_);
      break;
    case Kind::kNumbers:
      if (form_ <= kMostDecimals) {
        append_decimal(out, {numbers_[index], form_});
      } else {
        append_number(out, numbers_[index], form_);
      }
      break;
    case Kind::kDictionary:
      out.append(texts_[codes_[index]]);
      break;
    case Kind::kTexts:
      out.append(texts_[index]);
      break;
    case Kind::kWordsOfField:
      out.append(field_->words[codes_[index]]);
      break;
  }
}

void Slot::for_each_with(const std::function<bool(std::string_view value)>& is_such,
                         std::span<const std::uint32_t> rows,
                         const std::function<void(std::uint32_t row)>& visit) const {
  const bool of_field = kind_ == Kind::kTextField && field_->kind == Column::Kind::kDictionary;
  if (of_field || kind_ == Kind::kDictionary || kind_ == Kind::kWordsOfField) {
    const auto words = kind_ == Kind::kDictionary ? std::span<const std::string_view>(texts_) : field_->words;
    std::vector<bool> such;
    bool any = false;
    for (const auto word : words) {
      such.push_back(is_such(word));
      any = any || such.back();
    }
    for (std::size_t i = 0; any && i < rows.size(); ++i) {
      if (such[of_field ? field_->codes[rows[i]] : codes_[i]]) visit(rows[i]);
    }
    return;
  }
  std::string number;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::string_view value;
    if (is_number()) {
      number.clear();
      append(number, i, rows[i]);
      value = number;
    } else {
      value = kind_ == Kind::kTexts ? texts_[i] : text_at(*field_, rows[i]);
    }
    if (is_such(value)) visit(rows[i]);
  }
}

}  // namespace securebase::logs
