#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>

#include "logs/insights/find_text.h"
#include "logs/insights/ip.h"
#include "logs/insights/json.h"
#include "logs/insights/node.h"
#include "logs/insights/period.h"

namespace securebase::logs::insights {

namespace {

constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();

enum class Gives { kNumber, kText, kAny };

Gives given_by(Function function) {
  switch (function) {
    case Function::kConcat:
    case Function::kLtrim:
    case Function::kRtrim:
    case Function::kTrim:
    case Function::kToUpper:
    case Function::kToLower:
    case Function::kSubstr:
    case Function::kReplace:
    case Function::kJsonStringify:
      return Gives::kText;
    case Function::kCoalesce:
    case Function::kUnmask:
    case Function::kJsonParse:
      return Gives::kAny;
    default:
      return Gives::kNumber;
  }
}

// A number as it would be displayed, or the text itself.
std::string_view text_of(const Cell& cell, Arena& arena) {
  return cell.kind == Cell::Kind::kText ? cell.text : arena.keep(display(cell, Precision::kComputed));
}

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

double code_points(std::string_view text) {
  return static_cast<double>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

// The byte at which the code point number `index` begins.
std::size_t byte_of(std::string_view text, std::size_t index) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((text[i] & 0xC0) == 0x80) continue;
    if (index == 0) return i;
    --index;
  }
  return text.size();
}

std::string_view trimmed(Function function, std::string_view text, std::string_view characters) {
  std::size_t begin = 0;
  std::size_t end = text.size();
  const auto cut = [characters](char c) { return characters.find(c) != std::string_view::npos; };
  if (function != Function::kRtrim) {
    while (begin < end && cut(text[begin])) ++begin;
  }
  if (function != Function::kLtrim) {
    while (end > begin && cut(text[end - 1])) --end;
  }
  return text.substr(begin, end - begin);
}

std::string_view recased(std::string_view text, Arena& arena, bool upper) {
  if (text.empty()) return text;
  char* const made = arena.room(text.size());
  std::transform(text.begin(), text.end(), made, [upper](char c) {
    if (upper) return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return {made, text.size()};
}

// Longer than any log line may be: what a query may make of one row.
constexpr std::size_t kLongestText = 1 << 20;

Cell concatenated(std::span<const Cell> arguments, Arena& arena) {
  std::string joined;
  for (const auto& one : arguments) {
    if (!one.missing()) joined += text_of(one, arena);
    if (joined.size() > kLongestText) return {};
  }
  return Cell::of(arena.keep(joined));
}

Cell replaced(std::string_view text, std::string_view find, std::string_view with, Arena& arena) {
  if (find.empty() || text.find(find) == std::string_view::npos) return Cell::of(text);
  std::string made;
  while (true) {
    const auto at = text.find(find);
    made += text.substr(0, at);
    if (at == std::string_view::npos) break;
    made += with;
    text.remove_prefix(at + find.size());
    if (made.size() > kLongestText) return {};
  }
  return Cell::of(arena.keep(made));
}

// From the code point `start`, counted from 0, `length` of them.
Cell cut_out(std::string_view text, double start, double length) {
  if (std::isnan(start) || std::isnan(length)) return {};
  const auto begin = byte_of(text, static_cast<std::size_t>(std::clamp(start, 0.0, 1e9)));
  const auto rest = text.substr(begin);
  return Cell::of(rest.substr(0, byte_of(rest, static_cast<std::size_t>(std::clamp(length, 0.0, 1e9)))));
}

double flag(bool holds) { return holds ? 1 : 0; }

double extreme(Function function, std::span<const Cell> arguments) {
  double best = kNothing;
  for (const auto& one : arguments) {
    const double number = number_of(one);
    if (std::isnan(number)) continue;
    if (std::isnan(best) || (function == Function::kGreatest ? number > best : number < best)) best = number;
  }
  return best;
}

double finite(double number) { return std::isfinite(number) ? number : kNothing; }

double number_by(Function function, std::span<const Cell> arguments, const Period& period, Arena& arena) {
  const Cell& first = arguments[0];
  switch (function) {
    case Function::kAbs:
      return std::abs(number_of(first));
    case Function::kCeil:
      return std::ceil(number_of(first));
    case Function::kFloor:
      return std::floor(number_of(first));
    case Function::kGreatest:
    case Function::kLeast:
      return extreme(function, arguments);
    case Function::kLog:
      return finite(std::log(number_of(first)));
    case Function::kSqrt:
      return finite(std::sqrt(number_of(first)));
    case Function::kIsPresent:
      return flag(!first.missing());
    case Function::kIsEmpty:
      return flag(first.missing() || (first.kind == Cell::Kind::kText && first.text.empty()));
    case Function::kIsBlank:
      return flag(first.missing() ||
                  (first.kind == Cell::Kind::kText && std::all_of(first.text.begin(), first.text.end(), is_space)));
    case Function::kStrlen:
      return first.missing() ? kNothing : code_points(text_of(first, arena));
    case Function::kStrContains:
      return flag(!first.missing() && !arguments[1].missing() &&
                  text_of(first, arena).find(text_of(arguments[1], arena)) != std::string_view::npos);
    case Function::kBin:
    case Function::kDateFloor:
      return finite(floor_to(number_of(first), period));
    case Function::kDateCeil:
      return finite(ceil_to(number_of(first), period));
    case Function::kFromMillis:
    case Function::kToMillis:
      return number_of(first);
    case Function::kIsValidIp:
    case Function::kIsValidIpV4:
    case Function::kIsValidIpV6: {
      const auto address = first.missing() ? std::nullopt : parse_ip(text_of(first, arena));
      return flag(address && (function == Function::kIsValidIp || address->v6 == (function == Function::kIsValidIpV6)));
    }
    case Function::kIsIpInSubnet:
    case Function::kIsIpv4InSubnet:
    case Function::kIsIpv6InSubnet: {
      if (first.missing() || arguments[1].missing()) return 0;
      const auto address = parse_ip(text_of(first, arena));
      const auto subnet = parse_subnet(text_of(arguments[1], arena));
      if (!address || !subnet) return 0;
      if (function == Function::kIsIpv4InSubnet && address->v6) return 0;
      if (function == Function::kIsIpv6InSubnet && !address->v6) return 0;
      return flag(subnet->holds(*address));
    }
    default:
      return kNothing;
  }
}

Cell cell_by(Function function, std::span<const Cell> arguments, Frame& frame) {
  const Cell& first = arguments[0];
  Arena& arena = frame.arena;
  if (function == Function::kCoalesce) {
    const auto found = std::find_if(arguments.begin(), arguments.end(), [](const Cell& one) { return !one.missing(); });
    return found == arguments.end() ? Cell{} : *found;
  }
  if (function == Function::kConcat) return concatenated(arguments, arena);
  if (first.missing()) return {};
  switch (function) {
    case Function::kUnmask:
      return first;
    case Function::kJsonParse:
      return first.kind == Cell::Kind::kText ? json_parse(*frame.json, first.text, arena) : first;
    case Function::kJsonStringify:
      return json_stringify(*frame.json, first, arena);
    case Function::kLtrim:
    case Function::kRtrim:
    case Function::kTrim:
      return Cell::of(trimmed(function, text_of(first, arena),
                              arguments.size() > 1 ? text_of(arguments[1], arena) : std::string_view(" \t\r\n\v\f")));
    case Function::kToUpper:
    case Function::kToLower:
      return Cell::of(recased(text_of(first, arena), arena, function == Function::kToUpper));
    case Function::kSubstr:
      return cut_out(text_of(first, arena), number_of(arguments[1]),
                     arguments.size() > 2 ? number_of(arguments[2]) : 1e9);
    case Function::kReplace:
      if (arguments[1].missing() || arguments[2].missing()) return {};
      return replaced(text_of(first, arena), text_of(arguments[1], arena), text_of(arguments[2], arena), arena);
    default:
      return {};
  }
}

class CallNode final : public Node {
 public:
  CallNode(Function function, std::vector<NodePtr> arguments, const Period& period, std::size_t scratch)
      : function_(function),
        gives_(given_by(function)),
        arguments_(std::move(arguments)),
        period_(period),
        scratch_(scratch) {
    time = function == Function::kBin || function == Function::kDateFloor || function == Function::kDateCeil ||
           function == Function::kFromMillis;
    if (gives_ == Gives::kAny) {
      time = std::all_of(arguments_.begin(), arguments_.end(), [](const auto& one) { return one->time; });
      precision = arguments_[0]->precision;
    }
  }

  const Vector& evaluate(Frame& frame, const Selection& rows) const override {
    std::vector<const Vector*> inputs;
    for (const auto& one : arguments_) {
      inputs.push_back(one->constant() != nullptr ? nullptr : &one->evaluate(frame, rows));
    }
    auto& made = frame.scratch[scratch_];
    made.time = time;
    if (floors(inputs) && inputs[0]->kind == Vector::Kind::kNumbers) {
      floor_all(inputs[0]->numbers, rows, made.make_numbers(rows.rows));
      return made;
    }
    if (by_word(inputs, rows, frame, made)) return made;
    Cells arguments(*this);
    switch (gives_) {
      case Gives::kNumber: {
        auto& out = made.make_numbers(rows.rows);
        rows.each(
            [&](std::size_t row) { out[row] = number_by(function_, arguments.at(inputs, row), period_, frame.arena); });
        break;
      }
      case Gives::kText: {
        auto& out = made.make_texts(rows.rows);
        rows.each([&](std::size_t row) { out[row] = cell_by(function_, arguments.at(inputs, row), frame).text; });
        break;
      }
      case Gives::kAny: {
        auto& out = made.make_cells(rows.rows);
        rows.each([&](std::size_t row) { out[row] = cell_by(function_, arguments.at(inputs, row), frame); });
        break;
      }
    }
    return made;
  }

 private:
  // The arguments of one row: constants stay where they are.
  struct Cells {
    explicit Cells(const CallNode& node) : cells(node.arguments_.size()) {
      for (std::size_t i = 0; i < cells.size(); ++i) {
        if (const Cell* constant = node.arguments_[i]->constant()) cells[i] = *constant;
      }
    }
    std::span<const Cell> at(std::span<const Vector* const> inputs, std::size_t row) {
      for (std::size_t i = 0; i < cells.size(); ++i) {
        if (inputs[i] != nullptr) cells[i] = inputs[i]->at(row);
      }
      return cells;
    }
    std::vector<Cell> cells;
  };

  bool floors(std::span<const Vector* const> inputs) const {
    return (function_ == Function::kBin || function_ == Function::kDateFloor) && inputs[0] != nullptr;
  }

  // Times come in order, so the last period mostly is this one's, too: then nothing is divided.
  void floor_all(std::span<const double> times, const Selection& rows, std::vector<double>& out) const {
    double begin = 0;
    double end = 0;
    const bool fixed = period_.months == 0;
    rows.each([&](std::size_t row) {
      const double time_of_row = times[row];
      if (!(time_of_row >= begin && time_of_row < end)) {
        begin = finite(floor_to(time_of_row, period_));
        end = fixed ? begin + static_cast<double>(period_.milliseconds) : begin;
      }
      out[row] = begin;
    });
  }

  // One argument with few different values: the function is called once for each.
  bool by_word(std::span<const Vector* const> inputs, const Selection& rows, Frame& frame, Vector& made) const {
    const Vector* only = nullptr;
    std::size_t place = 0;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (inputs[i] == nullptr) continue;
      if (only != nullptr) return false;
      only = inputs[i];
      place = i;
    }
    if (only == nullptr || only->kind != Vector::Kind::kDictionary || only->words.size() > rows.size() / 2 ||
        gives_ == Gives::kAny) {
      return false;
    }
    Cells arguments(*this);
    const auto value = [&](const Cell& word) {
      arguments.cells[place] = word;
      return std::span<const Cell>(arguments.cells);
    };
    if (gives_ == Gives::kText) {
      // concat() alone makes something of what is missing.
      if (function_ == Function::kConcat) return false;
      made.own_words.clear();
      for (const auto word : only->words) {
        made.own_words.push_back(cell_by(function_, value(Vector::text_cell(word)), frame).text);
      }
      made.kind = Vector::Kind::kDictionary;
      made.words = made.own_words;
      made.codes = only->codes;
      return true;
    }
    std::vector<double> results;
    for (const auto word : only->words) {
      results.push_back(number_by(function_, value(Vector::text_cell(word)), period_, frame.arena));
    }
    results.push_back(number_by(function_, value(Cell{}), period_, frame.arena));
    const auto last = static_cast<std::uint32_t>(only->words.size());
    auto& out = made.make_numbers(rows.rows);
    rows.each([&](std::size_t row) { out[row] = results[std::min(only->codes[row], last)]; });
    return true;
  }

  const Function function_;
  const Gives gives_;
  const std::vector<NodePtr> arguments_;
  const Period period_;
  const std::size_t scratch_;
};

}  // namespace

NodePtr call_node(Function function, std::vector<NodePtr> arguments, Period extra, std::size_t scratch) {
  return std::make_unique<CallNode>(function, std::move(arguments), extra, scratch);
}

}  // namespace securebase::logs::insights
