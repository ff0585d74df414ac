// The door of traces (X-Ray): reads what the hops of this platform record, and what others send; keeps the traces that
// are worth it, counts every request, and answers what X-Ray answers. docs/traces.md tells how.
//
//   auto traces = Traces::open(settings, spans);     // reads what is stored, begins to collect
//   traces->start_daemon("127.0.0.1", 2000);         // segments by UDP
//   traces->add_operations(operations);              // X-Ray's API
//
// Threads: everything may be called from any thread but a worker's, and may block, save daemon_questions(), which is a
// handler. The collector and the daemon have a thread each.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "telemetry/span.h"

namespace securebase::aws {
class Operations;
}
namespace securebase::http {
class Handler;
}

namespace securebase::traces {

// What a collector answered.
struct OtlpAnswer {
  int status = 0;
  std::string body;                                   // an ExportTraceServiceResponse of a 200
  std::optional<std::chrono::seconds> retry_after{};  // as it asks; RFC 9110 §10.2.3
};

struct Settings {
  std::filesystem::path directory;
  std::chrono::hours retention{24 * 30};         // X-Ray's own
  std::uint64_t bytes = std::uint64_t{1} << 30;  // on disk; the oldest go first
  std::string account = "123456789012";
  std::string region = "us-east-1";
  // Takes kept traces to a collector by OTLP/HTTP (protobuf), and gives its answer; may block for some
  // seconds. Not set: nobody is told.
  std::function<Result<OtlpAnswer>(std::string body)> post_otlp;
};

class Traces {
 public:
  // `spans` and `clock` outlive it; the sampling rules decide for `spans` from now on.
  static Result<std::unique_ptr<Traces>> open(Settings settings, telemetry::Spans& spans,
                                              const base::Clock& clock = base::system_clock());
  ~Traces();  // stop()

  Result<Done> start_daemon(const std::string& host, std::uint16_t port);
  // The daemon's TCP side.
  http::Handler& daemon_questions();
  // No more calls of post_otlp. Idempotent.
  void stop_export();
  // Writes what was recorded last. Idempotent.
  void stop();

  void add_operations(aws::Operations& operations);

  // POST /v1/traces: the body in application/x-protobuf or application/json, the answer's body in the same. What it
  // took is on the disk. `encoding`: "" or "gzip". kUnsupported: another content type or encoding; kMalformed, kLimit,
  // kUnavailable: nothing was taken.
  Result<std::string> take_otlp(std::string_view body, std::string_view content_type, std::string_view encoding = {});

  // What `securebase traces` prints: "text", and the same as JSON. The last ones that pass the filter expression.
  Result<base::Json> list(std::chrono::seconds window, std::string_view filter, std::size_t most);
  Result<base::Json> show(std::string_view id);
  // Where the time went, of all routes or one; with one, also how its slow traces differ from its normal ones.
  Result<base::Json> routes(std::chrono::seconds window);
  Result<base::Json> slow(std::string_view route, std::chrono::seconds window);
  base::Json status() const;

 private:
  struct Engine;  // engine.h
  explicit Traces(std::unique_ptr<Engine> engine);
  std::unique_ptr<Engine> engine_;
};

}  // namespace securebase::traces
