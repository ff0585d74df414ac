// What is said to the person or script in front: results on standard output, reasons on standard error, colour only on
// a terminal and not where NO_COLOR is set (no-color.org).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace securebase::cli {

enum class Style { kPlain, kBold, kDim, kGreen, kYellow, kRed };

bool colour_on(int descriptor);
// `text` in that style, if `descriptor` is a terminal that shows it.
std::string styled(std::string_view text, Style style, int descriptor = 1);

// "error: <message>" on standard error; gives kFailed, so that a command can end with it.
int fail(const Error& error);

}  // namespace securebase::cli
