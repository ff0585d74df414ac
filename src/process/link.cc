#include "process/link.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "base/check.h"
#include "base/log.h"
#include "process/warden.h"

namespace securebase::process {

using std::chrono::milliseconds;

namespace {

// By system call: glibc has them from 2.36 on only.
int pidfd_open(pid_t pid) { return static_cast<int>(syscall(SYS_pidfd_open, pid, 0)); }
void pidfd_kill(int pidfd) { syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, nullptr, 0); }

constexpr milliseconds kWardenPause{100};  // before a killed warden is replaced

}  // namespace

Link::~Link() {
  int socket = -1;
  change([&] {
    closing_ = true;
    socket = socket_;
    if (socket >= 0) shutdown(socket, SHUT_RDWR);  // the warden ends everything, and itself
  });
  if (thread_.joinable()) thread_.join();
  for (auto& [id, process] : processes_) {
    if (process.pidfd >= 0) close(process.pidfd);
  }
}

Result<Done> Link::open() {
  thread_ = std::thread([this] { run(); });
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return tried_; });
  return first_;
}

Result<std::uint64_t> Link::spawn(const Command& command, int output) {
  Packet order;
  order.kind = Packet::Kind::kSpawn;
  order.first = static_cast<std::int64_t>(command.argv.size());
  order.second = command.run_as ? pack_credentials(command.run_as->user, command.run_as->group) : -1;
  order.words.push_back(command.directory.native());
  order.words.insert(order.words.end(), command.argv.begin(), command.argv.end());
  for (const auto& [name, value] : command.environment) order.words.push_back(name + "=" + value);

  std::unique_lock lock(mutex_);
  // A warden that was just killed is being replaced.
  changed_.wait_for(lock, milliseconds{2000}, [this] { return socket_ >= 0 || closing_; });
  if (socket_ < 0) return Error{Errc::kUnavailable, "there is no warden to start " + command.argv[0]};
  order.id = next_id_++;
  Process& process = processes_[order.id];
  if (!send_packet(socket_, order, output)) {
    const int failure = errno;
    processes_.erase(order.id);
    if (failure == E2BIG) {
      return Error{Errc::kLimit, fmt::format("arguments and environment of {} are larger than {} bytes",
                                             command.argv[0], kMaxPacketBytes)};
    }
    return system_error(failure, "hand to the warden", command.argv[0]);
  }
  changed_.wait(lock, [&] { return process.started || process.ended; });
  if (process.started) return order.id;
  Error refusal{Errc::kIo, fmt::format("cannot start {}: {}", command.argv[0],
                                       process.lost ? "the warden was killed" : process.refusal)};
  processes_.erase(order.id);
  return refusal;
}

void Link::signal(std::uint64_t id, int number, To to) {
  const std::lock_guard lock(mutex_);
  if (socket_ < 0) return;  // what it was for is being killed
  send_packet(socket_, {Packet::Kind::kSignal, id, number, to == To::kGroup ? 1 : 0, {}});
}

pid_t Link::pid(std::uint64_t id) const {
  const std::lock_guard lock(mutex_);
  return processes_.at(id).pid;
}

Link::End Link::take_end(std::uint64_t id) {
  const std::lock_guard lock(mutex_);
  const auto found = processes_.find(id);
  check(found != processes_.end() && found->second.ended, "the process has ended");
  const Process process = found->second;
  processes_.erase(found);
  if (process.pidfd >= 0) close(process.pidfd);
  if (process.lost) return {"killed with its warden", 128 + SIGKILL};
  if (WIFSIGNALED(process.wait_status)) {
    const int number = WTERMSIG(process.wait_status);
    return {fmt::format("killed by signal {} ({})", number, strsignal(number)), 128 + number};
  }
  return {fmt::format("ended with exit code {}", WEXITSTATUS(process.wait_status)), WEXITSTATUS(process.wait_status)};
}

pid_t Link::warden() const {
  const std::lock_guard lock(mutex_);
  return warden_;
}

void Link::run() {
  for (;;) {
    auto started = start_warden();
    int socket = -1;
    bool closing = false;
    change([&] {
      if (!tried_) first_ = started;
      tried_ = true;
      socket = socket_;
      closing = closing_;
    });
    if (!started) base::log(base::Level::kError, "process", "{}", started.error().message);
    if (socket >= 0 && !closing) listen(socket);
    pid_t warden = 0;
    change([&] {
      socket_ = -1;
      warden = warden_;
      warden_ = 0;
      closing = closing_;
    });
    if (socket >= 0) close(socket);
    if (warden > 0) {
      while (waitpid(warden, nullptr, 0) < 0 && errno == EINTR) {
      }
    }
    bury_the_lost();
    if (closing) return;
    base::log(base::Level::kWarning, "process", "the warden died; its children are stopped and started anew");
    if (wait(std::chrono::steady_clock::now() + kWardenPause, [this] { return closing_; })) return;
  }
}

Result<Done> Link::start_warden() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    return system_error(errno, "socketpair", "the warden");
  }
  const auto parent = std::to_string(getpid());
  std::string name = "securebase-warden";
  std::string argument = kWardenArgument;
  std::string parent_text = parent;
  char* argv[] = {name.data(), argument.data(), parent_text.data(), nullptr};
  char* environment[] = {nullptr};
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  // A descriptor duplicated onto itself would keep its close-on-exec flag; posix_spawn clears it (glibc since 2.29).
  posix_spawn_file_actions_adddup2(&actions, ends[1], kWardenSocket);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  // A session of its own: Ctrl-C at the platform's terminal is the platform's business.
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK);
  pid_t pid = 0;
  const int failure = posix_spawn(&pid, program_.c_str(), &actions, &attributes, argv, environment);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  close(ends[1]);
  if (failure != 0) {
    close(ends[0]);
    return system_error(failure, "start the warden", program_.native());
  }
  change([&] {
    socket_ = ends[0];
    warden_ = pid;
    if (closing_) shutdown(socket_, SHUT_RDWR);
  });
  return Done{};
}

void Link::listen(int socket) {
  Packet packet;
  for (;;) {
    int descriptor = -1;
    const auto received = receive_packet(socket, packet, descriptor);
    if (descriptor >= 0) close(descriptor);
    if (received == Received::kEnd) return;
    if (received == Received::kPacket) hear(packet);
  }
}

void Link::hear(const Packet& packet) {
  change([&] {
    const auto found = processes_.find(packet.id);
    if (found == processes_.end()) return;
    Process& process = found->second;
    switch (packet.kind) {
      case Packet::Kind::kStarted:
        process.pid = static_cast<pid_t>(packet.first);
        process.pidfd = pidfd_open(process.pid);
        process.started = true;
        break;
      case Packet::Kind::kRefused:
        process.refusal = fmt::format("{}: {}", packet.words.empty() ? "" : packet.words[0],
                                      std::strerror(static_cast<int>(packet.first)));
        process.ended = true;
        break;
      case Packet::Kind::kEnded:
        process.wait_status = static_cast<int>(packet.first);
        process.ended = true;
        break;
      case Packet::Kind::kSpawn:
      case Packet::Kind::kSignal:
        break;
    }
  });
}

// The warden is dead. Its children have the kernel's parent-death signal on the way; kill them all the same, and call
// them ended when the kernel says that they are.
void Link::bury_the_lost() {
  std::vector<int> pidfds;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, process] : processes_) {
      if (!process.ended && process.pidfd >= 0) pidfds.push_back(process.pidfd);
    }
  }
  for (const int pidfd : pidfds) {
    pidfd_kill(pidfd);
    pollfd end{pidfd, POLLIN, 0};
    poll(&end, 1, 5000);
  }
  change([&] {
    for (auto& [id, process] : processes_) {
      if (!process.ended) process.ended = process.lost = true;
    }
  });
}

}  // namespace securebase::process
