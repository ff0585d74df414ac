// Whatever an access line says, the scenario made of it can be read back, and has no query in it.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "load/scenarios/recording.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace securebase::load;
  Recording recording("/prod");
  recording.add(std::string_view(reinterpret_cast<const char*>(data), size));
  if (recording.taken() == 0) return 0;
  const auto scenario = recording.scenario();
  Url base;
  base.origin.host = "x";
  base.target = "/";
  const auto steps = steps_of(scenario, base, {});
  if (!steps || steps->size() != 1) std::abort();
  if (scenario["requests"].as_array()->front()["path"].string_or("").find('?') != std::string_view::npos) std::abort();
  return 0;
}
