// The warden: parent of all children. One thread, no locks, no allocation that could matter; it waits for three things:
// an order from the platform, the end of a child, and the end of the platform.
#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>

#include "process/packet.h"
#include "process/process.h"
#include "process/warden.h"

namespace securebase::process {

namespace {

struct Failure {
  int number;
  char step[32];
};

// In the forked child: all that lies between fork and exec. Only returns when a step failed.
Failure become(const Packet& order, int output, pid_t warden) {
  const auto failed = [](const char* step) {
    Failure failure{errno, {}};
    std::strncpy(failure.step, step, sizeof failure.step - 1);
    return failure;
  };
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  signal(SIGPIPE, SIG_DFL);
  umask(077);
  if (setsid() < 0) return failed("setsid");
  if (order.second >= 0) {
    const auto packed = static_cast<std::uint64_t>(order.second);
    const auto user = static_cast<uid_t>(packed >> 32);
    const auto group = static_cast<gid_t>(packed & 0xffffffffU);
    // A platform that is not root runs its servers as itself: it may drop no groups, and has no right to lose.
    if (user != geteuid()) {
      if (setgroups(0, nullptr) != 0) return failed("setgroups");
      if (setresgid(group, group, group) != 0) return failed("setgid");
      if (setresuid(user, user, user) != 0) return failed("setuid");
    }
  }
  // After the change of user, which clears it. The warden may have died before: then its death is no longer signalled.
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return failed("prctl");
  if (getppid() != warden) _exit(125);
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return failed("prctl");
  if (chdir(order.words[0].c_str()) != 0) return failed("chdir");
  const int nothing = open("/dev/null", O_RDONLY);
  if (nothing < 0) return failed("open /dev/null");
  if (dup2(nothing, 0) < 0 || dup2(output, 1) < 0 || dup2(output, 2) < 0) return failed("dup2");
  close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
  std::vector<char*> argv;
  std::vector<char*> environment;
  const auto arguments = static_cast<std::size_t>(order.first);
  for (std::size_t i = 1; i < order.words.size(); ++i) {
    (i <= arguments ? argv : environment).push_back(const_cast<char*>(order.words[i].c_str()));
  }
  argv.push_back(nullptr);
  environment.push_back(nullptr);
  execve(argv[0], argv.data(), environment.data());
  return failed("execute");
}

// The processes whose parent this is, by /proc: the children, and the orphans of their dead descendants.
std::vector<pid_t> children_of(pid_t parent) {
  std::vector<pid_t> found;
  DIR* proc = opendir("/proc");
  if (proc == nullptr) return found;
  while (const dirent* entry = readdir(proc)) {
    pid_t pid = 0;
    const char* end = entry->d_name + std::strlen(entry->d_name);
    if (std::from_chars(entry->d_name, end, pid).ptr != end) continue;
    char path[64];
    std::snprintf(path, sizeof path, "/proc/%d/stat", pid);
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) continue;
    char text[512];
    const ssize_t got = read(file, text, sizeof text - 1);
    close(file);
    if (got <= 0) continue;
    text[got] = 0;
    // "pid (name) state ppid": the name may hold anything, so from its last parenthesis.
    const char* after = std::strrchr(text, ')');
    int ppid = 0;
    char state = 0;
    if (after != nullptr && std::sscanf(after + 1, " %c %d", &state, &ppid) == 2 && ppid == parent) {
      found.push_back(pid);
    }
  }
  closedir(proc);
  return found;
}

class Warden {
 public:
  Warden(int socket, int signals) : socket_(socket), signals_(signals), self_(getpid()) {}

  void serve() {
    for (;;) {
      pollfd waits[2] = {{socket_, POLLIN, 0}, {signals_, POLLIN, 0}};
      if (poll(waits, 2, -1) < 0 && errno != EINTR) return;
      if (waits[1].revents != 0 && !hear_signal()) return;
      if (waits[0].revents != 0 && !hear_platform()) return;
    }
  }

  // Kills what lives below, until nothing does. New orphans become ours while we kill, hence the loop.
  void end_everything() {
    for (;;) {
      for (const pid_t pid : children_of(self_)) kill(pid, SIGKILL);
      const pid_t reaped = waitpid(-1, nullptr, WNOHANG);
      if (reaped < 0 && errno == ECHILD) return;
      if (reaped == 0) usleep(1000);
    }
  }

 private:
  bool hear_platform() {
    Packet order;
    int output = -1;
    switch (receive_packet(socket_, order, output)) {
      case Received::kEnd:
        return false;
      case Received::kNothing:
        break;
      case Received::kPacket:
        if (order.kind == Packet::Kind::kSpawn) spawn(order, output);
        if (order.kind == Packet::Kind::kSignal) pass_signal(order);
        break;
    }
    if (output >= 0) close(output);
    return true;
  }

  void spawn(const Packet& order, int output) {
    int report[2];
    if (output < 0 || order.words.size() < 2 || order.first < 1 || pipe2(report, O_CLOEXEC) != 0) {
      say({Packet::Kind::kRefused, order.id, EINVAL, 0, {"read the order"}});
      return;
    }
    const pid_t pid = fork();
    if (pid == 0) {
      const Failure failure = become(order, output, self_);
      [[maybe_unused]] const ssize_t told = write(report[1], &failure, sizeof failure);
      _exit(126);
    }
    const int fork_failure = errno;
    close(report[1]);
    Failure failure{fork_failure, "fork"};
    // The end of the pipe without a word is the exec that worked.
    const bool refused = pid < 0 || read(report[0], &failure, sizeof failure) > 0;
    close(report[0]);
    if (refused) {
      if (pid > 0) waitpid(pid, nullptr, 0);
      say({Packet::Kind::kRefused, order.id, failure.number, 0, {failure.step}});
      return;
    }
    ids_[pid] = order.id;
    say({Packet::Kind::kStarted, order.id, pid, 0, {}});
  }

  void pass_signal(const Packet& order) {
    for (const auto& [pid, id] : ids_) {
      if (id == order.id) kill(order.second == 1 ? -pid : pid, static_cast<int>(order.first));
    }
  }

  bool hear_signal() {
    signalfd_siginfo heard{};
    if (read(signals_, &heard, sizeof heard) != sizeof heard) return true;
    if (heard.ssi_signo == SIGCHLD) {
      reap();
      return true;
    }
    return heard.ssi_signo != SIGTERM;  // the parent-death signal, or somebody's wish
  }

  void reap() {
    std::vector<Packet> ended;
    int status = 0;
    for (pid_t pid = 0; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
      const auto found = ids_.find(pid);
      if (found == ids_.end()) continue;
      kill(-pid, SIGKILL);  // what is left of its group
      ended.push_back({Packet::Kind::kEnded, found->second, status, 0, {}});
      ids_.erase(found);
    }
    if (ended.empty()) return;
    end_orphans();
    for (const auto& packet : ended) say(packet);
  }

  // The orphans that a dead child left (PostgreSQL's backends are not of the postmaster's group). A second at most, so
  // that one that the kernel holds does not keep the others waiting.
  void end_orphans() {
    for (int round = 0; round < 500; ++round) {
      bool left = false;
      for (const pid_t pid : children_of(self_)) {
        if (ids_.contains(pid)) continue;
        kill(pid, SIGKILL);
        if (waitpid(pid, nullptr, WNOHANG) != pid) left = true;
      }
      if (!left) return;
      usleep(2000);
    }
  }

  void say(const Packet& packet) { send_packet(socket_, packet); }  // a platform that is gone is noticed by serve()

  const int socket_;
  const int signals_;
  const pid_t self_;
  std::map<pid_t, std::uint64_t> ids_;  // of the children that live
};

}  // namespace

std::optional<int> warden_main(int argc, char** argv) {
  if (argc != 3 || std::strcmp(argv[1], kWardenArgument) != 0) return std::nullopt;
  sigset_t watched;
  sigemptyset(&watched);
  for (const int number : {SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGPIPE}) sigaddset(&watched, number);
  sigprocmask(SIG_SETMASK, &watched, nullptr);
  const int signals = signalfd(-1, &watched, SFD_CLOEXEC);
  prctl(PR_SET_NAME, "sb-warden", 0, 0, 0);
  prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
  close_range(kWardenSocket + 1, ~0U, CLOSE_RANGE_CLOEXEC);
  fcntl(kWardenSocket, F_SETFD, FD_CLOEXEC);
  if (signals < 0 || getppid() != std::atoi(argv[2])) return 1;  // the platform died first
  Warden warden(kWardenSocket, signals);
  warden.serve();
  warden.end_everything();
  return 0;
}

}  // namespace securebase::process
