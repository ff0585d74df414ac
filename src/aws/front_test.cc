// Whole calls through the front: requests as current SDKs send them (fixtures/), and what goes wrong.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <filesystem>

#include "aws/aws.h"
#include "aws/cbor.h"
#include "aws/json_codec.h"
#include "aws/model.h"
#include "aws/test_support.h"
#include "base/file.h"
#include "base/json.h"

namespace securebase::aws {
namespace {

using ::testing::HasSubstr;

class FrontTest : public testing::Test {
 protected:
  // Answers the operation with `output` and keeps what it got.
  void answer(std::string_view service, std::string_view operation, Result<Value, Fault> output) {
    const auto* shape = find_service(service)->find(operation)->input;
    const bool streaming = shape && shape->payload && shape->payload->streaming;
    if (streaming) {
      operations_.add_on_worker(service, operation, [this](Call& call) { return take_stream(call); });
      return;
    }
    operations_.add(service, operation, [this, output = std::move(output)](const Call& call) -> Outcome {
      got_ = call.input;
      if (!output) return output.error();
      return *output;
    });
  }

  net::Task<Outcome> take_stream(Call& call) {
    got_ = call.input;
    auto bytes = co_await http::read_all(*call.payload, 1 << 20);
    if (!bytes) co_return Fault{"InternalError", "the payload broke off", 500, {}};
    streamed_ = std::move(*bytes);
    co_return Answer();
  }

  struct Answered {
    int status;
    http::Headers headers;
    std::string body;
  };
  Answered call(TestRequest& request) {
    Front front(Settings{.body_bytes = 1 << 20}, operations_, identities_, pool_, clock_);
    auto response = run(front.answer(request.request));
    return {response.status, response.headers, std::string(response.body.bytes())};
  }

  TestRequest fixture(const std::string& name, std::size_t piece = 1 << 20) {
    auto text = base::read_file(std::filesystem::path("fixtures") / (name + ".json"));
    EXPECT_TRUE(text) << text.error().message;
    auto json = base::Json::parse(*text);
    EXPECT_TRUE(json);
    TestRequest request(std::string((*json)["method"].string_or("")), std::string((*json)["target"].string_or("")));
    for (const auto& pair : *(*json)["headers"].as_array()) {
      const auto header = (*pair.as_array())[0].string_or("");
      const auto value = (*pair.as_array())[1].string_or("");
      if (header == "x-amz-date") now_ = *parse_compact_time(value);
      request.header(header == "host" ? "Host" : header, value);
    }
    request.body(*base::from_base64((*json)["body"].string_or("")), piece);
    return request;
  }

  TestRequest json_call(std::string_view target, std::string_view service, std::string body) {
    TestRequest request("POST", "/");
    request.header("Host", "127.0.0.1:4566");
    request.header("X-Amz-Target", target);
    request.header("Content-Type", "application/x-amz-json-1.1");
    sign_request(request, service, base::hex(base::sha256(body)), now_);
    request.body(std::move(body));
    return request;
  }

  TestRequest form_call(std::string_view service, std::string body) {
    TestRequest request("POST", "/");
    request.header("Host", "127.0.0.1:4566");
    request.header("Content-Type", "application/x-www-form-urlencoded; charset=utf-8");
    sign_request(request, service, base::hex(base::sha256(body)), now_);
    request.body(std::move(body));
    return request;
  }

  struct SettableClock final : base::Clock {
    explicit SettableClock(const base::TimePoint& now) : now_(now) {}
    base::TimePoint now() const override { return now_; }
    base::SteadyPoint steady() const override { return {}; }
    const base::TimePoint& now_;
  };

  base::TimePoint now_{std::chrono::seconds{1'795'503'445}};  // 2026-11-24T06:57:25Z
  SettableClock clock_{now_};
  TestIdentities identities_;
  Operations operations_;
  net::Pool pool_{1, 16};
  Value got_;
  std::string streamed_;
};

TEST_F(FrontTest, AsksTheQuickWayOfJsonFirst) {
  answer("cloudwatch", "PutMetricData", Value());
  std::string seen;
  bool takes = true;
  operations_.add_quick("cloudwatch", "PutMetricData", QuickBody::kJson,
                        [&](const Call&, std::string_view json) -> std::optional<Outcome> {
                          seen = json;
                          return takes ? std::optional<Outcome>(Answer()) : std::nullopt;
                        });
  const std::string json = R"({"Namespace": "App", "MetricData": [{"MetricName": "A", "Value": 2.5}]})";
  const std::string target = "GraniteServiceVersion20100801.PutMetricData";
  auto request = json_call(target, "monitoring", json);
  EXPECT_EQ(call(request).status, 200);
  EXPECT_EQ(seen, json);
  EXPECT_TRUE(got_.is_null()) << "the handler was not asked";
  takes = false;
  request = json_call(target, "monitoring", json);
  EXPECT_EQ(call(request).status, 200);
  EXPECT_EQ(got_["MetricData"].elements()[0]["Value"].number_or(0), 2.5);
}

TEST_F(FrontTest, AsksTheQuickWayOfAFormFirst) {
  answer("cloudwatch", "PutMetricData", Value());
  std::string seen;
  bool takes = true;
  operations_.add_quick("cloudwatch", "PutMetricData", QuickBody::kForm,
                        [&](const Call& call, std::string_view form) -> std::optional<Outcome> {
                          EXPECT_EQ(call.operation, "PutMetricData");
                          seen = form;
                          return takes ? std::optional<Outcome>(Answer()) : std::nullopt;
                        });
  const std::string form =
      "Action=PutMetricData&Version=2010-08-01&Namespace=App&MetricData.member.1.MetricName=A"
      "&MetricData.member.1.Value=2.5";
  auto request = form_call("monitoring", form);
  auto answered = call(request);
  EXPECT_EQ(answered.status, 200) << answered.body;
  EXPECT_THAT(answered.body, HasSubstr("PutMetricDataResponse"));
  EXPECT_EQ(seen, form);
  EXPECT_TRUE(got_.is_null()) << "the handler was not asked";

  takes = false;
  request = form_call("monitoring", form);
  EXPECT_EQ(call(request).status, 200);
  EXPECT_EQ(got_["MetricData"].elements()[0]["Value"].number_or(0), 2.5);
  request = form_call("monitoring", form + "&x=%");
  EXPECT_EQ(call(request).status, 400) << "what is wrong with it is said as ever";

  seen.clear();
  got_ = Value();
  takes = true;
  TestRequest forged("POST", "/");
  forged.header("Host", "127.0.0.1:4566");
  forged.header("Content-Type", "application/x-www-form-urlencoded; charset=utf-8");
  sign_request(forged, "monitoring", base::hex(base::sha256(form)), now_);
  forged.body(form + "&MetricData.member.1.Unit=Count");
  answered = call(forged);
  EXPECT_EQ(answered.status, 403) << answered.body;
  EXPECT_THAT(answered.body, HasSubstr("SignatureDoesNotMatch"));
  EXPECT_EQ(seen, "") << "nobody has seen a body that was not signed";
  EXPECT_TRUE(got_.is_null());

  request = form_call("monitoring", "Version=2010-08-01&" + form);
  EXPECT_EQ(call(request).status, 200);
  EXPECT_EQ(seen, "") << "Action does not stand first";
}

TEST_F(FrontTest, ReadsCborAsTheJavaScriptSdkSendsIt) {
  answer("cloudwatch", "PutMetricData", Value());
  answer("cloudwatch", "ListMetrics",
         Value::structure({{"Metrics", Value::list({Value::structure({{"Namespace", "Portal"}})})}}));
  answer("cloudwatch", "GetMetricData", Value());
  auto put = fixture("js_cbor_put_metric_data", 3);
  EXPECT_EQ(call(put).status, 200);
  EXPECT_EQ(got_["Namespace"].string_or(""), "Portal");
  const auto& first = got_["MetricData"].elements().at(0);
  EXPECT_EQ(first["Value"].number_or(0), 12.5);
  EXPECT_EQ(first["Timestamp"].time_or({}), *parse_time("2026-11-24T06:57:25.250Z"));
  EXPECT_EQ(first["Dimensions"].elements().at(0)["Value"].string_or(""), "prod");
  EXPECT_EQ(got_["MetricData"].elements().at(1)["Values"], Value::list({1.0, 2.25, -3.0}));

  auto list = fixture("js_cbor_list_metrics");
  const auto listed = call(list);
  EXPECT_EQ(listed.headers.get("smithy-protocol").value_or(""), "rpc-v2-cbor");
  auto output = parse_cbor(listed.body);
  ASSERT_TRUE(output);
  EXPECT_EQ((*output)["Metrics"].elements().at(0)["Namespace"].string_or(""), "Portal");

  auto get = fixture("js_cbor_get_metric_data");
  EXPECT_EQ(call(get).status, 200);
  EXPECT_EQ(got_["StartTime"].time_or({}), *parse_time("2026-11-24T06:57:25.250Z"));
}

TEST_F(FrontTest, UnpacksGzipWithinItsLimit) {
  answer("cloudwatch", "PutMetricData", Value());
  auto put = fixture("js_json_put_metric_data_gzip", 100);
  EXPECT_EQ(call(put).status, 200);
  EXPECT_EQ(got_["MetricData"].elements().size(), 400U);

  std::string bomb(1 << 20, '\0');
  z_stream stream{};
  ASSERT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string zeros(4 << 20, ' ');
  stream.next_in = reinterpret_cast<Bytef*>(zeros.data());
  stream.avail_in = static_cast<uInt>(zeros.size());
  stream.next_out = reinterpret_cast<Bytef*>(bomb.data());
  stream.avail_out = static_cast<uInt>(bomb.size());
  ASSERT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  bomb.resize(stream.total_out);
  deflateEnd(&stream);
  TestRequest request("POST", "/");
  request.header("Host", "x");
  request.header("X-Amz-Target", "GraniteServiceVersion20100801.PutMetricData");
  request.header("Content-Encoding", "gzip");
  sign_request(request, "monitoring", base::hex(base::sha256(bomb)), now_);
  request.body(bomb);
  EXPECT_EQ(call(request).status, 413);
}

TEST_F(FrontTest, TakesUploadsAsTheJavaScriptSdkSendsThem) {
  answer("s3", "PutObject", Value());
  for (const std::size_t piece : {1, 13, 1 << 20}) {
    auto streamed = fixture("js_s3_put_object_stream", piece);
    EXPECT_EQ(call(streamed).status, 200);
    EXPECT_EQ(streamed_, std::string(9000, 'b') + std::string(700, 'c'));
    EXPECT_TRUE(got_["ContentEncoding"].is_null()) << "aws-chunked is not the object's";
  }
  auto plain = fixture("js_s3_put_object");
  EXPECT_EQ(call(plain).status, 200);
  EXPECT_EQ(got_["Key"].string_or(""), "folder/a key+with $igns.txt");
  EXPECT_EQ(got_["Metadata"]["colour"].string_or(""), "blue");
  auto sha = fixture("js_s3_put_object_sha256");
  EXPECT_EQ(call(sha).status, 200);
}

TEST_F(FrontTest, RefusesUploadsThatAreNotWhatTheirChecksumsSay) {
  answer("s3", "PutObject", Value());
  for (const std::string name : {"js_s3_put_object_stream", "js_s3_put_object"}) {
    auto request = fixture(name);
    auto bytes = run(http::read_all(*request.request.body, 1 << 20));
    bytes->at(bytes->find_first_of("bh")) = 'X';
    request.body(*bytes);
    const auto answered = call(request);
    EXPECT_EQ(answered.status, 400) << answered.body;
    EXPECT_THAT(answered.body, testing::AnyOf(HasSubstr("BadDigest"), HasSubstr("XAmzContentSHA256Mismatch")));
  }
}

TEST_F(FrontTest, AnswersQueryInXmlWithAMetadataElement) {
  answer("sts", "GetCallerIdentity", Value::structure({{"Account", "1 < 2"}}));
  auto request = form_call("sts", "Action=GetCallerIdentity&Version=2011-06-15");
  const auto answered = call(request);
  EXPECT_EQ(answered.status, 200);
  EXPECT_THAT(answered.body, HasSubstr("<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">"
                                       "<GetCallerIdentityResult><Account>1 &lt; 2</Account></GetCallerIdentityResult>"
                                       "<ResponseMetadata><RequestId>"));
  EXPECT_TRUE(answered.headers.has("x-amzn-RequestId"));
}

TEST_F(FrontTest, ReadsNestedListsOfQueryInTheOrderOfTheirNumbers) {
  answer("cloudwatch", "PutMetricData", Value());
  std::string body = "Action=PutMetricData&Version=2010-08-01&Namespace=A%2FB";
  for (int i = 12; i > 0; --i) {
    body += "&MetricData.member." + std::to_string(i) + ".MetricName=m" + std::to_string(i) + "&MetricData.member." +
            std::to_string(i) + ".Value=" + std::to_string(i) + ".5";
  }
  auto request = form_call("monitoring", body);
  ASSERT_EQ(call(request).status, 200);
  ASSERT_EQ(got_["MetricData"].elements().size(), 12U);
  EXPECT_EQ(got_["MetricData"].elements()[10]["MetricName"].string_or(""), "m11");
  EXPECT_EQ(got_["MetricData"].elements()[1]["Value"].number_or(0), 2.5);
}

TEST_F(FrontTest, KeepsMembersThatTheModelDoesNotKnow) {
  answer("dynamodb", "ListTables", Value::structure({{"TableNames", Value::list()}, {"Newer", 7}}));
  auto request = json_call("DynamoDB_20120810.ListTables", "dynamodb", R"({"Limit":3,"Newer":{"a":[1,null,"x"]}})");
  const auto answered = call(request);
  EXPECT_EQ(answered.status, 200);
  EXPECT_EQ(got_["Newer"]["a"].elements().size(), 3U);
  EXPECT_EQ(answered.body, R"({"TableNames":[],"Newer":7})");
}

TEST_F(FrontTest, SaysWhatIsWrongInTheWordsOfTheService) {
  answer("dynamodb", "DescribeTable", Fault{"ResourceNotFoundException", "no table", 0, {}});
  answer("cloudwatch", "DescribeAlarms", Fault{"InvalidNextToken", "no token", 0, {}});
  const auto expect = [this](TestRequest request, int status, std::string_view code) {
    const auto answered = call(request);
    EXPECT_EQ(answered.status, status) << answered.body;
    EXPECT_THAT(answered.body, HasSubstr(std::string(code)));
    EXPECT_TRUE(answered.headers.has("x-amzn-RequestId"));
  };
  const std::string table = R"({"TableName":"abc"})";
  expect(json_call("DynamoDB_20120810.DescribeTable", "dynamodb", table), 400, "ResourceNotFoundException");
  expect(
      json_call("DynamoDB_20120810.DescribeTable", "dynamodb", "{}"), 400,
      "1 validation error detected: Value null at 'tableName' failed to satisfy constraint: Member must not be null");
  expect(json_call("DynamoDB_20120810.DescribeTable", "dynamodb", R"({"TableName":5})"), 400, "SerializationException");
  expect(json_call("DynamoDB_20120810.DescribeTable", "dynamodb", "{"), 400, "SerializationException");
  expect(json_call("DynamoDB_20120810.Nothing", "dynamodb", "{}"), 400, "UnknownOperationException");
  expect(json_call("DynamoDB_20120810.ListBackups", "dynamodb", "{}"), 501, "ListBackups of DynamoDB");
  expect(json_call("Logs_20140328.CreateLogGroup", "logs", std::string(2 << 20, ' ')), 413,
         "RequestEntityTooLargeException");
  expect(form_call("monitoring", "Action=DescribeAlarms&Version=2010-08-01"), 400,
         "<Error><Type>Sender</Type><Code>InvalidNextToken</Code>");
  expect(form_call("monitoring", "Action=Nothing&Version=2010-08-01"), 400, "<Code>InvalidAction</Code>");
  expect(form_call("monitoring", "Version=2010-08-01"), 400, "<Code>MissingAction</Code>");

  auto late = json_call("DynamoDB_20120810.DescribeTable", "dynamodb", table);
  now_ += std::chrono::minutes(16);
  expect(std::move(late), 400, "InvalidSignatureException");
  auto changed = json_call("DynamoDB_20120810.DescribeTable", "dynamodb", table);
  changed.body(R"({"TableName":"abd"})");
  expect(std::move(changed), 400, "InvalidSignatureException");
  TestRequest nobody("POST", "/");
  nobody.header("Host", "x");
  nobody.header("X-Amz-Target", "DynamoDB_20120810.DescribeTable");
  expect(std::move(nobody), 400, "MissingAuthenticationTokenException");
  TestRequest anonymous("GET", "/bucket/key");
  anonymous.header("Host", "x");
  expect(std::move(anonymous), 403, "<Code>AccessDenied</Code>");
  TestRequest second_version("GET", "/bucket/key?AWSAccessKeyId=A&Signature=x&Expires=1900000000");
  second_version.header("Host", "x");
  expect(std::move(second_version), 400, "<Code>InvalidRequest</Code><Message>The authorization mechanism");
  TestRequest garbled("GET", "/bucket/key");
  garbled.header("Host", "x");
  garbled.header("Authorization", "AWS4-HMAC-SHA256 Credential=a/b");
  expect(std::move(garbled), 400, "<Code>AuthorizationHeaderMalformed</Code>");
}

TEST_F(FrontTest, FindsTheBucketInTheHost) {
  answer("s3", "HeadBucket", Value());
  for (const std::string host : {"my.bucket.localhost:4566", "my.bucket.s3.us-east-1.amazonaws.com",
                                 "my.bucket.s3.amazonaws.com", "my.bucket.s3.localhost:4566"}) {
    TestRequest request("HEAD", "/");
    request.header("Host", host);
    request.header("x-amz-content-sha256", kEmptyPayloadHash);
    sign_request(request, "s3", kEmptyPayloadHash, now_);
    EXPECT_EQ(call(request).status, 200) << host;
    EXPECT_EQ(got_["Bucket"].string_or(""), "my.bucket") << host;
  }
}

TEST_F(FrontTest, LetsOnlyThoseOperationsComeUnsignedThatMay) {
  answer("sns", "ConfirmSubscription", Value::structure({{"SubscriptionArn", "arn"}}));
  answer("sns", "ListTopics", Value());
  TestRequest confirm("GET", "/?Action=ConfirmSubscription&TopicArn=arn:t&Token=t&Version=2010-03-31");
  confirm.header("Host", "x");
  EXPECT_EQ(call(confirm).status, 200);
  TestRequest topics("GET", "/?Action=ListTopics&Version=2010-03-31");
  topics.header("Host", "x");
  EXPECT_EQ(call(topics).status, 403);
}

TEST_F(FrontTest, GivesListsInPagesWhoseTokensOutliveChanges) {
  Value::List all{"a", "b", "c", "d", "e"};
  operations_.add("dynamodb", "ListTables", [&all](const Call& call) -> Outcome {
    auto page = paginate(call, Value::structure({{"TableNames", all}}), "");
    if (!page) return page.error();
    return *page;
  });
  auto first = json_call("DynamoDB_20120810.ListTables", "dynamodb", R"({"Limit":2})");
  auto json = base::Json::parse(call(first).body);
  EXPECT_EQ((*json)["TableNames"], base::Json::array({"a", "b"}));
  const std::string token((*json)["LastEvaluatedTableName"].string_or(""));
  all = {"a", "c", "cc", "d"};
  auto second =
      json_call("DynamoDB_20120810.ListTables", "dynamodb", R"({"ExclusiveStartTableName":")" + token + "\"}");
  EXPECT_EQ(call(second).body, R"({"TableNames":["c","cc","d"]})");
}

}  // namespace
}  // namespace securebase::aws
