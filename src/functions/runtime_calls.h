// An addition of ours to the Runtime API: a runtime that knows it tells with each result what its handler asked of
// others, so that every request's time is known in its parts, not only that of sampled ones.
//
//   Securebase-Runtime-Calls: sql=2;1234567, cache=1;45678      how many, and nanoseconds
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

namespace securebase::functions {

struct RuntimeCalls {
  struct Sum {
    std::uint32_t count = 0;
    std::chrono::nanoseconds time{0};
  };
  Sum sql;
  Sum cache;
};

// What does not follow the grammar counts as nothing. Names that are not known are left out.
RuntimeCalls parse_runtime_calls(std::string_view field);

}  // namespace securebase::functions
