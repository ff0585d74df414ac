// CSV as Artillery's payload files have it (RFC 4180, with any delimiter): rows of values, numbers as numbers when
// cast.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace securebase::load::artillery {

struct CsvOptions {
  std::string delimiter = ",";
  bool cast = true;              // "12" and "1.5" become numbers
  bool skip_empty_lines = true;  // else an empty line is a row with one empty text
  bool skip_header = false;      // the first line
  std::size_t most_bytes = std::size_t{256} << 20;
  std::size_t most_rows = 5'000'000;
};

// Every row has as many values as the first one. The error names the line.
Result<std::vector<base::Json::Array>> read_csv(std::string_view text, const CsvOptions& options);

}  // namespace securebase::load::artillery
