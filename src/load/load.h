// The door of load: what the command line uses. The measure/ headers are doors too, for programs that record for
// themselves.
#pragma once

#include "load/engine/engine.h"
