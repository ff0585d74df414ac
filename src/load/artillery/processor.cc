#include "load/artillery/processor.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include "base/file.h"
#include "load/artillery/processor_bridge.h"

namespace securebase::load::artillery {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr auto kLoading = 30s;

std::string find_program(std::string_view path, std::initializer_list<const char*> names) {
  while (!path.empty()) {
    const auto colon = path.find(':');
    const std::string_view directory = path.substr(0, colon);
    path = colon == std::string_view::npos ? std::string_view() : path.substr(colon + 1);
    if (directory.empty()) continue;
    for (const char* name : names) {
      const auto program = fs::path(directory) / name;
      if (::access(program.c_str(), X_OK) == 0) return program.native();
    }
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Processor>> Processor::start(const fs::path& module, const base::Json& shared,
                                                    std::string_view path,
                                                    const std::map<std::string, std::string>& environment) {
  const std::string node = find_program(path, {"node", "nodejs"});
  if (node.empty()) {
    return Error{Errc::kUnavailable,
                 fmt::format("config.processor ({}) is JavaScript, which runs in node, and there is no "
                             "node on the PATH: install the package nodejs (18.16 or newer)",
                             module.native())};
  }
  std::unique_ptr<Processor> made(new Processor);
  if (auto spawned = made->spawn(node, module, shared, environment); !spawned) return spawned.error();
  if (auto ready = made->await_ready(module); !ready) return ready.error();
  return made;
}

Result<Done> Processor::spawn(const std::string& node, const fs::path& module, const base::Json& shared,
                              const std::map<std::string, std::string>& environment) {
  std::string name = (fs::temp_directory_path() / "securebase-processor-XXXXXX").native();
  if (::mkdtemp(name.data()) == nullptr) return system_error(errno, "mkdtemp", name);
  directory_ = name;
  socket_ = directory_ / "node.sock";
  // In a file: it may be larger than a word of a command line can be.
  const auto shared_file = directory_ / "shared.json";
  if (auto written = base::replace_file(shared_file, shared.dump(), 0600); !written) return written;
  int life[2];
  int hello[2];
  if (::pipe2(life, O_CLOEXEC) != 0) return system_error(errno, "pipe2", "the processor");
  life_ = life[1];
  if (::pipe2(hello, O_CLOEXEC) != 0) {
    ::close(life[0]);
    return system_error(errno, "pipe2", "the processor");
  }
  hello_ = hello[0];
  // Everything that the child needs is made before the fork: after it only system calls are allowed.
  std::vector<std::string> words = {node, "--input-type=module", "--eval",        std::string(kProcessorBridge),
                                    "--", socket_.native(),      module.native(), shared_file.native()};
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  std::vector<std::string> settings;
  for (const auto& [variable, value] : environment) settings.push_back(fmt::format("{}={}", variable, value));
  std::vector<char*> envp;
  for (auto& setting : settings) envp.push_back(setting.data());
  envp.push_back(nullptr);
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(127);
    // A duplicate is not closed by exec; the two may stand in each other's way.
    const int ready = ::fcntl(hello[1], F_DUPFD, 10);
    const int in = ::fcntl(life[0], F_DUPFD, 10);
    ::dup2(in, 0);
    ::dup2(ready, 3);
    ::close(in);
    ::close(ready);
    ::signal(SIGINT, SIG_IGN);  // the run ends it when it has ended
    ::execve(argv[0], argv.data(), envp.data());
    ::_exit(127);
  }
  ::close(life[0]);
  ::close(hello[1]);
  if (pid_ < 0) {
    pid_ = 0;
    return system_error(errno, "fork", node);
  }
  return Done{};
}

Result<Done> Processor::await_ready(const fs::path& module) {
  const auto deadline = std::chrono::steady_clock::now() + kLoading;
  std::string text;
  for (;;) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd waiting{hello_, POLLIN, 0};
    const int ready = left <= 0ms ? 0 : ::poll(&waiting, 1, static_cast<int>(left.count()));
    if (ready < 0 && errno == EINTR) continue;  // a read would wait without end
    if (ready == 0) {
      return Error{Errc::kTimeout, fmt::format("config.processor: node did not load {} within {} s", module.native(),
                                               kLoading.count())};
    }
    char piece[4096];
    const auto got = ::read(hello_, piece, sizeof piece);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    text.append(piece, static_cast<std::size_t>(got));
    if (text.size() > (1U << 20)) break;
  }
  auto message = base::Json::parse(text);
  if (!message) {
    // It ended before it could say anything: its own words are on standard error.
    for (int i = 0; i < 100 && !ended(); ++i) ::usleep(10'000);
    return Error{Errc::kUnavailable, fmt::format("config.processor: node {} while loading {}",
                                                 ended_.value_or("said nothing"), module.native())};
  }
  if (const auto* reason = (*message)["error"].as_string()) {
    return Error{Errc::kMalformed, fmt::format("config.processor: {} cannot be loaded: {}", module.native(), *reason)};
  }
  if (const auto* names = (*message)["functions"].as_array()) {
    for (const auto& name : *names) functions_.emplace_back(name.string_or(""));
  }
  std::sort(functions_.begin(), functions_.end());
  return Done{};
}

bool Processor::has(std::string_view function) const {
  return std::binary_search(functions_.begin(), functions_.end(), function);
}

std::optional<std::string> Processor::ended() {
  if (ended_ || pid_ == 0) return ended_;
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) != pid_) return std::nullopt;
  pid_ = 0;
  if (WIFSIGNALED(status)) {
    ended_ = fmt::format("was killed by signal {} ({})", WTERMSIG(status), ::strsignal(WTERMSIG(status)));
  } else {
    ended_ = fmt::format("ended with exit status {}", WEXITSTATUS(status));
  }
  return ended_;
}

Processor::~Processor() {
  if (life_ >= 0) ::close(life_);
  if (hello_ >= 0) ::close(hello_);
  for (int i = 0; pid_ != 0 && i < 100 && !ended(); ++i) ::usleep(10'000);
  if (pid_ != 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  std::error_code failure;
  if (!directory_.empty()) fs::remove_all(directory_, failure);
}

}  // namespace securebase::load::artillery
