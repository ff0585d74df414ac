#include "prober/prober.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/resource.h>

#include <csignal>
#include <fstream>

#include "base/file.h"

namespace securebase::prober {
namespace {

namespace fs = std::filesystem;
using std::chrono::microseconds;
using std::chrono::seconds;

constexpr base::TimePoint kNow{seconds{1'795'733'347}};

class InDirectory : public testing::Test {
 protected:
  InDirectory() {
    std::string pattern = testing::TempDir() + "prober-XXXXXX";
    directory_ = mkdtemp(pattern.data());
  }
  ~InDirectory() override { fs::remove_all(directory_); }
  fs::path directory_;
};
using JournalOf = InDirectory;
using HeartbeatOf = InDirectory;

Probe probe_at(int second, int status = 200) {
  return {"portal", kNow + seconds{second}, status, microseconds{812}, microseconds{1204}};
}

TEST(JournalLine, GivesTheProbeBack) {
  EXPECT_EQ(to_line(probe_at(0)), "1795733347000000 portal 200 812 1204\n");
  EXPECT_EQ(from_line(to_line(probe_at(0))), probe_at(0));
}

TEST(JournalLine, RefusesWhatIsNone) {
  for (const char* line : {"", "x", "1 portal 200 1", "1 portal 200 1 2 3", "1  200 1 2", "-1 portal 200 1 2",
                           "1 portal 2000 1 2", "1 portal 200 1 2x"}) {
    EXPECT_EQ(from_line(line), std::nullopt) << line;
  }
}

TEST_F(JournalOf, IsReadOnFromWhereTheReaderWas) {
  auto writer = JournalWriter::open(directory_);
  ASSERT_TRUE(writer);
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(writer->append(probe_at(i)));
  JournalReader first(directory_, {});
  EXPECT_EQ(first.read(3)->size(), 3u);
  JournalReader second(directory_, first.position());
  const auto rest = second.read();
  ASSERT_TRUE(rest);
  EXPECT_EQ(*rest, (std::vector<Probe>{probe_at(3), probe_at(4)}));
  EXPECT_TRUE(second.read()->empty());
}

TEST_F(JournalOf, GoesOnBehindALineThatACrashCutShort) {
  { ASSERT_TRUE(JournalWriter::open(directory_)->append(probe_at(0))); }
  std::ofstream(directory_ / "probes.1", std::ios::app) << "17957333";
  auto writer = JournalWriter::open(directory_);
  ASSERT_TRUE(writer->append(probe_at(1)));
  JournalReader reader(directory_, {});
  EXPECT_EQ(*reader.read(), (std::vector<Probe>{probe_at(0), probe_at(1)}));
  EXPECT_EQ(reader.skipped(), 1u);
}

TEST_F(JournalOf, LeavesALineThatIsNotWholeYet) {
  std::ofstream(directory_ / "probes.1") << to_line(probe_at(0)) << "1795733348";
  JournalReader reader(directory_, {});
  EXPECT_EQ(reader.read()->size(), 1u);
  std::ofstream(directory_ / "probes.1", std::ios::app) << "000000 portal 200 812 1204\n";
  EXPECT_EQ(*reader.read(), std::vector<Probe>{probe_at(1)});
}

TEST_F(JournalOf, StaysWithinTwoFilesAndIsReadOverTheTurn) {
  auto writer = JournalWriter::open(directory_);
  JournalReader reader(directory_, {});
  const std::size_t lines = kJournalBytes * 3 / to_line(probe_at(0)).size();
  std::size_t read = 0;
  for (std::size_t i = 0; i < lines; ++i) {
    ASSERT_TRUE(writer->append(probe_at(static_cast<int>(i))));
    if (i % 1000 == 0) read += reader.read(100'000)->size();
  }
  read += reader.read(100'000)->size();
  EXPECT_EQ(read, lines);
  std::size_t files = 0;
  for (const auto& entry : fs::directory_iterator(directory_)) {
    ++files;
    EXPECT_LE(entry.file_size(), kJournalBytes + 100);
  }
  EXPECT_EQ(files, 2u);
}

// A disk that fills takes a line in part.
TEST_F(JournalOf, ALineThatFoundNoRoomSpoilsNoOther) {
  std::signal(SIGXFSZ, SIG_IGN);
  auto writer = JournalWriter::open(directory_);
  ASSERT_TRUE(writer->append_line("first\n"));
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit full{10, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &full), 0);
  const auto refused = writer->append_line("second\n");
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  EXPECT_FALSE(refused);
  ASSERT_TRUE(writer->append_line("third\n"));
  EXPECT_EQ(*JournalReader(directory_, {}).read_lines(), (std::vector<std::string>{"first", "third"}));
}

TEST_F(JournalOf, APositionIsReadAsItWasKept) {
  const auto file = directory_ / "position";
  EXPECT_EQ(read_position(file), Position{});
  ASSERT_TRUE(write_position(file, {3, 81920}));
  EXPECT_EQ(read_position(file), (Position{3, 81920}));
  ASSERT_TRUE(base::replace_file(file, "3"));
  EXPECT_EQ(read_position(file), Position{});
}

TEST_F(HeartbeatOf, FindsTheGapOfARunThatWasKilled) {
  const auto file = directory_ / "heartbeat";
  { ASSERT_EQ(Heartbeat::begin(file, kNow)->outage(), std::nullopt); }
  auto next = Heartbeat::begin(file, kNow + seconds{60});
  ASSERT_TRUE(next);
  EXPECT_EQ(next->outage(), (Outage{kNow, kNow + seconds{60}}));
  // Killed again before the outage was on disk, which the first beat tells: nothing of it is forgotten.
  next = Heartbeat::begin(file, kNow + seconds{90});
  EXPECT_EQ(next->outage(), (Outage{kNow, kNow + seconds{90}}));
  ASSERT_TRUE(next->beat(kNow + seconds{91}));
  EXPECT_EQ(Heartbeat::begin(file, kNow + seconds{92})->outage(), std::nullopt);
}

TEST_F(HeartbeatOf, CountsNoGapBehindAnOrderlyStop) {
  const auto file = directory_ / "heartbeat";
  auto first = Heartbeat::begin(file, kNow);
  ASSERT_TRUE(first->beat(kNow + seconds{10}));
  ASSERT_TRUE(first->stop(kNow + seconds{11}));
  EXPECT_EQ(Heartbeat::begin(file, kNow + seconds{600})->outage(), std::nullopt);
}

TEST_F(HeartbeatOf, ForgivesAQuickRestart) {
  const auto file = directory_ / "heartbeat";
  { ASSERT_TRUE(Heartbeat::begin(file, kNow)); }
  EXPECT_EQ(Heartbeat::begin(file, kNow + seconds{2})->outage(), std::nullopt);
}

TEST_F(HeartbeatOf, TakesAFileThatIsNoneForTheFirstStart) {
  ASSERT_TRUE(base::replace_file(directory_ / "heartbeat", "??"));
  EXPECT_EQ(Heartbeat::begin(directory_ / "heartbeat", kNow)->outage(), std::nullopt);
}

}  // namespace
}  // namespace securebase::prober
