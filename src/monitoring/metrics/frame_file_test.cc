#include "monitoring/metrics/frame_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <csignal>
#include <string>
#include <vector>

#include "monitoring/metrics/test_directory.h"

namespace securebase::monitoring {
namespace {

std::vector<std::string> frames_of(const std::filesystem::path& path) {
  std::vector<std::string> all;
  EXPECT_TRUE(FrameFile::open(path, [&](std::string_view payload) { all.emplace_back(payload); }));
  return all;
}

// No file may be longer while it lives: what goes beyond is written in part, and then not at all (setrlimit(2)).
class NoFileLongerThan {
 public:
  explicit NoFileLongerThan(rlim_t bytes) : signal_before_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit now{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &now);
  }
  ~NoFileLongerThan() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, signal_before_);
  }
  NoFileLongerThan(const NoFileLongerThan&) = delete;
  NoFileLongerThan& operator=(const NoFileLongerThan&) = delete;

 private:
  rlimit before_{};
  void (*signal_before_)(int);
};

TEST(FrameFile, IsAsBeforeWhenAFrameDidNotFit) {
  const TestDirectory directory;
  const auto path = directory.path() / "log";
  auto opened = FrameFile::open(path, [](std::string_view) {});
  ASSERT_TRUE(opened);
  auto& file = opened->file;
  ASSERT_TRUE(file.append("first"));
  {
    const NoFileLongerThan limit(100);
    EXPECT_FALSE(file.append(std::string(200, 'x')));
  }
  ASSERT_TRUE(file.append("second"));
  EXPECT_EQ(frames_of(path), (std::vector<std::string>{"first", "second"}));
}

TEST(FrameFile, WritesNothingBehindHalfAFrameThatCannotBeCutOff) {
  const int memory = memfd_create("frames", MFD_ALLOW_SEALING);
  ASSERT_GE(memory, 0);
  const std::filesystem::path path = fmt::format("/proc/self/fd/{}", memory);
  auto opened = FrameFile::open(path, [](std::string_view) {});
  ASSERT_TRUE(opened);
  auto& file = opened->file;
  ASSERT_TRUE(file.append("first"));
  ASSERT_EQ(fcntl(memory, F_ADD_SEALS, F_SEAL_SHRINK), 0);  // ftruncate fails from here
  {
    const NoFileLongerThan limit(100);
    EXPECT_FALSE(file.append(std::string(200, 'x')));
  }
  ASSERT_EQ(std::filesystem::file_size(path), 100u) << "half a frame is there";
  EXPECT_FALSE(file.append("second"));
  EXPECT_EQ(std::filesystem::file_size(path), 100u);
  close(memory);
}

}  // namespace
}  // namespace securebase::monitoring
