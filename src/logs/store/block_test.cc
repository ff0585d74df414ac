#include "logs/store/block.h"

#include <gtest/gtest.h>

#include <array>

#include "logs/store/read_block.h"

namespace securebase::logs {
namespace {

EncodedBlock block_of(std::initializer_list<std::string_view> messages) {
  Chunk chunk(7);
  std::int64_t time = 1'700'000'000'000;
  for (const auto message : messages) {
    chunk.add("stream", time, {time, message, {}});
    ++time;
  }
  return BlockBuilder().build(chunk);
}

bool block_may_have(const EncodedBlock& block, std::string_view text) {
  BlockReader reader;
  BlockPlace place;
  place.in_memory = std::make_shared<const EncodedBlock>(block);
  reader.begin(place);
  WordsOfTexts words;
  words.add(text);
  return *reader.may_have_all(words.hashes) && *reader.may_have_all(words.plain);
}

TEST(Block, KnowsItsWordsAndPartsOfThem) {
  const auto block = block_of({"connection refused by upstream", R"({"id":"3f2c8a10-0000-4000-8000-0123456789ab"})"});
  for (const auto* text : {"refused", "fuse", "3f2c8a10-0000-4000-8000-0123456789ab", "n refused by up"}) {
    EXPECT_TRUE(block_may_have(block, text)) << text;
  }
  for (const auto* text : {"timeout", "3f2c8a10-0000-4000-8000-0123456789ff", " refused at "}) {
    EXPECT_FALSE(block_may_have(block, text)) << text;
  }
}

TEST(Block, OfBeforeHasAFilterThatSaysNothing) {
  auto block = block_of({"connection refused by upstream"});
  block.info.filter_is_old = true;
  block.info.list_bytes = block.info.list_raw_bytes = 0;
  std::string bytes;
  put_block_info(bytes, block.info);
  auto read = take_block_info(bytes);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_TRUE(read->filter_is_old);
  EXPECT_EQ(read->rows, 1U);
  EXPECT_EQ(read->fields.size(), block.info.fields.size());
  block.info = *read;
  EXPECT_TRUE(block_may_have(block, " timeout of "));
}

TEST(Block, TellsTheSameOfItselfWhenItIsReadAgain) {
  const auto block = block_of({"took 12 ms", "took 7 ms"});
  std::string bytes;
  put_block_info(bytes, block.info);
  auto read = take_block_info(bytes);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_FALSE(read->filter_is_old);
  EXPECT_EQ(read->list_raw_bytes, block.info.list_raw_bytes);
  std::string again;
  put_block_info(again, *read);
  EXPECT_EQ(again, bytes);
}

}  // namespace
}  // namespace securebase::logs
