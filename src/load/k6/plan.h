// What a run is going to do, and how far it has come, as text for a terminal.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "k6/shared.h"

namespace securebase::k6 {

// Some lines: the scenarios with their users and times.
std::string plan_text(const std::string& script, const std::vector<Scenario>& scenarios);
// One line.
std::string progress_text(const Shared& shared, const std::deque<ScenarioRun>& runs);

}  // namespace securebase::k6
