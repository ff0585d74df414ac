#include "load/artillery/csv.h"

#include <fmt/format.h>

#include <charconv>

namespace securebase::load::artillery {
namespace {

base::Json cast_value(std::string text, bool cast) {
  if (!cast || text.empty()) return text;
  // Only what a number is written as: "007" and "+49 30" stay text.
  const std::string_view bare = text.front() == '-' ? std::string_view(text).substr(1) : std::string_view(text);
  if (bare.empty() || !((bare[0] >= '0' && bare[0] <= '9') || bare[0] == '.')) return text;
  if (bare.size() > 1 && bare[0] == '0' && bare[1] >= '0' && bare[1] <= '9') return text;
  const char* const end = text.data() + text.size();
  std::int64_t whole = 0;
  if (const auto got = std::from_chars(text.data(), end, whole); got.ec == std::errc{} && got.ptr == end) return whole;
  double real = 0;
  if (const auto got = std::from_chars(text.data(), end, real); got.ec == std::errc{} && got.ptr == end) return real;
  return text;
}

class CsvReader {
 public:
  CsvReader(std::string_view text, const CsvOptions& options) : text_(text), options_(options) {
    if (text_.starts_with("\xef\xbb\xbf")) text_.remove_prefix(3);  // a byte order mark
  }

  Result<std::vector<base::Json::Array>> read() {
    std::vector<base::Json::Array> rows;
    bool first = true;
    while (at_ < text_.size()) {
      const std::size_t began = line_;
      base::Json::Array row;
      bool blank = true;
      if (auto got = read_row(row, blank); !got) return got.error();
      if (blank && options_.skip_empty_lines) continue;
      if (first && options_.skip_header) {
        first = false;
        continue;
      }
      first = false;
      if (!rows.empty() && row.size() != rows.front().size()) {
        return Error{Errc::kMalformed, fmt::format("line {}: {} values, where the first row has {}", began, row.size(),
                                                   rows.front().size())};
      }
      if (rows.size() >= options_.most_rows) {
        return Error{Errc::kLimit, fmt::format("more than {} rows", options_.most_rows)};
      }
      rows.push_back(std::move(row));
    }
    return rows;
  }

 private:
  bool take_line_end() {
    if (at_ < text_.size() && text_[at_] == '\r') {
      ++at_;
      if (at_ < text_.size() && text_[at_] == '\n') ++at_;
      ++line_;
      return true;
    }
    if (at_ < text_.size() && text_[at_] == '\n') {
      ++at_;
      ++line_;
      return true;
    }
    return false;
  }

  Result<Done> read_row(base::Json::Array& row, bool& blank) {
    for (;;) {
      std::string value;
      if (at_ < text_.size() && text_[at_] == '"') {
        blank = false;
        if (auto got = read_quoted(value); !got) return got;
      } else {
        while (at_ < text_.size() && text_[at_] != '\n' && text_[at_] != '\r' &&
               !text_.substr(at_).starts_with(options_.delimiter)) {
          if (text_[at_] == '"') {
            return Error{Errc::kMalformed,
                         fmt::format("line {}: a quote inside of a value that does not begin with one", line_)};
          }
          value += text_[at_++];
        }
      }
      if (!value.empty()) blank = false;
      row.push_back(cast_value(std::move(value), options_.cast));
      if (at_ >= text_.size() || take_line_end()) return Done{};
      if (!text_.substr(at_).starts_with(options_.delimiter)) {
        return Error{Errc::kMalformed, fmt::format("line {}: expected \"{}\" or the line's end after the closing quote",
                                                   line_, options_.delimiter)};
      }
      at_ += options_.delimiter.size();
      blank = false;
    }
  }

  // "..." with "" for a quote; may hold line ends.
  Result<Done> read_quoted(std::string& value) {
    const std::size_t began = line_;
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == '"') {
        if (at_ + 1 < text_.size() && text_[at_ + 1] == '"') {
          ++at_;
        } else {
          ++at_;
          return Done{};
        }
      } else if (text_[at_] == '\n') {
        ++line_;
      }
      value += text_[at_];
    }
    return Error{Errc::kMalformed, fmt::format("line {}: the quote that begins here is not closed", began)};
  }

  std::string_view text_;
  const CsvOptions& options_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
};

}  // namespace

Result<std::vector<base::Json::Array>> read_csv(std::string_view text, const CsvOptions& options) {
  if (text.size() > options.most_bytes) {
    return Error{Errc::kLimit, fmt::format("{} bytes; a payload has at most {}", text.size(), options.most_bytes)};
  }
  if (options.delimiter.empty()) return Error{Errc::kMalformed, "the delimiter is empty"};
  return CsvReader(text, options).read();
}

}  // namespace securebase::load::artillery
