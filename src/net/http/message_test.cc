#include "net/http/message.h"

#include <gtest/gtest.h>

#include "net/http/syntax.h"
#include "net/worker.h"

namespace securebase::http {
namespace {

TEST(Method, IsCaseSensitive) {
  EXPECT_EQ(method_from("PATCH"), Method::kPatch);
  EXPECT_EQ(method_from("get"), Method::kOther);
  EXPECT_EQ(to_string(Method::kOptions), "OPTIONS");
  EXPECT_EQ(to_string(Method::kOther), "");
  EXPECT_EQ(method_from(""), Method::kOther);
}

TEST(Headers, CompareNamesWithoutCaseAndKeepTheOrder) {
  Headers headers;
  headers.add("Accept", "a");
  headers.add("X-One", "1");
  headers.add("accept", "b");
  EXPECT_EQ(headers.get("ACCEPT"), "a");
  EXPECT_EQ(headers.joined("Accept"), "a, b");
  headers.set("aCCept", "c");
  ASSERT_EQ(headers.size(), 2u);
  EXPECT_EQ(headers.fields()[0].value, "c");
  EXPECT_EQ(headers.remove("accept"), 1u);
  EXPECT_FALSE(headers.has("Accept"));
  EXPECT_EQ(headers.get("x-one"), "1");
}

TEST(Headers, SetTakesItsOwnFields) {
  Headers headers;
  headers.add("A", "1");
  headers.add("B", "2");
  headers.set("A", *headers.get("B"));
  EXPECT_EQ(headers.get("A"), "2");
}

TEST(Headers, CopiesOwnWhatTheyHold) {
  Headers copy;
  {
    std::string value = "a value that is long enough to live on the heap";
    Headers views;
    views.add_view("Name", value);
    copy = views;
    value.assign(value.size(), 'x');
  }
  EXPECT_EQ(copy.get("name"), "a value that is long enough to live on the heap");
}

TEST(Headers, KeepEarlierViewsValidWhileTheyGrow) {
  Headers headers;
  headers.add("First", "1");
  const auto first = *headers.get("First");
  for (int i = 0; i < 1000; ++i) headers.add("Name" + std::to_string(i), std::string(100, 'v'));
  EXPECT_EQ(first, "1");
  headers.clear();
  EXPECT_EQ(headers.size(), 0u);
  headers.add("Second", std::string(2000, 's'));
  EXPECT_EQ(headers.get("Second")->size(), 2000u);
}

TEST(Headers, LoseWhatBelongsToTheConnection) {
  Headers headers;
  for (const char* name :
       {"Connection", "Keep-Alive", "Proxy-Authorization", "TE", "Trailer", "Upgrade", "X-Named", "Host", "Accept"}) {
    headers.add(name, "v");
  }
  remove_hop_by_hop(headers, "close, x-named, Host");
  ASSERT_EQ(headers.size(), 2u);
  EXPECT_TRUE(headers.has("Host"));
  EXPECT_TRUE(headers.has("Accept"));
}

TEST(Prepared, HasItsHeadWithContentLengthAndWithoutFramingOfOthers) {
  Headers headers;
  headers.add("Content-Type", "text/plain");
  headers.add("Content-Length", "99");
  headers.add("Transfer-Encoding", "chunked");
  const auto prepared = prepare(200, std::move(headers), "hello");
  EXPECT_EQ(prepared->head, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n");
  EXPECT_EQ(prepared->body, "hello");
  EXPECT_EQ(prepare(204, {}, "")->head, "HTTP/1.1 204 No Content\r\n");
}

TEST(Prepared, NeverHoldsAFieldThatBreaksTheFraming) {
  Headers headers;
  headers.add("Location", "/a\r\nSet-Cookie: b=c");
  const auto prepared = prepare(302, std::move(headers), "");
  EXPECT_EQ(prepared->status, 500);
  EXPECT_EQ(prepared->head.find("Set-Cookie"), std::string::npos);
}

class Pieces final : public BodyReader {
 public:
  explicit Pieces(int count) : left_(count) {}
  net::Task<Result<std::string_view>> next() override {
    if (left_-- <= 0) co_return std::string_view{};
    co_return std::string_view("piece");
  }

 private:
  int left_;
};

net::Task<void> read_bounded(std::string& got, Errc& code) {
  Pieces three(3);
  auto all = co_await read_all(three, 15);
  if (all) got = *all;
  Pieces many(1000);
  auto too_much = co_await read_all(many, 14);
  if (!too_much) code = too_much.error().code;
}

TEST(ReadAll, StopsAtItsLimit) {
  net::Worker worker(0);
  std::string got;
  Errc code = Errc::kIo;
  worker.run_until_done(read_bounded(got, code));
  EXPECT_EQ(got, "piecepiecepiece");
  EXPECT_EQ(code, Errc::kLimit);
}

TEST(Body, KnowsItsLength) {
  EXPECT_EQ(Body().length(), 0u);
  EXPECT_EQ(Body("abc").length(), 3u);
  const auto owner = std::make_shared<const std::string>("shared bytes");
  EXPECT_EQ(Body(SharedBytes(owner).part(7, 5)).bytes(), "bytes");
  Body stream(std::make_unique<Pieces>(1));
  EXPECT_TRUE(stream.is_stream());
  EXPECT_FALSE(stream.length());
  EXPECT_TRUE(stream.take_stream());
  EXPECT_FALSE(stream.is_stream());
}

}  // namespace
}  // namespace securebase::http
