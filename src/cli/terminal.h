// What is said to the person or script in front: results on standard output, reasons on standard error, colour only on
// a terminal and not where NO_COLOR is set (no-color.org).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace securebase::cli {

enum class Style { kPlain, kBold, kDim, kGreen, kYellow, kRed };

bool colour_on(int descriptor);
// `text` in that style, if `descriptor` is a terminal that shows it.
std::string styled(std::string_view text, Style style, int descriptor = 1);

// A member of an answer as text; "" where there is none.
inline std::string text_of(const base::Json& answer, std::string_view member) {
  return std::string(answer[member].string_or(""));
}

// Columns that stand under each other; what is behind the last is not padded.
class Table {
 public:
  struct Cell {
    std::string text;
    Style style = Style::kPlain;
  };
  explicit Table(std::vector<std::string> header);
  // Control characters become spaces.
  void add(std::vector<Cell> row);
  std::string text() const;

 private:
  std::vector<std::vector<Cell>> rows_;
};

// For a POSIX shell: in quotes, whatever is in it; and as one word, in quotes only where it needs them.
std::string shell_quoted(std::string_view text);
std::string shell_word(std::string_view text);

// Asks whoever sits in front; only "yes" is taken. Where nobody does, says on standard error that --auto-approve is
// needed.
bool approved(std::string_view question);

// Whether the message says itself what it is, in the manner of the Terraform reader.
bool names_its_kind(std::string_view message);
// "error: <message>" on standard error; gives kFailed, so that a command can end with it.
int fail(const Error& error);

}  // namespace securebase::cli
