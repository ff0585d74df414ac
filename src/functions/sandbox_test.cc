// What a function cannot do: reach others, exceed its share, outlive the platform.
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#include "functions/functions_test.h"

namespace securebase::functions {
namespace {

// Not a test: the platform that the next one kills. It runs until then.
TEST_F(FunctionsTest, DISABLED_IsAPlatformToBeKilled) {
  python("held", "import subprocess\nsubprocess.Popen(['sleep', '1000'])\ndef handler(event, context):\n    return 1\n")
      .environment = {{"MARKER", std::getenv("FUNCTIONS_TEST_MARKER")}};
  apply();
  ASSERT_EQ(invoke("held").kind, Kind::kOk);
  std::ofstream(std::getenv("FUNCTIONS_TEST_READY")) << state_.native();
  std::this_thread::sleep_for(60s);
}

TEST_F(FunctionsTest, LeaveNothingBehindWhenThePlatformIsKilled) {
  const std::string marker = "marker-" + base::random_hex(16);
  const fs::path ready = state_ / "ready";
  const pid_t platform = fork();
  if (platform == 0) {
    setenv("FUNCTIONS_TEST_MARKER", marker.c_str(), 1);
    setenv("FUNCTIONS_TEST_READY", ready.c_str(), 1);
    execl("/proc/self/exe", "functions_test", "--gtest_also_run_disabled_tests",
          "--gtest_filter=FunctionsTest.DISABLED_IsAPlatformToBeKilled", nullptr);
    _exit(127);
  }
  for (int attempt = 0; attempt < 1000 && !fs::exists(ready); ++attempt) std::this_thread::sleep_for(10ms);
  EXPECT_GE(processes_with("MARKER=" + marker).size(), 2u);  // the runtime and the sleeper that it started
  kill(platform, SIGKILL);
  waitpid(platform, nullptr, 0);
  EXPECT_TRUE(all_gone_soon("MARKER=" + marker));
  std::error_code ignored;
  fs::remove_all(base::read_file(ready).value_or(std::string("/nonexistent")), ignored);
}

// Whatever a function tries, it finds nothing but its own.
TEST_F(FunctionsTest, HoldsAHostileFunction) {
  python("victim", "import os\ndef handler(event, context):\n    return os.environ['AWS_LAMBDA_RUNTIME_API']\n")
      .environment = {{"SECRET_OF_VICTIM", "s3cr3t-of-the-victim"}};
  auto& hostile = python("hostile", R"(
import ctypes, os, socket, subprocess

def attempt(what):
    try:
        return what()
    except BaseException as error:
        return "refused: " + type(error).__name__

def environments():
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                found.append(open("/proc/%s/environ" % entry).read())
            except OSError:
                pass
    return "".join(found)

def speak(address):
    host, port = address.split(":")
    with socket.create_connection((host, int(port)), 2) as peer:
        peer.sendall(b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\n\r\n")
        peer.settimeout(2)
        return peer.recv(1000).decode()

def system_call(number, *arguments):
    libc = ctypes.CDLL(None, use_errno=True)
    answer = libc.syscall(number, *arguments)
    return answer if answer >= 0 else "refused: %d" % ctypes.get_errno()

def handler(event, context):
    return {
        "state": attempt(lambda: open(event["state"]).read()),
        "listing": attempt(lambda: os.listdir(os.path.dirname(event["state"]))),
        "signal": attempt(lambda: os.kill(event["pid"], 0)),
        "init": attempt(lambda: os.kill(1, 9)),
        "environments": attempt(environments),
        "speak": attempt(lambda: speak(event["address"])),
        "shadow": attempt(lambda: open("/etc/shadow").read()),
        "write_task": attempt(lambda: open("/var/task/app.py", "a").write("x")),
        "write_root": attempt(lambda: open("/evil", "w").write("x")),
        "ptrace": system_call(101, 0, 0, 0, 0),
        "mount": system_call(165, b"none", b"/tmp", b"tmpfs", 0, 0),
        "unshare": system_call(272, 0x10000000),
        "bpf": system_call(321, 0, 0, 0),
        "raw": attempt(lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)),
        "packet": attempt(lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)),
        "root": sorted(os.listdir("/")),
        "processes": sorted(int(e) for e in os.listdir("/proc") if e.isdigit()),
        "tmp": attempt(lambda: open("/tmp/file", "w").write("x")),
    }
)");
  hostile.timeout = 20s;
  apply();
  const auto address = invoke("victim");
  ASSERT_EQ(address.kind, Kind::kOk) << address.payload;
  const auto event = base::Json::object({{"state", (state_ / "master-key").native()},
                                         {"pid", std::int64_t{getpid()}},
                                         {"address", (*base::Json::parse(address.payload)).string_or("")}});
  const auto outcome = invoke("hostile", event.dump());
  ASSERT_EQ(outcome.kind, Kind::kOk) << outcome.payload;
  const auto got = *base::Json::parse(outcome.payload);
  const auto text = [&](std::string_view name) { return std::string(got[name].string_or("(no text)")); };
  EXPECT_THAT(outcome.payload, Not(HasSubstr("the secret of the state directory")));
  EXPECT_EQ(text("state"), "refused: FileNotFoundError");
  EXPECT_EQ(text("listing"), "refused: FileNotFoundError");
  EXPECT_THAT(text("signal"), HasSubstr("refused: "));
  EXPECT_THAT(text("init"), HasSubstr("refused: PermissionError"));
  EXPECT_THAT(text("environments"), Not(HasSubstr("s3cr3t-of-the-victim")));
  EXPECT_THAT(text("environments"), HasSubstr("AWS_LAMBDA_FUNCTION_NAME=hostile"));  // the look itself works
  EXPECT_THAT(text("speak"), HasSubstr("403"));
  EXPECT_THAT(text("shadow"), HasSubstr("refused: "));
  EXPECT_THAT(text("write_task"), HasSubstr("refused: "));
  EXPECT_THAT(text("write_root"), HasSubstr("refused: "));
  for (const auto* call : {"ptrace", "mount", "unshare", "bpf"}) EXPECT_EQ(text(call), "refused: 1") << call;
  EXPECT_THAT(text("raw"), HasSubstr("refused: "));
  EXPECT_THAT(text("packet"), HasSubstr("refused: "));
  EXPECT_EQ(got["tmp"].integer_or(0), 1);
  EXPECT_THAT(got["root"].dump(), Not(HasSubstr("work")));
}

// What it can do to its own sandbox ends there: at the limits of processes, descriptors and files, and at itself.
TEST_F(FunctionsTest, ContainsAFunctionThatSpreads) {
  python("victim", "def handler(event, context):\n    return 'unharmed'\n");
  auto& spreading = python("spreading", R"(
import errno, os, resource, signal, socket

def attempt(what):
    try:
        return what()
    except BaseException as error:
        return "refused: %s %s" % (type(error).__name__, errno.errorcode.get(getattr(error, "errno", None), ""))

def fill():
    with open("/tmp/large", "wb", buffering=0) as file:
        while True:
            file.write(bytes(1 << 20))

def connect(name):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as peer:
        peer.settimeout(2)
        peer.connect("\0" + name)
        return "connected"

def own_abstract():
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as peer:
        server.bind("\0own")
        server.listen()
        peer.connect("\0own")
        return "connected"

def fork_all():
    made = 0
    try:
        while made < 5000:
            if os.fork() == 0:
                signal.pause()
                os._exit(0)
            made += 1
    except OSError as error:
        return {"made": made, "error": errno.errorcode[error.errno]}
    return {"made": made}

def status():
    lines = dict(line.rstrip("\n").split(":\t", 1) for line in open("/proc/self/status") if ":\t" in line)
    return {name: lines[name] for name in ("NoNewPrivs", "CapEff", "CapPrm", "CapBnd", "CapAmb", "Seccomp", "Groups")}

def descriptors():
    found = []
    for each in os.listdir("/proc/self/fd"):
        try:
            found.append(os.readlink("/proc/self/fd/" + each).split(":")[0])
        except OSError:
            pass
    return sorted(set(found))

def handler(event, context):
    told = {
        "descriptors": descriptors(),
        "abstract": attempt(lambda: connect(event["abstract"])),
        "own abstract": attempt(own_abstract),
        "limit": attempt(lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (65536, 65536))),
        "priority": attempt(lambda: os.nice(-5)),
        "realtime": attempt(lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))),
        "shm": attempt(lambda: open("/dev/shm/x", "w")),
        "sysctl": attempt(lambda: open("/proc/sys/kernel/core_pattern", "w")),
        "sysrq": attempt(lambda: open("/proc/sysrq-trigger", "w")),
        "oom": attempt(lambda: os.write(os.open("/proc/self/oom_score_adj", os.O_WRONLY), b"-1000")),
        "init root": attempt(lambda: os.listdir("/proc/1/root")),
        "init memory": attempt(lambda: open("/proc/1/mem", "rb")),
        "cgroup": attempt(lambda: os.listdir("/sys/fs/cgroup")),
        "passwd": attempt(lambda: open("/run/sandbox/passwd", "w")),
        "etc": attempt(lambda: open("/etc/hosts", "w")),
        "device": attempt(lambda: os.mknod("/tmp/disk", 0o60666, os.makedev(8, 0))),
        "vsock": attempt(lambda: socket.socket(40, socket.SOCK_STREAM)),
        "kernel crypto": attempt(lambda: socket.socket(38, socket.SOCK_SEQPACKET)),
        "process of the host": attempt(lambda: os.kill(event["pid"], 9)),
        "status": status(),
        "fill": attempt(fill),
    }
    os.unlink("/tmp/large")
    told["forks"] = fork_all()
    os.kill(-1, signal.SIGKILL)  # all that it may signal, save itself
    return told
)");
  spreading.timeout = 60s;
  spreading.memory_mb = 3008;
  spreading.ephemeral_mb = 16;
  apply();
  ASSERT_EQ(invoke("victim").payload, "\"unharmed\"");
  const std::string name = "securebase-test-" + base::random_hex(12);
  const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  name.copy(address.sun_path + 1, name.size());
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  ASSERT_EQ(bind(listener, reinterpret_cast<const sockaddr*>(&address), length), 0);
  ASSERT_EQ(listen(listener, 8), 0);
  const auto event = base::Json::object({{"abstract", name}, {"pid", std::int64_t{getpid()}}});
  const auto outcome = invoke("spreading", event.dump());
  close(listener);
  ASSERT_EQ(outcome.kind, Kind::kOk) << outcome.payload;
  const auto got = *base::Json::parse(outcome.payload);
  for (const char* refused :
       {"limit", "priority", "realtime", "shm", "sysctl", "sysrq", "oom", "init root", "init memory", "cgroup",
        "passwd", "etc", "device", "vsock", "kernel crypto", "process of the host"}) {
    EXPECT_THAT(std::string(got[refused].string_or("done")), testing::StartsWith("refused: ")) << refused;
  }
  EXPECT_THAT(std::string(got["fill"].string_or("")), HasSubstr("ENOSPC"));
  EXPECT_EQ(got["own abstract"].string_or(""), "connected");
  const auto measures = functions_->isolation_report();
  if (std::any_of(measures.begin(), measures.end(),
                  [](const std::string& each) { return each.starts_with("yes: no abstract Unix sockets"); })) {
    EXPECT_THAT(std::string(got["abstract"].string_or("")), HasSubstr("EPERM"));
  }
  EXPECT_EQ(got["status"].dump(),
            R"({"NoNewPrivs":"1","CapEff":"0000000000000000","CapPrm":"0000000000000000",)"
            R"("CapBnd":"0000000000000000","CapAmb":"0000000000000000","Seccomp":"2","Groups":" "})");
  EXPECT_EQ(got["descriptors"].dump(), R"(["/dev/null","pipe","socket"])");
  EXPECT_LE(got["forks"]["made"].integer_or(9999), 1024);
  EXPECT_EQ(got["forks"]["error"].string_or(""), "EAGAIN");
  EXPECT_EQ(invoke("victim").payload, "\"unharmed\"");
}

// The child of this process that makes the sandboxes; 0: none.
pid_t warden_of_this_process() {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("/proc", ignored)) {
    std::string text;
    std::ifstream file(entry.path() / "stat");
    std::getline(file, text);
    int pid = 0, parent = 0;
    char name[32] = {}, state = 0;
    if (std::sscanf(text.c_str(), "%d (%31[^)]) %c %d", &pid, name, &state, &parent) != 4) continue;
    if (parent == getpid() && std::string_view(name) == "securebase-sand") return pid;
  }
  return 0;
}

std::chrono::nanoseconds processor_time(pid_t pid) {
  clockid_t clock{};
  timespec used{};
  if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &used) != 0) return -1ns;
  return std::chrono::seconds{used.tv_sec} + std::chrono::nanoseconds{used.tv_nsec};
}

TEST_F(FunctionsTest, RestsAfterTheEndOfAnInstanceThatOthersOutlive) {
  python("staying", "def handler(event, context):\n    return 1\n");
  python("going", "def handler(event, context):\n    return 1\n");
  apply();
  ASSERT_EQ(invoke("going").kind, Kind::kOk);
  ASSERT_EQ(invoke("staying").kind, Kind::kOk);  // later: its process 1 was made by a warden that had the other open
  config_.functions.pop_back();
  apply();
  const pid_t warden = warden_of_this_process();
  ASSERT_GT(warden, 0);
  std::this_thread::sleep_for(300ms);
  const auto before = processor_time(warden);
  std::this_thread::sleep_for(400ms);
  ASSERT_GE(before, 0ns);
  EXPECT_LT(processor_time(warden) - before, 40ms) << "it waits for news, and does not look for it all the time";
  EXPECT_EQ(invoke("staying").kind, Kind::kOk);
}

TEST_F(FunctionsTest, EndsWhatExceedsItsMemory) {
  python("greedy", R"(
def handler(event, context):
    held = []
    while True:
        held.append(bytearray(b"x" * (8 << 20)))
)")
      .memory_mb = 128;
  config_.functions.back().timeout = 30s;
  apply();
  const auto outcome = invoke("greedy");
  EXPECT_EQ(outcome.kind, Kind::kFunctionError);
  EXPECT_FALSE(outcome.timed_out);
  EXPECT_THAT(outcome.payload,
              testing::AnyOf(HasSubstr("Runtime exited with error: signal: killed"), HasSubstr("MemoryError")));
}

}  // namespace
}  // namespace securebase::functions
