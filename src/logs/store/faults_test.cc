// What the store does when the disk fails it: nothing that was acknowledged goes, nobody else's group suffers, and what
// is refused is taken again when the disk is well.
#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <thread>

#include "base/file.h"
#include "logs/store/events.h"
#include "logs/store/store.h"
#include "logs/store/test_directory.h"
#include "logs/taps/deliveries.h"

namespace securebase::logs {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::int64_t kNow = 1'700'000'000'000;

class FailingDisk : public testing::Test {
 protected:
  FailingDisk() { open(); }

  void open() {
    store_.reset();
    StoreSettings settings;
    settings.directory = directory_.path() / "groups";
    auto opened = Store::open(settings, clock_);
    ASSERT_TRUE(opened) << opened.error().message;
    store_ = std::move(*opened);
  }
  Group& group(std::string_view name = "g") { return **store_->group_or_new(name); }
  Result<std::uint64_t> put(std::string_view stream, std::string_view message, std::string_view name = "g") {
    const Event event{kNow, message, {}};
    return group(name).append(stream, kNow, {&event, 1});
  }
  std::vector<std::string> messages(std::string_view name = "g") {
    EventRead read;
    read.groups = store_->resolve(name).value();
    std::vector<std::string> all;
    auto page = read_events(*store_, read);
    EXPECT_TRUE(page) << page.error().message;
    for (auto& event : page->events) all.push_back(std::move(event.message));
    return all;
  }
  fs::path folder(std::string_view name = "g") const {
    for (const auto& entry : fs::directory_iterator(directory_.path() / "groups")) {
      if (entry.path().filename().native().starts_with(fmt::format("{}~", name))) return entry.path();
    }
    return {};
  }

  TestDirectory directory_;
  base::ManualClock clock_{base::TimePoint{std::chrono::milliseconds(kNow)}};
  std::unique_ptr<Store> store_;
};

// pread(2) that fails from an offset on, as a bad sector does.
off_t g_bad_from = 0;
ssize_t read_with_bad_sector(int file, void* into, std::size_t bytes, off_t offset) {
  if (offset + static_cast<off_t>(bytes) > g_bad_from) {
    errno = EIO;
    return -1;
  }
  return ::pread(file, into, bytes, offset);
}

TEST_F(FailingDisk, WhatItDoesNotGiveOfASegmentIsNotCutOff) {
  for (int i = 0; i < 2 * 4096; ++i) ASSERT_TRUE(put("a", std::to_string(i)));
  ASSERT_TRUE(group().seal());
  const auto segment = folder() / "segment-00000001";
  const auto whole = *base::read_file(segment);
  const auto size = static_cast<off_t>(whole.size());
  for (const off_t bad_from : {off_t{0}, off_t{100}, size / 2, size - 1}) {
    g_bad_from = bad_from;
    const auto opened = Segment::open(segment, 1, &read_with_bad_sector);
    ASSERT_FALSE(opened) << bad_from;
    EXPECT_EQ(opened.error().code, Errc::kIo);
    EXPECT_TRUE(*base::read_file(segment) == whole) << bad_from;
  }
  // Its end is torn, and of what is left a part cannot be read now.
  fs::resize_file(segment, whole.size() - 10);
  g_bad_from = size * 3 / 4;
  EXPECT_FALSE(Segment::open(segment, 1, &read_with_bad_sector));
  EXPECT_EQ(fs::file_size(segment), whole.size() - 10);
  g_bad_from = size;
  EXPECT_TRUE(Segment::open(segment, 1, &read_with_bad_sector));
}

// The journal is a pipe whose reader goes once it is begun: it takes no event, and what it took in part cannot be cut
// off.
TEST_F(FailingDisk, AnEmptyJournalThatBrokeIsBegunAnew) {
  std::signal(SIGPIPE, SIG_IGN);
  static_cast<void>(group());
  const auto path = folder() / "journal-00000001";
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  std::thread reader([&path] {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    char head[16];
    static_cast<void>(::read(file, head, sizeof head) == sizeof head);
    ::close(file);
  });
  const auto first = put("a", std::string(300'000, 'x'));  // more than a pipe holds
  reader.join();
  EXPECT_FALSE(first);
  EXPECT_THAT(put("a", "refused").error().message, HasSubstr("begins another"));
  ::unlink(path.c_str());  // the disk is well again
  store_->look_after();
  EXPECT_TRUE(put("a", "anew"));
  EXPECT_THAT(messages(), ElementsAre("anew"));
}

// Of a delivery that could not be written nothing may be left, its number neither: its end would be another's.
TEST_F(FailingDisk, TwoDeliveriesNeverShareANumber) {
  std::signal(SIGXFSZ, SIG_IGN);
  const auto path = directory_.path() / "deliveries";
  std::deque<Delivery> waiting;
  const auto say = [](const std::string&) {};
  auto opened = Deliveries::open(path, waiting, say);
  ASSERT_TRUE(opened);
  Delivery first{0, "arn", "first", 0};
  ASSERT_TRUE((*opened)->add(first));
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit full{fs::file_size(path), before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &full), 0);
  Delivery lost{0, "arn", "lost", 0};
  const auto refused = (*opened)->add(lost);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  EXPECT_FALSE(refused);
  Delivery last{0, "arn", "last", 0};
  ASSERT_TRUE((*opened)->add(last));
  EXPECT_NE(lost.number, last.number);
  // It is delivered all the same, from memory: then it is done.
  ASSERT_TRUE((*opened)->done(lost.number, {first, last}, 9));
  opened->reset();
  ASSERT_TRUE(Deliveries::open(path, waiting, say));
  std::vector<std::string> left;
  for (const auto& one : waiting) left.push_back(one.event);
  EXPECT_THAT(left, ElementsAre("first", "last"));
}

// A power cut takes the end of a journal, but not the deletion, which is synced: sequences that come again are not
// those that were deleted.
TEST_F(FailingDisk, WhatComesAfterADeletionAndAPowerCutIsSeen) {
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(put("a", std::to_string(i)));
  const auto journal = folder() / "journal-00000001";
  const auto synced = fs::file_size(journal);
  for (int i = 3; i < 10; ++i) ASSERT_TRUE(put("a", std::to_string(i)));
  ASSERT_TRUE(group().delete_stream("a"));
  for (const auto left : {synced, std::uintmax_t{16}}) {  // a part; no event at all
    store_.reset();
    fs::resize_file(journal, left);
    fs::remove(folder() / "segment-00000001");
    open();
    EXPECT_THAT(messages(), ElementsAre());
    ASSERT_TRUE(put("a", "anew"));
    EXPECT_THAT(messages(), ElementsAre("anew"));
    EXPECT_EQ(group().streams().at("a").events, 1U);
    open();
    EXPECT_THAT(messages(), ElementsAre("anew"));
    // As it was before, for the next turn.
    ASSERT_TRUE(group().delete_stream("a"));
    if (fs::exists(folder() / "journal-00000002")) fs::rename(folder() / "journal-00000002", journal);
  }
}

TEST_F(FailingDisk, AStreamThatCameBackCountsItsOwnEventsOnly) {
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(put("a", "old"));
  ASSERT_TRUE(group().delete_stream("a"));
  ASSERT_TRUE(put("a", "new"));
  const auto check_counts = [this](const char* when) {
    const auto streams = group().streams();
    ASSERT_TRUE(streams.contains("a")) << when;
    EXPECT_EQ(streams.at("a").events, 1U) << when;
    EXPECT_EQ(streams.at("a").bytes, 3U) << when;
  };
  check_counts("at once");
  open();
  check_counts("read from the journal");
  ASSERT_TRUE(group().seal());
  open();
  check_counts("read from a segment");
  EXPECT_TRUE(group().repaired().empty());
  store_.reset();
  const auto segment = folder() / "segment-00000001";
  fs::resize_file(segment, fs::file_size(segment) - 10);
  open();
  check_counts("found again in a segment that is torn");
  EXPECT_THAT(group().repaired(), ElementsAre(HasSubstr("1 whole blocks with 6 events are kept")));
}

// What a bad byte is in says so when it is met first; all else goes on being answered.
TEST_F(FailingDisk, ABlockThatIsDamagedIsToldOfOnceAndThenLeftOut) {
  for (int i = 0; i < 3 * 4096; ++i) ASSERT_TRUE(put("a", fmt::format("event {}", i * 7919 % 10'007)));
  ASSERT_TRUE(group().seal());
  store_.reset();
  const auto segment = folder() / "segment-00000001";
  auto bytes = *base::read_file(segment);
  std::uint32_t head_bytes = 0;
  std::memcpy(&head_bytes, bytes.data() + 12, sizeof head_bytes);
  const auto in_first_column = 8 + 16 + head_bytes + 10;
  bytes[in_first_column] = static_cast<char>(bytes[in_first_column] ^ 0x40);
  ASSERT_TRUE(base::replace_file(segment, bytes));
  for (int start = 0; start < 2; ++start) {
    open();
    EXPECT_TRUE(group().repaired().empty());
    EventRead read;
    read.groups = {store_->find("g")};
    const auto refused = read_events(*store_, read);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::kUnavailable);
    EXPECT_THAT(refused.error().message,
                HasSubstr("segment-00000001: the block of 4096 events from 2023-11-14T22:13:20"));
    EXPECT_THAT(refused.error().message, HasSubstr("answered without them"));
    EXPECT_EQ(messages().size(), 2U * 4096);
    EXPECT_EQ(group().damaged_blocks(), 1U);
  }
}

TEST_F(FailingDisk, AGroupThatCannotBeOpenedLeavesTheOthersAlone) {
  for (const auto* name : {"/app/fine", "/app/bad", "/app/nameless"}) ASSERT_TRUE(put("s", "kept", name));
  store_.reset();
  // A directory cannot be read as a file is, and braces alone are no settings.
  const auto journal = folder("app.bad") / "journal-00000001";
  fs::rename(journal, directory_.path() / "rescued");
  fs::create_directory(journal);
  ASSERT_TRUE(base::replace_file(folder("app.nameless") / "group.json", "{"));
  open();
  EXPECT_THAT(messages("/app/fine"), ElementsAre("kept"));
  ASSERT_TRUE(put("s", "more", "/app/fine"));
  EXPECT_EQ(store_->unopened().size(), 2U);
  for (const auto* name : {"/app/bad", "/app/nameless"}) {
    EXPECT_FALSE(store_->find(name));
    const auto refused = store_->group_or_new(name);
    ASSERT_FALSE(refused) << name;
    EXPECT_EQ(refused.error().code, Errc::kUnavailable);
    EXPECT_THAT(refused.error().message, HasSubstr("could not be opened"));
    EXPECT_EQ(store_->resolve(name).error().code, Errc::kUnavailable);
  }
  EXPECT_THAT(store_->resolve("/app").error().message, HasSubstr("by their whole names"));
  EXPECT_TRUE(store_->group_or_new("/other"));
  // What has no name is not deleted by one.
  EXPECT_EQ(store_->delete_group("/app/nameless").error().code, Errc::kUnavailable);
  EXPECT_TRUE(fs::exists(folder("app.nameless")));
  // Mended, it is there again with all that it had.
  store_.reset();
  fs::remove(journal);
  fs::rename(directory_.path() / "rescued", journal);
  open();
  EXPECT_THAT(messages("/app/bad"), ElementsAre("kept"));
  // Or it is given up.
  store_.reset();
  fs::remove(journal);
  fs::create_directory(journal);
  open();
  ASSERT_TRUE(store_->delete_group("/app/bad"));
  ASSERT_TRUE(put("s", "anew", "/app/bad"));
  EXPECT_THAT(messages("/app/bad"), ElementsAre("anew"));
}

}  // namespace
}  // namespace securebase::logs
