#include "prober/artifacts.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include "base/file.h"

namespace securebase::prober {
namespace {

namespace fs = std::filesystem;

class Artifacts : public testing::Test {
 protected:
  Artifacts() {
    std::string pattern = testing::TempDir() + "artifacts-XXXXXX";
    directory_ = mkdtemp(pattern.data());
  }
  ~Artifacts() override { fs::remove_all(directory_); }
  fs::path made() const { return directory_ / "made"; }
  fs::path place() const { return directory_ / "kept"; }
  void make(const std::string& name, std::size_t bytes) {
    fs::create_directories((made() / name).parent_path());
    ASSERT_TRUE(base::replace_file(made() / name, std::string(bytes, 'x')));
  }

  fs::path directory_;
};

TEST_F(Artifacts, AreKeptUpToTheirLimits) {
  make("a.png", 60);
  make("b.bin", 60);
  make("c/d.png", 40);
  fs::create_symlink("/etc/passwd", made() / "e");
  EXPECT_EQ(keep_artifacts(made(), place(), "run", {.bytes = 100, .files = 10, .runs = 5}), 2u);
  EXPECT_TRUE(fs::exists(place() / "run" / "a.png"));
  EXPECT_FALSE(fs::exists(place() / "run" / "b.bin")) << "it would have been too much";
  EXPECT_TRUE(fs::exists(place() / "run" / "c" / "d.png"));
  EXPECT_FALSE(fs::is_symlink(place() / "run" / "e"));
}

TEST_F(Artifacts, AreFewFilesOfFewRuns) {
  for (int run = 0; run < 4; ++run) {
    for (int i = 0; i < 3; ++i) make(std::to_string(i), 1);
    EXPECT_EQ(keep_artifacts(made(), place(), std::to_string(run), {.bytes = 100, .files = 2, .runs = 2}), 1u);
    // Each has a time of its own, which a file system need not tell apart.
    fs::last_write_time(place() / std::to_string(run), fs::file_time_type{} + std::chrono::seconds{run + 1});
  }
  EXPECT_FALSE(fs::exists(place() / "1"));
  EXPECT_TRUE(fs::exists(place() / "2"));
  EXPECT_TRUE(fs::exists(place() / "3"));
}

}  // namespace
}  // namespace securebase::prober
