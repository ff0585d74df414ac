#include "load/artillery/csv.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <optional>

namespace securebase::load::artillery {
namespace {

bool is_csv_blank(char c) { return c == ' ' || c == '\t'; }

// csv-parse asks whether `value - parseFloat(value) + 1 >= 0`: of what Number() reads, it is what parseFloat() reads.
base::Json cast_value(std::string text, bool cast) {
  if (!cast) return text;
  std::string_view bare = text;
  while (!bare.empty() && is_csv_blank(bare.front())) bare.remove_prefix(1);
  while (!bare.empty() && is_csv_blank(bare.back())) bare.remove_suffix(1);
  if (bare.size() > 2 && bare[0] == '0' && (bare[1] == 'x' || bare[1] == 'X')) {
    return bare.find_first_not_of("0123456789abcdefABCDEF", 2) == bare.npos ? base::Json(std::int64_t{0})
                                                                            : base::Json(std::move(text));
  }
  const bool negative = bare.starts_with('-');
  if (negative || bare.starts_with('+')) bare.remove_prefix(1);
  if (bare.empty() || !((bare[0] >= '0' && bare[0] <= '9') || (bare.size() > 1 && bare[0] == '.'))) return text;
  double real = 0;
  const auto got = std::from_chars(bare.data(), bare.data() + bare.size(), real);
  if (got.ec != std::errc{} || got.ptr != bare.data() + bare.size()) return text;
  if (negative) real = -real;
  constexpr double kExact = 9'007'199'254'740'992;  // 2^53
  if (real == std::floor(real) && std::abs(real) <= kExact) return static_cast<std::int64_t>(real);
  return real;
}

class CsvReader {
 public:
  CsvReader(std::string_view text, const CsvOptions& options)
      : text_(text), options_(options), escape_(options.escape.empty() ? options.quote : options.escape) {
    if (text_.starts_with("\xef\xbb\xbf")) text_.remove_prefix(3);  // a byte order mark
  }

  Result<std::vector<base::Json::Array>> read() {
    std::vector<base::Json::Array> rows;
    while (at_ < text_.size() && line_ < options_.from_line) skip_line();
    std::size_t taken = 0;
    while (at_ < text_.size() && line_ <= options_.to_line && taken < options_.to) {
      const std::size_t began = line_;
      base::Json::Array row;
      empty_ = valueless_ = true;
      commented_ = false;
      if (auto got = read_row(row); !got) return got.error();
      if (empty_ && (options_.skip_empty_lines || commented_)) continue;
      if (valueless_ && options_.skip_lines_with_empty_values) continue;
      if (!columns_) columns_ = row.size();
      if (row.size() != *columns_ && !options_.relax_column_count) {
        return Error{Errc::kMalformed,
                     fmt::format("line {}: {} values, where the first row has {}", began, row.size(), *columns_)};
      }
      if (++taken < options_.from) continue;
      if (rows.size() >= options_.most_rows) {
        return Error{Errc::kLimit, fmt::format("more than {} rows", options_.most_rows)};
      }
      rows.push_back(std::move(row));
    }
    return rows;
  }

 private:
  bool is_at(std::string_view what) const { return !what.empty() && text_.substr(at_).starts_with(what); }
  std::size_t delimiter_bytes() const {
    for (const auto& one : options_.delimiters) {
      if (is_at(one)) return one.size();
    }
    return 0;
  }
  bool at_line_end() const { return at_ >= text_.size() || text_[at_] == '\n' || text_[at_] == '\r'; }
  bool at_value_end() const { return at_line_end() || delimiter_bytes() != 0 || is_at(options_.comment); }
  void skip_blanks() {
    while (at_ < text_.size() && is_csv_blank(text_[at_]) && delimiter_bytes() == 0) ++at_;
  }
  void skip_line() {
    while (!at_line_end()) ++at_;
    take_line_end();
  }
  bool take_line_end() {
    if (at_ >= text_.size() || !at_line_end()) return false;
    if (text_[at_++] == '\r' && at_ < text_.size() && text_[at_] == '\n') ++at_;
    ++line_;
    return true;
  }

  Result<Done> read_row(base::Json::Array& row) {
    for (;;) {
      std::string value;
      bool quoted = false;
      if (options_.ltrim) skip_blanks();
      if (is_at(options_.quote)) {
        if (auto got = read_quoted(value, quoted); !got) return got;
      }
      if (!quoted) {
        if (auto got = read_bare(value); !got) return got;
      }
      if (quoted || !value.empty()) empty_ = false;
      if (value.find_first_not_of(" \t") != value.npos) valueless_ = false;
      row.push_back(cast_value(std::move(value), options_.cast));
      if (is_at(options_.comment)) {
        commented_ = true;
        while (!at_line_end()) ++at_;
      }
      if (at_ >= text_.size() || take_line_end()) return Done{};
      const auto bytes = delimiter_bytes();
      if (bytes == 0) {
        return Error{Errc::kMalformed, fmt::format("line {}: expected \"{}\" or the line's end after the closing quote",
                                                   line_, options_.delimiters.front())};
      }
      at_ += bytes;
      empty_ = false;
    }
  }

  // Up to the delimiter or the line's end; `value` may have begun.
  Result<Done> read_bare(std::string& value) {
    while (!at_value_end()) {
      if (is_at(options_.quote) && !options_.relax) {
        return Error{Errc::kMalformed,
                     fmt::format("line {}: a quote inside of a value that does not begin with one", line_)};
      }
      value += text_[at_++];
    }
    while (options_.rtrim && !value.empty() && is_csv_blank(value.back())) value.pop_back();
    return Done{};
  }

  // "..." with "" for a quote; may hold line ends. Where quotes may stand anywhere, one that does not end the value is
  // part of it: `quoted` stays false.
  Result<Done> read_quoted(std::string& value, bool& quoted) {
    const std::size_t began = line_;
    for (++at_; at_ < text_.size(); ++at_) {
      if (is_at(escape_) && at_ + 1 < text_.size() &&
          (text_[at_ + 1] == options_.quote[0] || text_[at_ + 1] == escape_[0])) {
        ++at_;
      } else if (is_at(options_.quote)) {
        ++at_;
        if (options_.rtrim) skip_blanks();
        quoted = at_value_end() || !options_.relax;
        if (!quoted) value = options_.quote + value + options_.quote;
        return Done{};
      } else if (text_[at_] == '\n') {
        ++line_;
      }
      value += text_[at_];
    }
    return Error{Errc::kMalformed, fmt::format("line {}: the quote that begins here is not closed", began)};
  }

  std::string_view text_;
  const CsvOptions& options_;
  const std::string escape_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
  std::optional<std::size_t> columns_;
  // Of the row that is read.
  bool empty_ = true;      // there is nothing in it
  bool valueless_ = true;  // nothing but blanks and delimiters
  bool commented_ = false;
};

}  // namespace

Result<std::vector<base::Json::Array>> read_csv(std::string_view text, const CsvOptions& options) {
  if (text.size() > options.most_bytes) {
    return Error{Errc::kLimit, fmt::format("{} bytes; a payload has at most {}", text.size(), options.most_bytes)};
  }
  for (const auto& delimiter : options.delimiters) {
    if (delimiter.empty()) return Error{Errc::kMalformed, "the delimiter is empty"};
  }
  for (const auto* mark : {&options.quote, &options.escape}) {
    if (mark->size() > 1)
      return Error{Errc::kMalformed, fmt::format("quote and escape are one character, not {}", *mark)};
  }
  return CsvReader(text, options).read();
}

}  // namespace securebase::load::artillery
