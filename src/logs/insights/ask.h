// Queries as the command line asks for them, over the platform's control socket: JSON in, JSON out.
//
//   {"groups": [...], "query": "...", "begin": seconds, "end": seconds, "limit": n}  -> {"id": "..."}
//     of a query that is none: {"malformed": {"message", "begin", "end"}}, offsets in characters
//   {"id": "..."} -> {"status", "failure", "matched", "scanned", "bytes", "names": [...], "rows": [[text or null]]}
//   {"id": "...", "stop": true} -> {}
#pragma once

#include "base/json.h"
#include "logs/insights/api.h"

namespace securebase::logs::insights {

Result<base::Json> ask(const Api& api, const base::Json& question);

}  // namespace securebase::logs::insights
