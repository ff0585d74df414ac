#include "monitoring/metrics/summary.h"

#include <gtest/gtest.h>

#include <random>

#include "monitoring/metrics/slot_codec.h"
#include "monitoring/metrics/slots.h"

namespace securebase::monitoring {
namespace {

Summary random_summary(std::mt19937_64& random) {
  Summary summary;
  switch (random() % 5) {
    case 0:
      summary.add(static_cast<double>(random() % 100), 1 + random() % 3);
      break;
    case 1:
      summary.add(std::ldexp(static_cast<double>(random()), static_cast<int>(random() % 200) - 120));
      break;
    case 2:
      summary = Summary::of_set(3, 6.25, -1, 10);
      break;
    default: {
      std::normal_distribution<double> around(0.5, 100);
      for (std::size_t i = 0, n = 2 + random() % 300; i < n; ++i) {
        summary.add(random() % 2 ? around(random) : std::nearbyint(around(random)), 1 + random() % 2);
      }
    }
  }
  return summary;
}

TEST(BucketKey, RisesWithTheValueAndItsMiddleIsNear) {
  double before = -1e19;
  for (const double value : {-1e18, -3.5, -1.0, -0.001, 0.0, 1e-9, 0.001, 1.0, 1.02, 3.5, 1e18}) {
    EXPECT_LT(bucket_key(before), bucket_key(value)) << value;
    EXPECT_NEAR(bucket_middle(bucket_key(value)), value, std::abs(value) / 127);
    before = value;
  }
  EXPECT_EQ(bucket_key(1e-12), 0);
  EXPECT_EQ(bucket_key(-1e-12), 0);
  EXPECT_EQ(bucket_key(1e300), kHighestKey);
  EXPECT_EQ(bucket_key(-1e300), -kHighestKey);
}

TEST(Summary, AddsUpInAnyOrder) {
  std::mt19937_64 random(5);
  for (int round = 0; round < 300; ++round) {
    std::vector<Summary> parts;
    for (std::size_t i = 0, n = 1 + random() % 6; i < n; ++i) parts.push_back(random_summary(random));
    Summary forwards;
    Summary backwards;
    for (const auto& part : parts) forwards.add(part);
    for (auto part = parts.rbegin(); part != parts.rend(); ++part) backwards.add(*part);
    EXPECT_EQ(forwards.count, backwards.count);
    EXPECT_EQ(forwards.minimum, backwards.minimum);
    EXPECT_EQ(forwards.maximum, backwards.maximum);
    EXPECT_EQ(forwards.buckets, backwards.buckets);
    EXPECT_EQ(forwards.undistributed, backwards.undistributed);
    EXPECT_DOUBLE_EQ(forwards.sum, backwards.sum);
  }
}

TEST(SlotCodec, ReadsWhatItWrote) {
  std::mt19937_64 random(9);
  for (int round = 0; round < 300; ++round) {
    std::vector<Slot> slots;
    std::int64_t number = static_cast<std::int64_t>(random() % 1000) - 500;
    for (std::size_t i = 0, n = 1 + random() % 20; i < n; ++i) {
      number += 1 + static_cast<std::int64_t>(random() % 3 == 0 ? random() % 1000 : 0);
      slots.push_back({number, random_summary(random)});
    }
    std::string heads;
    std::string histograms;
    std::string together;
    std::int64_t before = 0;
    for (const auto& slot : slots) {
      put_slot(slot, before, heads, histograms);
      put_slot(slot, before, together, together);
      before = slot.number;
    }
    Cursor head_in(heads);
    Cursor histogram_in(histograms);
    Cursor together_in(together);
    Cursor totals_in(heads);
    before = 0;
    for (const auto& slot : slots) {
      Slot read;
      ASSERT_TRUE(get_slot(head_in, histogram_in, before, Detail::kHistograms, read));
      EXPECT_EQ(read, slot);
      ASSERT_TRUE(get_slot(together_in, together_in, before, Detail::kHistograms, read));
      EXPECT_EQ(read, slot);
      ASSERT_TRUE(get_slot(totals_in, totals_in, before, Detail::kTotals, read));
      EXPECT_EQ(read.summary.sum, slot.summary.sum);
      before = slot.number;
    }
    EXPECT_TRUE(head_in.at_end() && histogram_in.at_end() && together_in.at_end());
    // Cut anywhere it ends early, and never reads beyond.
    Cursor cut(std::string_view(together).substr(0, random() % together.size()));
    Slot read;
    while (!cut.at_end() && get_slot(cut, cut, 0, Detail::kHistograms, read)) {
    }
  }
}

TEST(Slots, RollUpKeepsEverySample) {
  std::mt19937_64 random(13);
  std::vector<Slot> slots;
  Summary all;
  for (int i = 0; i < 500; ++i) {
    slots.push_back({static_cast<std::int64_t>(random() % 400) - 200, random_summary(random)});
    all.add(slots.back().summary);
  }
  combine(slots);
  EXPECT_TRUE(std::ranges::is_sorted(slots, std::ranges::less_equal{}, &Slot::number));
  const auto coarse = roll_up(slots, 60);
  EXPECT_EQ(coarse.front().number, -4);
  Summary again;
  for (const auto& slot : coarse) again.add(slot.summary);
  EXPECT_EQ(again.count, all.count);
  EXPECT_EQ(again.minimum, all.minimum);
  EXPECT_EQ(again.maximum, all.maximum);
}

}  // namespace
}  // namespace securebase::monitoring
