#include "cli/aws_program.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace securebase::cli {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

constexpr base::TimePoint kNow{std::chrono::seconds{1'795'737'600}};  // 2026-11-27T00:00:00Z
const std::string kEndpoint = "http://127.0.0.1:4566";

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream in(line);
  std::vector<std::string> words;
  for (std::string word; in >> word;) words.push_back(word);
  return words;
}

std::vector<std::string> lines_of(const AwsCalls& made) {
  std::vector<std::string> lines;
  for (const auto& call : made.calls) {
    std::string line;
    for (const auto& word : call) line += (line.empty() ? "" : " ") + word;
    lines.push_back(line);
  }
  return lines;
}

std::vector<std::string> rewritten(const std::string& line) {
  return lines_of(aws_calls(words_of(line), kEndpoint, kNow));
}

TEST(AwsProgram, AddsTheEndpointAndLeavesTheRest) {
  EXPECT_THAT(rewritten("s3 ls s3://bucket --recursive"),
              ElementsAre("--endpoint-url http://127.0.0.1:4566 s3 ls s3://bucket --recursive"));
  EXPECT_THAT(rewritten("s3 ls --endpoint-url=http://other"), ElementsAre("s3 ls --endpoint-url=http://other"));
  EXPECT_THAT(rewritten("--endpoint-url http://other s3 ls"), ElementsAre("--endpoint-url http://other s3 ls"));
  EXPECT_THAT(lines_of(aws_calls(words_of("s3 ls"), "", kNow)), ElementsAre("s3 ls"));
}

TEST(AwsProgram, FillsInTheLastHourWhereNoTimesAreGiven) {
  EXPECT_THAT(
      rewritten("cloudwatch get-metric-statistics --namespace AWS/Lambda --metric-name Duration "
                "--statistics p95"),
      ElementsAre("--endpoint-url http://127.0.0.1:4566 cloudwatch get-metric-statistics --namespace AWS/Lambda "
                  "--metric-name Duration --statistics p95 --start-time 2026-11-26T23:00:00Z --end-time "
                  "2026-11-27T00:00:00Z --period 300"));
}

TEST(AwsProgram, LeavesTimesAndStatisticsThatAreGiven) {
  const std::string whole =
      "cloudwatch get-metric-statistics --namespace N --metric-name M --start-time 2026-01-24T00:00:00Z --end-time "
      "2026-01-24T23:59:59Z --period 3600 --statistics Average";
  EXPECT_THAT(rewritten(whole), ElementsAre("--endpoint-url http://127.0.0.1:4566 " + whole));
}

TEST(AwsProgram, AsksForEachMetricOfAList) {
  const auto calls = rewritten(
      "cloudwatch get-metric-statistics --namespace AWS/ElastiCache --metric-name "
      "CacheHits,CacheMisses --period 60");
  ASSERT_THAT(calls, SizeIs(2));
  EXPECT_THAT(calls[0], testing::HasSubstr("--metric-name CacheHits --period 60"));
  EXPECT_THAT(calls[1], testing::HasSubstr("--metric-name CacheMisses --period 60"));
  EXPECT_THAT(calls[0], testing::HasSubstr("--statistics SampleCount Average Sum Minimum Maximum"));
  EXPECT_THAT(rewritten("cloudwatch get-metric-statistics --metric-name=A,B"), SizeIs(2));
}

TEST(AwsProgram, FindsTheSubjectBehindGlobalOptions) {
  EXPECT_THAT(rewritten("--region us-east-1 --output json cloudwatch get-metric-statistics --metric-name A,B"),
              SizeIs(2));
  EXPECT_THAT(rewritten("cloudwatch list-metrics --metric-name A,B"), SizeIs(1));
}

TEST(AwsProgram, SendsInsightsToTheCommandThatHasIt) {
  const auto made = aws_calls(words_of("logs insights query --log-group-name /aws/lambda/x"), kEndpoint, kNow);
  EXPECT_EQ(made.program, AwsCalls::Program::kSecureBase);
  EXPECT_THAT(lines_of(made), ElementsAre("logs insights query --log-group-name /aws/lambda/x"));
  EXPECT_EQ(aws_calls(words_of("logs describe-log-groups"), kEndpoint, kNow).program, AwsCalls::Program::kAws);
}

TEST(AwsProgram, IsNotFoundWhenItIsOnlyItself) {
  namespace fs = std::filesystem;
  std::string pattern = testing::TempDir() + "aws-XXXXXX";
  const fs::path root = mkdtemp(pattern.data());
  for (const char* name : {"own", "other"}) fs::create_directory(root / name);
  std::ofstream(root / "securebase") << "x";
  std::ofstream(root / "other" / "aws") << "x";
  chmod((root / "securebase").c_str(), 0755);
  chmod((root / "other" / "aws").c_str(), 0755);
  fs::create_symlink(root / "securebase", root / "own" / "aws");
  const std::string self = fs::canonical(root / "securebase").native();
  EXPECT_EQ(find_aws((root / "own").native(), self), "");
  EXPECT_EQ(find_aws((root / "own").native() + ":" + (root / "other").native(), self),
            (root / "other" / "aws").native());
  fs::remove_all(root);
}

}  // namespace
}  // namespace securebase::cli
