// The door of the platform: puts the rooms together, starts them on a stack, changes them live, stops them.
//
// rooms.cc is the program read from top to bottom: every engine is made there by hand, in order, and stopped in the
// reverse one. A running platform is asked through its control socket (control.h), which the command line uses.
// Threads: the functions here are called from one thread outside the workers; they block.
#pragma once

#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace securebase::platform {

// Where the stack is and what it is given; the same for `up`, `plan` and `apply`.
struct StackSource {
  std::filesystem::path directory;
  // Folders beside the stack's own below which its functions may read files.
  std::vector<std::filesystem::path> file_roots;
  bool programs = false;  // its data "external" may run programs, as the user that the platform runs as
  std::vector<std::pair<std::string, std::string>> variables;
  std::vector<std::filesystem::path> variable_files;
  // Where TF_VAR_name is read from; nullopt: this process's environment.
  std::optional<std::map<std::string, std::string>> environment;
};

// As a question to the running platform, whose working directory is another: with absolute paths.
base::Json question_of(const StackSource& source);

// Where metrics are pushed, besides being kept; an empty URL: not there. The files hold "Name: value" lines that go
// with each request, credentials among them.
struct Exports {
  std::string remote_write_url;
  std::filesystem::path remote_write_headers;
  std::string otlp_metrics_url;
  std::filesystem::path otlp_metrics_headers;
  std::chrono::milliseconds interval{15'000};
};

struct Settings {
  StackSource stack;
  std::filesystem::path state;         // state_directory() when not given
  std::size_t workers = 0;             // 0: one to a core
  std::string bind = "127.0.0.1";      // nothing but loopback, unless the operator says so
  std::uint16_t http_port = 8080;      // the edge
  std::uint16_t https_port = 8443;     // the edge, TLS
  std::uint16_t aws_port = 4566;       // AWS APIs, and REST APIs without the edge
  std::uint16_t operator_port = 8081;  // /metrics, /healthz
  std::uint16_t xray_port = 2000;      // the X-Ray daemon: segments by UDP, sampling by TCP; 0: none
  // Over the stack's own; nullopt: the stack's, else 5432 and 6379.
  std::optional<std::uint16_t> postgres_port;
  std::optional<std::uint16_t> redis_port;
  std::string otlp_traces;  // a URL that kept traces go to by OTLP/HTTP as well; "": none
  std::size_t edge_cache_bytes = std::size_t{512} << 20;
  Exports exports;

  // Of one of these ports: "http://127.0.0.1:8080", "http://[::1]:8080".
  std::string url(std::string_view scheme, std::uint16_t port) const;
};

// The first thing in main(): when this process was started to be a helper of a running platform (the warden of its
// children, the prober), serves as one and gives the exit code; nullopt otherwise, at once.
std::optional<int> helper_main(int argc, char** argv);

// What Lighthouse and canaries with a browser need; empty: not installed. $SECUREBASE_BROWSER_TOOLS and $CHROMIUM come
// before what is found.
struct BrowserTools {
  std::filesystem::path tools;  // tools/browser, with its node_modules
  std::string node;
  std::string chromium;
};
BrowserTools find_browser_tools();

// $SECUREBASE_STATE; /var/lib/securebase for root, else $XDG_STATE_HOME/securebase or ~/.local/state/securebase.
std::filesystem::path default_state_directory();

// What a stack amounts to, for `securebase plan`: every resource with its room, and what is known and not honoured
// here. With a state directory in which a platform runs, also what would change there.
struct Plan {
  std::string text;
  bool changes = false;
};
Result<Plan> plan(const StackSource& source, const std::filesystem::path& state);

// Ends a start that is under way. Any thread.
class Interruption {
 public:
  // Blocks until what the start has started so far is stopped.
  void ask();
  bool asked() const { return asked_.load(); }
  // What ask() does, from now on; at once when it was asked already. Waits for an ask() that is doing it. Empty:
  // nothing.
  void answer_with(std::function<void()> act);

 private:
  std::atomic<bool> asked_{false};
  std::mutex mutex_;
  std::function<void()> act_;
};

class Platform {
 public:
  // Called with one line at a time while it starts: "PostgreSQL is ready".
  using Progress = std::function<void(std::string_view)>;

  // All or nothing: after an error everything that was started is stopped again. kCancelled: it was interrupted.
  static Result<std::unique_ptr<Platform>> start(Settings settings, Progress progress,
                                                 Interruption* interruption = nullptr);
  ~Platform();
  Platform(const Platform&) = delete;
  Platform& operator=(const Platform&) = delete;

  // What `securebase status --json` prints.
  base::Json status() const;
  // Lets requests under way finish, then stops everything. Idempotent.
  void stop();

 private:
  struct Impl;
  explicit Platform(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Asks the platform that runs on a state directory.
class Control {
 public:
  explicit Control(std::filesystem::path state);

  // `path` is "/status", "/plan", "/apply", "/invalidate", "/invoke", "/environment", "/targets", "/rum" or another
  // that rooms.cc lists. kUnavailable: none runs there.
  Result<base::Json> ask(std::string_view path, const base::Json& question = {}) const;

 private:
  std::filesystem::path state_;
};

}  // namespace securebase::platform
