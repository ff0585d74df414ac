// What the tests of S3's operations share: calls as the front makes them, without the front.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "base/random.h"
#include "objects/s3.h"

namespace securebase::objects {

class OneByOne final : public http::BodyReader {
 public:
  explicit OneByOne(std::string bytes) : bytes_(std::move(bytes)) {}
  net::Task<Result<std::string_view>> next() override {
    const auto piece = std::string_view(bytes_).substr(at_, 100'000);
    at_ += piece.size();
    if (piece.empty() && broken) co_return Error{Errc::kClosed, "the client went away"};
    co_return piece;
  }
  bool broken = false;

 private:
  const std::string bytes_;
  std::size_t at_ = 0;
};

class S3Test : public testing::Test {
 protected:
  using Value = aws::Value;
  using Fields = std::vector<std::pair<std::string, std::string>>;

  S3Test() {
    start();
    EXPECT_EQ(code("CreateBucket", {{"Bucket", "portal"}}), "");
  }
  ~S3Test() override {
    objects_.reset();
    std::filesystem::remove_all(folder_);
  }

  // As after a crash: what is on disk is all there is.
  void start() {
    objects_.reset();
    auto opened = Objects::open(folder_, pool_, clock_);
    ASSERT_TRUE(opened) << opened.error().message;
    objects_ = std::move(*opened);
    operations_ = {};
    add_operations(operations_, *objects_, pool_);
  }

  struct Reply {
    std::string code;  // empty: it went well
    int status = 0;
    Value output;
    Value members;  // of the fault
    std::string body;
    http::Headers headers;
    const Value& operator[](std::string_view member) const { return output[member]; }
    std::string text(std::string_view member) const { return std::string(output[member].string_or("")); }
  };

  Reply call(std::string_view operation, std::initializer_list<Value::Member> input, std::string payload = {},
             const Fields& fields = {}, bool broken = false) {
    http::Request request;
    for (const auto& [name, value] : fields) request.headers.add(name, value);
    const aws::Identity identity{"AKIA", "123456789012", "arn:aws:iam::123456789012:root", "123456789012"};
    OneByOne bytes(std::move(payload));
    bytes.broken = broken;
    aws::Call made{.service = "s3",
                   .operation = operation,
                   .identity = identity,
                   .region = "us-east-1",
                   .account = "123456789012",
                   .request_id = "R1",
                   .now = clock_.now(),
                   .input = Value::structure(input),
                   .request = request,
                   .payload = &bytes};
    Reply reply;
    worker_.run_until_done(carry_out(operations_.find("s3", operation), made, reply));
    return reply;
  }
  std::string code(std::string_view operation, std::initializer_list<Value::Member> input, std::string payload = {}) {
    return call(operation, input, std::move(payload)).code;
  }
  Reply put(std::string key, std::string bytes) {
    return call("PutObject", {{"Bucket", "portal"}, {"Key", std::move(key)}}, std::move(bytes));
  }
  Reply get(std::string key) { return call("GetObject", {{"Bucket", "portal"}, {"Key", std::move(key)}}); }

  static net::Task<void> carry_out(const aws::Operations::Either& either, aws::Call& call, Reply& reply) {
    aws::Outcome outcome = aws::Fault{"NoSuchOperation", "", 0, {}};
    if (const auto* handler = std::get_if<aws::Handler>(&either)) outcome = (*handler)(call);
    if (const auto* handler = std::get_if<aws::WorkerHandler>(&either)) outcome = co_await (*handler)(call);
    if (!outcome) {
      reply.code = outcome.error().code;
      reply.status = outcome.error().status;
      reply.members = outcome.error().members;
      co_return;
    }
    reply.status = outcome->status;
    reply.output = std::move(outcome->output);
    reply.headers = outcome->headers;
    if (auto stream = outcome->payload.take_stream()) {
      auto all = co_await http::read_all(*stream, 64 << 20);
      EXPECT_TRUE(all);
      if (all) reply.body = std::move(*all);
    } else {
      reply.body = outcome->payload.bytes();
    }
  }

  std::size_t files() const { return base::files_below(folder_)->size(); }

  const std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("securebase-s3-" + base::random_hex(8));
  base::ManualClock clock_;
  net::Pool pool_{2, 16};
  net::Worker worker_{0};
  std::unique_ptr<Objects> objects_;
  aws::Operations operations_;
};

}  // namespace securebase::objects
