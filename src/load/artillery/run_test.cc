// Whole runs, from a script's text to its report, against a server of their own.
#include <gmock/gmock.h>
#include <unistd.h>

#include <mutex>

#include "base/file.h"
#include "base/random.h"
#include "load/artillery/artillery.h"
#include "load/artillery/period_spool.h"
#include "net/http/server.h"
#include "net/worker.h"

namespace securebase::load::artillery {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// Answers below /slow late and with 200, everything else at once and with 404.
class ScriptTarget final : public http::Handler {
 public:
  ScriptTarget() {
    http::ServerSettings settings;
    settings.address = *net::Address::parse("127.0.0.1:0");
    server_ = *http::Server::start(settings, workers_, *this);
  }
  ~ScriptTarget() override {
    server_.reset();
    workers_.stop();
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(server_->port()); }

  net::Task<http::Response> answer(http::Request& request) override {
    http::Response response;
    response.status = 404;
    if (request.path == "/moved") {
      response.status = 302;
      response.headers.add("Location", "/there");
    }
    if (request.path == "/there") {
      std::string body;
      if (request.body) {
        auto read = co_await http::read_all(*request.body, 1 << 20);
        if (read) body = std::move(*read);
      }
      response.status = request.method == http::Method::kPost && body == "kept" ? 200 : 400;
    }
    if (request.path.starts_with("/slow")) {
      auto slept = co_await net::sleep_for(std::chrono::milliseconds{150});
      response.status = slept ? 200 : 503;
    }
    co_return response;
  }

 private:
  net::Workers workers_{1};
  std::unique_ptr<http::Server> server_;
};

class Folder {
 public:
  Folder() : path_(std::filesystem::temp_directory_path() / ("artillery-run-" + base::random_hex(16))) {
    std::filesystem::create_directory(path_);
  }
  ~Folder() {
    std::error_code failure;
    std::filesystem::remove_all(path_, failure);
  }
  std::filesystem::path file(const char* name) const { return path_ / name; }
  std::size_t files() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(path_), {}));
  }

 private:
  const std::filesystem::path path_;
};

struct Ran {
  int code = 0;
  std::string said;
  std::string complained;
  base::Json report;
};

Ran run_text(std::string script) {
  const Folder folder;
  RunOptions options;
  options.text = std::move(script);
  options.output = folder.file("report.json");
  options.html = folder.file("report.html");
  options.workers = 1;
  options.ask_hops = [](std::chrono::milliseconds, double requests) {
    auto route = base::Json::object({{"route", "GET /told"}, {"requests", requests}, {"p95_seconds", 0.25}});
    route.set("around_p95", base::Json::object({{"gateway", 0.05}, {"function", 0.2}}));
    return base::Json::array({std::move(route)});
  };
  Ran ran;
  std::mutex mutex;
  ran.code = run(
      std::move(options),
      [&](std::string_view text) {
        const std::lock_guard lock(mutex);
        ran.said += text;
      },
      [&](std::string_view text) {
        const std::lock_guard lock(mutex);
        ran.complained += text;
      });
  if (const auto text = base::read_file(folder.file("report.json"))) ran.report = *base::Json::parse(*text);
  const auto page = base::read_file(folder.file("report.html"));
  EXPECT_TRUE(page && page->find("GET /told") != std::string::npos);
  EXPECT_EQ(folder.files(), 2u);
  return ran;
}

TEST(ArtilleryRun, CountsEveryAnswerForTheUrlThatItCameFromThoughUsersMeetAtAStep) {
  const ScriptTarget target;
  const auto ran = run_text("config:\n  target: " + target.url() + R"yml(
  phases: [ { duration: 1, arrivalCount: 60 } ]
  variables: { page: [ slow/a, b ] }
  plugins: { metrics-by-endpoint: { groupDynamicURLs: false } }
scenarios: [ { flow: [ { get: { url: "/{{ page }}" } } ] } ]
)yml");
  EXPECT_EQ(ran.code, kRan) << ran.complained;
  const auto& counters = ran.report["aggregate"]["counters"];
  const auto count = [&](const char* name) {
    return counters[std::string("plugins.metrics-by-endpoint.") + name].integer_or(0);
  };
  EXPECT_EQ(count("/slow/a.codes.200") + count("/b.codes.404"), 60) << counters.dump();
  EXPECT_GT(count("/slow/a.codes.200"), 0);
  EXPECT_GT(count("/b.codes.404"), 0);
  const auto& times = ran.report["aggregate"]["summaries"];
  EXPECT_GE(times["plugins.metrics-by-endpoint.response_time./slow/a"]["min"].number_or(0), 150);
}

TEST(ArtilleryRun, GoesOnWhenMaxVusersSkipsUsers) {
  const ScriptTarget target;
  const auto ran = run_text("config:\n  target: " + target.url() + R"yml(
  phases: [ { duration: 1, arrivalCount: 30, maxVusers: 2 } ]
scenarios: [ { flow: [ { get: { url: /slow } } ] } ]
)yml");
  EXPECT_EQ(ran.code, kRan);
  const auto& counters = ran.report["aggregate"]["counters"];
  EXPECT_GT(counters["vusers.skipped"].integer_or(0), 10);
  EXPECT_EQ(counters["vusers.skipped"].integer_or(0) + counters["vusers.created"].integer_or(0), 30);
  EXPECT_THAT(ran.complained, Not(HasSubstr("skipped")));
  const auto* hops = ran.report["securebase"]["hops"].as_array();
  ASSERT_TRUE(hops != nullptr && hops->size() == 1);
  EXPECT_EQ(hops->front()["route"].string_or(""), "GET /told");
}

TEST(ArtilleryRun, SendsAPostAgainThatIsMoved) {
  const ScriptTarget target;
  const auto ran = run_text("config:\n  target: " + target.url() + R"yml(
scenarios: [ { flow: [ { post: { url: /moved, body: kept } } ] } ]
)yml");
  EXPECT_EQ(ran.code, kRan);
  EXPECT_EQ(ran.report["aggregate"]["counters"]["http.codes.200"].integer_or(0), 1);
}

TEST(PeriodSpool, GivesBackADayOfPeriodsFromTheDisk) {
  const Folder folder;
  PeriodSpool spool;
  ASSERT_TRUE(spool.open(folder.file("")));
  EXPECT_EQ(folder.files(), 0u) << "it has no name, so nothing is left of it";
  constexpr std::size_t kPeriods = 8640;
  for (std::size_t i = 0; i < kPeriods; ++i) {
    spool.add(base::Json::object({{"period", std::to_string(i)}, {"x", std::string(500, 'x')}}).dump());
  }
  std::string text = "[";
  const auto given = spool.give([&](std::string_view piece) -> Result<Done> {
    EXPECT_LE(piece.size(), std::size_t{64} << 10);
    text += piece;
    return Done{};
  });
  ASSERT_TRUE(given);
  const auto array = base::Json::parse(text + "]");
  ASSERT_TRUE(array) << array.error().message;
  ASSERT_EQ(array->as_array()->size(), kPeriods);
  EXPECT_EQ(array->as_array()->back()["period"].string_or(""), std::to_string(kPeriods - 1));
}

TEST(PeriodSpool, SaysWhatIsMissingWhenTheDiskTakesNoMore) {
  PeriodSpool closed;
  closed.add("{}");
  const auto given = closed.give([](std::string_view) -> Result<Done> { return Done{}; });
  ASSERT_FALSE(given);
  EXPECT_THAT(given.error().message, HasSubstr("1 of 1 periods are missing"));
}

}  // namespace
}  // namespace securebase::load::artillery
