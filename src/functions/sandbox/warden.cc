#include "functions/sandbox/warden.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <unordered_map>

#include "functions/sandbox/filter.h"
#include "functions/sandbox/scopes.h"

namespace securebase::functions {
namespace {

constexpr std::uint64_t kSandboxes = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS;
constexpr int kWatchMilliseconds = 100;
constexpr std::size_t kMostLookedAt = 4096;  // processes of one instance, which may have 1024

struct Child {
  StartRequest request;
  pid_t pid = 0;
  int process = -1;  // pidfd
  int verdict = -1;
  bool over_memory = false;  // killed by our own watch
};

// As fork(), with new namespaces and a pidfd.
pid_t clone_child(std::uint64_t flags, int* process) {
  clone_args arguments{};
  arguments.flags = flags | CLONE_PIDFD;
  arguments.pidfd = reinterpret_cast<std::uint64_t>(process);
  arguments.exit_signal = SIGCHLD;
  return static_cast<pid_t>(syscall(SYS_clone3, &arguments, sizeof arguments));
}

bool can_clone(std::uint64_t flags) {
  int process = -1;
  const pid_t pid = clone_child(flags, &process);
  if (pid == 0) _exit(0);
  if (pid < 0) return false;
  close(process);
  waitpid(pid, nullptr, 0);
  return true;
}

// Resident memory of `top` and all below it, for machines without a memory group. Shared pages count each time. A
// process's children are listed by the thread that made them, and orphans are process 1's.
std::size_t resident_bytes(pid_t top) {
  std::size_t all_pages = 0;
  std::vector<pid_t> waiting{top};
  for (std::size_t looked_at = 0; !waiting.empty() && looked_at < kMostLookedAt; ++looked_at) {
    const pid_t pid = waiting.back();
    waiting.pop_back();
    std::size_t pages = 0, resident = 0;
    std::ifstream(fmt::format("/proc/{}/statm", pid)) >> pages >> resident;
    all_pages += resident;
    std::error_code gone;
    std::filesystem::directory_iterator thread(fmt::format("/proc/{}/task", pid), gone), end;
    for (; !gone && thread != end; thread.increment(gone)) {
      std::ifstream children(thread->path() / "children");
      for (pid_t child = 0; children >> child;) waiting.push_back(child);
    }
  }
  return all_pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

class Warden {
 public:
  Warden(WardenSettings settings, int socket)
      : settings_(std::move(settings)), socket_(socket), cgroups_(Cgroups::open()) {}

  int run() {
    poll_ = epoll_create1(EPOLL_CLOEXEC);
    self_ = static_cast<int>(syscall(SYS_pidfd_open, getpid(), 0));
    auto filter = compile_filter();
    if (!filter) {
      std::cerr << "securebase-sandbox: " << filter.error().message << "\n";
      return 1;
    }
    filter_ = std::move(*filter);
    const Report hello = find_measures();
    if (!tell(hello) || hello.refused) return 1;
    epoll_event event{EPOLLIN, {.u64 = 0}};
    epoll_ctl(poll_, EPOLL_CTL_ADD, socket_, &event);
    while (turn()) {
    }
    cgroups_.close();
    return 0;
  }

 private:
  Report find_measures() {
    Report hello;
    const bool root = geteuid() == 0;
    auto& jail = settings_.jail;
    if (root && can_clone(kSandboxes)) {
      jail.namespaces = true;
    } else if (can_clone(kSandboxes | CLONE_NEWUSER)) {
      jail.namespaces = jail.user_namespace = true;
    }
    jail.own_users = root && !jail.user_namespace;
    jail.scopes = kernel_has_scopes();

    const auto say = [&](bool has, std::string holds, std::string missing) {
      (has ? hello.holds : hello.missing).push_back(has ? std::move(holds) : std::move(missing));
    };
    say(jail.namespaces, "own root, processes, IPC and host name (namespaces)",
        "namespaces, without which no function runs: start as root, or allow unprivileged user namespaces "
        "(kernel.unprivileged_userns_clone, user.max_user_namespaces)");
    say(jail.own_users, "a host user for each instance",
        "all instances run as the platform's own user: start as root to give each its own, which also keeps one "
        "instance from speaking for another on the Runtime API");
    say(cgroups_.has_memory(), "memory limit by " + cgroups_.version(),
        "memory is limited by RLIMIT_DATA and a watch every 100 ms: no writable memory cgroup");
    say(cgroups_.has_cpu(), "CPU share by " + cgroups_.version(),
        "CPU is not shared by memory size: no writable cpu cgroup");
    say(cgroups_.has_pids(), "at most 1024 processes by " + cgroups_.version(),
        "processes are limited by RLIMIT_NPROC only: no writable pids cgroup");
    say(jail.scopes, "no abstract Unix sockets but its own (Landlock scopes)",
        "abstract Unix sockets of the host can be reached: the kernel has no Landlock scopes (Linux 6.12)");
    hello.holds.push_back("system call filter, no_new_privs, no capabilities, resource limits");
    hello.own_users = jail.own_users;
    // Without namespaces there is no /var/task to run from, whatever the settings allow.
    hello.refused = !jail.namespaces || (settings_.isolation_required && !(jail.own_users && cgroups_.has_memory()));
    return hello;
  }

  bool tell(const Report& report) { return send_message(socket_, to_json(report)).has_value(); }

  // False when the platform is gone.
  bool turn() {
    const bool watches = !cgroups_.has_memory() && !children_.empty();
    epoll_event events[16];
    const int count = epoll_wait(poll_, events, 16, watches || !leftovers_.empty() ? kWatchMilliseconds : -1);
    for (int i = 0; i < count; ++i) {
      if (events[i].data.u64 != 0) {
        reap(events[i].data.u64);
      } else if (!obey()) {
        return false;
      }
    }
    if (watches) watch_memory();
    std::erase_if(leftovers_, [&](std::uint64_t id) { return cgroups_.remove(id); });
    return true;
  }

  bool obey() {
    auto received = receive_message(socket_);
    if (!received || received->text.empty()) return false;
    auto command = command_from(received->text);
    if (!command) return false;
    if (command->kind == Command::Kind::kStart) {
      start(std::move(command->start), received->descriptor);
    } else if (const auto child = children_.find(command->id); child != children_.end()) {
      if (command->kind == Command::Kind::kKill) {
        kill_child(child->second);
      } else {
        cgroups_.limit_cpu(command->id, child->second.request.memory_mb);
      }
    }
    if (received->descriptor >= 0) close(received->descriptor);
    return true;
  }

  void kill_child(const Child& child) { syscall(SYS_pidfd_send_signal, child.process, SIGKILL, nullptr, 0); }

  void start(StartRequest request, int output) {
    const auto id = request.id;
    const auto fail = [&](const Error& error) {
      Report report{.kind = Report::Kind::kEnded};
      report.ending = {id, false, error.message, 0, false};
      tell(report);
    };
    if (auto made = cgroups_.make(id, request.memory_mb); !made) return fail(made.error());
    int pipe[2];
    if (pipe2(pipe, O_CLOEXEC) != 0) return fail(system_error(errno, "pipe2", "an instance"));
    std::uint64_t flags = settings_.jail.namespaces ? kSandboxes : 0;
    if (settings_.jail.user_namespace) flags |= CLONE_NEWUSER;
    int process = -1;
    const pid_t pid = clone_child(flags, &process);
    if (pid == 0) run_instance(request, settings_.jail, cgroups_, filter_, output, pipe[1], self_);
    close(pipe[1]);
    if (pid < 0) {
      close(pipe[0]);
      cgroups_.remove(id);
      return fail(system_error(errno, "clone3", "an instance"));
    }
    epoll_event event{EPOLLIN, {.u64 = id}};
    epoll_ctl(poll_, EPOLL_CTL_ADD, process, &event);
    children_.emplace(id, Child{std::move(request), pid, process, pipe[0], false});
    Report report{.kind = Report::Kind::kStarted};
    report.id = id;
    report.pid = pid;
    report.memory_peak = cgroups_.memory_peak_file(id);
    tell(report);
  }

  void reap(std::uint64_t id) {
    const auto found = children_.find(id);
    if (found == children_.end()) return;
    Child child = std::move(found->second);
    children_.erase(found);

    Report report{.kind = Report::Kind::kEnded};
    Ending& ending = report.ending;
    ending.id = id;
    waitpid(child.pid, &ending.status, 0);
    char text[4096];
    const ssize_t count = read(child.verdict, text, sizeof text - 1);
    // No verdict: process 1 itself was killed, by us or by the kernel; its own status stands.
    if (count > 0) {
      text[count] = '\0';
      const std::string_view verdict(text);
      if (verdict.starts_with("fail ")) {
        ending.started = false;
        ending.failure = verdict.substr(5);
      } else if (verdict.starts_with("exit ")) {
        ending.status = std::atoi(text + 5);
      }
    }
    ending.out_of_memory = child.over_memory || cgroups_.out_of_memory(id);
    // Closing alone takes a descriptor out of epoll only when nobody else has it.
    epoll_ctl(poll_, EPOLL_CTL_DEL, child.process, nullptr);
    close(child.process);
    close(child.verdict);
    if (!cgroups_.remove(id)) leftovers_.push_back(id);
    tell(report);
  }

  void watch_memory() {
    for (auto& [id, child] : children_) {
      if (resident_bytes(child.pid) <= child.request.memory_mb << 20) continue;
      child.over_memory = true;
      kill_child(child);
    }
  }

  WardenSettings settings_;
  const int socket_;
  Cgroups cgroups_;
  std::vector<sock_filter> filter_;
  int poll_ = -1;
  int self_ = -1;
  std::unordered_map<std::uint64_t, Child> children_;
  std::vector<std::uint64_t> leftovers_;  // groups that the kernel did not let go yet
};

}  // namespace

int run_warden(WardenSettings settings, int socket) {
  prctl(PR_SET_NAME, "securebase-sand");
  prctl(PR_SET_DUMPABLE, 0);
  // Ctrl-C in a terminal is for the platform, which ends us by closing the socket.
  signal(SIGINT, SIG_IGN);
  signal(SIGTERM, SIG_IGN);
  signal(SIGPIPE, SIG_IGN);
  return Warden(std::move(settings), socket).run();
}

}  // namespace securebase::functions
