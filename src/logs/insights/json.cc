#include "logs/insights/json.h"

#include <charconv>

#include "base/json.h"

namespace securebase::logs::insights {

namespace {

using simdjson::dom::element;
using simdjson::dom::element_type;

std::string_view without_blanks(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const auto begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

bool read(JsonReader& reader, std::string_view text, element& root) {
  return reader.parser.parse(text.data(), text.size()).get(root) == simdjson::SUCCESS;
}

Cell cell_of(const element& value, Arena& arena) {
  switch (value.type()) {
    case element_type::STRING:
      return Cell::of(arena.keep(std::string_view(value)));
    case element_type::BOOL:
      return Cell::of(bool(value) ? 1.0 : 0.0);
    case element_type::NULL_VALUE:
      return {};
    case element_type::INT64:
      return Cell::of(static_cast<double>(std::int64_t(value)));
    case element_type::UINT64:
      return Cell::of(static_cast<double>(std::uint64_t(value)));
    case element_type::DOUBLE:
      return Cell::of(double(value));
    default:
      return Cell::of(arena.keep(simdjson::minify(value)));
  }
}

}  // namespace

Cell json_parse(JsonReader& reader, std::string_view text, Arena& arena) {
  text = without_blanks(text);
  element root;
  if (text.empty() || !read(reader, text, root)) return {};
  if (text[0] == '{' || text[0] == '[') return Cell::of(text);
  return cell_of(root, arena);
}

Cell json_at(JsonReader& reader, std::string_view text, std::span<const std::string> path, Arena& arena) {
  text = without_blanks(text);
  element value;
  if (text.empty() || (text[0] != '{' && text[0] != '[') || !read(reader, text, value)) return {};
  for (const auto& segment : path) {
    if (value.type() == element_type::OBJECT) {
      if (value.at_key(segment).get(value) != simdjson::SUCCESS) return {};
    } else if (value.type() == element_type::ARRAY) {
      std::size_t index = 0;
      const char* const last = segment.data() + segment.size();
      const auto [end, failure] = std::from_chars(segment.data(), last, index);
      if (failure != std::errc{} || end != last || value.at(index).get(value) != simdjson::SUCCESS) return {};
    } else {
      return {};
    }
  }
  return cell_of(value, arena);
}

Cell json_stringify(JsonReader& reader, const Cell& cell, Arena& arena) {
  if (cell.missing()) return {};
  if (cell.kind == Cell::Kind::kNumber) return Cell::of(arena.keep(display(cell)));
  const auto text = display(cell);
  const auto trimmed = without_blanks(text);
  element root;
  if (!trimmed.empty() && (trimmed[0] == '{' || trimmed[0] == '[') && read(reader, trimmed, root)) {
    return Cell::of(arena.keep(trimmed));
  }
  std::string quoted;
  base::append_json_string(quoted, text);
  return Cell::of(arena.keep(quoted));
}

void json_elements(JsonReader& reader, const Cell& cell, Arena& arena, std::vector<Cell>& elements) {
  elements.clear();
  element root;
  const auto text = without_blanks(cell.text);
  if (cell.kind != Cell::Kind::kText || text.empty() || text[0] != '[' || !read(reader, text, root)) {
    elements.push_back(cell);
    return;
  }
  for (const auto one : simdjson::dom::array(root)) elements.push_back(cell_of(one, arena));
}

}  // namespace securebase::logs::insights
