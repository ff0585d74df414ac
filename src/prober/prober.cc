// The process that probes: one worker, one tick an interval, one task a probe. A probe that hangs does not hold back
// the next: each tick counts once, answered or not.
#include "prober/prober.h"

#include <fmt/format.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <charconv>
#include <csignal>
#include <cstring>

#include "base/log.h"
#include "net/http/client.h"
#include "net/http/url.h"
#include "net/task_group.h"
#include "net/worker.h"
#include "prober/rounds.h"

namespace securebase::prober {

namespace {

constexpr const char* kArgument = "--securebase-prober";
constexpr std::size_t kBodyBytes = std::size_t{1} << 20;  // beyond, the answer is taken as come

net::Task<Result<int>> ask(Target target, Probe& probe, base::SteadyPoint begin) {
  auto place = http::parse_url(target.url);
  if (!place) co_return place.error();
  http::ClientLimits limits;
  limits.idle_connections = 0;
  http::Client client(limits);
  http::ClientRequest request;
  request.origin = place->address();
  request.target = place->target;
  request.headers.add("Host", target.host.empty() ? place->authority() : target.host);
  request.headers.add("User-Agent", "securebase-prober");
  auto response = co_await client.send(std::move(request));
  if (!response) co_return response.error();
  const auto since = [begin] {
    return std::chrono::duration_cast<std::chrono::microseconds>(base::system_clock().steady() - begin);
  };
  probe.first_byte = since();
  if (response->body) {
    auto read = co_await http::read_all(*response->body, kBodyBytes);
    if (!read && read.error().code != Errc::kLimit) co_return read.error();
  }
  co_return response->status;
}

net::Task<void> probe_once(Target target, std::chrono::milliseconds limit, JournalWriter& journal) {
  Probe probe;
  probe.target = target.name;
  probe.begin = base::system_clock().now();
  const auto begin = base::system_clock().steady();
  auto status = co_await net::with_timeout(limit, ask(target, probe, begin));
  probe.total = std::chrono::duration_cast<std::chrono::microseconds>(base::system_clock().steady() - begin);
  probe.status = status ? *status : 0;
  if (!status && status.error().code == Errc::kCancelled) co_return;  // the prober itself is ending
  if (auto written = journal.append(probe); !written) {
    base::log(base::Level::kError, "prober", "{}", written.error().message);
  }
}

net::Task<void> probe_always(Settings settings, JournalWriter& journal, net::TaskGroup& probes) {
  for (;;) {
    // At the interval's whole multiples, so that every second has its probe.
    const auto now = base::system_clock().now().time_since_epoch();
    const auto wait =
        settings.interval - now % std::chrono::duration_cast<std::chrono::microseconds>(settings.interval);
    auto slept = co_await net::sleep_for(wait);
    if (!slept) co_return;
    for (const auto& target : settings.targets) probes.spawn(probe_once(target, settings.limit, journal));
  }
}

std::optional<Settings> settings_from(int argc, char** argv) {
  if (argc < 6 || (argc - 6) % 3 != 0) return std::nullopt;
  Settings settings;
  settings.directory = argv[2];
  settings.canaries = argv[5];
  const auto number = [](const char* text, std::chrono::milliseconds& into) {
    std::int64_t count = 0;
    const auto [end, failure] = std::from_chars(text, text + std::strlen(text), count);
    into = std::chrono::milliseconds{count};
    return failure == std::errc{} && *end == '\0' && count > 0;
  };
  if (!number(argv[3], settings.interval) || !number(argv[4], settings.limit)) return std::nullopt;
  for (int i = 6; i + 2 < argc; i += 3) settings.targets.push_back({argv[i], argv[i + 1], argv[i + 2]});
  return settings;
}

}  // namespace

std::vector<std::string> arguments(const Settings& settings) {
  std::vector<std::string> words{kArgument, settings.directory.native(), std::to_string(settings.interval.count()),
                                 std::to_string(settings.limit.count()), settings.canaries.native()};
  for (const auto& target : settings.targets) {
    words.insert(words.end(), {target.name, target.url, target.host});
  }
  return words;
}

std::optional<int> prober_main(int argc, char** argv) {
  if (argc < 2 || std::strcmp(argv[1], kArgument) != 0) return std::nullopt;
  const auto settings = settings_from(argc, argv);
  if (!settings) {
    fmt::print(stderr, "error: this command line is made by the platform, not by hand\n");
    return 64;
  }
  prctl(PR_SET_NAME, "sb-prober", 0, 0, 0);
  std::signal(SIGPIPE, SIG_IGN);
  auto journal = JournalWriter::open(settings->directory);
  if (!journal) {
    fmt::print(stderr, "error: {}\n", journal.error().message);
    return 1;
  }
  const auto beside = settings->canaries.empty() ? settings->directory : settings->canaries.parent_path();
  auto runs = JournalWriter::open(beside, kRuns);
  if (!runs) {
    fmt::print(stderr, "error: {}\n", runs.error().message);
    return 1;
  }
  net::Worker worker(0);
  net::TaskGroup& tasks = worker.tasks();
  Rounds rounds(settings->canaries, *runs, tasks);
  if (!settings->canaries.empty()) worker.post([&] { tasks.spawn(rounds.always()); });
  worker.post([&] { tasks.spawn(probe_always(*settings, *journal, tasks)); });
  worker.run();  // SIGTERM ends the process: every line is written when its probe ends
  return 0;
}

}  // namespace securebase::prober
