// What is said and written when a run is over: the summary, files, the page, and the exit code.
#pragma once

#include "k6/run.h"
#include "k6/shared.h"
#include "k6/user.h"
#include "load/measure/measured.h"

namespace securebase::k6 {

struct Ending {
  Nanoseconds elapsed{};
  int torn_down = 0;  // the exit code of what went wrong in teardown(); 0: nothing
  bool by_signal = false;
  load::Measured measured;
};

// `main` is the user that summarises. Nobody records any more. Gives the exit code.
int conclude(const RunSettings& settings, Shared& shared, User& main, Ending ending);

}  // namespace securebase::k6
