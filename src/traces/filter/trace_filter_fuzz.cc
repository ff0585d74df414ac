// Filter expressions, held against a trace.
#include "traces/filter/filter.h"

using namespace securebase;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const traces::Trace trace = [] {
    traces::Trace made;
    traces::Segment segment;
    segment.id = "70de5b6f19ff9a0a";
    segment.name = "web";
    segment.annotations = {{"tenant", std::string("a")}, {"n", 1.0}, {"b", true}};
    segment.subsegments.push_back(segment);
    made.segments.push_back(segment);
    return made;
  }();
  const auto filter = traces::Filter::parse({reinterpret_cast<const char*>(data), size});
  if (filter) static_cast<void>(filter->matches(trace));
  return 0;
}
