#include "prober/schedule.h"

#include <cstdlib>

// Whatever is read as a schedule goes forward, at whole seconds.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace securebase;
  const auto schedule = prober::Schedule::parse({reinterpret_cast<const char*>(data), size});
  if (!schedule) return 0;
  const base::TimePoint now{std::chrono::seconds{1'795'737'600}};
  const auto next = schedule->next(now);
  if (next && (*next <= now || next->time_since_epoch() % std::chrono::seconds{1} != std::chrono::seconds{0})) abort();
  return 0;
}
