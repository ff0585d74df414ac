#include "traces/store/store.h"

#include <filesystem>
#include <fstream>
#include <map>

#include "base/file.h"
#include "traces/counts/counts.h"
#include "traces/test_support.h"

namespace securebase::traces {
namespace {

constexpr std::uint64_t kHigh = std::uint64_t{1'700'000'000} << 32;

Records some_records(base::TimePoint now, std::uint64_t first, std::uint64_t count) {
  Records records;
  for (std::uint64_t i = first; i < first + count; ++i) {
    HopRecord record;
    record.id = {kHigh, i};
    record.reasons = kFirst;
    Hop edge;
    edge.id = i * 10 + 1;
    edge.begin = now;
    edge.duration = 3ms;
    edge.name = "d1.cloudfront.net";
    edge.method = "GET";
    edge.subject = "/v1/customers/" + std::to_string(i);
    edge.status = 200;
    edge.entry = true;
    Hop gateway = edge;
    gateway.id = i * 10 + 2;
    gateway.parent = edge.id;
    gateway.kind = telemetry::Hop::kGateway;
    gateway.entry = false;
    gateway.begin += 1ms;
    record.hops = {edge, gateway};
    records.hops.push_back(std::move(record));
  }
  records.documents.push_back({{kHigh, first}, now, R"({"name":"x"})"});
  return records;
}

TEST(Record, AnythingIsReadAsItWasWritten) {
  const auto records = some_records(base::ManualClock().now(), 1, 5);
  const auto read = decode(encode(records));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->hops, records.hops);
  EXPECT_EQ(read->documents, records.documents);
}

TEST(Record, DamagedBytesAreAnError) {
  const auto bytes = encode(some_records(base::ManualClock().now(), 1, 3));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(decode(std::string_view(bytes).substr(0, size))) << size;
  }
  EXPECT_FALSE(decode(bytes + "x"));
}

TEST(Store, FindsATraceInAllBlocksThatHoldAPartOfIt) {
  TestDirectory directory;
  base::ManualClock clock;
  auto store = *Store::open({.directory = directory.path()}, clock);
  for (std::uint64_t i = 0; i < 20; ++i) ASSERT_TRUE(store->append(some_records(clock.now(), i * 100, 100)));
  ASSERT_TRUE(store->append({.hops = {}, .documents = {{{kHigh, 123}, clock.now(), "{}"}}}));
  EXPECT_EQ(store->find({kHigh, 123}).hops.size(), 1u);
  EXPECT_EQ(store->find({kHigh, 123}).documents.size(), 1u);
  EXPECT_EQ(store->find({kHigh, 5000}).size(), 0u);
  EXPECT_EQ(store->statistics().traces, 2000u);
}

TEST(Store, IsThereAgainAfterTheProcessEnded) {
  TestDirectory directory;
  base::ManualClock clock;
  {
    auto store = *Store::open({.directory = directory.path()}, clock);
    ASSERT_TRUE(store->append(some_records(clock.now(), 1, 10)));
    ASSERT_TRUE(store->append_counts(Counts().encode(), clock.now() - 10s, clock.now()));
  }
  auto store = *Store::open({.directory = directory.path()}, clock);
  EXPECT_EQ(store->find({kHigh, 3}).hops.size(), 1u);
  int counts = 0;
  store->scan_counts(clock.now() - 5s, clock.now(), [&](std::string_view, WallTime, WallTime) { ++counts; });
  EXPECT_EQ(counts, 1);
  store->scan_counts(clock.now() + 5s, clock.now() + 6s, [&](std::string_view, WallTime, WallTime) { ++counts; });
  EXPECT_EQ(counts, 1);
}

TEST(Store, ATornTailIsCutAndWhatIsWrittenNextIsFound) {
  TestDirectory directory;
  base::ManualClock clock;
  const auto file = directory.path() / "000001.traces";
  std::string whole;
  {
    auto store = *Store::open({.directory = directory.path()}, clock);
    ASSERT_TRUE(store->append(some_records(clock.now(), 1, 10)));
    ASSERT_TRUE(store->append(some_records(clock.now(), 100, 10)));
    whole = *base::read_file(file);
  }
  // In the head, in the filter, in the payload; and bytes that a disk had not written.
  for (const std::size_t lost : {std::size_t{1}, std::size_t{60}, whole.size() / 2 - 10}) {
    std::ofstream(file, std::ios::binary | std::ios::trunc) << whole.substr(0, whole.size() - lost);
    auto store = *Store::open({.directory = directory.path()}, clock);
    EXPECT_EQ(store->find({kHigh, 3}).hops.size(), 1u) << lost;
    EXPECT_EQ(store->find({kHigh, 103}).hops.size(), 0u) << lost;
    ASSERT_TRUE(store->append(some_records(clock.now(), 200, 10)));
    EXPECT_EQ(store->find({kHigh, 203}).hops.size(), 1u) << lost;
  }
  auto zeros = whole;
  std::fill(zeros.end() - 40, zeros.end(), '\0');
  std::ofstream(file, std::ios::binary | std::ios::trunc) << zeros;
  auto store = *Store::open({.directory = directory.path()}, clock);
  EXPECT_EQ(store->find({kHigh, 103}).hops.size(), 0u);
  EXPECT_EQ(store->find({kHigh, 3}).hops.size(), 1u);
}

// pread(2) that fails from an offset on, as a bad sector does.
off_t g_bad_sector = 0;
ssize_t read_before_bad_sector(int file, void* into, std::size_t bytes, off_t offset) {
  if (offset + static_cast<off_t>(bytes) > g_bad_sector) {
    errno = EIO;
    return -1;
  }
  return ::pread(file, into, bytes, offset);
}

TEST(Store, WhatTheDiskDoesNotGiveIsNotCutOff) {
  TestDirectory directory;
  base::ManualClock clock;
  const auto file = directory.path() / "000001.traces";
  std::uintmax_t first = 0;
  {
    auto store = *Store::open({.directory = directory.path()}, clock);
    ASSERT_TRUE(store->append(some_records(clock.now(), 1, 10)));
    first = std::filesystem::file_size(file);
    ASSERT_TRUE(store->append(some_records(clock.now(), 100, 10)));
  }
  const auto whole = *base::read_file(file);
  // In a head, and in the last payload.
  for (const auto bad : {first + 20, whole.size() - 1}) {
    g_bad_sector = static_cast<off_t>(bad);
    auto store = *Store::open({.directory = directory.path(), .read = &read_before_bad_sector}, clock);
    EXPECT_EQ(store->find({kHigh, 3}).hops.size(), 1u) << bad;
    ASSERT_TRUE(store->append(some_records(clock.now(), 200, 10)));
    // That a payload cannot be read is seen when it is merged; then its file is left alone.
    const auto tried = store->merge();
    EXPECT_TRUE(tried || tried.error().code == Errc::kIo) << bad;
    const auto merged = store->merge();
    ASSERT_TRUE(merged) << merged.error().message;
    EXPECT_FALSE(*merged) << bad;
    EXPECT_TRUE(*base::read_file(file) == whole) << bad;
  }
  auto store = *Store::open({.directory = directory.path()}, clock);
  EXPECT_EQ(store->find({kHigh, 103}).hops.size(), 1u) << "the disk gives it again";
  EXPECT_EQ(store->find({kHigh, 203}).hops.size(), 2u) << "written into files of their own";
}

TEST(Store, TheOldestFilesGoByAgeAndByBytes) {
  TestDirectory directory;
  base::ManualClock clock;
  const auto add = [&](Store& store, std::uint64_t first) {
    ASSERT_TRUE(store.append(some_records(clock.now(), first, 50)));
  };
  auto store = *Store::open({.directory = directory.path(), .retention = 24h, .file_bytes = 1}, clock);
  for (std::uint64_t i = 0; i < 5; ++i) add(*store, i * 100);
  EXPECT_EQ(store->statistics().files, 5u);
  clock.advance(25h);
  add(*store, 1000);
  store->expire();
  EXPECT_EQ(store->statistics().files, 1u);
  EXPECT_EQ(store->find({kHigh, 3}).hops.size(), 0u);
  EXPECT_EQ(store->find({kHigh, 1003}).hops.size(), 1u);
  store.reset();
  store = *Store::open({.directory = directory.path(), .bytes = 3000, .file_bytes = 1}, clock);
  for (std::uint64_t i = 20; i < 25; ++i) add(*store, i * 100);
  store->expire();
  EXPECT_LE(store->statistics().bytes, 3000u);
  EXPECT_EQ(store->find({kHigh, 2403}).hops.size(), 1u);
}

// A quiet platform: a trace a second, and counts each ten seconds.
class MergingOf : public testing::Test {
 protected:
  std::unique_ptr<Store> open() { return *Store::open({.directory = directory_.path(), .file_frames = 50}, clock_); }
  void fill(Store& store, std::uint64_t seconds) {
    for (std::uint64_t i = 0; i < seconds; ++i, ++next_) {
      ASSERT_TRUE(store.append(some_records(clock_.now(), next_ * 10, 1)));
      if (next_ % 10 == 9) {
        Counts counts;
        counts.route("r").add({});
        ASSERT_TRUE(store.append_counts(counts.encode(), clock_.now() - 10s, clock_.now()));
      }
      clock_.advance(1s);
    }
  }
  // Everything that is there, in the order in which it is read.
  std::string everything(const Store& store) {
    std::string all;
    const auto now = clock_.now();
    store.scan(now - 24h, now, [&](Records& records) {
      for (const auto& one : records.hops) all += one.id.text() + one.hops[0].subject + "\n";
      return true;
    });
    store.scan_counts(now - 24h, now, [&](std::string_view counts, WallTime from, WallTime to) {
      all += std::to_string(Counts::decode(counts)->route("r").total.count()) +
             std::to_string(from.time_since_epoch().count()) + std::to_string(to.time_since_epoch().count()) + "\n";
    });
    return all;
  }
  std::size_t files() {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(directory_.path()), {}));
  }

  TestDirectory directory_;
  base::ManualClock clock_;
  std::uint64_t next_ = 0;
};

TEST_F(MergingOf, SmallBlocksLosesNothingAndMakesFewLargeOnes) {
  auto store = open();
  fill(*store, 1000);
  const auto before = everything(*store);
  const auto was = store->statistics();
  EXPECT_GE(was.blocks, 1100u);
  int merges = 0;
  for (auto merged = store->merge(); *merged; merged = store->merge()) {
    ASSERT_LT(++merges, 100);
    ASSERT_EQ(everything(*store), before) << merges;
  }
  const auto is = store->statistics();
  EXPECT_LT(is.blocks, 110u) << "those of the newest file are as they were";
  EXPECT_LT(is.bytes, was.bytes / 3);
  EXPECT_LE(is.files, 8u);
  EXPECT_EQ(is.traces, 1000u);
  EXPECT_EQ(files(), is.files);
  for (const std::uint64_t id : {0, 10, 4500, 9990}) EXPECT_EQ(store->find({kHigh, id}).hops.size(), 1u) << id;
  EXPECT_EQ(store->find({kHigh, 5}).size(), 0u);
  int found = 0;
  store->scan(clock_.now() - 510s, clock_.now() - 500s, [&](Records&) { return ++found, true; });
  EXPECT_LE(found, 3);
  found = 0;
  store->scan_counts(clock_.now() - 505s, clock_.now() - 504s, [&](std::string_view, WallTime, WallTime) { ++found; });
  EXPECT_EQ(found, 1) << "of the ten seconds that were asked for";

  store.reset();
  store = open();
  EXPECT_EQ(everything(*store), before);
  fill(*store, 200);
  const auto more = everything(*store);
  while (*store->merge()) continue;
  EXPECT_EQ(everything(*store), more);
}

TEST_F(MergingOf, TwoFilesThatACrashInterruptedLeavesNothingTwice) {
  auto store = open();
  fill(*store, 200);
  const auto before = everything(*store);
  // Before each merge all files are kept aside, and those that it removed come back: the crash was before that.
  for (int merges = 0; merges < 20; ++merges) {
    std::map<std::filesystem::path, std::string> kept;
    for (const auto& entry : std::filesystem::directory_iterator(directory_.path())) {
      kept[entry.path()] = *base::read_file(entry.path());
    }
    const auto merged = store->merge();
    ASSERT_TRUE(merged);
    if (!*merged) {
      EXPECT_GT(merges, 3);
      break;
    }
    store.reset();
    for (const auto& [path, bytes] : kept) {
      if (!std::filesystem::exists(path)) std::ofstream(path, std::ios::binary) << bytes;
    }
    std::ofstream(directory_.path() / "000001.merging", std::ios::binary) << "half of a file";
    store = open();
    ASSERT_EQ(everything(*store), before) << merges;
    EXPECT_EQ(files(), store->statistics().files);
  }
}

TEST_F(MergingOf, ABlockThatCannotBeReadStaysWhatItIs) {
  auto store = open();
  fill(*store, 100);
  store.reset();
  const auto path = directory_.path() / "000001.traces";
  auto bytes = *base::read_file(path);
  bytes[60] = static_cast<char>(bytes[60] ^ 0x55);  // in the first payload
  std::ofstream(path, std::ios::binary) << bytes;
  store = open();
  const auto before = everything(*store);
  EXPECT_EQ(store->find({kHigh, 0}).size(), 0u);
  while (*store->merge()) continue;
  EXPECT_EQ(everything(*store), before);
  EXPECT_EQ(store->find({kHigh, 10}).hops.size(), 1u);
}

TEST(Counts, ThoseOfTwoTimesAddUp) {
  Counts a;
  RequestTimes request;
  request.total = 10ms;
  request.own[static_cast<std::size_t>(Part::kFunction)] = 10ms;
  for (int i = 0; i < 100; ++i) a.route("r").add(request);
  a.edge({"a", "client"}, {"a", ""}).add(10ms, false, false, false);
  auto b = *Counts::decode(a.encode());
  request.total = 20ms;
  request.own[static_cast<std::size_t>(Part::kFunction)] = 5ms;
  request.own[static_cast<std::size_t>(Part::kSql)] = 15ms;
  for (int i = 0; i < 10; ++i) b.route("r").add(request);
  b.merge(a);
  const auto& route = b.routes.at("r");
  EXPECT_EQ(route.total.count(), 210u);
  EXPECT_EQ((b.edges[{Node{"a", "client"}, Node{"a", ""}}].ok), 2u);
  EXPECT_EQ(route.shares(25, 75)[static_cast<std::size_t>(Part::kFunction)], 10ms);
  EXPECT_EQ(route.shares(97, 100)[static_cast<std::size_t>(Part::kSql)], 15ms)
      << "the slow ones waited for the database";
}

TEST(Counts, AClientCannotMakeThemGrowWithoutEnd) {
  Counts counts;
  for (int i = 0; i < 5000; ++i) {
    counts.route("GET /" + std::to_string(i)).add({});
    counts.edge({std::to_string(i), "client"}, {"a", ""}).add(1ms, false, false, false);
  }
  EXPECT_LE(counts.routes.size(), Counts::kMostRoutes + 1);
  EXPECT_LE(counts.edges.size(), Counts::kMostEdges + 1);
}

TEST(Histogram, APercentileIsWithinThreePercent) {
  Histogram histogram;
  for (int i = 1; i <= 10'000; ++i) histogram.add(nanoseconds{i * 1000});
  for (const double percent : {1.0, 50.0, 95.0, 99.0}) {
    const double exact = percent * 100'000;
    EXPECT_NEAR(static_cast<double>(histogram.percentile(percent).count()), exact, exact * 0.035) << percent;
  }
  EXPECT_EQ(bucket_of(nanoseconds{-5}), 0);
  EXPECT_GT(middle_of(bucket_of(nanoseconds::max())).count(), 0);
}

}  // namespace
}  // namespace securebase::traces
