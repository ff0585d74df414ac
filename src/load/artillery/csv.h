// CSV as Artillery's payload files have it (RFC 4180, with any delimiter): rows of values, numbers as numbers when
// cast.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace securebase::load::artillery {

// csv-parse's options, by its names.
struct CsvOptions {
  std::vector<std::string> delimiters = {","};
  std::string quote = "\"";  // one byte; "": none
  std::string escape;        // in quotes, in front of one; "": the quote itself
  std::string comment;       // what it begins goes, to the line's end; "": none
  bool cast = true;          // what JavaScript reads as a number becomes one: "12", "1.5", "007"
  bool ltrim = false;        // blanks before a value
  bool rtrim = false;        // and behind it
  bool relax = false;        // quotes may stand anywhere
  bool relax_column_count = false;
  bool skip_empty_lines = true;  // else an empty line is a row with one empty text
  bool skip_lines_with_empty_values = false;
  std::size_t from = 1;  // rows, counted from 1, and the last one
  std::size_t to = SIZE_MAX;
  std::size_t from_line = 1;  // lines of the file
  std::size_t to_line = SIZE_MAX;
  std::size_t most_bytes = std::size_t{256} << 20;
  std::size_t most_rows = 5'000'000;
};

// Every row has as many values as the first one, unless it is relaxed. The error names the line.
Result<std::vector<base::Json::Array>> read_csv(std::string_view text, const CsvOptions& options);

}  // namespace securebase::load::artillery
