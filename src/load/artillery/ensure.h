// The checks of `ensure` against what was measured.
#pragma once

#include <string>
#include <vector>

#include "load/artillery/period.h"
#include "load/artillery/script.h"

namespace securebase::load::artillery {

struct Checked {
  std::string original;
  bool strict = true;
  bool ok = false;
  std::string note;  // why not, where that is not plain: a metric that was never recorded; the value that was found
};

// `apdex`: the score, when there is one, under the names apdex.
std::vector<Checked> check_ensure(const std::vector<EnsureCheck>& checks, const Period& aggregate,
                                  std::optional<double> apdex);

struct Apdex {
  double score = 0;
  std::string ranking;
};
// nullopt: no request was counted.
std::optional<Apdex> apdex_of(const Period& aggregate);

// The smallest limit in milliseconds that a check names for a response time; 0: there is none. The generator's own
// lateness is held against it.
double tightest_limit_ms(const std::vector<EnsureCheck>& checks);

}  // namespace securebase::load::artillery
