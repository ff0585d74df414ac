#include "functions/packages.h"

#include <archive.h>
#include <archive_entry.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "base/file.h"
#include "base/random.h"

namespace securebase::functions {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

struct Entry {
  std::string name;
  std::string content;
  std::string link = "";
};

class PackagesTest : public testing::Test {
 protected:
  void SetUp() override { fs::create_directories(root_); }
  void TearDown() override { fs::remove_all(root_); }

  fs::path zip(const std::string& name, const std::vector<Entry>& entries) {
    const fs::path file = root_ / name;
    archive* writer = archive_write_new();
    archive_write_set_format_zip(writer);
    archive_write_open_filename(writer, file.c_str());
    for (const auto& entry : entries) {
      archive_entry* made = archive_entry_new();
      archive_entry_set_pathname(made, entry.name.c_str());
      archive_entry_set_perm(made, 0755);
      if (entry.link.empty()) {
        archive_entry_set_filetype(made, AE_IFREG);
        archive_entry_set_size(made, static_cast<la_int64_t>(entry.content.size()));
      } else {
        archive_entry_set_filetype(made, AE_IFLNK);
        archive_entry_set_symlink(made, entry.link.c_str());
      }
      archive_write_header(writer, made);
      archive_write_data(writer, entry.content.data(), entry.content.size());
      archive_entry_free(made);
    }
    archive_write_free(writer);
    return file;
  }
  std::string refusal(const std::vector<Entry>& entries, PackageLimits limits = {}) {
    auto unpacked = Packages(root_ / "packages", limits).unpack(zip("bad.zip", entries));
    if (unpacked) return "accepted";
    // Nothing is left behind.
    EXPECT_TRUE(!fs::exists(root_ / "packages") || fs::is_empty(root_ / "packages"));
    EXPECT_THAT(unpacked.error().message, HasSubstr("bad.zip"));
    return unpacked.error().message;
  }

  const fs::path root_ = fs::temp_directory_path() / ("packages-test-" + base::random_hex(12));
};

TEST_F(PackagesTest, UnpacksOnceForEachContent) {
  Packages packages(root_ / "packages");
  int prepared = 0;
  const auto count = [&](const fs::path&) { ++prepared; };
  const auto first = packages.unpack(zip("a.zip", {{"app.py", "print(1)"}, {"lib/b.py", "2"}}), count);
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(base::read_file(*first / "lib/b.py").value(), "2");
  fs::copy(root_ / "a.zip", root_ / "same.zip");
  EXPECT_EQ(packages.unpack(root_ / "same.zip", count).value(), *first);
  EXPECT_EQ(prepared, 1);
}

TEST_F(PackagesTest, TakesADirectoryByItsContent) {
  fs::create_directories(root_ / "source");
  std::ofstream(root_ / "source/app.py") << "one";
  Packages packages(root_ / "packages");
  const auto first = packages.unpack(root_ / "source").value();
  EXPECT_EQ(packages.unpack(root_ / "source").value(), first);
  std::ofstream(root_ / "source/app.py") << "two";
  const auto second = packages.unpack(root_ / "source").value();
  EXPECT_NE(second, first);
  EXPECT_EQ(base::read_file(first / "app.py").value(), "one");
}

TEST_F(PackagesTest, LaysLayersOverEachOtherInOrder) {
  Packages packages(root_ / "packages");
  const auto layers = packages.unpack_layers(
      {zip("1.zip", {{"python/a.py", "1"}, {"python/b.py", "1"}}), zip("2.zip", {{"python/b.py", "2"}})});
  ASSERT_TRUE(layers) << layers.error().message;
  EXPECT_EQ(base::read_file(*layers / "python/a.py").value(), "1");
  EXPECT_EQ(base::read_file(*layers / "python/b.py").value(), "2");
}

TEST_F(PackagesTest, LetsNothingOutOfThePackage) {
  EXPECT_THAT(refusal({{"../evil", "x"}}), HasSubstr("leaves the package"));
  EXPECT_THAT(refusal({{"a/../../evil", "x"}}), HasSubstr("leaves the package"));
  EXPECT_THAT(refusal({{"/etc/evil", "x"}}), HasSubstr("unusable name"));
  EXPECT_THAT(refusal({{"link", "", "/etc/passwd"}}), HasSubstr("symbolic link"));
  EXPECT_THAT(refusal({{"a/link", "", "../../evil"}}), HasSubstr("symbolic link"));
  EXPECT_THAT(refusal({{"d", "", "sub"}, {"d/file", "x"}}), HasSubstr("no directory"));
  EXPECT_THAT(refusal({{"here", "", "."}, {"link", "", "here/here/../../evil"}}), HasSubstr("symbolic link"));
}

TEST_F(PackagesTest, KeepsItsLimits) {
  EXPECT_THAT(refusal({{"a", std::string(2 << 20, 'x')}}, {.unpacked_bytes = 1 << 20}), HasSubstr("more than 1 MB"));
  EXPECT_THAT(refusal({{"a", "1"}, {"b", "2"}, {"c", "3"}}, {.entries = 2}), HasSubstr("more than 2 files"));
}

TEST_F(PackagesTest, SaysWhichFileIsNoZipOrIsMissing) {
  std::ofstream(root_ / "text.zip") << "hello";
  Packages packages(root_ / "packages");
  const auto text = packages.unpack(root_ / "text.zip");
  ASSERT_FALSE(text);
  EXPECT_THAT(text.error().message, HasSubstr("text.zip"));
  EXPECT_THAT(text.error().message, HasSubstr("no zip"));
  EXPECT_THAT(packages.unpack(root_ / "none.zip").error().message, HasSubstr("none.zip"));
}

TEST_F(PackagesTest, RemovesWhatNobodyUsesAndWhatACrashLeft) {
  Packages packages(root_ / "packages");
  auto used = packages.unpack(zip("a.zip", {{"a", "1"}}));
  auto unused = packages.unpack(zip("b.zip", {{"b", "2"}}));
  ASSERT_TRUE(used && unused);
  fs::create_directories(root_ / "packages" / ".unpacking-1" / "x");
  packages.collect({*used});
  EXPECT_TRUE(fs::exists(*used));
  EXPECT_FALSE(fs::exists(*unused));
  EXPECT_TRUE(fs::exists(root_ / "packages" / ".unpacking-1"));  // somebody may be at it
  packages.clean();
  EXPECT_FALSE(fs::exists(root_ / "packages" / ".unpacking-1"));
}

}  // namespace
}  // namespace securebase::functions
