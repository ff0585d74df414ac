// The language of Insights: no text may crash, hang or grow without bound, and what has a plan runs over any events.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "logs/insights/execution.h"
#include "logs/insights/memory_source.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace securebase::logs::insights;
  namespace base = securebase::base;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto query = parse_query(text);
  if (!query) return 0;
  auto plan = make_plan(*query, {});
  if (!plan) return 0;
  static const auto* const source = [] {
    auto* made = new MemorySource({.parts = 2, .batch_rows = 2});
    for (
        const char* event :
        {R"x({"@timestamp":1000,"@message":"user=ann, method:get [ERROR] {\"a\":[1,{\"b\":2}]}","a":1,"b":"x","@type":"REPORT"})x",
         R"x({"@timestamp":2000,"@message":"{\"items\":[{\"name\":\"n\"},2],\"x\":\"y\"}","a":"2","path":"/v1/1"})x",
         R"x({"@timestamp":3000,"@message":"","a":-0.5,"b":"10.0.0.1","@duration":12.5,"@initDuration":7})x",
         R"x({"@timestamp":4000,"b":"zz10"})x"}) {
      made->add("g", event);
    }
    return made;
  }();
  Execution execution(*source, std::move(*plan),
                      {.groups = {"g"}, .end = base::TimePoint{std::chrono::hours{1}}, .memory_bytes = 16 << 20},
                      base::system_clock());
  while (execution.work()) {
  }
  static_cast<void>(execution.results().has_value());
  return 0;
}
