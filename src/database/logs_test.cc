#include "database/logs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "base/random.h"

namespace securebase::database {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

const std::string kAt = "2026-01-24 00:00:01 UTC:127.0.0.1(4711):securebase_app@securebase:[812]:";
const std::string kSlow = kAt + "LOG:  duration: 123.456 ms  statement: SELECT 1\n";
const std::string kOther = kAt + "LOG:  connection received\n";

class LogFiles : public testing::Test {
 protected:
  LogFiles() { fs::create_directories(directory_); }
  ~LogFiles() override { fs::remove_all(directory_); }
  void write(const std::string& text, const std::string& name = "postgresql.log") {
    std::ofstream(directory_ / name, std::ios::app | std::ios::binary) << text;
  }
  std::string slow(const std::string& name = "slowquery.log") const {
    std::ifstream file(directory_ / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  const fs::path directory_ = fs::temp_directory_path() / ("logs-test-" + base::random_hex(8));
};

TEST(SlowEntries, AreStatementsWithTheirDurationAndWhatBelongsToThem) {
  SlowEntries entries;
  EXPECT_FALSE(entries.take(kOther));
  EXPECT_TRUE(entries.take(kAt + "LOG:  duration: 5.1 ms  execute <unnamed>: SELECT $1"));
  EXPECT_TRUE(entries.take("\tFROM b"));
  EXPECT_TRUE(entries.take(kAt + "DETAIL:  parameters: $1 = '7'"));
  EXPECT_FALSE(entries.take("2026-01-24 00:00:01 UTC::@:[99]:DETAIL:  of another process"));
  EXPECT_FALSE(entries.take(kAt + "LOG:  duration: 5.1 ms")) << "log_duration's line has no statement";
  EXPECT_FALSE(entries.take("\tstill of that one"));
  EXPECT_FALSE(entries.take("duration: 1 ms  statement: x"));
  EXPECT_FALSE(entries.take(kAt + "ERROR:  duration: 5 ms  statement: x"));
  EXPECT_FALSE(entries.take(kAt + "LOG:  duration: x ms  statement: x"));
  EXPECT_FALSE(entries.take(""));
}

TEST(SlowEntries, AreNotForgedByAStatementsText) {
  SlowEntries entries;
  EXPECT_FALSE(entries.take(kAt + "ERROR:  syntax error"));
  // A line break within a message is followed by a tab.
  EXPECT_FALSE(entries.take("\t" + kSlow));
}

TEST(SlowEntries, KnowTheirPrefixWhateverTheRoleIsCalled) {
  SlowEntries entries;
  EXPECT_TRUE(entries.take("2026-01-24 00:00:01 UTC:[local]:a:[1]:b@c d:[812]:LOG:  duration: 1 ms  statement: x"));
}

TEST_F(LogFiles, HaveTheNamesThatRdsGivesThem) {
  Logs logs(directory_);
  EXPECT_TRUE(logs.list().empty());
  write(kOther);
  ASSERT_TRUE(logs.catch_up());
  const auto files = logs.list();
  ASSERT_EQ(files.size(), 2U);
  EXPECT_EQ(files[0].name, "error/postgresql.log");
  EXPECT_EQ(files[0].bytes, kOther.size());
  EXPECT_EQ(files[1].name, "slowquery/postgresql-slowquery.log") << "it is there from the begin on";
  EXPECT_EQ(files[1].bytes, 0U);
}

TEST_F(LogFiles, CollectSlowStatementsOnceHoweverTheyAreWritten) {
  Logs logs(directory_);
  write(kOther + kSlow.substr(0, 40));
  ASSERT_TRUE(logs.catch_up());
  EXPECT_EQ(slow(), "");
  write(kSlow.substr(40) + kOther + kSlow);
  ASSERT_TRUE(logs.catch_up());
  ASSERT_TRUE(logs.catch_up());
  EXPECT_EQ(slow(), kSlow + kSlow);
}

TEST_F(LogFiles, ResumeWhereTheyStopped) {
  write(kSlow);
  ASSERT_TRUE(Logs(directory_).catch_up());
  write(kSlow);
  ASSERT_TRUE(Logs(directory_).catch_up());
  EXPECT_EQ(slow(), kSlow + kSlow);
}

TEST_F(LogFiles, LoseNothingWhenTheServersFileIsCut) {
  Logs logs(directory_);
  write(kOther + kSlow);
  ASSERT_TRUE(logs.catch_up());
  write(kSlow);
  fs::copy_file(directory_ / "postgresql.log", directory_ / "postgresql.log.1");
  fs::resize_file(directory_ / "postgresql.log", 0);
  write(kSlow);
  ASSERT_TRUE(logs.catch_up());
  EXPECT_EQ(slow(), kSlow + kSlow + kSlow);
}

TEST_F(LogFiles, AreBounded) {
  Logs logs(directory_, 4 * kSlow.size());
  for (int i = 0; i < 20; ++i) {
    write(kSlow);
    ASSERT_TRUE(logs.catch_up());
    EXPECT_LE(slow().size(), 4 * kSlow.size());
    EXPECT_LE(slow("slowquery.log.1").size(), 4 * kSlow.size());
  }
  EXPECT_EQ(logs.list().back().name, "slowquery/postgresql-slowquery.log.1");
}

TEST_F(LogFiles, AreReadInPortions) {
  Logs logs(directory_);
  write("one\ntwo\nthree\n");
  const std::string name = "error/postgresql.log";
  const auto first = logs.read(name, "0", 2);
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(first->text, "one\ntwo\n");
  EXPECT_TRUE(first->more);
  const auto second = logs.read(name, first->marker, 2);
  EXPECT_EQ(second->text, "three\n");
  EXPECT_FALSE(second->more);
  const auto last = logs.read(name, second->marker, std::nullopt);
  EXPECT_EQ(last->text, "");
  write("four\n");
  EXPECT_EQ(logs.read(name, last->marker, std::nullopt)->text, "four\n") << "as a follower reads";
}

TEST_F(LogFiles, GiveTheirLastLinesWithoutAMarker) {
  Logs logs(directory_);
  write("one\ntwo\nthree\n");
  const auto portion = logs.read("error/postgresql.log", std::nullopt, 2);
  EXPECT_EQ(portion->text, "two\nthree\n");
  EXPECT_FALSE(portion->more);
  EXPECT_EQ(logs.read("error/postgresql.log", std::nullopt, std::nullopt)->text, "one\ntwo\nthree\n");
}

TEST_F(LogFiles, GiveAMebibyteAtMostInWholeLines) {
  Logs logs(directory_);
  const std::string line = std::string(999, 'x') + "\n";
  std::string text;
  for (int i = 0; i < 2000; ++i) text += line;
  write(text);
  const auto first = logs.read("error/postgresql.log", "0", std::nullopt);
  EXPECT_EQ(first->text.size() % 1000, 0U);
  EXPECT_LE(first->text.size(), 1U << 20);
  EXPECT_TRUE(first->more);
  const auto last = logs.read("error/postgresql.log", std::nullopt, std::nullopt);
  EXPECT_EQ(last->text.size() % 1000, 0U);
  EXPECT_EQ(last->marker, "2000000");
  // All portions make the whole.
  std::string all;
  std::string marker = "0";
  for (bool more = true; more;) {
    auto portion = logs.read("error/postgresql.log", marker, std::nullopt);
    ASSERT_TRUE(portion);
    all += portion->text;
    marker = portion->marker;
    more = portion->more;
  }
  EXPECT_EQ(all, text);
}

TEST_F(LogFiles, ShowOnlyWhatTextCanHold) {
  Logs logs(directory_);
  write(std::string("a\x01") + "b\xff\xc3\xa4\xed\xa0\x80\n");
  EXPECT_EQ(logs.read("error/postgresql.log", "0", std::nullopt)->text, "a?b?\xc3\xa4???\n");
}

TEST_F(LogFiles, RefuseNamesAndMarkersThatAreNone) {
  Logs logs(directory_);
  write("one\n");
  for (const char* name : {"", "postgresql.log", "../postgresql.log", "error/postgresql.log.1"}) {
    const auto none = logs.read(name, std::nullopt, std::nullopt);
    ASSERT_FALSE(none) << name;
    EXPECT_EQ(none.error().code, Errc::kNotFound);
  }
  for (const char* marker : {"", "x", "-1", "1x", "99999999999999999999"}) {
    const auto wrong = logs.read("error/postgresql.log", marker, std::nullopt);
    ASSERT_FALSE(wrong) << marker;
    EXPECT_EQ(wrong.error().code, Errc::kMalformed);
  }
  EXPECT_EQ(logs.read("error/postgresql.log", "1000", std::nullopt)->text, "one\n") << "the file was cut since";
}

}  // namespace
}  // namespace securebase::database
