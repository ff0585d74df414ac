// format() and formatlist(): the verbs of Go's fmt that Terraform documents.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "stack/functions/encoding.h"
#include "stack/functions/function.h"
#include "stack/functions/text.h"

namespace securebase::stack {

namespace {

// %[2]-08.3f: flags, width, precision, which argument, verb.
struct Verb {
  bool left = false, plus = false, space = false, zero = false, sharp = false;
  std::optional<std::size_t> width;
  std::optional<std::size_t> precision;
  std::size_t argument = 0;
  char letter = 0;
};

constexpr std::size_t kMostWidth = 10'000;

class Formatter {
 public:
  Formatter(std::string_view text, std::span<const Value> values) : text_(text), values_(values) {}

  // The fault's text is empty when all went well.
  std::string run(std::string& fault) {
    while (at_ < text_.size() && fault_.empty()) {
      if (text_[at_] != '%') {
        out_ += text_[at_++];
      } else if (text_.substr(at_).starts_with("%%")) {
        out_ += '%';
        at_ += 2;
      } else {
        one();
      }
    }
    if (fault_.empty() && highest_ < values_.size() && !explicit_index_) {
      fault_ = fmt::format("too many arguments; only {} used by format string", highest_);
    }
    fault = fault_;
    return std::move(out_);
  }

 private:
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  std::size_t digits() {
    std::size_t number = 0;
    while (peek() >= '0' && peek() <= '9')
      number = std::min(number * 10 + static_cast<std::size_t>(text_[at_++] - '0'), kMostWidth + 1);
    return number;
  }

  void one() {
    const std::size_t start = at_++;
    Verb verb;
    for (bool flags = true; flags;) {
      switch (peek()) {
        case '-':
          verb.left = true;
          break;
        case '+':
          verb.plus = true;
          break;
        case ' ':
          verb.space = true;
          break;
        case '0':
          verb.zero = true;
          break;
        case '#':
          verb.sharp = true;
          break;
        default:
          flags = false;
      }
      if (flags) ++at_;
    }
    std::optional<std::size_t> index;
    const auto take_index = [&] {
      if (peek() != '[') return;
      ++at_;
      index = digits();
      explicit_index_ = true;
      if (peek() == ']') ++at_;
    };
    take_index();
    if (peek() >= '1' && peek() <= '9') verb.width = digits();
    if (peek() == '.') {
      ++at_;
      verb.precision = digits();
    }
    if (!index) take_index();
    verb.letter = peek();
    ++at_;
    if (verb.width.value_or(0) > kMostWidth || verb.precision.value_or(0) > kMostWidth) {
      fault_ = "width and precision are at most 10000";
      return;
    }
    if (index) next_ = *index - 1;
    verb.argument = next_++;
    highest_ = std::max(highest_, next_);
    if (verb.argument >= values_.size()) {
      fault_ = fmt::format("not enough arguments for {} at {}: need index {} but have {} total",
                           in_quotes(text_.substr(start, at_ - start)), start, verb.argument + 1, values_.size());
      return;
    }
    write(verb, values_[verb.argument]);
  }

  void write(const Verb& verb, const Value& value) {
    switch (verb.letter) {
      case 'v':
        return any(verb, value);
      case 't': {
        const auto truth = value.to_bool();
        return truth ? padded(verb, *truth ? "true" : "false") : wrong(verb, "bool required");
      }
      case 's':
      case 'q': {
        const auto text = value.to_text();
        if (!text) return wrong(verb, "string required");
        return string(verb, verb.letter == 'q' ? json_text(*text) : *text);
      }
      case 'b':
      case 'd':
      case 'o':
      case 'x':
      case 'X':
        if (value.is_string() && (verb.letter == 'x' || verb.letter == 'X') && !value.to_number())
          return hex_text(verb, value.string());
        return integer(verb, value);
      case 'e':
      case 'E':
      case 'f':
      case 'F':
      case 'g':
      case 'G':
        return floating(verb, value);
      default:
        fault_ = fmt::format("unsupported value for verb: no formatting verb \"%{}\"",
                             std::string_view(&verb.letter, verb.letter ? 1 : 0));
    }
  }

  void wrong(const Verb& verb, std::string_view what) {
    fault_ = fmt::format("unsupported value for \"%{}\": {}", verb.letter, what);
  }

  void any(const Verb& verb, const Value& value) {
    if (verb.sharp) return padded(verb, json_encode(value));
    if (value.is_number()) return floating_text(verb, number_text(value.number()));
    if (value.is_null()) return padded(verb, "null");
    if (const auto text = value.to_text()) return padded(verb, *text);
    padded(verb, json_encode(value));
  }

  void string(const Verb& verb, std::string_view text) {
    if (!verb.precision) return padded(verb, text);
    std::string cut;
    for (const auto character : characters(text)) {
      if (characters(cut).size() >= *verb.precision) break;
      cut += character;
    }
    padded(verb, cut);
  }

  void hex_text(const Verb& verb, std::string_view text) {
    std::string out;
    for (const char c : text)
      out += fmt::format(fmt::runtime(verb.letter == 'x' ? "{:02x}" : "{:02X}"), static_cast<unsigned char>(c));
    padded(verb, out);
  }

  void integer(const Verb& verb, const Value& value) {
    const auto number = value.to_number();
    if (!number) return wrong(verb, "number required");
    const auto whole = std::trunc(*number);
    if (whole != *number) return wrong(verb, "whole number required");
    if (std::fabs(whole) > 1.8e19L) {
      if (verb.letter == 'd') return signed_text(verb, whole < 0, fmt::format("{:.0f}", std::fabs(whole)));
      return wrong(verb, "the number is too large");
    }
    const auto magnitude = static_cast<std::uint64_t>(std::fabs(whole));
    std::string digits;
    switch (verb.letter) {
      case 'b':
        digits = fmt::format("{:b}", magnitude);
        break;
      case 'o':
        digits = fmt::format("{:o}", magnitude);
        break;
      case 'x':
        digits = fmt::format(fmt::runtime(verb.sharp ? "{:#x}" : "{:x}"), magnitude);
        break;
      case 'X':
        digits = fmt::format(fmt::runtime(verb.sharp ? "{:#X}" : "{:X}"), magnitude);
        break;
      default:
        digits = fmt::format("{}", magnitude);
    }
    signed_text(verb, whole < 0, std::move(digits));
  }

  void floating(const Verb& verb, const Value& value) {
    const auto number = value.to_number();
    if (!number) return wrong(verb, "number required");
    const auto magnitude = std::fabs(*number);
    const int precision = static_cast<int>(verb.precision.value_or(6));
    std::string digits;
    switch (verb.letter) {
      case 'e':
        digits = fmt::format("{:.{}e}", magnitude, precision);
        break;
      case 'E':
        digits = fmt::format("{:.{}E}", magnitude, precision);
        break;
      case 'g':
        digits = verb.precision ? fmt::format("{:.{}g}", magnitude, precision)
                                : fmt::format("{}", static_cast<double>(magnitude));
        break;
      case 'G':
        digits = verb.precision ? fmt::format("{:.{}G}", magnitude, precision)
                                : fmt::format("{:G}", static_cast<double>(magnitude));
        break;
      default:
        digits = fmt::format("{:.{}f}", magnitude, precision);
    }
    signed_text(verb, std::signbit(*number), std::move(digits));
  }

  void floating_text(const Verb& verb, std::string text) {
    const bool negative = text.starts_with('-');
    signed_text(verb, negative, negative ? text.substr(1) : text);
  }

  void signed_text(const Verb& verb, bool negative, std::string digits) {
    const std::string sign = negative ? "-" : verb.plus ? "+" : verb.space ? " " : "";
    if (verb.zero && !verb.left && verb.width && digits.size() + sign.size() < *verb.width) {
      digits.insert(0, *verb.width - digits.size() - sign.size(), '0');
    }
    padded(verb, sign + digits);
  }

  void padded(const Verb& verb, std::string_view text) {
    const std::size_t length = characters(text).size();
    const std::string pad(verb.width.value_or(0) > length ? *verb.width - length : 0,
                          verb.zero && !verb.left ? '0' : ' ');
    if (!verb.left) out_ += pad;
    out_ += text;
    if (verb.left) out_.append(pad.size(), ' ');
  }

  std::string_view text_;
  std::span<const Value> values_;
  std::size_t at_ = 0;
  std::size_t next_ = 0;
  std::size_t highest_ = 0;
  bool explicit_index_ = false;
  std::string out_;
  std::string fault_;
};

Value format(Arguments& a) {
  Value::List values;
  for (std::size_t i = 1; i < a.size(); ++i) values.push_back(a[i]);
  std::string fault;
  std::string text = Formatter(a.text(0), values).run(fault);
  if (!fault.empty()) return a.fail(0, fault);
  return text;
}

Value formatlist(Arguments& a) {
  const std::string text = a.text(0);
  std::optional<std::size_t> length;
  for (std::size_t i = 1; i < a.size(); ++i) {
    if (!a[i].is_sequence()) continue;
    if (length && *length != a[i].size()) {
      return a.fail(i, fmt::format("argument {} has length {}, which is inconsistent with the {} of those before", i,
                                   a[i].size(), *length));
    }
    length = a[i].size();
  }
  Value::List made;
  for (std::size_t row = 0; row < length.value_or(1); ++row) {
    Value::List values;
    for (std::size_t i = 1; i < a.size(); ++i) values.push_back(a[i].is_sequence() ? a[i].elements()[row] : a[i]);
    std::string fault;
    made.emplace_back(Formatter(text, values).run(fault));
    if (!fault.empty()) return a.fail(0, fmt::format("error on format iteration {}: {}", row, fault));
  }
  return made;
}

constexpr Function kFormatFunctions[] = {{"format", 1, kAnyNumber, format}, {"formatlist", 1, kAnyNumber, formatlist}};

}  // namespace

std::span<const Function> format_functions() { return kFormatFunctions; }

}  // namespace securebase::stack
