// Ingest, compression and scans of the store, on function logs (START, END, REPORT) and on JSON lines.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <chrono>
#include <random>
#include <thread>

#include "logs/insights/execution.h"
#include "logs/store/scan.h"
#include "logs/store/store.h"
#include "logs/store/test_directory.h"

namespace securebase::logs {
namespace {

constexpr std::int64_t kBeginMs = 1'700'000'000'000;

// As many events as asked for, of one kind, with their times.
class Lines {
 public:
  enum class Kind { kFunction, kReport, kJson, kPrinted };

  Lines(Kind kind, std::size_t count) {
    std::mt19937_64 random(7);
    std::lognormal_distribution<double> duration(3, 0.6);
    const auto id = [&] {
      const auto a = random();
      const auto b = random();
      return fmt::format("{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}", a >> 32, a >> 16 & 0xffff, a & 0xfff, b >> 52,
                         b & 0xffffffffffff);
    };
    const std::string_view paths[] = {"/api/v1/invoices", "/api/v1/customers", "/api/v1/metrics", "/api/v1/health"};
    while (messages.size() < count) {
      const auto request = id();
      const double ms = duration(random);
      const auto report = fmt::format(
          "REPORT RequestId: {}\tDuration: {:.2f} ms\tBilled Duration: {:.0f} ms\tMemory Size: 512 MB\tMax Memory "
          "Used: {} MB\t",
          request, ms, ms + 1, 70 + random() % 8);
      switch (kind) {
        case Kind::kFunction:
          messages.push_back(fmt::format("START RequestId: {} Version: $LATEST", request));
          messages.push_back(fmt::format("END RequestId: {}", request));
          messages.push_back(report);
          break;
        case Kind::kReport:
          messages.push_back(report);
          break;
        case Kind::kPrinted:  // as bench/insights has them
          messages.push_back(fmt::format("START RequestId: {} Version: $LATEST", request));
          for (int i = 0; i < 3; ++i) {
            messages.push_back(
                fmt::format("[{}] {} tenant=customer-{} path=/api/v1/invoices/{} status={} took {} ms{}",
                            random() % 100 == 0 ? "ERROR" : "INFO", request, random() % 500, random() % 1'000'000,
                            random() % 5 < 3    ? 200
                            : random() % 2 == 0 ? 404
                                                : 500,
                            1 + random() % 899, random() % 1000 == 0 ? " connection refused by upstream" : ""));
          }
          messages.push_back(fmt::format("END RequestId: {}", request));
          messages.push_back(report);
          break;
        case Kind::kJson:
          messages.push_back(fmt::format(
              R"({{"timestamp":"2023-11-14T22:13:20.{:03}Z","level":"{}","service":"billing","requestId":"{}","path":"{}","status":{},"latencyMs":{:.2f},"customer":"cust-{}","message":"request served"}})",
              random() % 1000, random() % 20 == 0 ? "ERROR" : "INFO", request, paths[random() % 4],
              random() % 50 == 0 ? 500 : 200, ms, random() % 1000));
      }
    }
    for (const auto& message : messages) bytes += message.size();
  }

  std::vector<std::string> messages;
  std::size_t bytes = 0;
};

std::unique_ptr<Store> open_store(const TestDirectory& directory) {
  StoreSettings settings;
  settings.directory = directory.path();
  return *Store::open(settings, base::system_clock());
}

// In appends of 100 events, as the sink makes them.
void put_all(Store& store, const Lines& lines) {
  auto& group = **store.group_or_new("g");
  std::vector<Event> events;
  for (std::size_t i = 0; i < lines.messages.size(); ++i) {
    events.push_back({kBeginMs + static_cast<std::int64_t>(i / 5), lines.messages[i], {}});
    if (events.size() == 100 || i + 1 == lines.messages.size()) {
      check(group.append("stream", kBeginMs, events).has_value(), "the disk has room");
      events.clear();
    }
    if (group.wants_seal()) check(group.seal().has_value(), "the disk has room");
  }
}

void ingest(benchmark::State& state, Lines::Kind kind) {
  const Lines lines(kind, 400'000);
  double ratio = 0;
  for (auto _ : state) {
    const TestDirectory directory;
    auto store = open_store(directory);
    put_all(*store, lines);
    state.PauseTiming();
    check((*store->group_or_new("g"))->seal().has_value(), "the disk has room");
    ratio = static_cast<double>(lines.bytes) / static_cast<double>(store->disk_bytes());
    state.ResumeTiming();
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * lines.messages.size()));
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * lines.bytes));
  state.counters["compression"] = ratio;
}

// One stored directory for all scans of a kind.
struct Stored {
  Stored(Lines::Kind kind, std::size_t count) : store(open_store(directory)) {
    const Lines lines(kind, 400'000);
    for (std::size_t done = 0; done < count; done += lines.messages.size(), bytes += lines.bytes)
      put_all(*store, lines);
    check((*store->group_or_new("g"))->seal().has_value(), "the disk has room");
    rows = count;
  }
  TestDirectory directory;
  std::unique_ptr<Store> store;
  std::size_t rows = 0;
  std::size_t bytes = 0;
};

void scan(benchmark::State& state, Stored& stored, insights::Scan asked) {
  asked.groups = {"g"};
  asked.end = base::TimePoint{std::chrono::milliseconds(2 * kBeginMs)};
  const StoreSource source(*stored.store, "123456789012");
  double sum = 0;
  for (auto _ : state) {
    auto parts = *source.scan(asked);
    for (auto& part : parts) {
      insights::Batch batch;
      while (*part->next(batch)) {
        for (const auto& column : batch.columns) {
          const auto& read = insights::read(column);
          for (const double number : read.numbers) sum += number;
          sum += static_cast<double>(read.texts.size());
        }
      }
    }
  }
  benchmark::DoNotOptimize(sum);
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * stored.rows));
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * stored.bytes));
}

Stored& reports() {
  static Stored stored(Lines::Kind::kReport, 10'000'000);
  return stored;
}
Stored& json_lines() {
  static Stored stored(Lines::Kind::kJson, 2'000'000);
  return stored;
}

void BM_IngestFunctionLines(benchmark::State& state) { ingest(state, Lines::Kind::kFunction); }
void BM_IngestReports(benchmark::State& state) { ingest(state, Lines::Kind::kReport); }
void BM_IngestJson(benchmark::State& state) { ingest(state, Lines::Kind::kJson); }
BENCHMARK(BM_IngestFunctionLines)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_IngestReports)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_IngestJson)->Unit(benchmark::kMillisecond);

// 10 million REPORT lines, on one core.
void BM_ScanTwoColumnsOf10MReports(benchmark::State& state) {
  scan(state, reports(), {.fields = {"@timestamp", "@duration"}});
}
void BM_ScanMessagesOf10MReports(benchmark::State& state) { scan(state, reports(), {.fields = {"@message"}}); }
void BM_FindOneRequestIn10MReports(benchmark::State& state) {
  static const auto id = Lines(Lines::Kind::kReport, 1000).messages[500].substr(18, 36);
  scan(state, reports(), {.fields = {"@message"}, .message_contains = {id}});
}
void BM_ScanThreeColumnsOfJson(benchmark::State& state) {
  scan(state, json_lines(), {.fields = {"status", "latencyMs", "path"}});
}
void BM_FindTextInJson(benchmark::State& state) {
  scan(state, json_lines(), {.fields = {"@message"}, .message_contains = {"ERROR"}});
}
BENCHMARK(BM_ScanTwoColumnsOf10MReports)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_ScanMessagesOf10MReports)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_FindOneRequestIn10MReports)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_ScanThreeColumnsOfJson)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_FindTextInJson)->Unit(benchmark::kMillisecond);

// A whole query over the 10 million, on so many threads: the rows of its answer, and when the first of them could be
// seen.
struct Asked {
  std::size_t rows = 0;
  double first_ms = 0;
};

Asked ask(Stored& stored, const char* text, std::size_t threads) {
  const StoreSource source(*stored.store, "123456789012");
  auto plan = insights::make_plan(*insights::parse_query(text), {});
  check(plan.has_value(), "the benchmark's query has a plan");
  const auto begun = std::chrono::steady_clock::now();
  insights::Execution execution(source, std::move(*plan),
                                {.groups = {"g"}, .end = base::TimePoint{std::chrono::milliseconds(2 * kBeginMs)}},
                                base::system_clock());
  std::vector<std::thread> others;
  for (std::size_t i = 0; i < threads; ++i) {
    others.emplace_back([&execution] {
      while (!execution.finished()) execution.work();
    });
  }
  Asked asked;
  for (bool seen = false; !seen && !execution.finished();) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    seen = !execution.results()->rows.empty();
    asked.first_ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begun).count();
  }
  for (auto& other : others) other.join();
  check(execution.status() == insights::Status::kComplete, "the benchmark's query ends well");
  asked.rows = execution.results()->rows.size();
  return asked;
}

void query_bench(benchmark::State& state, const char* text) {
  reports();
  double first_ms = 0;
  for (auto _ : state) {
    const auto asked = ask(reports(), text, static_cast<std::size_t>(state.range(0)));
    check(asked.rows > 0, "the benchmark's query has an answer");
    first_ms = std::max(first_ms, asked.first_ms);
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * reports().rows));
  state.counters["first_rows_ms"] = first_ms;
}
BENCHMARK_CAPTURE(query_bench, p95_by_bin, "filter @type = 'REPORT' | stats pct(@duration, 95) by bin(5m)")
    ->Arg(1)
    ->Arg(2)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(query_bench, newest_rows, "fields @timestamp, @message | sort @timestamp desc | limit 20")
    ->Arg(1)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(query_bench, slowest_rows,
                  "fields @message | filter @duration > 100 | sort @duration desc | limit 20")
    ->Arg(1)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

// Texts that no index can rule out, and the messages they are in, in lines that functions print.
void printed_bench(benchmark::State& state, const char* text) {
  static Stored printed(Lines::Kind::kPrinted, 2'000'000);
  for (auto _ : state) check(ask(printed, text, 1).rows > 0, "the benchmark's query has an answer");
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * printed.bytes));
}
BENCHMARK_CAPTURE(printed_bench, filter, "filter @message like 'connection refused' | stats count(*)")
    ->MeasureProcessCPUTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(printed_bench, part_of_a_word, "filter @message like 'refuse' | stats count(*)")
    ->MeasureProcessCPUTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(printed_bench, regex_filter,
                  R"(filter @message like /status=5\d\d took [78]\d\d ms/ | stats count(*))")
    ->MeasureProcessCPUTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(printed_bench, regex_parse,
                  R"(parse @message /tenant=(?<t>\S+) .*took (?<ms>\d+) ms/ | stats max(ms))")
    ->MeasureProcessCPUTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace securebase::logs
