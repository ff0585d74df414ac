// The executor over columns in memory: what a query costs beside reading the store. Two threads, as many as the machine
// of docs/benchmarks.md has.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <cstdlib>
#include <thread>

#include "logs/insights/execution.h"

namespace securebase::logs::insights {
namespace {

constexpr std::size_t kRows = 1 << 20;  // held
constexpr std::size_t kBatchRows = 4096;
constexpr std::size_t kLines = 1 << 19;  // of messages

// Of columns that are made once and offered again and again.
class ColumnSource final : public Source {
 public:
  struct Columns {
    std::vector<double> times, durations;
    std::vector<std::uint32_t> types, paths;
    std::vector<std::string_view> type_words, path_words, messages;
    std::string text;
  };
  ColumnSource(const Columns& columns, std::size_t rows, std::size_t times)
      : columns_(columns), rows_(rows), times_(times) {}

  Result<std::vector<std::unique_ptr<Part>>> scan(const Scan& scan) const override {
    std::vector<std::unique_ptr<Part>> parts;
    for (std::size_t i = 0; i < times_; ++i) parts.push_back(std::make_unique<Slices>(columns_, rows_, scan.fields));
    return parts;
  }
  std::vector<std::string> fields_of(std::span<const std::string>) const override { return {}; }

 private:
  class Slices final : public Part {
   public:
    Slices(const Columns& columns, std::size_t rows, std::vector<std::string> fields)
        : held_(columns), rows_(rows), fields_(std::move(fields)), made_(fields_.size()) {}
    Result<bool> next(Batch& batch) override {
      if (at_ >= rows_) return false;
      std::size_t bytes = 0;
      for (std::size_t i = 0; i < fields_.size(); ++i) {
        Column& column = made_[i];
        column = {};
        if (fields_[i] == "@timestamp") {
          column.kind = Column::Kind::kNumbers;
          column.numbers = {held_.times.data() + at_, kBatchRows};
        } else if (fields_[i] == "@duration") {
          column.kind = Column::Kind::kNumbers;
          column.numbers = {held_.durations.data() + at_, kBatchRows};
        } else if (fields_[i] == "@type" || fields_[i] == "path") {
          column.kind = Column::Kind::kDictionary;
          const bool type = fields_[i] == "@type";
          column.codes = {(type ? held_.types : held_.paths).data() + at_, kBatchRows};
          column.words = type ? held_.type_words : held_.path_words;
        } else if (fields_[i] == "@message") {
          column.kind = Column::Kind::kTexts;
          column.texts = {held_.messages.data() + at_, kBatchRows};
          for (const auto text : column.texts) bytes += text.size();
        }
      }
      at_ += kBatchRows;
      batch = {kBatchRows, made_, kBatchRows, bytes};
      return true;
    }

   private:
    const Columns& held_;
    const std::size_t rows_;
    const std::vector<std::string> fields_;
    std::vector<Column> made_;
    std::size_t at_ = 0;
  };

  const Columns& columns_;
  const std::size_t rows_;
  const std::size_t times_;
};

const ColumnSource::Columns& columns() {
  static const auto* const made = [] {
    auto* columns = new ColumnSource::Columns;
    static std::vector<std::string> paths;
    for (int i = 0; i < 200; ++i) paths.push_back(fmt::format("/api/v1/resource{}", i));
    columns->path_words.assign(paths.begin(), paths.end());
    columns->type_words = {"START", "END", "REPORT"};
    std::srand(1);
    for (std::size_t i = 0; i < kRows; ++i) {
      columns->times.push_back(1.8e12 + static_cast<double>(i) * 10);
      columns->durations.push_back(5 + 0.01 * (std::rand() % 100'000));
      columns->types.push_back(2);
      columns->paths.push_back(static_cast<std::uint32_t>(std::rand() % 200));
    }
    std::vector<std::size_t> ends;
    for (std::size_t i = 0; i < kLines; ++i) {
      columns->text += fmt::format(
          "2026-11-27T02:{:02}:{:02}.123Z {} request {:016x}{:016x} tenant=customer-{} path=/api/v1/invoices/{} "
          "status={} "
          "duration={}.{:02} ms{}",
          i / 60 % 60, i % 60, i % 100 == 0 ? "ERROR" : "INFO", std::rand() * 1ULL * std::rand(), i * 77,
          std::rand() % 500, i, i % 100 == 0 ? 500 : 200, std::rand() % 100, std::rand() % 100,
          i % 1000 == 0 ? " connection refused by upstream" : "");
      ends.push_back(columns->text.size());
    }
    std::size_t begin = 0;
    for (const auto end : ends) {
      columns->messages.emplace_back(columns->text.data() + begin, end - begin);
      begin = end;
    }
    return columns;
  }();
  return *made;
}

// Runs a query over rows * times rows.
std::size_t run_query(const char* text, std::size_t rows, std::size_t times, std::size_t threads) {
  const ColumnSource source(columns(), rows, times);
  const auto query = parse_query(text);
  auto plan = make_plan(*query, {});
  check(plan.has_value(), "the benchmark's query has a plan");
  Execution execution(source, std::move(*plan), {.groups = {"g"}}, base::system_clock());
  const auto work = [&execution] {
    while (!execution.finished()) execution.work();
  };
  std::vector<std::thread> others;
  for (std::size_t i = 1; i < threads; ++i) others.emplace_back(work);
  work();
  for (auto& other : others) other.join();
  check(execution.status() == Status::kComplete, "the benchmark's query ends well");
  return execution.results()->rows.size();
}

constexpr const char* kP95 =
    "fields @timestamp, @duration, @requestId | filter @type = 'REPORT' | stats pct(@duration, 95) as p95 by bin(5m)";

void BM_P95OfTenMillionReports(benchmark::State& state) {
  columns();
  for (auto _ : state) benchmark::DoNotOptimize(run_query(kP95, kRows, 10, static_cast<std::size_t>(state.range(0))));
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(10 * kRows));
}
BENCHMARK(BM_P95OfTenMillionReports)->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMillisecond);

void rows_bench(benchmark::State& state, const char* query) {
  columns();
  for (auto _ : state) benchmark::DoNotOptimize(run_query(query, kRows, 1, 1));
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kRows));
}
BENCHMARK_CAPTURE(rows_bench, count_by_path, "stats count(*), avg(@duration) by path")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(rows_bench, by_two_keys, "stats max(@duration) by path, bin(1h)")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(rows_bench, slowest, "fields path, @duration | sort @duration desc | limit 20")
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(rows_bench, arithmetic, "filter @duration / 1000 > 0.5 | stats sum(@duration * 2 + 1)")
    ->Unit(benchmark::kMillisecond);

void text_bench(benchmark::State& state, const char* query) {
  const auto bytes = columns().text.size();
  for (auto _ : state) benchmark::DoNotOptimize(run_query(query, kLines, 1, 1));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes));
}
BENCHMARK_CAPTURE(text_bench, contains, "filter @message like 'connection refused' | stats count(*)")
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(text_bench, regex, "filter @message like /status=5\\d\\d/ | stats count(*)")
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(text_bench, regex_parse,
                  "parse @message /tenant=(?<tenant>\\S+) .*duration=(?<ms>[\\d.]+)/ | stats avg(ms) by tenant")
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(text_bench, glob_parse, "parse @message 'tenant=* path=* ' as t, p | stats count(*) by t")
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(text_bench, pattern, "pattern @message")->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace securebase::logs::insights
