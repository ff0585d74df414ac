#include "functions/warden_client.h"

#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <future>

#include "base/log.h"

namespace securebase::functions {

Result<std::unique_ptr<WardenClient>> WardenClient::start(WardenProgram program) {
  std::unique_ptr<WardenClient> client(new WardenClient(std::move(program)));
  if (auto spawned = client->spawn(); !spawned) return spawned.error();
  client->thread_ = std::thread([self = client.get()] { self->listen(); });
  return client;
}

WardenClient::~WardenClient() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    if (socket_ >= 0) shutdown(socket_, SHUT_RDWR);
  }
  if (thread_.joinable()) thread_.join();
  if (socket_ >= 0) close(socket_);
  if (pid_ > 0) waitpid(pid_, nullptr, 0);
}

Result<Done> WardenClient::spawn() {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
    return system_error(errno, "socketpair", "the sandbox warden");
  }
  std::vector<std::string> arguments{program_.program, "--socket=3", "--root=" + program_.mount_point,
                                     "--etc=" + program_.etc};
  if (program_.isolation_required) arguments.emplace_back("--required");
  std::vector<char*> argv;
  for (auto& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
  char* environment[] = {path, nullptr};

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, pair[1], 3);
  posix_spawn_file_actions_addclosefrom_np(&actions, 4);
  pid_t pid = 0;
  const int failure = posix_spawn(&pid, argv[0], &actions, nullptr, argv.data(), environment);
  posix_spawn_file_actions_destroy(&actions);
  close(pair[1]);
  if (failure != 0) {
    close(pair[0]);
    return system_error(failure, "starting the sandbox warden", program_.program);
  }
  const auto give_up = [&](const Error& error) {
    close(pair[0]);
    waitpid(pid, nullptr, 0);
    return error;
  };
  auto first = receive_message(pair[0]);
  if (!first) return give_up(first.error());
  auto hello = report_from(first->text);
  if (!hello) return give_up(Error{Errc::kUnavailable, program_.program + " ended at once; see its message above"});
  if (hello->refused) {
    std::string missing;
    for (const auto& one : hello->missing) missing += "\n  - " + one;
    return give_up(Error{Errc::kDenied, "functions cannot be isolated as they must be; this machine lacks:" + missing});
  }
  const std::lock_guard lock(mutex_);
  if (socket_ >= 0) close(socket_);
  socket_ = pair[0];
  pid_ = pid;
  measures_ = std::move(*hello);
  return Done{};
}

Report WardenClient::measures() const {
  const std::lock_guard lock(mutex_);
  return measures_;
}

// The lock also keeps the socket from being replaced meanwhile. The warden reads all the time, so this waits little.
bool WardenClient::send(const Command& command, int descriptor) {
  const std::lock_guard lock(mutex_);
  return socket_ >= 0 && !stopping_ && send_message(socket_, to_json(command), descriptor).has_value();
}

void WardenClient::start_instance(const StartRequest& request, int output, Callbacks callbacks) {
  {
    const std::lock_guard lock(mutex_);
    living_.emplace(request.id, std::move(callbacks));
  }
  if (send({.kind = Command::Kind::kStart, .start = request, .id = request.id}, output)) return;
  Callbacks mine;
  {
    const std::lock_guard lock(mutex_);
    const auto found = living_.extract(request.id);
    if (found.empty()) return;
    mine = std::move(found.mapped());
  }
  mine.ended({request.id, false, "the sandbox warden is not there; it is being started again", 0, false});
}

void WardenClient::kill(std::uint64_t id) { send({.kind = Command::Kind::kKill, .start = {}, .id = id}); }
void WardenClient::settle(std::uint64_t id) { send({.kind = Command::Kind::kSettle, .start = {}, .id = id}); }

Ending WardenClient::run(const StartRequest& request, int output) {
  auto ended = std::make_shared<std::promise<Ending>>();
  auto future = ended->get_future();
  start_instance(request, output, {{}, [ended](const Ending& ending) { ended->set_value(ending); }});
  return future.get();
}

void WardenClient::end_all(const std::string& reason) {
  std::unordered_map<std::uint64_t, Callbacks> all;
  {
    const std::lock_guard lock(mutex_);
    all.swap(living_);
  }
  for (const auto& [id, callbacks] : all) callbacks.ended({id, true, reason, SIGKILL, false});
}

void WardenClient::listen() {
  using namespace std::chrono_literals;
  for (;;) {
    auto received = receive_message(socket_);
    auto report = received && !received->text.empty() ? report_from(received->text)
                                                      : Result<Report>(Error{Errc::kClosed, "the warden is gone"});
    if (!report) {
      end_all("the sandbox warden ended");
      for (auto pause = 100ms;; pause = std::min<std::chrono::milliseconds>(pause * 2, 5s)) {
        {
          const std::lock_guard lock(mutex_);
          if (stopping_) return;
          if (pid_ > 0) {
            ::kill(pid_, SIGKILL);
            waitpid(pid_, nullptr, 0);
            pid_ = 0;
          }
        }
        base::log(base::Level::kError, "functions", "the sandbox warden ended; starting it again");
        if (auto spawned = spawn()) break;
        std::this_thread::sleep_for(pause);
      }
      continue;
    }
    Callbacks callbacks;
    {
      const std::lock_guard lock(mutex_);
      const auto id = report->kind == Report::Kind::kEnded ? report->ending.id : report->id;
      const auto found = living_.find(id);
      if (found == living_.end()) continue;
      callbacks = found->second;
      if (report->kind == Report::Kind::kEnded) living_.erase(found);
    }
    if (report->kind == Report::Kind::kEnded) callbacks.ended(report->ending);
    if (report->kind == Report::Kind::kStarted && callbacks.started) callbacks.started(*report);
  }
}

}  // namespace securebase::functions
