#include "cli/terminal.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "cli/commands.h"

namespace securebase::cli {

bool colour_on(int descriptor) {
  const char* refused = std::getenv("NO_COLOR");
  const char* kind = std::getenv("TERM");
  return isatty(descriptor) == 1 && !(refused && *refused) && !(kind && std::string_view(kind) == "dumb");
}

std::string styled(std::string_view text, Style style, int descriptor) {
  if (style == Style::kPlain || !colour_on(descriptor)) return std::string(text);
  const char* code = "0";
  switch (style) {
    case Style::kPlain:
      break;
    case Style::kBold:
      code = "1";
      break;
    case Style::kDim:
      code = "2";
      break;
    case Style::kGreen:
      code = "32";
      break;
    case Style::kYellow:
      code = "33";
      break;
    case Style::kRed:
      code = "31";
      break;
  }
  return fmt::format("\x1b[{}m{}\x1b[0m", code, text);
}

int fail(const Error& error) {
  // A message of the Terraform reader says "Error:" itself, and has several lines.
  const bool whole = error.message.starts_with("Error:") || error.message.starts_with("\nError:");
  fmt::print(stderr, "{}{}\n", whole ? "" : styled("error: ", Style::kRed, 2), error.message);
  return kFailed;
}

}  // namespace securebase::cli
