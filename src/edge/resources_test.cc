// service/infra's own distribution, and what is wrong with others.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/random.h"
#include "edge/config.h"
#include "edge/edge.h"
#include "edge/path.h"
#include "edge/range.h"
#include "objects/objects.h"
#include "stack/stack.h"

namespace securebase::edge {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

Result<std::shared_ptr<const Config>, stack::Diagnostics> configured(const stack::Inputs& inputs) {
  stack::Catalogue catalogue;
  declare(catalogue);
  objects::declare(catalogue);
  auto loaded = stack::load(inputs, catalogue);
  if (!loaded) return loaded.error();
  return configure(*loaded);
}

std::filesystem::path module_directory() { return std::filesystem::path("../../service/infra/modules/cloudfront"); }

TEST(Resources, ReadTheServicesDistribution) {
  stack::Inputs inputs;
  inputs.directory = module_directory();
  inputs.variables = {{"environment", "prod"},
                      {"bucket_name", "securebase-prod-portal"},
                      {"price_class", "PriceClass_100"},
                      {"api_gateway_domain", "abc123.execute-api.us-east-1.amazonaws.com"},
                      {"api_cache_ttl", "300"}};
  const auto config = configured(inputs);
  ASSERT_TRUE(config) << stack::render(config.error());
  ASSERT_EQ((*config)->distributions.size(), 1U);
  const auto& made = (*config)->distributions[0];
  EXPECT_EQ(made.id, "E1234ABCD");
  EXPECT_EQ(made.default_root_object, "/index.html");
  EXPECT_EQ(made.origins[0].kind, OriginConfig::Kind::kBucket);
  EXPECT_EQ(made.origins[0].bucket, "securebase-prod-portal");
  EXPECT_EQ(made.origins[1].kind, OriginConfig::Kind::kGateway);
  EXPECT_EQ(made.error_minimum(503), 0s);
  EXPECT_EQ(made.error_minimum(404), 10s);

  const auto& api = made.behaviour_for("/api/v1/health");
  EXPECT_EQ(api.pattern, "/api/*");
  EXPECT_EQ(api.ttl.maximum, 300s);
  EXPECT_EQ(api.ttl.standard, 0s);
  EXPECT_TRUE(api.gzip);
  EXPECT_TRUE(api.key_headers.takes_field("authorization"));
  EXPECT_TRUE(api.more_headers.takes_field("X-Anything"));
  EXPECT_FALSE(api.more_headers.takes_field("Host"));
  EXPECT_EQ(api.key_queries.kind, Selection::Kind::kAll);
  EXPECT_EQ(made.behaviour_for("/assets/a.js").ttl.standard, 31'536'000s);
  const auto& page = made.behaviour_for("/index.html");
  EXPECT_EQ(page.pattern, "*");
  ASSERT_TRUE(page.fields);
  EXPECT_EQ(page.fields->lines.size(), 5U);
  EXPECT_FALSE(page.allowed & method_bit(http::Method::kPost));
}

class Written : public ::testing::Test {
 protected:
  Written() : directory_(std::filesystem::temp_directory_path() / ("edge-" + base::random_hex(12))) {
    std::filesystem::create_directory(directory_);
  }
  ~Written() override { std::filesystem::remove_all(directory_); }
  std::string problem(const std::string& origin, const std::string& behaviour) {
    std::ofstream(directory_ / "main.tf") << "resource \"aws_cloudfront_distribution\" \"a\" {\n  enabled = true\n"
                                          << "  origin {\n    origin_id = \"o\"\n"
                                          << origin << "\n  }\n"
                                          << "  default_cache_behavior {\n    viewer_protocol_policy = \"allow-all\"\n"
                                          << behaviour << "\n  }\n}\n";
    stack::Inputs inputs;
    inputs.directory = directory_;
    const auto config = configured(inputs);
    return config ? "" : stack::render(config.error());
  }
  const std::filesystem::path directory_;
};

const char* const kHttp =
    "domain_name = \"a.example\"\n custom_origin_config {\n http_port = 80\n https_port = 443\n"
    " origin_protocol_policy = \"http-only\"\n origin_ssl_protocols = [\"TLSv1.2\"]\n }";

TEST_F(Written, NamesWhatIsMissing) {
  EXPECT_EQ(problem(kHttp, "target_origin_id = \"o\""), "");
  EXPECT_THAT(problem(kHttp, "target_origin_id = \"x\""), HasSubstr("wants the origin \"x\""));
  EXPECT_THAT(problem("domain_name = \"gone.s3.us-east-1.amazonaws.com\"", "target_origin_id = \"o\""),
              HasSubstr("which no aws_s3_bucket of this stack makes"));
  EXPECT_THAT(problem("domain_name = \"a.example\"", "target_origin_id = \"o\""), HasSubstr("custom_origin_config"));
  EXPECT_THAT(problem("domain_name = \"a.example\"\n vpc_origin_config {\n vpc_origin_id = \"vo_1\"\n }",
                      "target_origin_id = \"o\""),
              testing::AllOf(HasSubstr("VPC origins are not supported"), HasSubstr("vo_1")));
  EXPECT_THAT(problem(kHttp, "target_origin_id = \"o\"\n cache_policy_id = \"nope\""),
              HasSubstr("cache policy \"nope\""));
  EXPECT_THAT(problem(kHttp, "target_origin_id = \"o\"\n trusted_key_groups = [\"k\"]"), HasSubstr("signed"));
}

struct PathCase {
  const char* raw;
  const char* normal;  // null: refused
};
TEST(NormalPath, IsOneForm) {
  for (const auto& [raw, normal] : std::vector<PathCase>{{"/", "/"},
                                                         {"/a/b", "/a/b"},
                                                         {"/%61/%7e", "/a/~"},
                                                         {"/a/./b/../c", "/a/c"},
                                                         {"/a/%2e%2e/b", "/b"},
                                                         {"/../../x", "/x"},
                                                         {"/a/..", "/"},
                                                         {"/a/.", "/a/"},
                                                         {"//a", "//a"},
                                                         {"/a b", "/a%20b"},
                                                         {"/a%c3%a9", "/a%C3%A9"},
                                                         {"/.well-known/x", "/.well-known/x"},
                                                         {"/a%2fb", nullptr},
                                                         {"/a%5Cb", nullptr},
                                                         {"/a\\b", nullptr},
                                                         {"/a%00", nullptr},
                                                         {"/a%4", nullptr},
                                                         {"/a%zz", nullptr},
                                                         {"*", nullptr},
                                                         {"", nullptr}}) {
    std::string scratch;
    const auto got = normal_path(raw, scratch);
    if (!normal) {
      EXPECT_FALSE(got) << raw;
      continue;
    }
    ASSERT_TRUE(got) << raw;
    EXPECT_EQ(*got, normal);
    std::string again;
    EXPECT_EQ(normal_path(*got, again), *got);
  }
}

TEST(PathPattern, KnowsStarAndQuestionMark) {
  EXPECT_TRUE(path_matches("/api/*", "/api/v1/x"));
  EXPECT_FALSE(path_matches("/api/*", "/api"));
  EXPECT_TRUE(path_matches("images/*.jp?g", "/images/a/b.jpeg"));
  EXPECT_FALSE(path_matches("*.gif", "/a.gifx"));
  EXPECT_FALSE(path_matches("/API/*", "/api/x"));
}

TEST(Range, IsReadStrictly) {
  using Ranges = std::vector<ByteRange>;
  EXPECT_EQ(parse_range("bytes=0-0,5-", 10), (Ranges{{0, 0}, {5, 9}}));
  EXPECT_EQ(parse_range("bytes=-20", 10), (Ranges{{0, 9}}));
  EXPECT_EQ(parse_range("bytes=10-", 10), Ranges{});
  for (const char* wrong : {"bytes=", "bytes=a-b", "lines=0-1", "bytes=5-2", "bytes=0-5,3-8", "bytes=--1"}) {
    EXPECT_FALSE(parse_range(wrong, 10)) << wrong;
  }
}

}  // namespace
}  // namespace securebase::edge
