#include "process/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/random.h"
#include "process/usage.h"

namespace securebase::process {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;
using testing::HasSubstr;

struct ServerDirectory {
  fs::path path = fs::temp_directory_path() / ("server-test-" + base::random_hex(8));
  ServerDirectory() { fs::create_directories(path); }
  ~ServerDirectory() { fs::remove_all(path); }
};

// A supervisor whose children are what the test says, and no processes.
struct FakeChild final : Child {
  Result<Done> outcome = Done{};
  State state = State::kReady;
  int stops = 0;
  Status status() const override {
    Status status;
    status.state = state;
    return status;
  }
  Result<Done> wait_ready(std::chrono::milliseconds) override { return outcome; }
  Result<Done> signal(int) override { return Done{}; }
  void stop() override {
    ++stops;
    state = State::kStopped;
  }
};
struct FakeSupervisor final : Supervisor {
  std::vector<std::shared_ptr<FakeChild>> children;
  std::vector<ChildSpec> specs;
  Result<Done> next = Done{};
  std::shared_ptr<Child> add(ChildSpec spec) override {
    specs.push_back(std::move(spec));
    children.push_back(std::make_shared<FakeChild>());
    children.back()->outcome = next;
    return children.back();
  }
  Result<Finished> run(const Command&, const RunLimits&) override { return Finished{}; }
  void stop_all() override {}
  pid_t warden() const override { return 0; }
};

ServerSpec spec_in(const fs::path& directory) {
  ServerSpec spec;
  spec.title = "Example";
  spec.host = "127.0.0.1";
  spec.port = 0;  // always free
  spec.owner = {geteuid(), getegid(), "me"};
  spec.directories = {directory / "data"};
  spec.files = {{directory / "data" / "conf", "a = 1\n"}};
  spec.child.command.argv = {"/bin/true"};
  spec.child.log = directory / "logs" / "example.log";
  return spec;
}

TEST(Port, IsTheOperatorsElseTheStacksElseTheCustomaryOne) {
  EXPECT_EQ(port_of({.port = 6000}, 7000, 5432), 6000);
  EXPECT_EQ(port_of({}, 7000, 5432), 7000);
  EXPECT_EQ(port_of({}, std::nullopt, 5432), 5432);
  EXPECT_EQ(port_of({.port = 6000}, std::nullopt, 5432), 6000);
}

TEST(Port, IsToldWhereTheOperatorsTakesThePlaceOfTheStacks) {
  EXPECT_EQ(port_note({.port = 6000}, 7000, "--postgres-port"),
            "--postgres-port 6000 takes the place of the stack's port 7000");
  EXPECT_EQ(port_note({.port = 7000}, 7000, "--postgres-port"), "");
  EXPECT_EQ(port_note({.port = 6000}, std::nullopt, "--postgres-port"), "");
  EXPECT_EQ(port_note({}, 7000, "--postgres-port"), "");
}

TEST(Server, WritesItsFilesForItsUserOnlyBeforeTheProgramStarts) {
  const ServerDirectory directory;
  FakeSupervisor supervisor;
  Server server(supervisor);
  EXPECT_FALSE(server.exists());
  EXPECT_EQ(server.status().state, State::kStopped);
  ASSERT_TRUE(server.start(spec_in(directory.path)));
  EXPECT_EQ(server.status().state, State::kReady);
  EXPECT_EQ(fs::status(directory.path / "data" / "conf").permissions(), fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_EQ(fs::status(directory.path / "data").permissions(), fs::perms::owner_all);
  EXPECT_TRUE(fs::is_directory(directory.path / "logs"));
  EXPECT_TRUE(supervisor.specs[0].command.run_as.has_value());
}

TEST(Server, StopsWhatRunsBeforeItStartsAnother) {
  const ServerDirectory directory;
  FakeSupervisor supervisor;
  Server server(supervisor);
  ASSERT_TRUE(server.start(spec_in(directory.path)));
  ASSERT_TRUE(server.start(spec_in(directory.path)));
  ASSERT_EQ(supervisor.children.size(), 2U);
  EXPECT_EQ(supervisor.children[0]->stops, 1);
  EXPECT_EQ(supervisor.children[1]->stops, 0);
  server.stop();
  EXPECT_EQ(supervisor.children[1]->stops, 1);
  EXPECT_FALSE(server.exists());
}

TEST(Server, IsNoneAfterAStartThatFailedAndSaysWhich) {
  const ServerDirectory directory;
  FakeSupervisor supervisor;
  supervisor.next = Error{Errc::kUnavailable, "no such disk"};
  Server server(supervisor);
  const auto started = server.start(spec_in(directory.path));
  ASSERT_FALSE(started);
  EXPECT_THAT(started.error().message, HasSubstr("Example does not start"));
  EXPECT_THAT(started.error().message, HasSubstr("no such disk"));
  EXPECT_FALSE(server.exists());
  EXPECT_EQ(supervisor.children[0]->stops, 1);
}

// A /proc of our own: 100 with the children 101 and 102, and 200, which is nobody's.
struct FakeProc {
  ServerDirectory directory;
  void put(pid_t pid, pid_t parent, int ticks, int cut_ticks, int io) {
    const auto at = directory.path / std::to_string(pid);
    fs::create_directories(at);
    std::ofstream(at / "stat") << pid << " (a ) name) S " << parent << " 1 1 0 -1 4194560 1 2 3 4 " << ticks << " 0 "
                               << cut_ticks << " 0 20 0 1 0 100 4096 10 18446744073709551615 1 1";
    std::ofstream(at / "io") << "rchar: 1\nwchar: 1\nsyscr: " << io << "\nsyscw: " << 2 * io
                             << "\nread_bytes: " << 10 * io << "\nwrite_bytes: " << 20 * io
                             << "\ncancelled_write_bytes: 0\n";
  }
};

TEST(Usage, IsThatOfAProcessAndAllBelowIt) {
  FakeProc proc;
  proc.put(100, 1, 50, 50, 1);
  proc.put(101, 100, 100, 0, 2);
  proc.put(102, 101, 100, 0, 3);
  proc.put(200, 1, 9999, 0, 1000);
  UsageMeter meter(proc.directory.path);
  const auto usage = meter.read(100);
  EXPECT_EQ(usage.cpu, std::chrono::microseconds(300 * 1'000'000 / sysconf(_SC_CLK_TCK)));
  EXPECT_EQ(usage.reads, 6U);
  EXPECT_EQ(usage.writes, 12U);
  EXPECT_EQ(usage.read_bytes, 60U);
  EXPECT_EQ(usage.written_bytes, 120U);
  EXPECT_EQ(usage.resident_bytes, 30U * static_cast<unsigned>(sysconf(_SC_PAGESIZE)));
}

TEST(Usage, NeverFallsWhenAProcessEnds) {
  FakeProc proc;
  proc.put(100, 1, 50, 50, 1);
  proc.put(101, 100, 100, 0, 500);
  UsageMeter meter(proc.directory.path);
  const auto before = meter.read(100);
  fs::remove_all(proc.directory.path / "101");
  proc.put(100, 1, 50, 150, 1);  // it waited for its child
  proc.put(103, 100, 1, 0, 7);
  const auto after = meter.read(100);
  EXPECT_GT(after.cpu, before.cpu);
  EXPECT_EQ(after.reads, before.reads + 7);
}

TEST(Usage, TellsAThreadThatWorksFromOneThatWaitsForAProcessor) {
  const ServerDirectory directory;
  for (const auto& [thread, times] : {std::pair("100", "5000 300 7\n"), {"101", "40 9000 1\n"}, {"102", ""}}) {
    fs::create_directories(directory.path / "100/task" / thread);
    std::ofstream(directory.path / "100/task" / thread / "schedstat") << times;
  }
  const auto time = processor_time(100, directory.path);
  ASSERT_TRUE(time);
  EXPECT_EQ(time->used, 5040ns);
  EXPECT_EQ(time->main_used, 5000ns);
  EXPECT_EQ(time->main_waited, 300ns);
  EXPECT_FALSE(processor_time(101, directory.path));
  EXPECT_TRUE(processor_time(getpid())) << "this kernel tells it";
}

TEST(Usage, ReadsWhatMemoryIsLeft) {
  const ServerDirectory directory;
  std::ofstream(directory.path / "meminfo") << "MemTotal:  100 kB\nMemFree: 10 kB\nMemAvailable:  50 kB\n";
  EXPECT_EQ(available_memory_bytes(directory.path), 50U * 1024);
  EXPECT_EQ(available_memory_bytes("/nowhere"), 0U);
}

}  // namespace
}  // namespace securebase::process
