#include "load/engine/response_reader.h"

#include <gtest/gtest.h>

namespace securebase::load {
namespace {

using Outcome = ResponseReader::Outcome;

struct Read {
  Outcome outcome = Outcome::kMore;
  int status = 0;
  bool keep_alive = false;
  std::string head;
  std::string body;
  std::size_t left = 0;
  bool operator==(const Read&) const = default;
};

// In pieces of `piece` bytes; the end of the connection after them if `ends`.
Read read_cut(std::string_view text, std::size_t piece, bool is_head = false, bool ends = false) {
  ResponseReader reader;
  reader.begin(is_head, Keep::kAll, 512, 64);
  Read got;
  while (!text.empty() && got.outcome == Outcome::kMore) {
    auto bytes = text.substr(0, piece);
    const auto before = bytes.size();
    got.outcome = reader.take(bytes);
    text.remove_prefix(before - bytes.size());
    EXPECT_TRUE(got.outcome != Outcome::kMore || bytes.empty());
  }
  if (ends && got.outcome == Outcome::kMore) got.outcome = reader.end();
  got.left = text.size();
  if (got.outcome != Outcome::kComplete) return {got.outcome, 0, false, {}, {}, 0};
  got.status = reader.status();
  got.keep_alive = reader.keep_alive();
  got.head = reader.take_head();
  got.body = reader.take_body();
  return got;
}

Read read(std::string_view text, bool is_head = false, bool ends = false) {
  const auto whole = read_cut(text, text.size(), is_head, ends);
  for (std::size_t piece = 1; piece < text.size(); ++piece) {
    EXPECT_EQ(read_cut(text, piece, is_head, ends), whole) << "in pieces of " << piece << ": " << text;
  }
  return whole;
}

TEST(ResponseReader, GivesTheSameAnswerHoweverTheBytesAreCut) {
  const auto got = read("HTTP/1.1 200 OK\r\nServer: x\r\ncontent-LENGTH: 5\r\n\r\nhello");
  EXPECT_EQ(got.outcome, Outcome::kComplete);
  EXPECT_EQ(got.status, 200);
  EXPECT_TRUE(got.keep_alive);
  EXPECT_EQ(got.head, "Server: x\r\ncontent-LENGTH: 5\r\n");
  EXPECT_EQ(got.body, "hello");
}

TEST(ResponseReader, JoinsChunksAndSkipsTrailers) {
  const auto got =
      read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nT: 1\r\n\r\n");
  EXPECT_EQ(got.outcome, Outcome::kComplete);
  EXPECT_EQ(got.body, "abc0123456789");
}

TEST(ResponseReader, SkipsInterimAnswers) {
  EXPECT_EQ(read("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n").status, 204);
}

TEST(ResponseReader, KnowsWhichAnswersHaveNoBody) {
  EXPECT_EQ(read("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", true).outcome, Outcome::kComplete);
  EXPECT_EQ(read("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n").outcome, Outcome::kComplete);
}

TEST(ResponseReader, EndsABodyWithoutLengthWithTheConnection) {
  const auto got = read("HTTP/1.1 200 OK\r\n\r\nall of it", false, true);
  EXPECT_EQ(got.outcome, Outcome::kComplete);
  EXPECT_EQ(got.body, "all of it");
  EXPECT_FALSE(got.keep_alive);
  EXPECT_EQ(read("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", false, true).outcome, Outcome::kMore);
}

TEST(ResponseReader, KeepsAConnectionAsBothSidesSay) {
  EXPECT_FALSE(read("HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 0\r\n\r\n").keep_alive);
  EXPECT_FALSE(read("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n").keep_alive);
  EXPECT_TRUE(read("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n").keep_alive);
}

TEST(ResponseReader, RefusesWhatFramesAmbiguously) {
  for (const char* text : {
           "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
           "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello",
           "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nhello",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
           "HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
           "HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 0\r\n\r\n",
           "HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n",
           "HTTP/2 200\r\n\r\n",
           "HTTP/1.1 99 OK\r\n\r\n",
           "HTTP/1.1 101 Switching\r\n\r\n",
           "SSH-2.0-OpenSSH_9.2\r\n\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5 \r\nhello!\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfoo\r\n",
       }) {
    EXPECT_EQ(read(text).outcome, Outcome::kGarbage) << text;
  }
}

TEST(ResponseReader, IsBounded) {
  const std::string field = "A: " + std::string(600, 'x');
  EXPECT_EQ(read("HTTP/1.1 200 OK\r\n" + field + "\r\n\r\n").outcome, Outcome::kTooLarge);
  EXPECT_EQ(read("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + std::string(100, 'x')).outcome, Outcome::kTooLarge);
  EXPECT_EQ(read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + std::string(1100, '0')).outcome,
            Outcome::kTooLarge);
}

TEST(ResponseReader, LeavesWhatNobodyAskedFor) {
  EXPECT_EQ(read_cut("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxHTTP", 500).left, 4u);
}

}  // namespace
}  // namespace securebase::load
