// Metric math and the language of SEARCH: no text may crash, hang or grow without bound, and what compiles runs.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "monitoring/fake_series.h"
#include "monitoring/math/program.h"
#include "monitoring/math/search.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace securebase::monitoring;
  using namespace std::chrono_literals;
  const std::string text(reinterpret_cast<const char*>(data), size);
  static_cast<void>(math::Search::parse(text).has_value());

  FakeSeries series;
  const securebase::base::TimePoint start{1'700'000'000s};
  for (int i = 0; i < 5; ++i) series.put({"N", "a", {{"D", "x"}}}, start + i * 60s, i);
  std::vector<DataQuery> queries(3);
  queries[0].id = "m1";
  queries[0].metric_stat = MetricStat{{"N", "a", {{"D", "x"}}}, 60s, "Average", std::nullopt};
  queries[1] = queries[0];
  queries[1].id = "m2";
  queries[2].id = "e1";
  queries[2].expression = text;
  const auto program = math::Program::compile(std::move(queries), math::Use::kGraph);
  if (!program) return 0;
  math::Bands bands;
  const auto value = program->run(2, series, {.from = start, .to = start + 300s}, bands);
  if (value) securebase::check(math::type_of(*value) == program->type(2), "a value has the type that was foretold");
  return 0;
}
