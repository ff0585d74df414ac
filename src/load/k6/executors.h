// Carries out scenarios: each executor decides when which user does an iteration.
#pragma once

#include "k6/crew.h"
#include "k6/shared.h"

namespace securebase::k6 {

// From its start time to its end, on the calling thread; users do their iterations on theirs. Returns when every user
// has been given back. `recorder` is for what no user records.
void carry_out(ScenarioRun& run, Shared& shared, Crew& crew, load::Recorder& recorder);

}  // namespace securebase::k6
