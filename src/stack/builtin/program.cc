#include "stack/builtin/program.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>

#include "base/descriptor.h"

namespace securebase::stack {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kMostComplaintBytes = 16 << 10;

Error cannot_run(const ProgramCall& call, int number) {
  const bool absent = number == ENOENT;
  return {absent ? Errc::kNotFound : Errc::kIo,
          fmt::format("\"{}\" cannot be started in {}: {}", call.command.front(), call.directory.string(),
                      absent ? "there is no such program, or it is a script whose interpreter is missing"
                             : std::strerror(number))};
}

// A file without a name rather than a pipe: nobody has to feed it, and a program that does not read it does no harm.
base::Descriptor file_of(const std::string& bytes) {
  base::Descriptor file(::memfd_create("input", MFD_CLOEXEC));
  for (std::size_t written = 0; file && written < bytes.size();) {
    const auto step = ::write(file.number(), bytes.data() + written, bytes.size() - written);
    if (step <= 0) return base::Descriptor();
    written += static_cast<std::size_t>(step);
  }
  if (file) ::lseek(file.number(), 0, SEEK_SET);
  return file;
}

struct Pipe {
  base::Descriptor ours;
  base::Descriptor theirs;
};

std::optional<Pipe> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return std::nullopt;
  ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
  return Pipe{base::Descriptor(ends[0]), base::Descriptor(ends[1])};
}

// Takes what is there. False: the other side is closed, and nothing more comes.
bool drain(int pipe, std::string& into, std::size_t most) {
  char bytes[16384];
  for (;;) {
    const auto count = ::read(pipe, bytes, sizeof bytes);
    if (count == 0) return false;
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno == EAGAIN;
    into.append(bytes, std::min(static_cast<std::size_t>(count), most - std::min(most, into.size())));
    if (into.size() >= most) return true;  // what more comes is asked for again, or is too much
  }
}

class Attributes {
 public:
  Attributes() {
    ::posix_spawnattr_init(&attributes_);
    ::posix_spawn_file_actions_init(&actions_);
  }
  ~Attributes() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;

  // Signals as a fresh program expects them: what this process blocks or ignores is no business of the child's.
  int start(const ProgramCall& call, int input, int output, int complaints, pid_t& child) {
    sigset_t none;
    sigset_t all;
    ::sigemptyset(&none);
    ::sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    ::posix_spawnattr_setsigdefault(&attributes_, &all);
    ::posix_spawnattr_setpgroup(&attributes_, 0);
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    ::posix_spawn_file_actions_addchdir_np(&actions_, call.directory.c_str());
    ::posix_spawn_file_actions_adddup2(&actions_, input, 0);
    ::posix_spawn_file_actions_adddup2(&actions_, output, 1);
    ::posix_spawn_file_actions_adddup2(&actions_, complaints, 2);
    ::posix_spawn_file_actions_addclosefrom_np(&actions_, 3);
    std::vector<char*> words;
    for (const auto& word : call.command) words.push_back(const_cast<char*>(word.c_str()));
    words.push_back(nullptr);
    return ::posix_spawnp(&child, words[0], &actions_, &attributes_, words.data(), environ);
  }

 private:
  posix_spawnattr_t attributes_;
  posix_spawn_file_actions_t actions_;
};

// Ends the whole group, and takes the child's status. The child is not reaped before: its id is still its own.
int end_group(pid_t child) {
  ::kill(-child, SIGKILL);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace

Result<ProgramEnd> run_program(const ProgramCall& call) {
  const auto input = file_of(call.input);
  auto output = make_pipe();
  auto complaints = make_pipe();
  if (!input || !output || !complaints) return cannot_run(call, errno);
  pid_t child = 0;
  if (const int failed =
          Attributes().start(call, input.number(), output->theirs.number(), complaints->theirs.number(), child)) {
    return cannot_run(call, failed);
  }
  output->theirs = base::Descriptor();
  complaints->theirs = base::Descriptor();
  const base::Descriptor ended(static_cast<int>(::syscall(SYS_pidfd_open, child, 0)));
  if (!ended) {
    end_group(child);
    return Error{Errc::kIo, fmt::format("pidfd_open: {}", std::strerror(errno))};
  }
  ProgramEnd made;
  std::string dropped;
  const auto deadline = Clock::now() + call.time;
  pollfd waited[] = {
      {ended.number(), POLLIN, 0}, {output->ours.number(), POLLIN, 0}, {complaints->ours.number(), POLLIN, 0}};
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    const int ready = left > 0 ? ::poll(waited, 3, static_cast<int>(std::min<long>(left, 3'600'000))) : 0;
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) {
      end_group(child);
      return Error{Errc::kTimeout, fmt::format("\"{}\" has not ended after {} s and was killed", call.command.front(),
                                               std::chrono::duration<double>(call.time).count())};
    }
    // The status first: what the program wrote before it ended is in the pipes by then.
    const bool over = waited[0].revents != 0;
    if (waited[1].fd >= 0 && !drain(waited[1].fd, made.output, call.output_bytes + 1)) waited[1].fd = -1;
    if (made.output.size() > call.output_bytes) {
      end_group(child);
      return Error{Errc::kLimit,
                   fmt::format("\"{}\" answers more than {} bytes", call.command.front(), call.output_bytes)};
    }
    if (waited[2].fd >= 0) {
      dropped.clear();
      const bool full = made.complaints.size() >= kMostComplaintBytes;
      if (!drain(waited[2].fd, full ? dropped : made.complaints, kMostComplaintBytes)) waited[2].fd = -1;
    }
    if (over) break;
  }
  made.status = end_group(child);
  return made;
}

}  // namespace securebase::stack
