// The door of load: tests of a target by load, with numbers that may be believed.
//
//   measure/    what threads record, merged exactly; a door too, for programs that record for themselves
//   engine/     virtual users as coroutines on workers, arrivals on a schedule, HTTP/1.1 that is lean and strict
//   scenarios/  baseline, capacity, spike, endurance; thresholds; what is seen of the target meanwhile
//   report/     results as JSON and on a terminal; two results compared
//   distribute/ one run on several machines
//   artillery/  YAML scripts on the engine; k6/ is a room and a program of its own
//
// A front end implements Flow (engine/session.h) and runs an Engine (engine/engine.h). Threads: an engine has its own;
// whatever blocks is called from one thread outside of them.
#pragma once

#include "load/distribute/coordinator.h"
#include "load/distribute/worker.h"
#include "load/engine/engine.h"
#include "load/report/compare.h"
#include "load/report/html.h"
#include "load/report/result.h"
#include "load/report/result_view.h"
#include "load/report/terminal.h"
#include "load/scenarios/capacity.h"
#include "load/scenarios/endurance.h"
#include "load/scenarios/latest_status.h"
#include "load/scenarios/recording.h"
#include "load/scenarios/run.h"
#include "load/scenarios/spike.h"
#include "load/scenarios/summary.h"
#include "load/scenarios/target_watch.h"
