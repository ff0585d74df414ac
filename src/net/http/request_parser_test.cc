#include "net/http/request_parser.h"

#include <gtest/gtest.h>

namespace securebase::http {
namespace {

using Status = RequestParser::Status;

struct Read {
  Status status = Status::kNeedMore;
  int refusal = 0;
  std::string reason;
  std::string summary;  // what a handler sees, as text
  RequestParser::Framing framing;
  std::size_t head_bytes = 0;
};

// Feeds `bytes` in pieces of `step`, each time from a fresh place in memory.
Read read(std::string_view bytes, std::size_t step = SIZE_MAX, RequestParser::Limits limits = {}) {
  RequestParser parser(limits);
  Request request;
  Read result;
  for (std::size_t end = 0; result.status == Status::kNeedMore && end < bytes.size();) {
    end = step < bytes.size() - end ? end + step : bytes.size();
    std::string memory(bytes.substr(0, end));
    result.status = parser.parse(memory, request);
    if (result.status != Status::kDone) continue;
    result.summary.append(request.method_name).append(" ").append(request.target).append(" @");
    result.summary.append(request.authority);
    for (const auto& field : request.headers.fields()) {
      result.summary.append("|").append(field.name).append("=").append(field.value);
    }
  }
  result.refusal = parser.refusal();
  result.reason = parser.reason();
  result.framing = parser.framing();
  result.head_bytes = parser.head_bytes();
  return result;
}

int refusal(std::string_view bytes) { return read(bytes).refusal; }

TEST(RequestParser, ReadsAPlainRequest) {
  const auto got = read("GET /a/b?c=d HTTP/1.1\r\nHost: Example.COM:80\r\nAccept:  x , y \t\r\nEmpty:\r\n\r\nrest");
  EXPECT_EQ(got.summary, "GET /a/b?c=d @example.com:80|Host=example.com:80|Accept=x , y|Empty=");
  EXPECT_TRUE(got.framing.keep_alive);
  EXPECT_FALSE(got.framing.has_body());
}

const std::vector<std::string> kTable = {
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET http://B/x?y HTTP/1.1\r\nHost: a\r\nX: 1\r\n\r\n",
    "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-Continue\r\n\r\nhello",
    "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close, x-drop\r\nX-Drop: "
    "1\r\n\r\n0\r\n\r\n",
    "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    "GET / HTTP/1.1\nHost: a\n\n",
    "GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n",
    "GET / HTTP/2.0\r\nHost: a\r\n\r\n",
    "\x16\x03\x01",
};

TEST(RequestParser, GivesTheSameResultHoweverTheBytesAreCut) {
  for (const auto& bytes : kTable) {
    const auto whole = read(bytes);
    for (std::size_t step = 1; step < bytes.size(); ++step) {
      const auto cut = read(bytes, step);
      EXPECT_EQ(cut.status, whole.status) << bytes << " by " << step;
      EXPECT_EQ(cut.refusal, whole.refusal) << bytes << " by " << step;
      EXPECT_EQ(cut.summary, whole.summary) << bytes << " by " << step;
      EXPECT_EQ(cut.head_bytes, whole.head_bytes) << bytes << " by " << step;
    }
  }
}

std::string with(std::string_view field) { return "POST / HTTP/1.1\r\nHost: a\r\n" + std::string(field) + "\r\n\r\n"; }

TEST(RequestParser, RefusesWhatSmugglingUses) {
  using namespace std::string_literals;
  const std::vector<std::string> fields = {
      "Content-Length: 5\r\nTransfer-Encoding: chunked",
      "Transfer-Encoding: chunked\r\nContent-Length: 5",
      "Content-Length: 5\r\nContent-Length: 5",
      "Content-Length: 5\r\nContent-Length: 6",
      "Content-Length: 5, 5",
      "Content-Length: +5",
      "Content-Length: -5",
      "Content-Length: 0x5",
      "Content-Length: 5 5",
      "Content-Length:",
      "Content-Length: 99999999999999999999",
      "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
      "Transfer-Encoding: chunked, chunked",
      "Transfer-Encoding: gzip, chunked",
      "Transfer-Encoding: identity",
      "Transfer-Encoding: xchunked",
      "Transfer-Encoding:\x0b"
      "chunked",
      "Transfer-Encoding: \"chunked\"",
      "Transfer-Encoding:",
      "Content-Length : 5",
      "Content-Length\t: 5",
      " Content-Length: 5",
      "X: 1\r\n folded",
      "X: 1\r\n\tfolded",
      "X: 1\nContent-Length: 5",
      "X: a\rb",
      "X: a\0b"s,
      "X: a\x01"
      "b",
      "X: a\x7f"
      "b",
      "X\0: a"s,
      ": no name",
      "No colon",
      "Na me: v",
      "Na(me: v",
      "N\xc3\xa4me: v",
      "Host: b",
  };
  for (const auto& field : fields) EXPECT_EQ(refusal(with(field)), 400) << field;
}

TEST(RequestParser, RefusesMalformedRequestLines) {
  using namespace std::string_literals;
  for (const std::string& line : {"GET  / HTTP/1.1"s,
                                  "GET /  HTTP/1.1"s,
                                  "GET / HTTP/1.1 "s,
                                  " GET / HTTP/1.1"s,
                                  "GET / http/1.1"s,
                                  "GET / HTTP/1"s,
                                  "GET / HTTP/1.1x"s,
                                  "GET /"s,
                                  "GET"s,
                                  "GET\t/ HTTP/1.1"s,
                                  "G@T / HTTP/1.1"s,
                                  "GET /a\tb HTTP/1.1"s,
                                  "GET /\x80 HTTP/1.1"s,
                                  "GET /a\0b HTTP/1.1"s,
                                  "GET /a#b HTTP/1.1"s,
                                  "GET /a\\b HTTP/1.1"s,
                                  "GET * HTTP/1.1"s,
                                  "GET a HTTP/1.1"s,
                                  "GET ftp://a/ HTTP/1.1"s,
                                  "GET http://u@a/ HTTP/1.1"s,
                                  "GET http:///x HTTP/1.1"s,
                                  "GET / HTTP/1.1\r"s}) {
    EXPECT_EQ(refusal(line + "\r\nHost: a\r\n\r\n"), 400) << line;
  }
}

TEST(RequestParser, RefusesMissingAndInvalidHost) {
  EXPECT_EQ(refusal("GET / HTTP/1.1\r\n\r\n"), 400);
  for (const char* host : {"", "a b", "a,b", "a/b", "u@a", "a:b", "a:", "a:123456", "[::1", "[x]", "[::1]a", "a\"b"}) {
    EXPECT_EQ(refusal("GET / HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n"), 400) << host;
  }
  EXPECT_EQ(read("GET / HTTP/1.0\r\n\r\n").status, Status::kDone);
  EXPECT_EQ(refusal("GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n"), 400);
  EXPECT_EQ(read("GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n").status, Status::kDone);
}

TEST(RequestParser, AnswersWithTheStatusThatFits) {
  EXPECT_EQ(refusal("GET / HTTP/2.0\r\nHost: a\r\n\r\n"), 505);
  EXPECT_EQ(refusal("GET / HTTP/0.9\r\nHost: a\r\n\r\n"), 505);
  EXPECT_EQ(refusal("CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n"), 501);
  EXPECT_EQ(refusal(std::string(40, 'M') + " / HTTP/1.1\r\nHost: a\r\n\r\n"), 501);
  EXPECT_EQ(refusal(with("Expect: 200-ok")), 417);
  EXPECT_EQ(refusal("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), 400);
}

TEST(RequestParser, HoldsItsLimitsHoweverTheBytesAreCut) {
  const RequestParser::Limits limits{.head_bytes = 400, .target_bytes = 100, .header_count = 5};
  const auto path = [](std::size_t length) {
    return "GET /" + std::string(length - 1, 'p') + " HTTP/1.1\r\nHost: a\r\n";
  };
  std::string many = path(1);
  for (int i = 0; i < 5; ++i) many += "A: b\r\n";
  const std::vector<std::pair<std::string, int>> table = {
      {path(100) + "\r\n", 0},
      {path(101) + "\r\n", 414},
      {path(1000) + "\r\n", 414},
      {"GET /" + std::string(500, 'p'), 414},
      {path(1) + "A: " + std::string(500, 'v') + "\r\n\r\n", 431},
      {path(1) + "A: " + std::string(500, 'v'), 431},
      {many + "\r\n", 431},
  };
  for (const auto& [bytes, status] : table) {
    for (const std::size_t step : {std::size_t{1}, std::size_t{7}, SIZE_MAX}) {
      EXPECT_EQ(read(bytes, step, limits).refusal, status) << bytes << " by " << step;
    }
  }
}

TEST(RequestParser, TakesOutWhatBelongsToTheConnection) {
  const auto got = read(
      "GET / HTTP/1.1\r\nHost: a\r\nConnection: x-mine, Host\r\nX-Mine: 1\r\nKeep-Alive: 5\r\nTE: trailers\r\n"
      "Upgrade: h2c\r\nProxy-Authorization: p\r\nProxy-Connection: c\r\nTrailer: t\r\nX-Kept: 2\r\n\r\n");
  EXPECT_EQ(got.summary, "GET / @a|Host=a|X-Kept=2");
}

TEST(RequestParser, AbsoluteFormReplacesHost) {
  EXPECT_EQ(read("GET HTTP://B:81/x?y HTTP/1.1\r\nHost: a\r\n\r\n").summary, "GET /x?y @b:81|Host=b:81");
  EXPECT_EQ(read("GET http://b?q HTTP/1.1\r\nHost: a\r\n\r\n").summary, "GET /?q @b|Host=b");
  EXPECT_EQ(read("GET http://b HTTP/1.1\r\nHost: a\r\n\r\n").summary, "GET / @b|Host=b");
  EXPECT_EQ(read("OPTIONS http://b HTTP/1.1\r\nHost: a\r\n\r\n").summary, "OPTIONS * @b|Host=b");
}

TEST(RequestParser, KnowsWhetherTheConnectionStays) {
  EXPECT_FALSE(read(with("Connection: Close")).framing.keep_alive);
  EXPECT_FALSE(read("GET / HTTP/1.0\r\n\r\n").framing.keep_alive);
  EXPECT_TRUE(read("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").framing.keep_alive);
  EXPECT_FALSE(read("GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n").framing.keep_alive);
}

}  // namespace
}  // namespace securebase::http
