// Real processes: what matters here is what the kernel does when somebody is killed.
#include "process/process.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/random.h"
#include "process/backoff.h"
#include "process/packet.h"

namespace securebase::process {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

constexpr const char* kPlatformArgument = "--be-a-platform";

struct TemporaryDirectory {
  fs::path path = fs::temp_directory_path() / ("process-test-" + base::random_hex(8));
  TemporaryDirectory() {
    fs::create_directories(path);
    fs::permissions(path, fs::perms::all);
  }
  ~TemporaryDirectory() { fs::remove_all(path); }
};

// A shell that leaves a mark in its environment, by which every process of a test is found.
ChildSpec shell(const fs::path& directory, const std::string& script, const std::string& mark = "none") {
  ChildSpec spec;
  spec.name = "shell";
  spec.command.argv = {"/bin/sh", "-c", script};
  spec.command.environment = {{"PATH", "/usr/bin:/bin"}, {"MARK", mark}};
  spec.log = directory / "shell.log";
  return spec;
}

std::vector<pid_t> marked(const std::string& mark) {
  std::vector<pid_t> found;
  std::error_code failure;
  for (const auto& entry : fs::directory_iterator("/proc", failure)) {
    std::ifstream environment(entry.path() / "environ", std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(environment), {}};
    if (text.find("MARK=" + mark + '\0') != std::string::npos) found.push_back(std::stoi(entry.path().filename()));
  }
  return found;
}

template <class Condition>
bool eventually(Condition condition, std::chrono::milliseconds patience = 5s) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(5ms);
  }
  return true;
}

// Three generations, the last in a session of its own, as PostgreSQL's backends are.
const std::string kFamily = "(setsid sleep 1000 & sleep 1000) & exec sleep 1000";
constexpr std::size_t kFamilySize = 3;

// What the platform is in these tests: a process with a family below its warden, until it is killed.
[[noreturn]] void be_a_platform(const std::string& mark, const fs::path& directory) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // when a test fails
  auto supervisor = Supervisor::start();
  if (!supervisor) _exit(1);
  auto spec = shell(directory, kFamily, mark);
  if (geteuid() == 0) spec.command.run_as = Credentials{65534, 65534, "nobody"};
  auto child = (*supervisor)->add(std::move(spec));
  std::ofstream(directory / "warden") << (*supervisor)->warden() << std::endl;
  for (;;) pause();
}

pid_t start_platform(const std::string& mark, const fs::path& directory) {
  const pid_t pid = fork();
  if (pid == 0) {
    execl("/proc/self/exe", "platform", kPlatformArgument, mark.c_str(), directory.c_str(), nullptr);
    _exit(127);
  }
  return pid;
}

}  // namespace

TEST(Packet, ComesBackAsItWentAndRefusesWhatIsCut) {
  const Packet packet{Packet::Kind::kSpawn, 7, 2, -1, {"/", "/bin/sh", "", "A=b"}};
  const auto bytes = packet.encode();
  const auto back = Packet::decode(bytes);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->words, packet.words);
  EXPECT_EQ(back->second, -1);
  EXPECT_FALSE(Packet::decode(std::string_view(bytes).substr(0, bytes.size() - 1)));
}

TEST(Backoff, DoublesToItsLimitAndBeginsAnewAfterARunThatLasted) {
  base::ManualClock clock;
  Backoff backoff({100ms, 1000ms, 30s}, clock);
  std::vector<std::chrono::milliseconds> pauses;
  for (int i = 0; i < 6; ++i) {
    backoff.started();
    clock.advance(1s);
    pauses.push_back(backoff.died());
  }
  EXPECT_EQ(pauses, (std::vector<std::chrono::milliseconds>{100ms, 200ms, 400ms, 800ms, 1000ms, 1000ms}));
  backoff.started();
  clock.advance(31s);
  EXPECT_EQ(backoff.died(), 100ms);
}

TEST(Supervisor, RunsACommandAndGivesItsOutputAndExitCode) {
  auto supervisor = Supervisor::start();
  ASSERT_TRUE(supervisor) << supervisor.error().message;
  auto finished =
      (*supervisor)->run({{"/bin/sh", "-c", "echo $WORD; pwd; exit 3"}, {{"WORD", "hello"}}, "/usr", {}}, 5s);
  ASSERT_TRUE(finished) << finished.error().message;
  EXPECT_EQ(finished->exit_code, 3);
  EXPECT_EQ(finished->output, "hello\n/usr\n");
  auto slow = (*supervisor)->run({{"/bin/sleep", "100"}, {}, "/", {}}, 50ms);
  ASSERT_FALSE(slow);
  EXPECT_EQ(slow.error().code, Errc::kTimeout);
  auto missing = (*supervisor)->run({{"/no/such/program"}, {}, "/", {}}, 5s);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().message, "cannot start /no/such/program: execute: No such file or directory");
}

TEST(Supervisor, EndsACommandWhoseFamilyTakesMoreMemoryThanItMay) {
  auto supervisor = Supervisor::start();
  ASSERT_TRUE(supervisor) << supervisor.error().message;
  const RunLimits limits{.time = 30s, .memory_bytes = std::uint64_t{64} << 20};
  const std::string mark = "memory-" + base::random_hex(8);
  const auto shell_with = [&](const char* script) {
    return Command{{"/bin/sh", "-c", script}, {{"PATH", "/usr/bin:/bin"}, {"MARK", mark}}, "/", {}};
  };
  // tail keeps a line without an end; it is the shell's child, and the loop is another.
  const auto greedy =
      (*supervisor)->run(shell_with("(while :; do sleep 1; done) & yes | tr -d '\\n' | tail; true"), limits);
  ASSERT_FALSE(greedy);
  EXPECT_EQ(greedy.error().code, Errc::kLimit) << greedy.error().message;
  EXPECT_NE(greedy.error().message.find("64 MiB"), std::string::npos) << greedy.error().message;
  EXPECT_TRUE(eventually([&] { return marked(mark).empty(); })) << "nothing of it is left";
  const auto modest =
      (*supervisor)->run(shell_with("yes | head -c 20000000 | tail -c 10000000 | wc -c; sleep 0.3"), limits);
  ASSERT_TRUE(modest) << modest.error().message;
  EXPECT_EQ(modest->output, "10000000\n");
}

TEST(Supervisor, RunsChildrenAsAnotherUserWithoutItsOwnGroups) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can change its user";
  auto supervisor = Supervisor::start();
  ASSERT_TRUE(supervisor);
  auto finished = (*supervisor)->run({{"/usr/bin/id"}, {}, "/", Credentials{65534, 65534, "nobody"}}, 5s);
  ASSERT_TRUE(finished) << finished.error().message;
  EXPECT_EQ(finished->output, "uid=65534(nobody) gid=65534(nogroup) groups=65534(nogroup)\n");
}

TEST(Supervisor, RestartsAKilledChild) {
  const TemporaryDirectory directory;
  auto supervisor = Supervisor::start();
  ASSERT_TRUE(supervisor);
  auto spec = shell(directory.path, "exec sleep 1000");
  spec.backoff.first = 10ms;
  auto child = (*supervisor)->add(std::move(spec));
  ASSERT_TRUE(child->wait_ready(5s));
  const pid_t first = child->status().pid;
  kill(first, SIGKILL);
  ASSERT_TRUE(eventually([&] { return child->status().restarts == 1 && child->status().state == State::kReady; }));
  EXPECT_NE(child->status().pid, first);
  EXPECT_EQ(child->status().reason, "killed by signal 9 (Killed)");
  child->stop();
  EXPECT_EQ(child->status().state, State::kStopped);
  EXPECT_EQ(child->status().pid, 0);
}

TEST(Supervisor, SaysWithTheChildsOwnLastWordsWhyItNeverBecameReady) {
  const TemporaryDirectory directory;
  auto supervisor = Supervisor::start();
  ASSERT_TRUE(supervisor);
  auto spec = shell(directory.path, "for i in $(seq 30); do echo line $i >&2; done; echo no such disk; exit 2");
  spec.ready = [] { return Error{Errc::kUnavailable, "refused"}; };
  auto child = (*supervisor)->add(std::move(spec));
  auto ready = child->wait_ready(5s);
  ASSERT_FALSE(ready);
  EXPECT_EQ(child->status().state, State::kFailed);
  EXPECT_NE(ready.error().message.find("line 12\n"), std::string::npos) << ready.error().message;
  EXPECT_NE(ready.error().message.find("no such disk"), std::string::npos);
  EXPECT_EQ(ready.error().message.find("line 10\n"), std::string::npos);
}

TEST(Supervisor, GivesUpOnAChildThatIsNotReadyInTime) {
  const TemporaryDirectory directory;
  auto supervisor = Supervisor::start();
  ASSERT_TRUE(supervisor);
  auto spec = shell(directory.path, "exec sleep 1000");
  spec.ready = [] { return Error{Errc::kUnavailable, "it does not answer"}; };
  spec.ready_within = 50ms;
  auto child = (*supervisor)->add(std::move(spec));
  auto ready = child->wait_ready(5s);
  ASSERT_FALSE(ready);
  EXPECT_EQ(ready.error().message, "shell: was not ready after 50 ms: it does not answer");
}

TEST(Supervisor, GivesAChildThatIsAtWorkItsTimeAgain) {
  const TemporaryDirectory directory;
  auto supervisor = Supervisor::start();
  ASSERT_TRUE(supervisor);
  auto spec = shell(directory.path, "exec sleep 1000");
  std::atomic<int> asked{0};
  spec.ready = [&]() -> Result<Done> {
    if (asked >= 3) return Done{};
    return Error{Errc::kUnavailable, "it recovers"};
  };
  spec.at_work = [&] {
    ++asked;
    return true;
  };
  spec.ready_within = 20ms;
  auto child = (*supervisor)->add(std::move(spec));
  auto ready = child->wait_ready(10s);
  EXPECT_TRUE(ready) << ready.error().message;
  EXPECT_EQ(asked, 3);
}

TEST(Supervisor, StartsNothingAfterItStoppedAll) {
  const TemporaryDirectory directory;
  const auto mark = base::random_hex(16);
  auto supervisor = Supervisor::start();
  ASSERT_TRUE(supervisor);
  Result<Finished> slow = Finished{};
  std::thread running([&] { slow = (*supervisor)->run({{"/bin/sleep", "1000"}, {{"MARK", mark}}, "/", {}}, 1000s); });
  ASSERT_TRUE(eventually([&] { return marked(mark).size() == 1U; }));
  (*supervisor)->stop_all();
  running.join();
  ASSERT_FALSE(slow);
  EXPECT_EQ(slow.error().code, Errc::kCancelled);
  EXPECT_TRUE(marked(mark).empty());
  auto late = (*supervisor)->add(shell(directory.path, "exec sleep 1000", mark));
  const auto ready = late->wait_ready(5s);
  ASSERT_FALSE(ready);
  EXPECT_EQ(ready.error().code, Errc::kCancelled);
  EXPECT_TRUE(marked(mark).empty());
}

TEST(Supervisor, KillsWhatDoesNotStopWhenAsked) {
  const TemporaryDirectory directory;
  const auto mark = base::random_hex(16);
  auto supervisor = Supervisor::start();
  ASSERT_TRUE(supervisor);
  auto spec = shell(directory.path, "trap '' TERM; echo up > $0; while :; do sleep 1000; done", mark);
  const auto up = directory.path / "up";
  spec.command.argv.push_back(up);
  spec.ready = [up]() -> Result<Done> {
    if (fs::exists(up)) return Done{};
    return Error{Errc::kUnavailable, "not up"};
  };
  spec.grace = 50ms;
  auto child = (*supervisor)->add(std::move(spec));
  ASSERT_TRUE(child->wait_ready(5s));
  child->stop();
  EXPECT_TRUE(marked(mark).empty());
}

TEST(Supervisor, LeavesNoOrphanOfADeadChild) {
  const TemporaryDirectory directory;
  const auto mark = base::random_hex(16);
  auto supervisor = Supervisor::start();
  ASSERT_TRUE(supervisor);
  auto child = (*supervisor)->add(shell(directory.path, kFamily, mark));
  ASSERT_TRUE(child->wait_ready(5s));
  ASSERT_TRUE(eventually([&] { return marked(mark).size() == kFamilySize; }));
  child->stop();
  EXPECT_TRUE(marked(mark).empty());
}

TEST(Supervisor, StartsANewWardenAndItsChildrenWhenTheWardenIsKilled) {
  const TemporaryDirectory directory;
  const auto mark = base::random_hex(16);
  auto supervisor = Supervisor::start();
  ASSERT_TRUE(supervisor);
  auto spec = shell(directory.path, "exec sleep 1000", mark);
  spec.backoff.first = 10ms;
  auto child = (*supervisor)->add(std::move(spec));
  ASSERT_TRUE(child->wait_ready(5s));
  kill((*supervisor)->warden(), SIGKILL);
  ASSERT_TRUE(eventually([&] { return child->status().restarts >= 1 && child->status().state == State::kReady; }));
  EXPECT_EQ(marked(mark).size(), 1U);  // the new one; the old one is gone
}

TEST(Supervisor, LeavesNothingWhenThePlatformIsKilled) {
  const TemporaryDirectory directory;
  const auto mark = base::random_hex(16);
  const pid_t platform = start_platform(mark, directory.path);
  ASSERT_TRUE(eventually([&] { return marked(mark).size() == kFamilySize; }));
  kill(platform, SIGKILL);
  waitpid(platform, nullptr, 0);
  EXPECT_TRUE(eventually([&] { return marked(mark).empty(); }));
}

TEST(Supervisor, LeavesNoChildWhenWardenAndPlatformAreKilledTogether) {
  const TemporaryDirectory directory;
  const auto mark = base::random_hex(16);
  const pid_t platform = start_platform(mark, directory.path);
  ASSERT_TRUE(eventually([&] { return marked(mark).size() == kFamilySize && fs::exists(directory.path / "warden"); }));
  pid_t warden = 0;
  std::ifstream(directory.path / "warden") >> warden;
  ASSERT_GT(warden, 0);
  kill(platform, SIGSTOP);  // so that only the kernel is left to do it
  kill(warden, SIGKILL);
  // The child itself goes by the parent-death signal; its own descendants are the child's affair then.
  EXPECT_TRUE(eventually([&] { return marked(mark).size() < kFamilySize; }));
  kill(platform, SIGKILL);
  waitpid(platform, nullptr, 0);
  for (const pid_t pid : marked(mark)) kill(pid, SIGKILL);
}

TEST(Port, NamesTheOwnerOfATakenPort) {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(listen(socket, 1), 0);
  socklen_t size = sizeof address;
  getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
  const auto port = ntohs(address.sin_port);
  auto taken = port_is_free("127.0.0.1", port);
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, Errc::kConflict);
  EXPECT_NE(taken.error().message.find("(process " + std::to_string(getpid()) + ")"), std::string::npos)
      << taken.error().message;
  close(socket);
  EXPECT_TRUE(port_is_free("127.0.0.1", port));
}

TEST(Credentials, NamesTheDirectoryThatTheUserMayNotPass) {
  if (geteuid() != 0) GTEST_SKIP() << "only root has other users' directories";
  const TemporaryDirectory directory;
  const auto closed = directory.path / "closed";
  fs::create_directory(closed);
  fs::permissions(closed, fs::perms::owner_all);
  auto made = private_directory(closed / "data", {65534, 65534, "nobody"});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, Errc::kDenied);
  EXPECT_NE(made.error().message.find(closed.native() + " has mode 700"), std::string::npos) << made.error().message;
  auto nobody = unprivileged("no-such-user-here");
  ASSERT_FALSE(nobody);
  EXPECT_EQ(nobody.error().code, Errc::kNotFound);
}

}  // namespace securebase::process

int main(int argc, char** argv) {
  if (const auto code = securebase::process::warden_main(argc, argv)) return *code;
  if (argc == 4 && std::string_view(argv[1]) == securebase::process::kPlatformArgument) {
    securebase::process::be_a_platform(argv[2], argv[3]);
  }
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
