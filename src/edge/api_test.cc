// CloudFront's API before an engine: what an invalidation takes away, and what is known of it afterwards.
#include <filesystem>

#include "aws/aws.h"
#include "base/random.h"
#include "edge/describe.h"
#include "edge/engine_test.h"

namespace securebase::edge {
namespace {

using aws::Value;

class EdgeApiTest : public EdgeTest {
 protected:
  EdgeApiTest() { settings_.state = folder_; }
  ~EdgeApiTest() override { std::filesystem::remove_all(folder_); }

  aws::Outcome call(std::string_view operation, std::initializer_list<Value::Member> input) {
    aws::Operations operations;
    add_operations(operations, engine(), [this](const std::vector<std::string>& tags) { raised_ = tags; });
    const aws::Identity identity;
    const http::Request request;
    const aws::Call made{.service = "cloudfront",
                         .operation = operation,
                         .identity = identity,
                         .region = "us-east-1",
                         .account = "123456789012",
                         .request_id = "R1",
                         .now = clock_.now(),
                         .input = Value::structure(input),
                         .request = request,
                         .payload = nullptr};
    return std::get<aws::Handler>(operations.find("cloudfront", operation))(made);
  }
  aws::Outcome invalidate(std::vector<std::string> paths, std::string reference, std::string distribution = "E1",
                          std::optional<int> quantity = std::nullopt) {
    auto items = Value::list();
    for (const auto& path : paths) items.push_back(path);
    return call(
        "CreateInvalidation",
        {{"DistributionId", distribution},
         {"InvalidationBatch",
          Value::structure({{"CallerReference", reference},
                            {"Paths", Value::structure({{"Quantity", quantity.value_or(static_cast<int>(paths.size()))},
                                                        {"Items", items}})}})}});
  }
  static std::string id_of(const aws::Outcome& outcome) {
    return outcome ? std::string(outcome->output["Invalidation"]["Id"].string_or("")) : outcome.error().code;
  }

  const std::filesystem::path folder_ = std::filesystem::temp_directory_path() / ("edge-api-" + base::random_hex(8));
  std::vector<std::string> raised_;
};

TEST_F(EdgeApiTest, WhatIsInvalidatedIsAskedForAnew) {
  get("/img/a");
  get("/b");
  const auto made = invalidate({"/img/*"}, "one");
  ASSERT_TRUE(made);
  EXPECT_EQ(made->status, 201);
  EXPECT_EQ(made->output["Invalidation"]["Status"].string_or(""), "Completed");
  EXPECT_EQ(made->output["Invalidation"]["CreateTime"].time_or({}), clock_.now());
  EXPECT_THAT(std::string(made->output["Location"].string_or("")), HasSubstr("/distribution/E1/invalidation/I"));
  EXPECT_EQ(get("/img/a").x_cache(), "Miss from cloudfront") << "hard: not even while a refresh runs";
  EXPECT_EQ(get("/b").x_cache(), "Hit from cloudfront");
  ASSERT_TRUE(invalidate({"/*"}, "two"));
  EXPECT_EQ(get("/b").x_cache(), "Miss from cloudfront");
}

TEST_F(EdgeApiTest, TagsHoldInEveryCache) {
  origin_.answers = [](const OriginRequest&, const Caller&) {
    http::Response response;
    response.headers.add("Cache-Control", "max-age=300, public");
    response.headers.add("Cache-Tag", "customer:42");
    return response;
  };
  get("/a");
  ASSERT_TRUE(invalidate({"#customer:42", "/elsewhere"}, "one"));
  EXPECT_EQ(get("/a").x_cache(), "Miss from cloudfront");
  EXPECT_EQ(told_, std::vector<std::string>{"customer:42"}) << "the gateway's verdicts";
  EXPECT_EQ(raised_, std::vector<std::string>{"customer:42"}) << "caches elsewhere";
}

TEST_F(EdgeApiTest, AReferenceIsOneInvalidation) {
  const auto first = id_of(invalidate({"/a", "/b"}, "deploy 7"));
  get("/a");
  EXPECT_EQ(id_of(invalidate({"/a", "/b"}, "deploy 7")), first);
  EXPECT_EQ(get("/a").x_cache(), "Hit from cloudfront") << "it was done before";
  EXPECT_EQ(id_of(invalidate({"/a"}, "deploy 7")), "InvalidArgument");
  configure_again();  // as after a restart
  EXPECT_EQ(id_of(invalidate({"/a", "/b"}, "deploy 7")), first);
}

TEST_F(EdgeApiTest, AreListedTheNewestFirstAndSurviveARestart) {
  std::vector<std::string> ids;
  for (const char* reference : {"one", "two", "three"}) {
    ids.push_back(id_of(invalidate({"/a", "#tag:1"}, reference)));
    clock_.advance(1s);
  }
  configure_again();
  const auto listed = call("ListInvalidations", {{"DistributionId", "E1"}, {"MaxItems", "2"}});
  ASSERT_TRUE(listed);
  const auto& page = listed->output["InvalidationList"];
  ASSERT_EQ(page["Items"].elements().size(), 2u);
  EXPECT_EQ(page["Items"].elements()[0]["Id"].string_or(""), ids[2]);
  EXPECT_EQ(page["Items"].elements()[1]["Id"].string_or(""), ids[1]);
  EXPECT_TRUE(page["IsTruncated"].bool_or(false));
  const auto rest = call("ListInvalidations", {{"DistributionId", "E1"}, {"Marker", page["NextMarker"]}});
  ASSERT_TRUE(rest);
  ASSERT_EQ(rest->output["InvalidationList"]["Items"].elements().size(), 1u);
  EXPECT_EQ(rest->output["InvalidationList"]["Items"].elements()[0]["Id"].string_or(""), ids[0]);
  EXPECT_FALSE(rest->output["InvalidationList"]["IsTruncated"].bool_or(true));

  const auto one = call("GetInvalidation", {{"DistributionId", "E1"}, {"Id", ids[0]}});
  ASSERT_TRUE(one);
  const auto& batch = one->output["Invalidation"]["InvalidationBatch"];
  EXPECT_EQ(batch["CallerReference"].string_or(""), "one");
  EXPECT_EQ(batch["Paths"]["Items"].elements().at(1).string_or(""), "#tag:1");
  EXPECT_EQ(call("GetInvalidation", {{"DistributionId", "E1"}, {"Id", "I0"}}).error().code, "NoSuchInvalidation");
}

TEST_F(EdgeApiTest, RefusesWhatIsNone) {
  EXPECT_EQ(id_of(invalidate({"/a"}, "one", "E9")), "NoSuchDistribution");
  EXPECT_EQ(id_of(invalidate({"img/*"}, "one")), "InvalidArgument");
  EXPECT_EQ(id_of(invalidate({"/a", "#"}, "one")), "InvalidArgument");
  EXPECT_EQ(id_of(invalidate({"/a"}, "")), "InvalidArgument");
  EXPECT_EQ(id_of(invalidate({}, "one")), "InvalidArgument");
  EXPECT_EQ(id_of(invalidate({"/a"}, "one", "E1", 2)), "InconsistentQuantities");
  EXPECT_EQ(id_of(invalidate(std::vector<std::string>(3001, "/a"), "one")), "BatchTooLarge");
  const auto none = call("ListInvalidations", {{"DistributionId", "E1"}});
  ASSERT_TRUE(none);
  EXPECT_EQ(none->output["InvalidationList"]["Quantity"].integer_or(-1), 0) << "what was refused is not kept";
}

TEST_F(EdgeApiTest, ShowsADistributionAsTheStackHasIt) {
  DistributionResource said;
  said.comment = "the portal";
  said.aliases = {"www.example.com"};
  said.default_root_object = "index.html";
  said.origins.push_back({});
  said.origins[0].id = "api";
  said.origins[0].domain_name = "api.example.com";
  said.origins[0].custom.emplace();
  said.default_behaviour.target_origin_id = "api";
  said.default_behaviour.viewer_protocol = ViewerProtocol::kRedirectToHttps;
  said.default_behaviour.allowed_methods = {"GET", "HEAD"};
  said.default_behaviour.cached_methods = {"GET", "HEAD"};
  said.default_behaviour.default_ttl = 3600s;
  said.ordered.push_back(said.default_behaviour);
  said.ordered[0].path_pattern = "/api/*";
  config_.said = std::make_shared<const DistributionResource>(said);

  const auto got = call("GetDistribution", {{"Id", "E1"}});
  ASSERT_TRUE(got);
  const auto& distribution = got->output["Distribution"];
  EXPECT_EQ(distribution["ARN"].string_or(""), "arn:aws:cloudfront::123456789012:distribution/E1");
  EXPECT_EQ(distribution["DomainName"].string_or(""), "d1.cloudfront.net");
  EXPECT_EQ(distribution["Status"].string_or(""), "Deployed");
  const auto& config = distribution["DistributionConfig"];
  EXPECT_EQ(config["Comment"].string_or(""), "the portal");
  EXPECT_EQ(config["Aliases"]["Items"].elements().at(0).string_or(""), "www.example.com");
  EXPECT_EQ(config["Origins"]["Items"].elements().at(0)["CustomOriginConfig"]["HTTPPort"].integer_or(0), 80);
  EXPECT_EQ(config["DefaultCacheBehavior"]["ViewerProtocolPolicy"].string_or(""), "redirect-to-https");
  EXPECT_EQ(config["DefaultCacheBehavior"]["DefaultTTL"].integer_or(0), 3600);
  EXPECT_EQ(config["CacheBehaviors"]["Items"].elements().at(0)["PathPattern"].string_or(""), "/api/*");
  const auto etag = std::string(got->output["ETag"].string_or(""));
  EXPECT_EQ(etag.size(), 14u);
  EXPECT_EQ(call("GetDistributionConfig", {{"Id", "E1"}})->output["ETag"].string_or(""), etag);
  EXPECT_EQ(call("GetDistribution", {{"Id", "E9"}}).error().code, "NoSuchDistribution");
  said.comment = "another";
  config_.said = std::make_shared<const DistributionResource>(said);
  EXPECT_NE(etag_of(config_), etag);
  const auto listed = call("ListDistributions", {});
  ASSERT_TRUE(listed);
  EXPECT_EQ(listed->output["DistributionList"]["Items"].elements().at(0)["Id"].string_or(""), "E1");
}

TEST_F(EdgeApiTest, ADistributionThatDidNotChangeWasNotModified) {
  const auto modified = [this] {
    return call("GetDistribution", {{"Id", "E1"}})->output["Distribution"]["LastModifiedTime"].time_or({});
  };
  const auto before = modified();
  clock_.advance(60s);
  auto config = std::make_shared<Config>();
  config->distributions.push_back(config_);
  engine().apply(config);
  EXPECT_EQ(modified(), before);
  DistributionResource other;
  other.comment = "changed";
  config_.said = std::make_shared<const DistributionResource>(other);
  config = std::make_shared<Config>();
  config->distributions.push_back(config_);
  engine().apply(config);
  EXPECT_EQ(modified(), before + 60s);
}

}  // namespace
}  // namespace securebase::edge
