#include "k6/sample_file.h"

#include <gmock/gmock.h>
#include <zlib.h>

#include <filesystem>

#include "base/file.h"

namespace securebase::k6 {
namespace {

using testing::HasSubstr;
using testing::Not;

class SampleFiles : public testing::Test {
 protected:
  SampleFiles() : collector_(base::system_clock()), metrics_(collector_) {
    std::string name = (std::filesystem::temp_directory_path() / "k6-samples-XXXXXX").native();
    if (mkdtemp(name.data()) != nullptr) folder_ = name;
  }
  ~SampleFiles() override { std::filesystem::remove_all(folder_); }

  // What one sample comes to in such a file.
  std::string written(const std::string& output, const SystemTags& tags = {}) {
    auto file = SampleFile::open(output, tags);
    EXPECT_TRUE(file.has_value()) << (file ? "" : file.error().message);
    if (!file) return "";
    const TagList own = {{"status", "200"}, {"ip", "127.0.0.1"}, {"vu", "3"}, {"plan", "a, \"b\""}};
    SampleTags sample;
    sample.lists[0] = &own;
    (*file)->write(metrics_.at(Metrics::kHttpReqs), 1, sample);
    EXPECT_TRUE((*file)->finish().has_value());
    auto bytes = base::read_file(path_of(output));
    return bytes ? *bytes : "";
  }
  static std::string path_of(const std::string& output) {
    const auto begin = output.find('/');
    return output.substr(begin, output.find(',', begin) - begin);
  }

  load::Collector collector_;
  Metrics metrics_;
  std::string folder_;
};

TEST_F(SampleFiles, HaveTheUsualTagsOfTheSystemAndAllOfTheScript) {
  const auto csv = written("csv=" + folder_ + "/a.csv");
  EXPECT_THAT(csv, HasSubstr("metric_name,timestamp,metric_value,check,error,error_code,expected_response,group,method,"
                             "name,proto,scenario,service,status,subproto,tls_version,url,extra_tags,metadata\n"));
  EXPECT_THAT(csv, HasSubstr(",200,"));
  EXPECT_THAT(csv, HasSubstr("\"plan=a, \"\"b\"\"\","));
  EXPECT_THAT(csv, Not(HasSubstr("127.0.0.1")));
  const auto json = written("json=" + folder_ + "/a.json");
  EXPECT_THAT(json, HasSubstr("\"status\":\"200\""));
  EXPECT_THAT(json, Not(HasSubstr("127.0.0.1")));
}

TEST_F(SampleFiles, HaveTheTagsOfTheSystemThatAreAskedFor) {
  const SystemTags tags({"ip", "vu", "nonsense"});
  const auto csv = written("csv=" + folder_ + "/a.csv", tags);
  EXPECT_THAT(csv, HasSubstr("metric_value,ip,extra_tags,metadata\n"));
  EXPECT_THAT(csv, HasSubstr(",127.0.0.1,\"plan=a, \"\"b\"\"\",vu=3\n"));
  const auto json = written("json=" + folder_ + "/a.json", tags);
  EXPECT_THAT(json, HasSubstr("\"metadata\":{\"vu\":\"3\"}"));
  EXPECT_THAT(json, Not(HasSubstr("\"status\"")));
}

TEST_F(SampleFiles, AreCompressedWhereTheirNameSaysSo) {
  const auto packed = written("json=" + folder_ + "/a.json.gz");
  ASSERT_GT(packed.size(), 2U);
  EXPECT_EQ(packed.substr(0, 2), "\x1f\x8b");
  const gzFile file = gzopen((folder_ + "/a.json.gz").c_str(), "rb");
  char text[4000] = "";
  EXPECT_GT(gzread(file, text, sizeof text - 1), 0);
  gzclose_r(file);
  EXPECT_THAT(text, HasSubstr("\"type\":\"Point\""));
}

TEST_F(SampleFiles, HaveTimesAsTheyAreAskedFor) {
  const auto csv = written("csv=fileName=" + folder_ + "/a.csv,timeFormat=rfc3339");
  EXPECT_THAT(csv, testing::ContainsRegex("http_reqs,20[0-9-]+T[0-9:]+Z,1.000000"));
}

TEST_F(SampleFiles, ThatCannotBeAreToldAtOnce) {
  const auto error = [](const std::string& output) {
    auto file = SampleFile::open(output, {});
    return file ? std::string() : file.error().message;
  };
  EXPECT_THAT(error("influxdb=http://a"), HasSubstr("expected json=FILE or csv=FILE"));
  EXPECT_THAT(error("csv=fileName=a,timeFormat=soon"), HasSubstr("found 'timeFormat=soon'"));
  EXPECT_THAT(error("json=" + folder_ + "/none/a.json"), HasSubstr("/none/a.json"));
}

TEST_F(SampleFiles, ThatAreNotWholeAreTold) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP();
  auto file = SampleFile::open("json=/dev/full", {});
  ASSERT_TRUE(file.has_value());
  (*file)->write(metrics_.at(Metrics::kHttpReqs), 1, {});
  EXPECT_THAT((*file)->finish().error().message, HasSubstr("samples are missing in /dev/full"));
}

}  // namespace
}  // namespace securebase::k6
