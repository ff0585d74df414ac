#include "logs/store/messages.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <unordered_map>

#include "logs/store/numbers.h"
#include "logs/store/read_block.h"
#include "logs/store/zstd.h"

namespace securebase::logs {

namespace {

constexpr char kVariable = '\x11';         // stands for a variable in a template; a message that holds it is literal
constexpr std::size_t kVariables = 64;     // of a message; one with more is literal
constexpr std::size_t kLeastMessages = 4;  // of a template; fewer are literal
constexpr std::size_t kMostDigits = 15;    // of a number that a double holds exactly
constexpr std::size_t kMostBuiltBytes = std::size_t{256} << 20;

enum class SlotKind : std::uint8_t { kField, kNumbers, kDictionary, kTexts };

struct VariableBytes {
  bool is_part[256] = {};
  bool is_digit[256] = {};
  constexpr VariableBytes() {
    for (int c = 0; c < 256; ++c) {
      is_digit[c] = c >= '0' && c <= '9';
      is_part[c] = is_digit[c] || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '-' || c == '_';
    }
  }
};
constexpr VariableBytes kVariableBytes;

// False: the message stays as it is.
bool cut_message(std::string_view message, std::string& shape, std::vector<std::string_view>& variables) {
  shape.clear();
  variables.clear();
  std::size_t at = 0;
  while (at < message.size()) {
    const auto c = static_cast<unsigned char>(message[at]);
    if (!kVariableBytes.is_part[c]) {
      if (message[at] == kVariable) return false;
      shape.push_back(message[at++]);
      continue;
    }
    auto end = at;
    bool digits = false;
    while (end < message.size() && kVariableBytes.is_part[static_cast<unsigned char>(message[end])]) {
      digits = digits || kVariableBytes.is_digit[static_cast<unsigned char>(message[end])];
      ++end;
    }
    const auto run = message.substr(at, end - at);
    if (digits) {
      if (variables.size() >= kVariables) return false;
      variables.push_back(run);
      shape.push_back(kVariable);
    } else {
      shape.append(run);
    }
    at = end;
  }
  return true;
}

struct Decimal {
  double mantissa = 0;  // an integer
  int decimals = 0;
};

// "-12.340" is -12340 with three decimals. nullopt: writing that would not give the same text.
std::optional<Decimal> decimal_of(std::string_view text) {
  const bool negative = text.starts_with('-');
  const auto digits = text.substr(negative ? 1 : 0);
  const auto point = std::min(digits.find('.'), digits.size());
  const auto whole = digits.substr(0, point);
  const auto rest = digits.substr(std::min(point + 1, digits.size()));
  if (whole.empty() || (whole.size() > 1 && whole.front() == '0') || (point < digits.size() && rest.empty()))
    return std::nullopt;
  if (whole.size() + rest.size() > kMostDigits) return std::nullopt;
  std::int64_t value = 0;
  for (const auto part : {whole, rest}) {
    for (const char c : part) {
      if (c < '0' || c > '9') return std::nullopt;
      value = value * 10 + (c - '0');
    }
  }
  if (negative && value == 0) return std::nullopt;
  return Decimal{static_cast<double>(negative ? -value : value), static_cast<int>(rest.size())};
}

void append_decimal(std::string& out, std::int64_t value, std::size_t decimals) {
  char digits[24];
  const bool negative = value < 0;
  const auto end = std::to_chars(digits, digits + sizeof digits, negative ? -value : value).ptr;
  const auto count = static_cast<std::size_t>(end - digits);
  if (negative) out.push_back('-');
  if (decimals == 0) {
    out.append(digits, count);
  } else if (count > decimals) {
    out.append(digits, count - decimals).push_back('.');
    out.append(digits + count - decimals, decimals);
  } else {
    out.append("0.").append(decimals - count, '0').append(digits, count);
  }
}

struct Shape {
  std::string text;
  std::vector<std::uint32_t> rows;
  std::vector<std::vector<std::string_view>> slots;
};

bool put_field_slot(std::string& raw, const Shape& shape, std::size_t slot, std::span<const TextField> fields) {
  const auto& values = shape.slots[slot];
  for (const auto& field : fields) {
    bool same = true;
    for (std::size_t i = 0; same && i < values.size(); ++i) same = field.values[shape.rows[i]] == values[i];
    if (!same) continue;
    raw.push_back(static_cast<char>(SlotKind::kField));
    put_text(raw, field.name);
    return true;
  }
  return false;
}

bool put_number_slot(std::string& raw, const std::vector<std::string_view>& values) {
  thread_local std::vector<double> numbers;
  numbers.clear();
  int decimals = -1;
  for (const auto value : values) {
    const auto decimal = decimal_of(value);
    if (!decimal || (decimals >= 0 && decimal->decimals != decimals)) return false;
    decimals = decimal->decimals;
    numbers.push_back(decimal->mantissa);
  }
  raw.push_back(static_cast<char>(SlotKind::kNumbers));
  raw.push_back(static_cast<char>(decimals));
  put_numbers(raw, numbers, false);
  return true;
}

void put_slot(std::string& raw, const Shape& shape, std::size_t slot, std::span<const TextField> fields) {
  const auto& values = shape.slots[slot];
  if (put_field_slot(raw, shape, slot, fields) || put_number_slot(raw, values)) return;
  std::vector<std::string_view> words;
  std::vector<std::uint64_t> codes;
  if (as_dictionary(values, words, codes)) {
    raw.push_back(static_cast<char>(SlotKind::kDictionary));
    put_varint(raw, words.size());
    put_texts(raw, words);
    put_codes(raw, codes, words.size());
  } else {
    raw.push_back(static_cast<char>(SlotKind::kTexts));
    put_texts(raw, values);
  }
}

// A variable's values for the messages of one template, as they are read.
struct ReadSlot {
  SlotKind kind = SlotKind::kTexts;
  const Column* field = nullptr;
  std::size_t decimals = 0;
  std::vector<double> numbers;
  std::vector<std::string_view> texts;  // words, for a dictionary
  std::vector<std::uint32_t> codes;
  std::string unpacked;
};

struct ReadShape {
  std::string_view text;
  std::vector<ReadSlot> slots;
  std::size_t next = 0;  // of its messages
};

Error no_messages(std::string_view what) {
  return {Errc::kMalformed, std::string("the ") + std::string(what) + " of stored log messages cannot be read"};
}

Result<Done> take_slot(ByteReader& from, std::size_t count,
                       const std::function<Result<const Column*>(std::string_view)>& field, ReadSlot& slot) {
  slot.kind = static_cast<SlotKind>(from.fixed<std::uint8_t>());
  switch (slot.kind) {
    case SlotKind::kField: {
      auto column = field(from.text());
      if (!column) return column.error();
      slot.field = *column;
      using Kind = Column::Kind;
      if (slot.field->kind != Kind::kTexts && slot.field->kind != Kind::kDictionary) return no_messages("fields");
      return Done{};
    }
    case SlotKind::kNumbers:
      slot.decimals = from.fixed<std::uint8_t>();
      slot.numbers.resize(count);
      if (slot.decimals > kMostDigits || !take_numbers(from, count, slot.numbers.data())) return no_messages("numbers");
      return Done{};
    case SlotKind::kDictionary: {
      const auto words = from.varint();
      if (words > count || !take_texts(from, words, slot.texts, slot.unpacked) ||
          !take_codes(from, count, words, slot.codes)) {
        return no_messages("words");
      }
      return Done{};
    }
    case SlotKind::kTexts:
      if (!take_texts(from, count, slot.texts, slot.unpacked)) return no_messages("texts");
      return Done{};
  }
  return no_messages("variables");
}

void append_variable(std::string& out, const ReadSlot& slot, std::size_t index, std::size_t row) {
  switch (slot.kind) {
    case SlotKind::kField:
      out.append(text_at(*slot.field, row));
      break;
    case SlotKind::kNumbers: {
      const double number = slot.numbers[index];
      // Beyond it are only bytes that nobody wrote.
      if (number < 1e18 && number > -1e18) append_decimal(out, static_cast<std::int64_t>(number), slot.decimals);
      break;
    }
    case SlotKind::kDictionary:
      out.append(slot.texts[slot.codes[index]]);
      break;
    case SlotKind::kTexts:
      out.append(slot.texts[index]);
      break;
  }
}

void append_message(std::string& out, ReadShape& shape, std::size_t row) {
  const auto index = shape.next++;
  auto rest = shape.text;
  for (const auto& slot : shape.slots) {
    const auto hole = rest.find(kVariable);
    out.append(rest.substr(0, hole));
    append_variable(out, slot, index, row);
    rest.remove_prefix(hole + 1);
  }
  out.append(rest);
}

}  // namespace

EncodedColumn encode_messages(std::span<const std::string_view> messages, std::span<const TextField> fields) {
  std::unordered_map<std::string, std::size_t> known;
  std::vector<Shape> shapes;
  std::vector<std::size_t> shape_of(messages.size(), static_cast<std::size_t>(-1));
  std::string text;
  std::vector<std::string_view> variables;
  for (std::size_t row = 0; row < messages.size(); ++row) {
    if (!cut_message(messages[row], text, variables)) continue;
    const auto [found, added] = known.emplace(text, shapes.size());
    if (added) {
      shapes.push_back({text, {}, {}});
      shapes.back().slots.resize(variables.size());
    }
    shape_of[row] = found->second;
    auto& shape = shapes[found->second];
    shape.rows.push_back(static_cast<std::uint32_t>(row));
    for (std::size_t i = 0; i < variables.size(); ++i) shape.slots[i].push_back(variables[i]);
  }
  // Those of enough messages, numbered from 1; 0 is a literal.
  std::vector<std::uint64_t> number_of(shapes.size());
  std::uint64_t used = 0;
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    if (shapes[i].rows.size() >= kLeastMessages) number_of[i] = ++used;
  }
  std::vector<std::uint64_t> numbers;
  std::vector<std::string_view> literals;
  for (std::size_t row = 0; row < messages.size(); ++row) {
    const auto number = shape_of[row] == static_cast<std::size_t>(-1) ? 0 : number_of[shape_of[row]];
    numbers.push_back(number);
    if (number == 0) literals.push_back(messages[row]);
  }
  std::string raw;
  put_varint(raw, used);
  put_planes(raw, numbers);
  put_texts(raw, literals);
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    if (number_of[i] == 0) continue;
    put_text(raw, shapes[i].text);
    for (std::size_t slot = 0; slot < shapes[i].slots.size(); ++slot) put_slot(raw, shapes[i], slot, fields);
  }
  check(raw.size() <= kMostRawBytes, "a block of log events is a few MiB");
  EncodedColumn out;
  out.kind = Column::Kind::kTexts;
  out.raw_bytes = static_cast<std::uint32_t>(raw.size());
  out.bytes = compress(raw);
  return out;
}

Result<Done> decode_messages(std::string_view bytes, std::size_t raw_bytes, std::size_t rows,
                             const std::function<Result<const Column*>(std::string_view name)>& field,
                             DecodedColumn& into) {
  into.view = Column{};
  if (raw_bytes > kMostRawBytes || rows > kMostRows) return no_messages("size");
  if (auto done = decompress(bytes, raw_bytes, into.bytes); !done) return done;
  ByteReader from(into.bytes);
  const auto used = from.varint();
  std::vector<std::uint64_t> numbers;
  if (used > rows || !take_planes(from, rows, numbers)) return no_messages("templates");
  std::vector<std::size_t> counts(used + 1);
  for (const auto number : numbers) {
    if (number > used) return no_messages("templates");
    ++counts[number];
  }
  std::vector<std::string_view> literals;
  std::string literal_text;
  if (!take_texts(from, counts[0], literals, literal_text)) return no_messages("texts");
  std::vector<ReadShape> shapes(used);
  for (std::size_t i = 0; i < used; ++i) {
    shapes[i].text = from.text();
    shapes[i].slots.resize(
        static_cast<std::size_t>(std::count(shapes[i].text.begin(), shapes[i].text.end(), kVariable)));
    if (shapes[i].slots.size() > kVariables) return no_messages("templates");
    for (auto& slot : shapes[i].slots) {
      if (auto done = take_slot(from, counts[i + 1], field, slot); !done) return done;
    }
  }
  if (!from.ok()) return no_messages("templates");
  into.unpacked.clear();
  std::vector<std::size_t> ends;
  ends.reserve(rows);
  std::size_t literal = 0;
  for (std::size_t row = 0; row < rows; ++row) {
    if (numbers[row] == 0) {
      into.unpacked.append(literals[literal++]);
    } else {
      append_message(into.unpacked, shapes[numbers[row] - 1], row);
    }
    if (into.unpacked.size() > kMostBuiltBytes) return no_messages("size");
    ends.push_back(into.unpacked.size());
  }
  into.texts.clear();
  std::size_t begin = 0;
  for (const auto end : ends) {
    into.texts.push_back(std::string_view(into.unpacked).substr(begin, end - begin));
    begin = end;
  }
  into.view.kind = Column::Kind::kTexts;
  into.view.texts = into.texts;
  return Done{};
}

}  // namespace securebase::logs
