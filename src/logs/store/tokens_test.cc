#include "logs/store/tokens.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace securebase::logs {
namespace {

std::vector<std::uint64_t> words_of(std::string_view text) {
  std::vector<std::uint64_t> hashes;
  for_each_word(text, [&](std::uint64_t hash, std::string_view) { hashes.push_back(hash); });
  return hashes;
}

bool has(const std::vector<std::uint64_t>& hashes, std::string_view word) {
  return std::find(hashes.begin(), hashes.end(), hash_of_word(word)) != hashes.end();
}

constexpr std::string_view kId = "3f2c8a10-0000-4000-8000-0123456789ab";

TEST(Tokens, AreWordsAndWholeUuids) {
  const auto words = words_of("RequestId: 3f2c8a10-0000-4000-8000-0123456789ab\tand a re-try_2");
  EXPECT_EQ(words.size(), 5U);
  for (const auto* word : {"RequestId", "and", "re", "try_2"}) EXPECT_TRUE(has(words, word)) << word;
  EXPECT_TRUE(has(words, kId));
  EXPECT_FALSE(has(words, "3f2c8a10"));
}

TEST(Tokens, FindAUuidWhateverStandsAroundIt) {
  for (const auto* around : {"x{}", "{}y", "id={}-7", "-{}-", "ab{}{}", "{}-4000-4000-8000-0123456789ab"}) {
    std::string text = around;
    for (auto at = text.find("{}"); at != std::string::npos; at = text.find("{}")) text.replace(at, 2, kId);
    EXPECT_TRUE(has(words_of(text), kId)) << text;
  }
}

// What whole_words() asks for is in every text that has the part: over texts of few letters, cut anywhere.
TEST(Tokens, AskOnlyForWhatEveryTextWithThePartHas) {
  std::mt19937 random(1);
  const std::string_view pieces[] = {"a", "-", " ",     "0000", "abcd", "3f2c8a10", "0123456789ab",
                                     kId, ":", "ERROR", "x_"};
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    for (int i = 0; i < 12; ++i) text += pieces[random() % std::size(pieces)];
    const auto begin = random() % text.size();
    const auto part = std::string_view(text).substr(begin, random() % (text.size() - begin) + 1);
    const auto there = words_of(text);
    for (const auto hash : whole_words(part)) {
      ASSERT_TRUE(std::find(there.begin(), there.end(), hash) != there.end()) << text << " / " << part;
    }
  }
}

TEST(Tokens, AskForUuidsAndForWhatIsWithin) {
  EXPECT_EQ(whole_words(kId).size(), 1U);
  EXPECT_EQ(whole_words("connection refused by upstream").size(), 2U);
  EXPECT_TRUE(whole_words("ERROR").empty());
  EXPECT_EQ(hash_of_field("@requestId", kId), hash_of_word(kId));
  EXPECT_NE(hash_of_field("a", "b"), hash_of_field("b", "a"));
}

TEST(Tokens, OfAFilterAreAllThereAndFewOthers) {
  TokenSet set;
  for (std::uint64_t i = 0; i < 5000; ++i) set.add(mix(i + 1) | 1);
  const auto filter = set.filter();
  for (std::uint64_t i = 0; i < 5000; ++i) ASSERT_TRUE(may_have(filter, mix(i + 1) | 1));
  int others = 0;
  for (std::uint64_t i = 5000; i < 15'000; ++i) others += may_have(filter, mix(i + 1) | 1) ? 1 : 0;
  EXPECT_LT(others, 800);
}

// Against the definition, with each byte at each place.
TEST(Tokens, KnowAUuidByEachOfItsBytes) {
  const std::string uuid = "3f2c8a10-9d47-4e65-8bca-0123456789ab";
  EXPECT_TRUE(is_uuid(uuid));
  EXPECT_TRUE(begins_with_uuid(uuid + "-more"));
  EXPECT_FALSE(is_uuid(uuid + "0"));
  EXPECT_FALSE(begins_with_uuid(uuid.substr(0, 35)));
  for (std::size_t at = 0; at < uuid.size(); ++at) {
    for (int c = 0; c < 256; ++c) {
      auto changed = uuid;
      changed[at] = static_cast<char>(c);
      const bool digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
      EXPECT_EQ(is_uuid(changed), is_uuid_dash(at) ? c == '-' : digit) << at << " " << c;
    }
  }
}

}  // namespace
}  // namespace securebase::logs
