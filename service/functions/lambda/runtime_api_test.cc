#include "lambda/runtime_api.h"

#include <gtest/gtest.h>

#include "lambda/scripted_stream.h"

namespace securebase::lambda {
namespace {

struct RuntimeApiTest : testing::Test {
  Script script;
  RuntimeApi api{"127.0.0.1:9001", [this]() -> Result<std::unique_ptr<Stream>> {
                   return std::unique_ptr<Stream>(std::make_unique<ScriptedStream>(script));
                 }};
};

TEST_F(RuntimeApiTest, ReadsAnInvocation) {
  script.answers = {
      "HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: r1\r\nLambda-Runtime-Deadline-Ms: 1769212800123\r\n"
      "Lambda-Runtime-Trace-Id: Root=1-5bef4de7\r\nLambda-Runtime-Invoked-Function-Arn: arn:f\r\n"
      "Content-Length: 2\r\n\r\n{}"};
  auto invocation = api.next();
  ASSERT_TRUE(invocation);
  EXPECT_EQ(invocation->request_id, "r1");
  EXPECT_EQ(invocation->trace_id, "Root=1-5bef4de7");
  EXPECT_EQ(invocation->function_arn, "arn:f");
  EXPECT_EQ(invocation->deadline.time_since_epoch(), std::chrono::milliseconds{1'769'212'800'123});
  EXPECT_EQ(invocation->event, "{}");
}

TEST_F(RuntimeApiTest, AnswersOnTheSameConnection) {
  script.answers = {"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n",
                    "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"};
  Invocation invocation;
  invocation.request_id = "r1";
  EXPECT_TRUE(api.respond(invocation, R"({"a":1})"));
  EXPECT_TRUE(api.fail(invocation, "HandlerError", "Unauthorized"));
  EXPECT_EQ(script.connections, 1);
  EXPECT_TRUE(script.written[0].starts_with("POST /2018-06-01/runtime/invocation/r1/response HTTP/1.1\r\n"));
  EXPECT_TRUE(script.written[0].ends_with("Content-Length: 7\r\n\r\n{\"a\":1}"));
  EXPECT_NE(script.written[1].find(R"({"errorMessage":"Unauthorized","errorType":"HandlerError","stackTrace":[]})"),
            std::string::npos);
  EXPECT_NE(script.written[1].find("Lambda-Runtime-Function-Error-Type: HandlerError\r\n"), std::string::npos);
}

TEST_F(RuntimeApiTest, TakesTheNextInvocationWithTheAnswerToAResult) {
  script.answers = {
      "HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: r2\r\nLambda-Runtime-Deadline-Ms: 1\r\n"
      "Content-Length: 2\r\n\r\n[]",
      "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n",
      "HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: r3\r\nLambda-Runtime-Deadline-Ms: 1\r\n"
      "Content-Length: 2\r\n\r\n{}"};
  Invocation invocation;
  invocation.request_id = "r1";
  EXPECT_TRUE(api.respond(invocation, "{}"));
  EXPECT_NE(script.written[0].find("Securebase-Runtime-Next: true\r\n"), std::string::npos);
  auto second = api.next();
  ASSERT_TRUE(second);
  EXPECT_EQ(second->request_id, "r2");
  EXPECT_EQ(second->event, "[]");
  EXPECT_EQ(script.written.size(), 1u);
  // Where the platform does not know the field, it is asked.
  EXPECT_TRUE(api.respond(*second, "{}"));
  auto third = api.next();
  ASSERT_TRUE(third);
  EXPECT_EQ(third->request_id, "r3");
}

TEST_F(RuntimeApiTest, ReplacesAConnectionThatWasClosedWhileItWasIdle) {
  script.answers = {"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n", "",
                    "HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: r2\r\nLambda-Runtime-Deadline-Ms: "
                    "1\r\nContent-Length: 2\r\n\r\n{}"};
  Invocation invocation;
  invocation.request_id = "r1";
  EXPECT_TRUE(api.respond(invocation, "{}"));
  auto next = api.next();
  ASSERT_TRUE(next);
  EXPECT_EQ(next->request_id, "r2");
  EXPECT_EQ(script.connections, 2);
}

TEST_F(RuntimeApiTest, EndsWhenThePlatformHasGone) {
  script.answers = {""};
  EXPECT_FALSE(api.next());
}

}  // namespace
}  // namespace securebase::lambda
