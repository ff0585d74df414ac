#include "logs/store/slots.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <optional>
#include <unordered_map>

#include "logs/store/numbers.h"
#include "logs/store/texts.h"
#include "logs/store/tokens.h"

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

Result<Done> Slot::note(ByteReader& from, std::size_t count) {
  kind_ = static_cast<Kind>(from.fixed<std::uint8_t>());
  count_ = count;
  stored_ = from;
  read_ = false;
  switch (kind_) {
    case Kind::kTextField:
      from.text();
      break;
    case Kind::kNumberField:
      from.text();
      from.take(2);
      break;
    case Kind::kNumbers:
      from.fixed<NumberForm>();
      if (!skip_numbers(from, count)) return no_slot("numbers");
      break;
    case Kind::kDictionary: {
      const auto words = from.varint();
      if (words > count || !skip_texts(from, words) || !skip_codes(from, count)) return no_slot("words");
      break;
    }
    case Kind::kTexts:
      if (!skip_texts(from, count)) return no_slot("texts");
      break;
    case Kind::kWordsOfField:
      from.text();
      if (!skip_codes(from, count)) return no_slot("words");
      break;
    default:
      return no_slot("variables");
  }
  return from.ok() ? Result<Done>(Done{}) : no_slot("variables");
}

Result<Done> Slot::read(const FieldOf& field) {
  if (read_) return Done{};
  if (auto done = read_now(field); !done) return done;
  read_ = true;
  return Done{};
}

Result<Done> Slot::read_now(const FieldOf& field) {
  auto from = stored_;
  switch (kind_) {
    case Kind::kTextField:
      return take_field(from, field);
    case Kind::kNumberField:
      return take_number_field(from, field);
    case Kind::kNumbers:
      form_ = from.fixed<NumberForm>();
      numbers_.resize(count_);
      if (!take_numbers(from, count_, numbers_.data())) return no_slot("numbers");
      return Done{};
    case Kind::kDictionary: {
      const auto words = from.varint();
      if (!take_texts(from, words, texts_, unpacked_) || !take_codes(from, count_, words, codes_)) {
        return no_slot("words");
      }
      return Done{};
    }
    case Kind::kTexts:
      if (!take_texts(from, count_, texts_, unpacked_)) return no_slot("texts");
      return Done{};
    case Kind::kWordsOfField:
      return take_words_of_field(from, count_, field);
  }
  return no_slot("variables");
}

Alphabet Slot::alphabet(const AlphabetOf& of_field) const {
  auto from = stored_;
  switch (kind_) {
    case Kind::kNumbers:
    case Kind::kNumberField:
      return Alphabet::number();
    case Kind::kTextField:
    case Kind::kWordsOfField:
      return of_field(from.text());
    case Kind::kDictionary:
      from.varint();
      return alphabet_of_texts(from);
    case Kind::kTexts:
      return alphabet_of_texts(from);
  }
  return Alphabet::any();
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

void Slot::for_each_with(const Reach& reach, std::span<const std::uint32_t> rows,
                         const std::function<void(std::uint32_t row, Has has)>& visit) const {
  if (is_number()) return for_each_number_with(reach, rows, visit);
  const bool of_field = kind_ == Kind::kTextField && field_->kind == Column::Kind::kDictionary;
  if (of_field || kind_ == Kind::kDictionary || kind_ == Kind::kWordsOfField) {
    const auto words = kind_ == Kind::kDictionary ? std::span<const std::string_view>(texts_) : field_->words;
    std::vector<Has> has;
    bool any = false;
    for (const auto word : words) {
      has.push_back(reach(word));
      any = any || has.back() != Has::kNo;
    }
    for (std::size_t i = 0; any && i < rows.size(); ++i) {
      const auto one = has[of_field ? field_->codes[rows[i]] : codes_[i]];
      if (one != Has::kNo) visit(rows[i], one);
    }
    return;
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto has = reach(kind_ == Kind::kTexts ? texts_[i] : text_at(*field_, rows[i]));
    if (has != Has::kNo) visit(rows[i], has);
  }
}

// A number is written to be looked at; those that come again soon, as codes do, are remembered.
void Slot::for_each_number_with(const Reach& reach, std::span<const std::uint32_t> rows,
                                const std::function<void(std::uint32_t row, Has has)>& visit) const {
  struct Seen {
    double number = std::nan("");
    Has has = Has::kNo;
  };
  std::array<Seen, 64> seen;
  std::string text;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const double number = kind_ == Kind::kNumbers ? numbers_[i] : field_->numbers[rows[i]];
    auto& last = seen[mix(std::bit_cast<std::uint64_t>(number)) % seen.size()];
    if (last.number != number) {
      text.clear();
      append(text, i, rows[i]);
      last = {number, reach(text)};
    }
    if (last.has != Has::kNo) visit(rows[i], last.has);
  }
}

}  // namespace securebase::logs
