#include <gtest/gtest.h>
#include <snappy.h>

#include <bit>
#include <cmath>
#include <fstream>
#include <map>

#include "aws/gzip.h"
#include "monitoring/exports/exporter.h"
#include "monitoring/exports/gzip.h"
#include "monitoring/exports/otlp_request.h"
#include "monitoring/exports/remote_write.h"
#include "monitoring/metrics/protobuf.h"
#include "monitoring/metrics/test_directory.h"
#include "monitoring/otlp/intake.h"
#include "net/http/server.h"

namespace securebase::monitoring::exports {
namespace {

using namespace std::chrono_literals;
using telemetry::Metric;
using telemetry::Unit;

constexpr Metric kRequests{"AWS/CloudFront", "Requests", Unit::kNone, "Requests."};
constexpr Metric kDuration{"AWS/Lambda", "Duration", Unit::kMilliseconds, "Time."};
constexpr Metric kOpen{"Test", "Open", Unit::kCount, "Connections."};

// --- addresses and fields

TEST(ExportTarget, IsAnAbsoluteUrl) {
  const auto target = parse_target("https://metrics.example/api/v1/write?tenant=7");
  ASSERT_TRUE(target) << target.error().message;
  EXPECT_TRUE(target->tls);
  EXPECT_EQ(target->host, "metrics.example");
  EXPECT_EQ(target->port, 443);
  EXPECT_EQ(target->target, "/api/v1/write?tenant=7");
  EXPECT_EQ(shown(*target), "https://metrics.example/api/v1/write") << "a query may hold a key";
  EXPECT_FALSE(parse_target("metrics.example"));
  EXPECT_NE(parse_target("http://me:word@h/").error().message.find("Authorization"), std::string::npos);
}

TEST(ExportFields, AreLinesOfNameAndValue) {
  const auto fields = parse_fields("# who we are\nAuthorization: Bearer abc\r\n\n  X-Scope-OrgID:7\n");
  ASSERT_TRUE(fields) << fields.error().message;
  EXPECT_EQ(*fields, (Fields{{"Authorization", "Bearer abc"}, {"X-Scope-OrgID", "7"}}));
  for (const char* text : {"Authorization", "Bad name: x", "Empty:", ": x", "Host: h", "content-encoding: zstd"}) {
    const auto refused = parse_fields(text);
    ASSERT_FALSE(refused) << text;
  }
  EXPECT_EQ(parse_fields("ok: 1\nhunter2 secret").error().message.find("hunter2"), std::string::npos)
      << "what may be a password is not shown";
}

// --- verdicts and pauses

TEST(ExportVerdict, FollowsEachProtocol) {
  for (const int status : {200, 204}) EXPECT_EQ(verdict_of(Protocol::kRemoteWrite, status), Verdict::kTaken);
  for (const int status : {429, 500, 503, 599}) EXPECT_EQ(verdict_of(Protocol::kRemoteWrite, status), Verdict::kAgain);
  for (const int status : {301, 400, 401, 404, 409}) {
    EXPECT_EQ(verdict_of(Protocol::kRemoteWrite, status), Verdict::kRefused) << status;
  }
  for (const int status : {429, 502, 503, 504}) EXPECT_EQ(verdict_of(Protocol::kOtlp, status), Verdict::kAgain);
  for (const int status : {400, 500, 501, 505}) EXPECT_EQ(verdict_of(Protocol::kOtlp, status), Verdict::kRefused);
}

TEST(ExportVerdict, PausesDoubleToTheLongestAndVaryByAHalf) {
  const Pauses pauses{1000ms, 30'000ms};
  EXPECT_EQ(pause_after(1, pauses, 0), 1000ms);
  EXPECT_EQ(pause_after(1, pauses, 499), 501ms);
  EXPECT_EQ(pause_after(4, pauses, 0), 8000ms);
  EXPECT_EQ(pause_after(6, pauses, 0), 30'000ms);
  EXPECT_EQ(pause_after(100'000, pauses, 0), 30'000ms);
}

TEST(ExportVerdict, ReadsWhenToComeAgain) {
  const base::TimePoint now{1'700'000'000s};
  EXPECT_EQ(retry_after("7", now), 7s);
  EXPECT_EQ(retry_after("86400", now), 300s);
  EXPECT_EQ(retry_after("-1", now), 0s);
  EXPECT_EQ(retry_after(base::http_date(now + 20s), now), 20s);
  EXPECT_EQ(retry_after("soon", now), std::nullopt);
}

// --- the queue

std::vector<Payload> payload(std::size_t bytes, std::size_t samples) {
  return {{std::string(bytes, static_cast<char>('a' + samples)), samples}};
}

TEST(ExportQueue, DropsTheOldestWhenItIsFullAndSaysHowManySamples) {
  Queue queue(100);
  EXPECT_EQ(queue.push(payload(60, 1)), 0u);
  const auto under_way = queue.front();
  EXPECT_EQ(queue.push(payload(60, 2)), 1u);
  queue.remove(under_way.number);
  EXPECT_EQ(queue.front().samples, 2u) << "what was dropped meanwhile takes nothing else with it";
  EXPECT_EQ(queue.push(payload(101, 3)), 5u) << "larger than the queue";
  EXPECT_EQ(queue.bytes(), 0u);
  EXPECT_EQ(queue.front().body, nullptr);
}

// --- what is said

struct Written {
  std::map<std::string, std::pair<double, std::int64_t>> samples;  // by labels: value, milliseconds since 1970
  std::size_t total = 0;
  std::size_t requests = 0;
};

// Reads WriteRequests, and looks at what the specification asks of them.
Written read_written(const std::vector<Payload>& payloads) {
  Written written;
  for (const auto& payload : payloads) {
    ++written.requests;
    std::string request;
    EXPECT_TRUE(snappy::Uncompress(payload.body.data(), payload.body.size(), &request));
    std::size_t samples = 0;
    for (ProtoReader series(request); series.next();) {
      EXPECT_EQ(series.number(), 1u);
      std::string labels;
      std::string before;
      for (ProtoReader of(series.bytes()); of.next();) {
        std::string name;
        double value = 0;
        std::int64_t time = 0;
        for (ProtoReader field(of.bytes()); field.next();) {
          if (of.number() == 1 && field.number() == 1) name = field.bytes();
          if (of.number() == 1 && field.number() == 2) {
            EXPECT_LT(before, name) << "labels are sorted, each once";
            EXPECT_FALSE(field.bytes().empty());
            labels += name + "=" + std::string(field.bytes()) + " ";
            before = name;
          }
          if (of.number() == 2 && field.number() == 1) value = field.real();
          if (of.number() == 2 && field.number() == 2) time = static_cast<std::int64_t>(field.integer());
        }
        if (of.number() == 2) {
          EXPECT_TRUE(written.samples.emplace(labels, std::pair(value, time)).second) << labels << "is there twice";
          ++samples;
        }
      }
    }
    EXPECT_EQ(samples, payload.samples);
    EXPECT_LE(samples, 2000u);
    written.total += samples;
  }
  return written;
}

class ExportTest : public testing::Test {
 protected:
  ExportTest() : store_(*Store::open({.directory = directory_.path(), .threads = false}, clock_)) {}

  void put(MetricId metric, const char* unit, base::TimePoint time, std::initializer_list<double> values) {
    Summary samples;
    for (const double value : values) samples.add(value);
    const Datum datum{std::move(metric), *unit_number(unit), Resolution::kMinute, time, samples};
    ASSERT_TRUE(store_->put({&datum, 1}));
  }
  base::TimePoint minute() const { return std::chrono::floor<std::chrono::minutes>(clock_.now()); }
  std::int64_t now_ms() const { return clock_.now().time_since_epoch() / 1ms; }

  TestDirectory directory_;
  base::ManualClock clock_;
  telemetry::Registry registry_;
  std::unique_ptr<Store> store_;
};

TEST_F(ExportTest, RemoteWriteHasTheSeriesOfAScrape) {
  registry_.counter(kRequests, {{"DistributionId", "E1"}, {"Region", "Global"}}).add(7);
  registry_.gauge(kOpen).set(-4.5);
  auto& duration = registry_.distribution(kDuration, {{"FunctionName", "a"}});
  for (const double value : {0.5, 50.0, 99'999.0}) duration.record(value);
  put({"Shop", "Orders", {{"Tier", "gold"}}}, "Count", minute() - 1min, {2, 4});
  Snapshots snapshots(registry_, *store_, clock_.now());
  const auto written = read_written(remote_write_requests(snapshots.take(clock_.now())));
  const auto sample = [&](const std::string& labels) {
    const auto found = written.samples.find(labels);
    EXPECT_NE(found, written.samples.end()) << labels;
    return found == written.samples.end() ? std::pair(static_cast<double>(NAN), std::int64_t{0}) : found->second;
  };
  EXPECT_EQ(sample("__name__=aws_cloudfront_requests_total distribution_id=E1 region=Global "),
            std::pair(7.0, now_ms()));
  EXPECT_EQ(sample("__name__=test_open ").first, -4.5);
  EXPECT_EQ(sample("__name__=aws_lambda_duration_milliseconds_bucket function_name=a le=50.0 ").first, 2);
  EXPECT_EQ(sample("__name__=aws_lambda_duration_milliseconds_bucket function_name=a le=60000.0 ").first, 2);
  EXPECT_EQ(sample("__name__=aws_lambda_duration_milliseconds_bucket function_name=a le=+Inf ").first, 3);
  EXPECT_EQ(sample("__name__=aws_lambda_duration_milliseconds_sum function_name=a ").first, 100'049.5);
  EXPECT_EQ(sample("__name__=aws_lambda_duration_milliseconds_count function_name=a ").first, 3);
  EXPECT_EQ(sample("__name__=shop_orders_average tier=gold "), std::pair(3.0, minute().time_since_epoch() / 1ms));
  EXPECT_EQ(sample("__name__=shop_orders_sample_count tier=gold ").first, 2);
}

TEST_F(ExportTest, AMinuteOfWhatIsPutIsSaidOnceAndThenEnds) {
  put({"Shop", "Orders", {}}, "Count", minute() - 1min, {2});
  Snapshots snapshots(registry_, *store_, clock_.now());
  EXPECT_EQ(snapshots.take(clock_.now()).put.size(), 1u);
  EXPECT_EQ(snapshots.take(clock_.now()).put.size(), 0u);
  clock_.advance(1min);
  EXPECT_EQ(snapshots.take(clock_.now()).put.size(), 0u);
  put({"Shop", "Orders", {}}, "Count", minute() - 1min, {3});
  clock_.advance(1min);
  const auto second = snapshots.take(clock_.now());
  ASSERT_EQ(second.put.size(), 1u);
  EXPECT_EQ(second.put[0].sum, 3);
  clock_.advance(10min);
  const auto last = snapshots.take(clock_.now());
  EXPECT_TRUE(last.put.empty());
  ASSERT_EQ(last.ended.size(), 1u);
  const auto written = read_written(remote_write_requests(last));
  const auto average = written.samples.find("__name__=shop_orders_average ");
  ASSERT_NE(average, written.samples.end());
  EXPECT_EQ(std::bit_cast<std::uint64_t>(average->second.first), 0x7ff0000000000002u);
  EXPECT_EQ(average->second.second, now_ms());
  clock_.advance(1min);
  EXPECT_TRUE(snapshots.take(clock_.now()).ended.empty()) << "told once";
}

TEST_F(ExportTest, NoNameThatAClientChoosesSpoilsARequest) {
  registry_.counter(kRequests, {{"A", "1"}, {"a", "2"}, {"__name__", "x"}, {"9", "n"}, {"E", ""}}).add(1);
  put({"Shop", "Orders", {}}, "Count", minute() - 1min, {2});
  put({"shop", "orders", {}}, "Count", minute() - 1min, {3});  // the same to Prometheus
  put({"Shop", "Odd", {{"City", "K\xf6ln \xc3\xb6"}}}, "Count", minute() - 1min, {1});
  Snapshots snapshots(registry_, *store_, clock_.now());
  const auto written = read_written(remote_write_requests(snapshots.take(clock_.now())));
  EXPECT_TRUE(written.samples.contains("_9=n __name__=aws_cloudfront_requests_total _name__=x a=1;2 "));
  EXPECT_TRUE(written.samples.contains("__name__=shop_odd_sum city=K\xef\xbf\xbdln \xc3\xb6 "));
  EXPECT_EQ(written.total, 1u + 5 + 5);
}

TEST_F(ExportTest, ManySeriesAreSeveralRequests) {
  for (int i = 0; i < 4500; ++i) registry_.counter(kRequests, {{"Id", std::to_string(i)}}).add(1);
  Snapshots snapshots(registry_, *store_, clock_.now());
  const auto snapshot = snapshots.take(clock_.now());
  const auto written = read_written(remote_write_requests(snapshot));
  EXPECT_EQ(written.total, 4500u);
  EXPECT_EQ(written.requests, 3u);
  EXPECT_EQ(otlp_requests(snapshot).size(), 3u);
}

std::map<std::string, otlp::Metric> read_otlp(const std::vector<Payload>& payloads) {
  std::map<std::string, otlp::Metric> metrics;
  for (const auto& payload : payloads) {
    const auto request = aws::gunzip(payload.body, 1 << 20);
    EXPECT_TRUE(request);
    auto parsed = otlp::parse_protobuf(*request);
    EXPECT_TRUE(parsed);
    for (auto& resource : *parsed) {
      EXPECT_EQ(resource.resource, (otlp::Attributes{{"service.name", "securebase"}}));
      for (auto& metric : resource.metrics) metrics[metric.name] = std::move(metric);
    }
  }
  return metrics;
}

TEST_F(ExportTest, OtlpHasSumsGaugesAndExponentialHistograms) {
  const auto begun = clock_.now();
  clock_.advance(90s);
  registry_.counter(kRequests, {{"DistributionId", "E1"}}).add(7);
  registry_.gauge(kOpen).set(4);
  auto& duration = registry_.distribution(kDuration);
  double sum = 0;
  for (int i = 0; i <= 1000; ++i) {
    duration.record(i);
    sum += i;
  }
  put({"Shop", "Orders", {{"Tier", "gold"}}}, "Count", minute() - 1min, {2, 4});
  Snapshots snapshots(registry_, *store_, begun);
  const auto metrics = read_otlp(otlp_requests(snapshots.take(clock_.now())));

  const auto& requests = metrics.at("AWS/CloudFront/Requests");
  EXPECT_EQ(requests.kind, otlp::Kind::kSum);
  EXPECT_TRUE(requests.monotonic);
  EXPECT_EQ(requests.temporality, otlp::Temporality::kCumulative);
  EXPECT_EQ(requests.points.at(0).value, 7);
  EXPECT_EQ(requests.points[0].start_ns, static_cast<std::uint64_t>(begun.time_since_epoch() / 1ns));
  EXPECT_EQ(requests.points[0].attributes, (otlp::Attributes{{"DistributionId", "E1"}}));
  EXPECT_EQ(metrics.at("Test/Open").kind, otlp::Kind::kGauge);
  EXPECT_EQ(metrics.at("Test/Open").points.at(0).value, 4);
  EXPECT_EQ(metrics.at("Shop/Orders").kind, otlp::Kind::kSummary);

  const auto& histogram = metrics.at("AWS/Lambda/Duration");
  EXPECT_EQ(histogram.unit, "ms");
  const auto& point = histogram.points.at(0);
  EXPECT_EQ(point.count, 1001u);
  EXPECT_EQ(point.zeros, 1u);
  EXPECT_EQ(point.sum, sum);
  EXPECT_EQ(point.minimum, 0);
  EXPECT_EQ(point.maximum, 1000);
  const auto samples = otlp::summary_of(point, histogram.kind);
  ASSERT_TRUE(samples);
  Accumulator all;
  all.add(*samples);
  EXPECT_EQ(all.count(), 1001u);
  EXPECT_NEAR(*evaluate(*parse_statistic("p95"), all), 950, 950 * 0.03);
  EXPECT_NEAR(*evaluate(*parse_statistic("p10"), all), 100, 100 * 0.03);
}

TEST_F(ExportTest, OtlpHistogramsOfAnyRangeHaveAtMost320Buckets) {
  auto& duration = registry_.distribution(kDuration);
  for (const double value : {1e-9, 1e-3, 1.0, 1e6, 1e18}) duration.record(value);
  Snapshots snapshots(registry_, *store_, clock_.now());
  const auto metrics = read_otlp(otlp_requests(snapshots.take(clock_.now())));
  const auto& point = metrics.at("AWS/Lambda/Duration").points.at(0);
  EXPECT_LE(point.counts.size(), 320u);
  EXPECT_LT(point.scale, 5);
  const auto samples = otlp::summary_of(point, otlp::Kind::kExponentialHistogram);
  ASSERT_TRUE(samples);
  EXPECT_EQ(samples->count, 5u);
}

TEST(ExportOtlp, ReadsWhatWasNotTaken) {
  std::string partial;
  put_proto_integer(partial, 1, 3);
  put_proto_bytes(partial, 2, "no summaries");
  std::string answer;
  put_proto_bytes(answer, 1, partial);
  EXPECT_EQ(rejected_by(answer).points, 3u);
  EXPECT_EQ(rejected_by(answer).reason, "no summaries");
  EXPECT_EQ(rejected_by("").points, 0u);
}

TEST(ExportGzip, GivesBackWhatItTook) {
  const std::string text(100'000, 'x');
  const auto packed = gzip(text);
  EXPECT_LT(packed.size(), 2000u);
  EXPECT_EQ(*aws::gunzip(packed, text.size()), text);
  EXPECT_EQ(*aws::gunzip(gzip(""), 10), "");
}

// --- the whole, against a receiver of this process

class Receiver final : public http::Handler {
 public:
  net::Task<http::Response> answer(http::Request& request) override {
    auto body = co_await http::read_all(*request.body, 1 << 20);
    const std::lock_guard lock(mutex);
    fields = request.headers;
    http::Response response;
    if (statuses.empty()) {
      if (body) bodies.push_back({*body, 0});
    } else {
      response.status = statuses.front();
      statuses.erase(statuses.begin());
    }
    ++asked;
    co_return response;
  }
  std::mutex mutex;
  std::vector<int> statuses;  // answered first, in this order
  std::vector<Payload> bodies;
  http::Headers fields;
  int asked = 0;
};

class OutletTest : public testing::Test {
 protected:
  OutletTest() : server_(*http::Server::start({.address = {"127.0.0.1", 0, ""}}, workers_, receiver_)) {}
  ~OutletTest() override { end(); }
  // Before the outlets go: what sends for them runs on the workers.
  void end() {
    if (server_) server_->drain();
    server_.reset();
    workers_.stop();
  }

  std::unique_ptr<Outlet> outlet(std::size_t queue_bytes = 1000) {
    Outlet::Settings settings;
    settings.target = *parse_target("http://127.0.0.1:" + std::to_string(server_->port()) + "/write");
    settings.queue_bytes = queue_bytes;
    settings.pauses = {1ms, 2ms};
    return std::make_unique<Outlet>(std::move(settings), nullptr, registry_, base::system_clock());
  }
  std::uint64_t count(const char* name) {
    for (const auto& series : registry_.series()) {
      if (series.metric->name == name) return series.counter->total();
    }
    return 0;
  }

  Receiver receiver_;
  telemetry::Registry registry_;
  net::Workers workers_{1};
  std::unique_ptr<http::Server> server_;
};

// Sends until nothing waits.
void send_all(net::Workers& workers, Outlet& outlet) {
  workers.on_each([&outlet](net::Worker& worker) { worker.tasks().spawn(outlet.run()); });
  const auto end = std::chrono::steady_clock::now() + 10s;
  while (!outlet.empty() && std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(1ms);
  EXPECT_TRUE(outlet.empty());
}

TEST_F(OutletTest, SendsAgainWhatMayPassInOrderAndGoesOnAfterARefusal) {
  receiver_.statuses = {503, 429, 400};  // twice later; then the first one is refused for good
  const auto made = outlet();
  made->set_fields({{"Authorization", "Bearer abc"}});
  made->push(payload(10, 1));
  made->push(payload(10, 2));
  made->push(payload(10, 3));
  send_all(workers_, *made);
  end();
  const std::lock_guard lock(receiver_.mutex);
  EXPECT_EQ(receiver_.asked, 5);
  ASSERT_EQ(receiver_.bodies.size(), 2u);
  EXPECT_EQ(receiver_.bodies[0].body, payload(10, 2)[0].body);
  EXPECT_EQ(receiver_.bodies[1].body, payload(10, 3)[0].body);
  EXPECT_EQ(receiver_.fields.get("Authorization"), "Bearer abc");
  EXPECT_EQ(receiver_.fields.get("Content-Encoding"), "snappy");
  EXPECT_EQ(receiver_.fields.get("X-Prometheus-Remote-Write-Version"), "0.1.0");
  EXPECT_EQ(count("SamplesSent"), 5u);
  EXPECT_EQ(count("SamplesRefused"), 1u);
  EXPECT_EQ(count("Retries"), 2u);
}

TEST_F(OutletTest, CountsWhatAFullQueueDropped) {
  const auto made = outlet(25);
  for (std::size_t samples = 1; samples <= 4; ++samples) made->push(payload(10, samples));
  EXPECT_EQ(count("SamplesDropped"), 3u);
  send_all(workers_, *made);
  end();
  EXPECT_EQ(count("SamplesSent"), 7u);
}

TEST_F(OutletTest, WhatWaitedWhenTheProcessWasKilledIsSentAfterItsStart) {
  TestDirectory directory;
  const auto file = directory.path() / "queues" / "remote-write.queue";
  {
    const auto killed = outlet();
    ASSERT_TRUE(killed->keep_in(file));
    killed->push(payload(10, 1));
    killed->push(payload(20, 2));
  }  // it has saved nothing at its end
  {
    const auto killed = outlet();
    ASSERT_TRUE(killed->keep_in(file));
    EXPECT_FALSE(killed->empty());
    killed->push(payload(30, 3));
  }
  const auto made = outlet();
  ASSERT_TRUE(made->keep_in(file));
  made->push(payload(40, 4));
  send_all(workers_, *made);
  made->save();
  {
    const std::lock_guard lock(receiver_.mutex);
    ASSERT_EQ(receiver_.bodies.size(), 4u);
    for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(receiver_.bodies[i].body, payload(10 * (i + 1), i + 1)[0].body);
  }
  EXPECT_EQ(count("SamplesSent"), 10u);
  const auto next = outlet();
  ASSERT_TRUE(next->keep_in(file));
  EXPECT_TRUE(next->empty()) << "all was sent";
  end();
}

std::vector<std::string> bodies_in(const std::filesystem::path& file, const std::string& target = "http://r/write") {
  std::vector<Payload> waiting;
  EXPECT_TRUE(Spool::open(file, target, waiting));
  std::vector<std::string> bodies;
  for (const auto& one : waiting) bodies.push_back(one.body);
  return bodies;
}

TEST(ExportSpool, HasWhatWaitsHoweverTheQueueMovedOn) {
  TestDirectory directory;
  const auto file = directory.path() / "q";
  std::vector<Payload> waiting;
  auto spool = Spool::open(file, "http://r/write", waiting);
  ASSERT_TRUE(spool);
  Queue queue(100);
  const auto is_saved = [&] {
    EXPECT_TRUE(spool->save(queue.all()));
    std::vector<std::string> expected;
    for (const auto& one : queue.all()) expected.push_back(*one.body);
    EXPECT_EQ(bodies_in(file), expected);
  };
  is_saved();
  queue.push(payload(10, 1));
  queue.push(payload(11, 2));
  is_saved();
  queue.remove(queue.front().number);
  queue.push(payload(12, 3));
  is_saved();
  queue.remove(queue.front().number);
  is_saved();
  queue.push(payload(60, 4));
  queue.push(payload(60, 5));
  is_saved();  // a full queue has dropped some
  queue.remove(queue.front().number);
  is_saved();
  queue.push(payload(13, 6));
  is_saved();
  EXPECT_EQ(bodies_in(file, "http://other/").size(), 0u);
}

TEST(ExportSpool, IsReadUpToWhatACrashLeft) {
  TestDirectory directory;
  const auto file = directory.path() / "q";
  std::vector<Payload> waiting;
  Queue queue(1000);
  {
    auto spool = Spool::open(file, "http://r/write", waiting);
    queue.push(payload(10, 1));
    ASSERT_TRUE(spool->save(queue.all()));
    queue.push(payload(20, 2));
    ASSERT_TRUE(spool->save(queue.all()));
  }
  std::filesystem::resize_file(file, std::filesystem::file_size(file) - 1);
  EXPECT_EQ(bodies_in(file), std::vector<std::string>{payload(10, 1)[0].body});
  std::ofstream(file, std::ios::binary | std::ios::trunc) << "something else";
  EXPECT_TRUE(bodies_in(file).empty());
}

}  // namespace
}  // namespace securebase::monitoring::exports
