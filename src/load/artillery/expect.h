// The expectations of Artillery's expect plugin.
#pragma once

#include <string>
#include <vector>

#include "load/artillery/received.h"
#include "load/artillery/script.h"

namespace securebase::load::artillery {

struct Expected {
  bool ok = false;
  std::string type;      // "statusCode": what it is counted by
  std::string expected;  // as text
  std::string got;
};

Expected check_expectation(const Expectation& expectation, const Variables& variables, const Received& received);

// As the plugin prints a request's results; empty: nothing is to be printed. `colour`: with terminal colours.
std::string format_expectations(ExpectPlugin::Format format, const std::vector<Expected>& results,
                                const RequestStep& step, std::string_view name, std::string_view url,
                                const Variables& variables, const Received& received, bool colour);

}  // namespace securebase::load::artillery
