// The Runtime API: what runtimes are told, and what they cannot spoil. Errors as Lambda words them.
#include "functions/functions_test.h"

namespace securebase::functions {
namespace {

TEST_F(FunctionsTest, GivesErrorsInLambdasShape) {
  python("raises", R"(
def handler(event, context):
    if event.get("marshal"):
        return object()
    return event["missing"]
)");
  python("no_import", "import nothing_like_this\n");
  python("exits", "import sys\nsys.exit(3)\n");
  python("exits_later", "import os\ndef handler(event, context):\n    os._exit(4)\n");
  apply();
  const auto raised = invoke("raises");
  EXPECT_EQ(raised.kind, Kind::kFunctionError);
  EXPECT_EQ(raised.error_type, "KeyError");
  const auto json = *base::Json::parse(raised.payload);
  EXPECT_EQ(json["errorMessage"].string_or(""), "'missing'");
  EXPECT_EQ(json["errorType"].string_or(""), "KeyError");
  EXPECT_EQ(json["requestId"].string_or(""), raised.request_id);
  ASSERT_EQ(json["stackTrace"].as_array()->size(), 1u);
  EXPECT_EQ(json["stackTrace"].as_array()->front().string_or(""),
            "  File \"/var/task/app.py\", line 5, in handler\n    return event[\"missing\"]\n");
  EXPECT_THAT(
      log_of("raises", "[ERROR]"),
      HasSubstr("\n[ERROR] KeyError: 'missing'\rTraceback (most recent call last):\r\u00a0\u00a0File "
                "\"/var/task/app.py\", line 5, in handler\r\u00a0\u00a0\u00a0\u00a0return event[\"missing\"]\n"));
  EXPECT_EQ(invoke("raises", R"({"marshal":1})").error_type, "Runtime.MarshalError");

  const auto import = invoke("no_import");
  EXPECT_EQ(import.kind, Kind::kFunctionError);
  EXPECT_EQ(import.error_type, "Runtime.ImportModuleError");
  EXPECT_THAT(import.payload, HasSubstr("Unable to import module 'app': No module named 'nothing_like_this'"));
  const auto exited = invoke("exits");
  EXPECT_EQ(exited.error_type, "Runtime.ExitError");
  EXPECT_THAT(exited.payload, HasSubstr("Runtime exited with error: exit status 3"));
  const auto later = invoke("exits_later");
  EXPECT_EQ(later.error_type, "Runtime.ExitError");
  EXPECT_THAT(later.payload,
              HasSubstr("RequestId: " + later.request_id + " Error: Runtime exited with error: exit status 4"));
}

TEST_F(FunctionsTest, RunsACustomRuntime) {
  const fs::path directory = state_ / "source" / "shell";
  fs::create_directories(directory);
  std::ofstream(directory / "bootstrap") << R"(#!/bin/bash
api=http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime
while true; do
  event=$(curl -sS -D /tmp/head "$api/invocation/next")
  id=$(grep -i '^lambda-runtime-aws-request-id:' /tmp/head | tr -d '\r' | cut -d' ' -f2)
  curl -sS -o /dev/null -d "{\"got\":$event,\"layer\":\"$(cat /opt/note)\"}" "$api/invocation/$id/response"
done
)";
  fs::permissions(directory / "bootstrap", fs::perms(0755));
  fs::create_directories(state_ / "source" / "layer");
  std::ofstream(state_ / "source/layer/note") << "from a layer";
  FunctionConfig shell;
  shell.name = "shell";
  shell.runtime_name = "provided.al2023";
  shell.code = directory;
  shell.layers = {{"arn:layer:1", state_ / "source" / "layer"}};
  config_.functions.push_back(shell);
  apply();
  const auto outcome = invoke("shell", "[1,2]");
  EXPECT_EQ(outcome.payload, R"({"got":[1,2],"layer":"from a layer"})");
}

TEST_F(FunctionsTest, AnswersARuntimeAsLambdasDocumentationSays) {
  runtime("strict", R"(
first, fields, event = call("GET", "invocation/next")
name = fields["Lambda-Runtime-Aws-Request-Id"]
told = {"fields": sorted(each for each in fields if each.startswith("Lambda-Runtime"))}
for what, method, path in (
        ("unknown", "GET", "invocation/unknown"), ("method", "PUT", "invocation/next"),
        ("wrong id", "POST", "invocation/nobody/response"), ("late init", "POST", "init/error"),
        ("response", "POST", "invocation/%s/response" % name), ("twice", "POST", "invocation/%s/response" % name),
        ("error after", "POST", "invocation/%s/error" % name)):
    status, _, body = call(method, path, b"{}" if method == "POST" else None)
    told[what] = "%d %s" % (status, json.loads(body).get("errorType", json.loads(body).get("status")))
serve(lambda event: told)
)");
  apply();
  EXPECT_EQ(invoke("strict").payload, "{}");
  const auto told = *base::Json::parse(invoke("strict").payload);
  EXPECT_EQ(told["fields"].dump(),
            R"(["Lambda-Runtime-Aws-Request-Id","Lambda-Runtime-Deadline-Ms","Lambda-Runtime-Invoked-Function-Arn",)"
            R"("Lambda-Runtime-Trace-Id"])");
  EXPECT_EQ(told["unknown"].string_or(""), "404 NotFound");
  EXPECT_EQ(told["method"].string_or(""), "404 NotFound");
  EXPECT_EQ(told["wrong id"].string_or(""), "400 InvalidRequestID");
  EXPECT_EQ(told["late init"].string_or(""), "403 InvalidStateTransition");
  EXPECT_EQ(told["response"].string_or(""), "202 OK");
  EXPECT_EQ(told["twice"].string_or(""), "403 InvalidStateTransition");
  EXPECT_EQ(told["error after"].string_or(""), "403 InvalidStateTransition");
}

TEST_F(FunctionsTest, LosesNothingToARuntimeThatHungUpWhileItWaited) {
  runtime("impatient", R"(
try:
    call("GET", "invocation/next", timeout=0.1)
except OSError:
    print("hung up", flush=True)
time.sleep(0.3)
serve(lambda event: event)
)")
      .provisioned = 1;
  apply();
  ASSERT_THAT(log_of("impatient", "hung up"), HasSubstr("hung up"));
  InvokeOptions options;
  options.deadline = std::chrono::steady_clock::now() + 20s;
  EXPECT_EQ(invoke("impatient", "1", options).payload, "1");
  EXPECT_EQ(invoke("impatient", "2", options).payload, "2");
  for (int attempt = 0; attempt < 300 && functions_->statistics().functions[0].busy > 0; ++attempt) {
    std::this_thread::sleep_for(10ms);
  }
  const auto told = functions_->statistics().functions[0];
  EXPECT_EQ(told.idle, told.cold_starts) << "one instance is one, however often it asks";
  EXPECT_EQ(told.under_way, 0u);
}

TEST_F(FunctionsTest, GoesOnWithoutARuntimeThatAsksForNothingMore) {
  runtime("once", R"(
status, fields, event = call("GET", "invocation/next")
call("POST", "invocation/%s/response" % fields["Lambda-Runtime-Aws-Request-Id"], event)
if json.loads(event) == "stay":
    time.sleep(600)
)")
      .timeout = 1s;
  apply();
  InvokeOptions options;
  options.deadline = std::chrono::steady_clock::now() + 20s;
  for (const char* event : {"1", "2", "\"stay\"", "4"}) EXPECT_EQ(invoke("once", event, options).payload, event);
  for (int attempt = 0; attempt < 2000 && functions_->statistics().functions[0].busy > 0; ++attempt) {
    std::this_thread::sleep_for(10ms);
  }
  EXPECT_EQ(functions_->statistics().functions[0].busy, 0u) << "the one that stays is ended when a call's time is over";
}

TEST_F(FunctionsTest, EndsARuntimeThatFailedInInitAndStays) {
  runtime("stays", R"(
call("POST", "init/error", b'{"errorType":"Own.Reason","errorMessage":"no key"}', {"Lambda-Runtime-Function-Error-Type": "Own.Reason"})
time.sleep(600)
)");
  apply();
  InvokeOptions options;
  options.deadline = std::chrono::steady_clock::now() + 9s;  // the time for init is 10 s
  const auto outcome = invoke("stays", "{}", options);
  EXPECT_EQ(outcome.kind, Kind::kFunctionError);
  EXPECT_EQ(outcome.error_type, "Own.Reason");
  EXPECT_EQ(outcome.payload, R"({"errorType":"Own.Reason","errorMessage":"no key"})");
}

TEST_F(FunctionsTest, RefuseAnAnswerBeyondSixMegabytes) {
  python("large", "def handler(event, context):\n    return 'x' * event['size']\n");
  apply();
  EXPECT_EQ(invoke("large", R"({"size":6000000})").payload.size(), 6'000'002u);
  const auto outcome = invoke("large", R"({"size":7000000})");
  EXPECT_EQ(outcome.error_type, "Function.ResponseSizeTooLarge");
  EXPECT_EQ(invoke("large", R"({"size":1})").payload, "\"x\"");
  EXPECT_EQ(invoke("large", std::string(7 << 20, ' ')).kind, Kind::kTooLarge);
}

}  // namespace
}  // namespace securebase::functions
