// What Artillery says while it runs.
#pragma once

#include <string>
#include <vector>

#include "load/artillery/ensure.h"
#include "load/artillery/period.h"
#include "load/artillery/script.h"

namespace securebase::load::artillery {

class Console {
 public:
  Console(bool colour, std::size_t columns) : colour_(colour), columns_(columns) {}

  std::string phase_text(const Phase& phase, std::size_t index, bool started, base::TimePoint now) const;
  std::string period_text(const Period& period, std::string_view suppressed) const;
  std::string summary_text(const Period& aggregate, base::TimePoint now, std::chrono::seconds took,
                           std::string_view suppressed) const;
  std::string checks_text(const std::vector<Checked>& checks) const;
  std::string painted(const char* code, std::string_view text) const;

 private:
  bool colour_;
  std::size_t columns_;
};

// "14:03:27(+0000)", in local time.
std::string clock_text(base::TimePoint time);

}  // namespace securebase::load::artillery
