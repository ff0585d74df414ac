#include "monitoring/exports/outlet.h"

#include <fmt/format.h>

#include "base/log.h"
#include "base/random.h"
#include "monitoring/exports/metrics.h"
#include "monitoring/exports/otlp_request.h"

namespace securebase::monitoring::exports {

namespace {

using net::Task;

constexpr std::size_t kAnswerBytes = 64 << 10;
constexpr std::size_t kShownBytes = 300;  // of an answer, in the log

http::ClientLimits limits_for(const Outlet::Settings& settings) {
  http::ClientLimits limits;
  limits.idle_connections = 1;
  limits.connect_time = settings.attempt_time;
  limits.read_time = settings.attempt_time;
  return limits;
}

// The first line of what a receiver says, without control characters.
std::string shown(std::string_view answer) {
  std::string line(answer.substr(0, std::min(answer.find('\n'), kShownBytes)));
  std::erase_if(line, [](char c) { return static_cast<unsigned char>(c) < 0x20; });
  return line;
}

Task<Result<Done>> hear(net::Event& event, std::uint64_t ticket) { co_return co_await event.after(ticket); }

}  // namespace

Outlet::Outlet(Settings settings, std::shared_ptr<const net::TlsClient> tls, telemetry::Registry& registry,
               const base::Clock& clock)
    : settings_(std::move(settings)),
      tls_(std::move(tls)),
      clock_(clock),
      sent_(registry.counter(kSent, {{"Exporter", std::string(to_string(settings_.protocol))}})),
      dropped_(registry.counter(kDropped, {{"Exporter", std::string(to_string(settings_.protocol))}})),
      refused_(registry.counter(kRefused, {{"Exporter", std::string(to_string(settings_.protocol))}})),
      retries_(registry.counter(kRetries, {{"Exporter", std::string(to_string(settings_.protocol))}})),
      queue_bytes_(registry.gauge(kQueueBytes, {{"Exporter", std::string(to_string(settings_.protocol))}})),
      queue_(settings_.queue_bytes) {}

Result<Done> Outlet::keep_in(const std::filesystem::path& file) {
  std::vector<Payload> waiting;
  auto opened = Spool::open(file, settings_.target.origin() + settings_.target.target, waiting);
  if (!opened) return opened.error();
  spool_ = std::move(*opened);
  if (!waiting.empty()) {
    base::log(base::Level::kInfo, "monitoring", "exports to {}: {} bodies waited when the last run ended",
              shown(settings_.target), waiting.size());
  }
  push(std::move(waiting));
  return Done{};
}

void Outlet::push(std::vector<Payload> payloads) {
  dropped_.add(queue_.push(std::move(payloads)));
  queue_bytes_.set(static_cast<double>(queue_.bytes()));
  save();
}

void Outlet::save() {
  if (!spool_) return;
  const auto saved = spool_->save(queue_.all());
  if (!saved && !spool_failed_) {
    base::log(base::Level::kWarning, "monitoring", "what waits to be exported is in memory only: {}",
              saved.error().message);
  }
  spool_failed_ = !saved;
}

Task<void> Outlet::run() {
  http::Client client(limits_for(settings_), tls_);
  std::size_t failures = 0;
  for (;;) {
    const auto ticket = queue_.news().ticket();
    const auto waiting = queue_.front();
    if (!waiting.body) {
      auto heard = co_await hear(queue_.news(), ticket);
      if (!heard) co_return;
      continue;
    }
    auto posted = co_await net::with_timeout(settings_.attempt_time, post(client, waiting.body));
    if (!posted && posted.error().code == Errc::kCancelled) co_return;
    Attempt attempt;
    if (posted) {
      attempt = std::move(*posted);
    } else {
      attempt.trouble = posted.error().message;
    }
    if (attempt.verdict != Verdict::kAgain) {
      failures = 0;
      finish(waiting, attempt);
      continue;
    }
    ++failures;
    retries_.add();
    complain(fmt::format("{}; it is sent again", attempt.trouble));
    const auto pause = std::max(pause_after(failures, settings_.pauses, base::random_u64()),
                                attempt.pause.value_or(std::chrono::milliseconds{0}));
    auto slept = co_await net::sleep_for(pause);
    if (!slept) co_return;
  }
}

void Outlet::finish(const Queue::Waiting& waiting, const Attempt& attempt) {
  queue_.remove(waiting.number);
  queue_bytes_.set(static_cast<double>(queue_.bytes()));
  const auto lost = attempt.verdict == Verdict::kRefused ? std::uint64_t{waiting.samples}
                                                         : std::min<std::uint64_t>(attempt.rejected, waiting.samples);
  refused_.add(lost);
  sent_.add(waiting.samples - lost);
  if (lost > 0) {
    complain(fmt::format("{} of {} samples are refused: {}", lost, waiting.samples, attempt.trouble));
  } else if (!complaint_.empty()) {
    base::log(base::Level::kInfo, "monitoring", "{}: takes samples again", shown(settings_.target));
    complaint_.clear();
  }
}

void Outlet::complain(std::string_view what) {
  if (what == complaint_) return;
  complaint_ = what;
  base::log(base::Level::kWarning, "monitoring", "exports to {}: {}", shown(settings_.target), what);
}

http::ClientRequest Outlet::request_for(std::shared_ptr<const std::string> body) const {
  http::ClientRequest request;
  request.origin = settings_.target.address();
  request.tls = settings_.target.tls;
  request.method = http::Method::kPost;
  request.target = settings_.target.target;
  request.headers.add("Host", settings_.target.authority());
  request.headers.add("Content-Type", "application/x-protobuf");
  request.headers.add("User-Agent", "SecureBase");
  if (settings_.protocol == Protocol::kRemoteWrite) {
    request.headers.add("Content-Encoding", "snappy");
    request.headers.add("X-Prometheus-Remote-Write-Version", "0.1.0");
  } else {
    request.headers.add("Content-Encoding", "gzip");
  }
  const auto fields = fields_.get();
  for (const auto& [name, value] : *fields) request.headers.add(name, value);
  request.body = http::SharedBytes(std::move(body));
  return request;
}

Task<Result<Outlet::Attempt>> Outlet::post(http::Client& client, std::shared_ptr<const std::string> body) const {
  auto response = co_await client.send(request_for(std::move(body)));
  if (!response) co_return response.error();
  std::string answer;
  if (response->body) {
    auto read = co_await http::read_all(*response->body, kAnswerBytes);
    if (!read && read.error().code == Errc::kCancelled) co_return read.error();
    if (read) answer = std::move(*read);
  }
  Attempt attempt;
  attempt.verdict = verdict_of(settings_.protocol, response->status);
  if (attempt.verdict == Verdict::kTaken) {
    if (settings_.protocol == Protocol::kOtlp) {
      auto rejected = rejected_by(answer);
      attempt.rejected = rejected.points;
      attempt.trouble = shown(rejected.reason);
    }
    co_return attempt;
  }
  attempt.trouble = fmt::format("it answers {} {}", response->status, shown(answer));
  if (const auto wanted = response->headers.get("Retry-After")) attempt.pause = retry_after(*wanted, clock_.now());
  co_return attempt;
}

}  // namespace securebase::monitoring::exports
