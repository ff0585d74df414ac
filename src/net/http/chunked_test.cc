#include "net/http/chunked.h"

#include <gtest/gtest.h>

#include <string>

namespace securebase::http {
namespace {

// The body and what follows it as "body|rest", "..." when it is not complete, "!" when it is malformed.
std::string decode(std::string_view bytes, std::size_t step = SIZE_MAX) {
  ChunkedDecoder decoder({.extension_bytes = 20, .trailer_bytes = 40});
  std::string body;
  std::string_view left = bytes;
  while (!left.empty()) {
    std::string_view piece = left.substr(0, step);
    left.remove_prefix(piece.size());
    for (;;) {
      auto next = decoder.next(piece);
      if (!next) return "!";
      if (*next == ChunkedDecoder::Step::kNeedMore) break;
      if (*next == ChunkedDecoder::Step::kEnd) return body + "|" + std::string(piece) + std::string(left);
      body += decoder.data();
    }
  }
  return body + "...";
}

TEST(Chunked, GivesTheSameBodyHoweverTheBytesAreCut) {
  const std::string bytes = "5;a=\"b\"\r\nhello\r\nA\r\n0123456789\r\n0\r\nT: x\r\nU: \r\n\r\nGET";
  for (std::size_t step = 1; step <= bytes.size(); ++step)
    EXPECT_EQ(decode(bytes, step), "hello0123456789|GET") << step;
}

TEST(Chunked, RefusesWhatOthersReadDifferently) {
  using namespace std::string_literals;
  for (const std::string& bytes : {"\r\n"s,
                                   "x\r\n"s,
                                   " 5\r\nhello\r\n"s,
                                   "5 \r\nhello\r\n"s,
                                   "+5\r\nhello"s,
                                   "0x5\r\nhello"s,
                                   "-1\r\n"s,
                                   ";\r\n"s,
                                   "5\nhello"s,
                                   "5\r\rhello"s,
                                   "5\r\nhelloX\n"s,
                                   "5\r\nhello\n"s,
                                   "5\r\nhello\rX"s,
                                   "5\r\nhello!\r\n"s,
                                   "fffffffffffffffff\r\n"s,
                                   "0000000000000000005\r\n"s,
                                   "5;\x01\r\n"s,
                                   "5;a\nb\r\n"s,
                                   "5;a\rb"s,
                                   "5;aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n"s,
                                   "0\r\n folded\r\n"s,
                                   "0\r\nno colon\r\n"s,
                                   "0\r\n: x\r\n"s,
                                   "0\r\nA: b\0\r\n"s,
                                   "0\r\nA: b\n"s,
                                   "0\r\n\rX"s,
                                   "0\r\nLong: "s + std::string(100, 'x'),
                                   "5,5\r\n"s}) {
    for (const std::size_t step : {std::size_t{1}, SIZE_MAX}) EXPECT_EQ(decode(bytes, step), "!") << bytes;
  }
}

TEST(Chunked, WaitsForItsEnd) {
  EXPECT_EQ(decode("3\r\nabc\r\n0\r\n\r"), "abc...");
  EXPECT_EQ(decode("0\r\n\r\n"), "|");
}

}  // namespace
}  // namespace securebase::http
