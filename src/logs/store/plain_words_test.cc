#include "logs/store/plain_words.h"

#include <gtest/gtest.h>

#include <random>

#include "logs/store/tokens.h"

namespace securebase::logs {
namespace {

std::string list_of(std::string_view text) {
  PlainWords words;
  for_each_word(text, [&](std::uint64_t, std::string_view word) {
    if (!is_uuid(word)) words.add(word);
  });
  return words.list();
}

TEST(PlainWords, AreListedOnceInOrderWithoutDigits) {
  EXPECT_EQ(list_of("took 12ms, took x1 at v2beta, caf\xc3\xa9 re-try"),
            "\nat\nbeta\ncaf\xc3\xa9\nms\nre\ntook\ntry\n");
  EXPECT_EQ(list_of("1 22 x 3f2c8a10-0000-4000-8000-deadbeefabcd"), "");
}

TEST(PlainWords, SayThatAPartOfAWordIsNotThere) {
  const auto list = list_of("connection refused by upstream, ERRORS 7");
  for (const auto* text : {"refused", "fuse", "ion ref", "ERROR", "refused by up", "12345", "face", " by "}) {
    EXPECT_TRUE(PlainWordsOf(text).may_be_in(list)) << text;
  }
  for (const auto* text :
       {"timeout", "connection refused by upstrem ", " pstream", "ERRORS_", "by up ", "connectio "}) {
    EXPECT_FALSE(PlainWordsOf(text).may_be_in(list)) << text;
  }
}

TEST(PlainWords, HaveNoListWhereItWouldBeLong) {
  std::string text;
  std::mt19937 random(1);
  for (int i = 0; i < 20'000; ++i) {
    for (int letter = 0; letter < 8; ++letter) text.push_back(static_cast<char>('a' + random() % 26));
    text.push_back(' ');
  }
  EXPECT_EQ(list_of(text), "");
}

// Of every part of a text its words say that the text may have it.
TEST(PlainWords, NeverDenyWhatIsThere) {
  std::mt19937 random(2);
  const std::string_view pieces[] = {"a",     "-", " ", "0", "abcd", "3f2c8a10-0000-4000-8000-deadbeefabcd",
                                     "Error", "_", ":"};
  for (int round = 0; round < 20'000; ++round) {
    std::string text = "word ";
    for (int i = 0; i < 10; ++i) text += pieces[random() % std::size(pieces)];
    const auto begin = random() % text.size();
    const auto part = text.substr(begin, random() % (text.size() - begin) + 1);
    ASSERT_TRUE(PlainWordsOf(part).may_be_in(list_of(text))) << text << " / " << part;
  }
}

}  // namespace
}  // namespace securebase::logs
