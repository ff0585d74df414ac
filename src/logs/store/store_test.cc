#include "logs/store/store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "base/file.h"
#include "logs/store/events.h"
#include "logs/store/scan.h"
#include "logs/store/test_directory.h"

namespace securebase::logs {
namespace {

namespace fs = std::filesystem;
using std::chrono::hours;

constexpr std::string_view kFunctionGroup = "/aws/lambda/securebase-prod-auth";
constexpr std::int64_t kBeginMs = 1'700'000'000'000;

std::string report_line(int i) {
  return fmt::format(
      "REPORT RequestId: 3f2c8a10-0000-4000-8000-{:012x}\tDuration: {}.{:02} ms\tBilled Duration: {} ms\tMemory Size: "
      "512 "
      "MB\tMax Memory Used: {} MB\t",
      i, 10 + i % 50, i % 100, 11 + i % 50, 60 + i % 30);
}

class LogStore : public testing::Test {
 protected:
  LogStore() { open(); }

  void open(GroupLimits limits = {}, std::uint64_t disk_bytes = std::uint64_t{1} << 30) {
    store_.reset();
    StoreSettings settings;
    settings.directory = directory_.path() / "groups";
    settings.group = limits;
    settings.disk_bytes = disk_bytes;
    auto opened = Store::open(settings, clock_);
    ASSERT_TRUE(opened) << opened.error().message;
    store_ = std::move(*opened);
  }

  Group& group(std::string_view name = kFunctionGroup) { return **store_->group_or_new(name); }

  void put(std::string_view stream, std::int64_t time_ms, const std::string& message,
           std::string_view name = kFunctionGroup) {
    const Event event{time_ms, message, {}};
    auto done = group(name).append(stream, time_ms, std::span(&event, 1));
    ASSERT_TRUE(done) << done.error().message;
  }

  void put_reports(int first, int count, std::string_view stream = "a") {
    for (int i = first; i < first + count; ++i) put(stream, kBeginMs + i, report_line(i));
  }

  EventPage read(EventRead asked = {}, std::string_view name = kFunctionGroup) {
    asked.groups = store_->resolve(name).value();
    auto page = read_events(*store_, asked);
    EXPECT_TRUE(page) << page.error().message;
    return page ? std::move(*page) : EventPage{};
  }

  std::vector<std::string> messages(EventRead asked = {}, std::string_view name = kFunctionGroup) {
    std::vector<std::string> all;
    asked.message_bytes = std::size_t{64} << 20;
    for (auto& event : read(std::move(asked), name).events) all.push_back(event.message);
    return all;
  }

  // All rows of a scan: by field as text.
  std::vector<std::vector<std::string>> rows(insights::Scan scan) {
    if (scan.groups.empty()) scan.groups = {std::string(kFunctionGroup)};
    if (scan.end == base::TimePoint{}) scan.end = base::TimePoint{std::chrono::milliseconds(2 * kBeginMs)};
    const StoreSource source(*store_, "123456789012");
    auto parts = source.scan(scan);
    EXPECT_TRUE(parts) << parts.error().message;
    std::vector<std::vector<std::string>> all;
    scanned_ = 0;
    for (auto& part : *parts) {
      insights::Batch batch;
      for (;;) {
        const auto more = part->next(batch);
        EXPECT_TRUE(more) << more.error().message;
        if (!more || !*more) break;
        scanned_ += batch.scanned_rows;
        for (std::size_t row = 0; row < batch.rows; ++row) {
          auto& texts = all.emplace_back();
          for (const auto& column : batch.columns) texts.push_back(text_of(insights::read(column), row));
        }
      }
    }
    return all;
  }

  static std::string text_of(const insights::Column& column, std::size_t row) {
    using Kind = insights::Column::Kind;
    if (column.kind == Kind::kMissing) return "-";
    if (column.kind == Kind::kMade) return std::string(column.made->at(row));
    if (!column.present.empty() && (column.present[row / 64] >> (row % 64) & 1) == 0) return "-";
    const bool mixed_text = column.kind == Kind::kMixed && (column.is_text[row / 64] >> (row % 64) & 1) != 0;
    if (column.kind == Kind::kNumbers || (column.kind == Kind::kMixed && !mixed_text)) {
      return fmt::format("{}", column.numbers[row]);
    }
    return std::string(column.kind == Kind::kDictionary ? column.words[column.codes[row]] : column.texts[row]);
  }

  TestDirectory directory_;
  base::ManualClock clock_{base::TimePoint{std::chrono::milliseconds(kBeginMs)}};
  std::unique_ptr<Store> store_;
  std::uint64_t scanned_ = 0;
};

TEST_F(LogStore, GivesEventsBackInTheOrderOfTheirTimes) {
  put("a", kBeginMs + 2, "third");
  put("b", kBeginMs, "first");
  put("a", kBeginMs + 1, "second");
  put("b", kBeginMs + 2, "fourth");
  EXPECT_EQ(messages(), (std::vector<std::string>{"first", "second", "third", "fourth"}));
}

TEST_F(LogStore, KeepsWhatWasAcknowledgedWithoutBeingClosed) {
  put_reports(0, 5000);
  // The files as they are while the store still runs: what kill -9 leaves.
  const auto copy = directory_.path() / "copy";
  fs::copy(directory_.path() / "groups", copy, fs::copy_options::recursive);
  StoreSettings settings;
  settings.directory = copy;
  auto other = Store::open(settings, clock_);
  ASSERT_TRUE(other) << other.error().message;
  EventRead asked;
  asked.groups = (*other)->resolve(kFunctionGroup).value();
  auto page = read_events(**other, asked);
  ASSERT_TRUE(page);
  ASSERT_EQ(page->events.size(), 5000U);
  EXPECT_EQ(page->events.back().message, report_line(4999));
}

TEST_F(LogStore, IsTheSameAfterItsEventsBecameSegments) {
  put_reports(0, 6000);
  const auto before = messages();
  ASSERT_TRUE(group().seal());
  EXPECT_EQ(messages(), before);
  put_reports(6000, 10);
  open();
  EXPECT_EQ(messages().size(), 6010U);
  EXPECT_EQ(group().streams().at("a").events, 6010U);
}

TEST_F(LogStore, RepairsAJournalThatIsTornAnywhere) {
  for (int i = 0; i < 20; ++i) put("a", kBeginMs + i, fmt::format("event {}", i));
  store_.reset();
  fs::path journal;
  for (const auto& entry : fs::recursive_directory_iterator(directory_.path())) {
    if (entry.path().filename().native().starts_with("journal-")) journal = entry.path();
  }
  const auto whole = *base::read_file(journal);
  for (std::size_t cut = whole.size(); cut > whole.size() - 60; --cut) {
    ASSERT_TRUE(base::replace_file(journal, whole.substr(0, cut)));
    open();
    const auto found = messages();
    ASSERT_LE(found.size(), 20U);
    ASSERT_GE(found.size(), 16U);
    for (std::size_t i = 0; i < found.size(); ++i) EXPECT_EQ(found[i], fmt::format("event {}", i));
    put("a", kBeginMs + 100, "after");
    open();
    EXPECT_EQ(messages().back(), "after");
    EXPECT_EQ(messages().size(), found.size() + 1);
    store_.reset();
  }
}

TEST_F(LogStore, ReadsTheWholeBlocksOfASegmentThatIsTorn) {
  put_reports(0, 3 * 4096);
  ASSERT_TRUE(group().seal());
  store_.reset();
  fs::path segment;
  for (const auto& entry : fs::recursive_directory_iterator(directory_.path())) {
    if (entry.path().filename().native().starts_with("segment-")) segment = entry.path();
  }
  fs::resize_file(segment, fs::file_size(segment) * 9 / 10);
  open();
  EXPECT_EQ(messages().size(), 2U * 4096);
  EXPECT_EQ(group().streams().at("a").events, 2U * 4096);
  open();  // repaired for good
  EXPECT_EQ(messages().size(), 2U * 4096);
}

TEST_F(LogStore, FindsTheFieldsOfFunctionLines) {
  put("a", kBeginMs, report_line(7));
  const auto found = rows({.fields = {"@type", "@requestId", "@duration", "@billedDuration", "@maxMemoryUsed", "absent",
                                      "@logStream", "@log", "@timestamp"}});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0],
            (std::vector<std::string>{"REPORT", "3f2c8a10-0000-4000-8000-000000000007", "17.07", "18", "67000000", "-",
                                      "a", "123456789012:/aws/lambda/securebase-prod-auth", "1700000000000"}));
}

TEST_F(LogStore, ScansTheSameInMemoryAndInSegments) {
  for (int i = 0; i < 9000; ++i) {
    put(i % 7 == 0 ? "b" : "a", kBeginMs + (i * 37) % 5000,
        i % 3 == 0 ? report_line(i)
                   : fmt::format(R"({{"level":"{}","ms":{},"user":{{"id":{}}}}})", i % 2 ? "info" : "error", i * 0.25,
                                 i % 5 == 0 ? fmt::format("\"u{}\"", i) : std::to_string(i)));
  }
  const insights::Scan scan{.fields = {"@timestamp", "@logStream", "@duration", "level", "ms", "user.id", "@message"}};
  auto before = rows(scan);
  ASSERT_TRUE(group().seal());
  auto after = rows(scan);
  std::sort(before.begin(), before.end());
  std::sort(after.begin(), after.end());
  EXPECT_EQ(before.size(), 9000U);
  EXPECT_TRUE(before == after);
}

TEST_F(LogStore, KeepsTimesApartToTheMillisecond) {
  for (int i = 0; i < 10'000; ++i) put("a", kBeginMs + i, fmt::format("{}", i));
  ASSERT_TRUE(group().seal());
  insights::Scan scan{.fields = {"@message"}};
  scan.begin = base::TimePoint{std::chrono::milliseconds(kBeginMs + 4090)};
  scan.end = base::TimePoint{std::chrono::milliseconds(kBeginMs + 4101)};
  const auto found = rows(scan);
  ASSERT_EQ(found.size(), 12U);
  EXPECT_EQ(scanned_, 12U);
}

TEST_F(LogStore, SkipsBlocksThatCannotHaveAText) {
  put_reports(0, 10 * 4096);
  ASSERT_TRUE(group().seal());
  const auto id = "3f2c8a10-0000-4000-8000-000000002ee0";  // of 12,000
  auto found = rows({.fields = {"@message"}, .message_contains = {id}});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0][0], report_line(12'000));
  found = rows({.fields = {"@requestId"}, .equal = {{"@requestId", id}}});
  EXPECT_LE(scanned_, 2U * 4096);
  EXPECT_TRUE(std::any_of(found.begin(), found.end(), [&](const auto& row) { return row[0] == id; }));
  EXPECT_TRUE(rows({.fields = {"@message"}, .present = {"nowhere"}}).empty());
  EXPECT_TRUE(rows({.fields = {"@message"}, .equal = {{"@duration", "1000000"}}}).empty());
}

TEST_F(LogStore, AnswersForAllGroupsWhoseNamesBeginWithAName) {
  put("a", kBeginMs, "one", "/aws/lambda/securebase-prod-auth");
  put("a", kBeginMs, "two", "/aws/lambda/securebase-prod-report");
  put("a", kBeginMs, "three", "/aws/lambda/other");
  EXPECT_EQ(rows({.groups = {"/aws/lambda/securebase-prod"}, .fields = {"@message"}}).size(), 2U);
  EXPECT_EQ(store_->resolve("/aws/lambda/other")->size(), 1U);
  EXPECT_TRUE(store_->resolve("nothing")->empty());
}

TEST_F(LogStore, HidesAndDropsWhatIsOlderThanItsRetention) {
  put("old", kBeginMs, "old");
  ASSERT_TRUE(group().seal());
  clock_.advance(hours(20));
  put("new", kBeginMs + 20 * 3'600'000, "new");
  ASSERT_TRUE(group().change([](GroupSettings& settings) -> Result<Done> {
    settings.retention_days = 1;
    return Done{};
  }));
  EXPECT_EQ(messages().size(), 2U);
  clock_.advance(hours(10));
  EXPECT_EQ(messages(), (std::vector<std::string>{"new"}));
  for (int i = 0; i < 20; ++i) store_->look_after();
  EXPECT_FALSE(group().has_stream("old"));
  EXPECT_TRUE(group().view().segments.empty());
  open();
  EXPECT_EQ(messages(), (std::vector<std::string>{"new"}));
}

TEST_F(LogStore, DropsTheOldestWhenTheDiskIsFull) {
  open({}, 40'000);
  for (int part = 0; part < 6; ++part) {
    put_reports(part * 4096, 4096);
    ASSERT_TRUE(group().seal());
  }
  const auto before = store_->disk_bytes();
  ASSERT_GT(before, 40'000U);
  for (int i = 0; i < 20; ++i) store_->look_after();
  EXPECT_LE(store_->disk_bytes(), 40'000U);
  EXPECT_GT(store_->dropped_segments(), 0U);
  EXPECT_EQ(messages({.newest = true, .limit = 1}), (std::vector<std::string>{report_line(6 * 4096 - 1)}));
}

TEST_F(LogStore, HidesADeletedStreamAndNotItsSuccessor) {
  put("a", kBeginMs, "kept");
  put("b", kBeginMs, "gone");
  ASSERT_TRUE(group().delete_stream("b"));
  EXPECT_EQ(messages(), (std::vector<std::string>{"kept"}));
  EXPECT_FALSE(group().delete_stream("b"));
  ASSERT_TRUE(group().create_stream("b", kBeginMs));
  put("b", kBeginMs + 1, "anew");
  EXPECT_EQ(messages(), (std::vector<std::string>{"kept", "anew"}));
  open();
  EXPECT_EQ(messages(), (std::vector<std::string>{"kept", "anew"}));
  ASSERT_TRUE(group().seal());
  open();
  EXPECT_EQ(rows({.fields = {"@message"}}).size(), 2U);
  EXPECT_EQ(messages(), (std::vector<std::string>{"kept", "anew"}));
}

TEST_F(LogStore, RemembersStreamsWithoutEvents) {
  ASSERT_TRUE(group().create_stream("empty", kBeginMs));
  EXPECT_EQ(group().create_stream("empty", kBeginMs).error().code, Errc::kConflict);
  open();
  EXPECT_TRUE(group().has_stream("empty"));
  EXPECT_EQ(group().streams().at("empty").created_ms, kBeginMs);
}

TEST_F(LogStore, ForgetsADeletedGroup) {
  put("a", kBeginMs, "gone");
  ASSERT_TRUE(store_->delete_group(kFunctionGroup));
  EXPECT_EQ(store_->delete_group(kFunctionGroup).error().code, Errc::kNotFound);
  EXPECT_TRUE(messages().empty());
  open();
  EXPECT_FALSE(store_->find(kFunctionGroup));
  put("a", kBeginMs, "anew");
  EXPECT_EQ(messages(), (std::vector<std::string>{"anew"}));
}

// Whoever looks after groups, or reads them, may still hold the one that is deleted.
TEST_F(LogStore, KeepsAGroupApartFromADeletedOneOfItsName) {
  put_reports(0, 10);
  const auto old = store_->find(kFunctionGroup);
  ASSERT_TRUE(store_->delete_group(kFunctionGroup));
  put("a", kBeginMs, "of the new one");
  EXPECT_FALSE(old->seal());
  const Event late{kBeginMs, "of the old one", {}};
  static_cast<void>(old->append("a", kBeginMs, std::span(&late, 1)).has_value());
  EXPECT_EQ(messages(), std::vector<std::string>{"of the new one"});
  open();
  EXPECT_EQ(messages(), std::vector<std::string>{"of the new one"});
}

TEST_F(LogStore, RemembersStreamsWhoseEventsAreOlderThanTheSegmentBefore) {
  put("first", kBeginMs, "1");
  ASSERT_TRUE(group().seal());
  put("newer", kBeginMs + 100, "2");
  ASSERT_TRUE(group().seal());
  put("late", kBeginMs + 50, "3");
  ASSERT_TRUE(group().seal());
  ASSERT_TRUE(group().drop_oldest_segment());
  EXPECT_FALSE(group().has_stream("first"));
  EXPECT_TRUE(group().has_stream("late"));
}

TEST_F(LogStore, GivesPagesThatTogetherAreAllEvents) {
  for (int i = 0; i < 500; ++i) put(i % 2 ? "a" : "b", kBeginMs + i / 10, fmt::format("{}", i));
  ASSERT_TRUE(group().seal());
  for (int i = 500; i < 1000; ++i) put(i % 2 ? "a" : "b", kBeginMs + (i - 200) / 10, fmt::format("{}", i));
  const auto all = messages();
  ASSERT_EQ(all.size(), 1000U);
  std::vector<std::string> paged;
  EventRead forward{.limit = 7};
  for (;;) {
    auto page = read(forward);
    for (auto& event : page.events) paged.push_back(event.message);
    if (!page.reached) break;
    forward.after = page.reached;
  }
  EXPECT_TRUE(paged == all);
  std::vector<std::string> back;
  EventRead backward{.newest = true, .limit = 7};
  for (;;) {
    auto page = read(backward);
    std::vector<std::string> piece;
    for (auto& event : page.events) piece.push_back(event.message);
    back.insert(back.begin(), piece.begin(), piece.end());
    if (!page.reached) break;
    backward.before = page.reached;
  }
  EXPECT_TRUE(back == all);
}

TEST_F(LogStore, StopsAScanThatFindsLittleAndGoesOnFromThere) {
  for (int part = 0; part < 5; ++part) {
    put_reports(part * 4096, 4096);
    ASSERT_TRUE(group().seal());
  }
  EventRead asked{
      .wanted = [](std::string_view message) { return message.find("Duration: 12.52") != std::string_view::npos; },
      .scan_rows = 4096};
  std::size_t found = 0;
  std::size_t pages = 0;
  for (;; ++pages) {
    auto page = read(asked);
    found += page.events.size();
    if (!page.reached) break;
    asked.after = page.reached;
  }
  EXPECT_GE(pages, 3U);
  EventRead whole = asked;
  whole.after.reset();
  whole.scan_rows = 1'000'000;
  EXPECT_EQ(found, read(whole).events.size());
  EXPECT_GT(found, 0U);
}

TEST_F(LogStore, BoundsThePagesBytes) {
  for (int i = 0; i < 10; ++i) put("a", kBeginMs + i, std::string(300'000, 'x'));
  EXPECT_EQ(read().events.size(), 3U);
  EXPECT_EQ(read({.message_bytes = 10}).events.size(), 1U);
}

TEST_F(LogStore, PointsAtAnEvent) {
  put_reports(0, 10);
  const auto found = rows({.fields = {"@ptr", "@message"}});
  ASSERT_EQ(found.size(), 10U);
  const auto pointer = pointer_from(found[3][0]);
  ASSERT_TRUE(pointer);
  EXPECT_EQ(pointer->group, kFunctionGroup);
  EXPECT_EQ(pointer->at.time_ms, kBeginMs + 3);
  EXPECT_FALSE(pointer_from("no pointer"));
}

TEST_F(LogStore, KeepsFieldsThatTheWriterGives) {
  const telemetry::LogField fields[] = {{.name = "path", .text = "/invoices"},
                                        {.name = "@duration", .number = 12.5, .is_text = false}};
  const Event event{kBeginMs, "127.0.0.1 - GET", fields};
  ASSERT_TRUE(group("/aws/apigateway/x").append("s", kBeginMs, std::span(&event, 1)));
  const insights::Scan scan{.groups = {"/aws/apigateway/x"}, .fields = {"path", "@duration", "@message"}};
  const std::vector<std::vector<std::string>> expected{{"/invoices", "12.5", "127.0.0.1 - GET"}};
  EXPECT_EQ(rows(scan), expected);
  open();
  EXPECT_EQ(rows(scan), expected);
}

}  // namespace
}  // namespace securebase::logs
