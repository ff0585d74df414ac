// What requests take out of their answers (`capture`) and compare at once (`match`).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "load/artillery/received.h"
#include "load/artillery/script.h"

namespace securebase::load::artillery {

// Compiles `expression` into the capture's path or pattern. The error says what is wrong with it.
Result<Done> compile_capture(Capture& capture, std::string_view expression);

// The value that the capture finds. An error: the answer cannot be read that way, or has no such thing.
Result<base::Json> find_value(const Capture& capture, const Variables& variables, const Received& received);

// Takes all captures and matches of a request. When none fails the captured values become variables; a capture that is
// not strict may find nothing. The error is Artillery's: "Failed capture or match"; `details` says which and why.
Result<Done> take_captures(const RequestStep& step, bool strict_by_default, const Received& received,
                           Variables& variables, std::string* details);

}  // namespace securebase::load::artillery
