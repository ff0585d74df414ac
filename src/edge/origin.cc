#include "edge/origin.h"

namespace securebase::edge {

bool Origin::admit_now(const http::Request&, Caller& caller) {
  caller.verdict = Caller::Verdict::kPublic;
  caller.principal = {};
  return true;
}

net::Task<Caller> Origin::admit(const http::Request&) { co_return Caller{}; }

}  // namespace securebase::edge
