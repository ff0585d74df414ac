#include "stack/functions/encoding.h"

#include <fmt/format.h>

#include "base/encoding.h"
#include "base/json.h"
#include "stack/functions/function.h"
#include "stack/functions/gzip.h"
#include "stack/functions/text.h"
#include "stack/functions/yaml.h"

namespace securebase::stack {

namespace {

void append_json(const Value& value, std::string& out) {
  if (value.is_null()) {
    out += "null";
  } else if (value.is_string()) {
    out += json_text(value.string());
  } else if (value.is_primitive()) {
    out += *value.to_text();
  } else if (value.is_map()) {
    out += '{';
    for (const auto& [name, member] : value.members()) {
      if (out.back() != '{') out += ',';
      out += json_text(name) + ":";
      append_json(member, out);
    }
    out += '}';
  } else {
    out += '[';
    bool first = true;
    for (const auto& element : value.elements()) {
      if (!first) out += ',';
      first = false;
      append_json(element, out);
    }
    out += ']';
  }
}

Value jsonencode(Arguments& a) { return json_encode(a[0]); }

Value jsondecode(Arguments& a) {
  const std::string text = a.text(0);
  if (a.failed()) return {};
  const auto json = base::Json::parse(text);
  if (!json) return a.fail(0, json.error().message);
  return Value::from_json(*json);
}

Value yamlencode(Arguments& a) { return yaml_encode(a[0]); }

Value yamldecode(Arguments& a) {
  auto made = yaml_decode(a.text(0));
  if (!made) return a.fail(0, made.error().message);
  return std::move(*made);
}

Value base64encode(Arguments& a) { return base::base64(a.text(0)); }

Value base64decode(Arguments& a) {
  const auto bytes = base::from_base64(a.text(0));
  if (!bytes) return a.fail(0, "failed to decode base64 data");
  if (!is_utf8(*bytes)) return a.fail(0, "the result of decoding the provided string is not valid UTF-8");
  return *bytes;
}

Value base64gzip(Arguments& a) { return base::base64(gzip(a.text(0))); }

Value urlencode(Arguments& a) {
  // Go's QueryEscape: a space is a plus.
  std::string out = base::percent_encode(a.text(0), " ");
  for (char& c : out) {
    if (c == ' ') c = '+';
  }
  return out;
}

Value urldecode(Arguments& a) {
  const auto text = base::percent_decode(a.text(0), base::Plus::kSpace);
  if (!text) return a.fail(0, "invalid URL escape");
  return *text;
}

// Code pages that are UTF-8 with other bytes for the same characters.
std::string encoding_name(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (c != '-' && c != '_') out += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return out;
}

char32_t next_point(std::string_view& text) {
  const auto byte = static_cast<unsigned char>(text[0]);
  const std::size_t length = byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
  char32_t point = length == 1 ? byte : byte & (0xff >> (length + 1));
  for (std::size_t i = 1; i < length && i < text.size(); ++i)
    point = point << 6 | (static_cast<unsigned char>(text[i]) & 0x3f);
  text.remove_prefix(std::min(length, text.size()));
  return point;
}

void append_point(std::string& out, char32_t c) {
  if (c < 0x80) {
    out += static_cast<char>(c);
    return;
  }
  const int tail = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
  out += static_cast<char>((0xf00 >> tail & 0xff) | c >> (6 * tail));
  for (int i = tail - 1; i >= 0; --i) out += static_cast<char>(0x80 | (c >> (6 * i) & 0x3f));
}

constexpr std::string_view kEncodings =
    "UTF-8, UTF-16LE, UTF-16BE, ISO-8859-1 and US-ASCII are the encodings known here";

Value textencodebase64(Arguments& a) {
  const std::string text = a.text(0);
  const std::string name = encoding_name(a.text(1));
  const bool little = name == "UTF16LE";
  if (name == "UTF8") return base::base64(text);
  const bool wide = little || name == "UTF16BE" || name == "UTF16";
  const char32_t most = name == "ISO88591" || name == "LATIN1" ? 0xff : name == "USASCII" || name == "ASCII" ? 0x7f : 0;
  if (!wide && most == 0) return a.fail(1, std::string(kEncodings));
  std::string out;
  const auto unit = [&](char32_t u) {
    const char high = static_cast<char>(u >> 8);
    const char low = static_cast<char>(u);
    out += little ? low : high;
    out += little ? high : low;
  };
  for (std::string_view rest = text; !rest.empty();) {
    const char32_t point = next_point(rest);
    if (!wide) {
      if (point > most)
        return a.fail(0, "the given string contains characters that cannot be represented in that encoding");
      out += static_cast<char>(point);
    } else if (point < 0x10000) {
      unit(point);
    } else {
      unit(0xd800 + ((point - 0x10000) >> 10));
      unit(0xdc00 + ((point - 0x10000) & 0x3ff));
    }
  }
  return base::base64(out);
}

Value textdecodebase64(Arguments& a) {
  const auto bytes = base::from_base64(a.text(0));
  const std::string name = encoding_name(a.text(1));
  if (!bytes) return a.fail(0, "the given value is not valid base64");
  const bool little = name == "UTF16LE";
  const bool wide = little || name == "UTF16BE" || name == "UTF16";
  const bool narrow = name == "ISO88591" || name == "LATIN1" || name == "USASCII" || name == "ASCII";
  if (name == "UTF8") return is_utf8(*bytes) ? Value(*bytes) : a.fail(0, "the bytes are not valid UTF-8");
  if (!wide && !narrow) return a.fail(1, std::string(kEncodings));
  if (wide && bytes->size() % 2 != 0) return a.fail(0, "UTF-16 has two bytes to a unit");
  std::string out;
  const auto at = [&](std::size_t i) { return static_cast<char32_t>(static_cast<unsigned char>((*bytes)[i])); };
  for (std::size_t i = 0; i < bytes->size(); i += wide ? 2 : 1) {
    char32_t point = !wide ? at(i) : little ? at(i) | at(i + 1) << 8 : at(i) << 8 | at(i + 1);
    if (wide && point >= 0xd800 && point < 0xdc00 && i + 3 < bytes->size()) {
      const char32_t low = little ? at(i + 2) | at(i + 3) << 8 : at(i + 2) << 8 | at(i + 3);
      point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
      i += 2;
    }
    append_point(out, point);
  }
  return out;
}

// RFC 4180 with a header line.
Value csvdecode(Arguments& a) {
  const std::string text = a.text(0);
  std::vector<std::vector<std::string>> rows(1);
  rows.back().emplace_back();
  bool quoted_field = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    std::string& field = rows.back().back();
    if (quoted_field) {
      if (c != '"') {
        field += c;
      } else if (i + 1 < text.size() && text[i + 1] == '"') {
        field += '"';
        ++i;
      } else {
        quoted_field = false;
      }
    } else if (c == '"' && field.empty()) {
      quoted_field = true;
    } else if (c == ',') {
      rows.back().emplace_back();
    } else if (c == '\n') {
      rows.emplace_back().emplace_back();
    } else if (c != '\r' || i + 1 >= text.size() || text[i + 1] != '\n') {
      field += c;
    }
  }
  if (quoted_field) return a.fail(0, "a quoted field has no end");
  std::erase_if(rows, [](const auto& row) { return row.size() == 1 && row[0].empty(); });
  if (rows.empty()) return a.fail(0, "missing header line");
  Value::List made;
  for (std::size_t r = 1; r < rows.size(); ++r) {
    if (rows[r].size() != rows[0].size())
      return a.fail(0, fmt::format("row {} has {} fields, the header {}", r, rows[r].size(), rows[0].size()));
    Value::Map row;
    for (std::size_t i = 0; i < rows[0].size(); ++i) {
      if (!row.emplace(rows[0][i], rows[r][i]).second)
        return a.fail(0, fmt::format("duplicate column name {}", in_quotes(rows[0][i])));
    }
    made.emplace_back(std::move(row));
  }
  return made;
}

constexpr Function kEncodingFunctions[] = {
    {"base64decode", 1, 1, base64decode},
    {"base64encode", 1, 1, base64encode},
    {"base64gzip", 1, 1, base64gzip},
    {"csvdecode", 1, 1, csvdecode},
    {"jsondecode", 1, 1, jsondecode},
    {"jsonencode", 1, 1, jsonencode},
    {"textdecodebase64", 2, 2, textdecodebase64},
    {"textencodebase64", 2, 2, textencodebase64},
    {"urldecode", 1, 1, urldecode},
    {"urlencode", 1, 1, urlencode},
    {"yamldecode", 1, 1, yamldecode},
    {"yamlencode", 1, 1, yamlencode},
};

}  // namespace

std::string json_text(std::string_view text) {
  std::string plain;
  base::append_json_string(plain, text);
  std::string out;
  for (std::size_t i = 0; i < plain.size(); ++i) {
    const char c = plain[i];
    if (c == '<') {
      out += "\\u003c";
    } else if (c == '>') {
      out += "\\u003e";
    } else if (c == '&') {
      out += "\\u0026";
    } else if (plain.compare(i, 3, "\xe2\x80\xa8") == 0 || plain.compare(i, 3, "\xe2\x80\xa9") == 0) {
      out += plain[i + 2] == '\xa8' ? "\\u2028" : "\\u2029";
      i += 2;
    } else {
      out += c;
    }
  }
  return out;
}

std::string json_encode(const Value& value) {
  std::string out;
  append_json(value, out);
  return out;
}

std::span<const Function> encoding_functions() { return kEncodingFunctions; }

}  // namespace securebase::stack
