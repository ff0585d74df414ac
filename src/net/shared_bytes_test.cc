#include "net/shared_bytes.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <vector>

#include "net/stream.h"
#include "net/task_group.h"
#include "net/worker.h"

namespace securebase::net {
namespace {

using namespace std::chrono_literals;

std::string numbered(std::size_t bytes) {
  std::string text;
  while (text.size() < bytes) text += std::to_string(text.size()) + " ";
  text.resize(bytes);
  return text;
}

TEST(SharedBytes, FewLieInAStringAndManyInASealedFile) {
  const SharedBytes few(numbered(SharedBytes::kLeastInFile - 1));
  EXPECT_EQ(few.bytes(), numbered(SharedBytes::kLeastInFile - 1));
  EXPECT_FALSE(few.file());
  EXPECT_GE(few.memory(), few.size());
  const SharedBytes many(numbered(100'000));
  EXPECT_EQ(many.bytes(), numbered(100'000));
  ASSERT_TRUE(many.file());
  EXPECT_EQ(many.file().offset, 0U);
  EXPECT_GE(many.memory(), 102'400U) << "whole pages";
  EXPECT_EQ(::fcntl(many.file().descriptor, F_GET_SEALS), F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL);
  EXPECT_EQ(::fcntl(many.file().descriptor, F_GETFD), FD_CLOEXEC);
  std::string read(100'001, '\0');
  EXPECT_EQ(::pread(many.file().descriptor, read.data(), read.size(), 0), 100'000);
  read.resize(100'000);
  EXPECT_EQ(read, many.bytes());
}

TEST(SharedBytes, PartsShareTheMemoryAndOutliveTheWhole) {
  SharedBytes part;
  EXPECT_TRUE(part.empty());
  EXPECT_FALSE(part.file());
  {
    const SharedBytes whole(numbered(100'000));
    part = whole.part(70'000, 1'000'000);
    EXPECT_EQ(part.bytes().data(), whole.bytes().data() + 70'000);
  }
  EXPECT_EQ(part.bytes(), numbered(100'000).substr(70'000));
  EXPECT_EQ(part.file().offset, 70'000U);
  EXPECT_TRUE(part.part(30'000, 1).empty());
}

TEST(SharedBytes, JoinsPieces) {
  const std::string first = numbered(50'000);
  const std::vector<std::string_view> pieces{first, "", "between", first};
  const auto joined = SharedBytes::joined(pieces);
  EXPECT_EQ(joined.bytes(), first + "between" + first);
  EXPECT_TRUE(joined.file());
  EXPECT_TRUE(SharedBytes::joined({}).empty());
  EXPECT_EQ(SharedBytes(std::make_shared<const std::string>(first)).bytes(), first);
}

void take_more_files_than_there_are() {
  const rlimit limit{40, 40};
  ::setrlimit(RLIMIT_NOFILE, &limit);
  std::vector<SharedBytes> all;
  std::size_t in_files = 0;
  for (int i = 0; i < 60; ++i) {
    all.emplace_back(numbered(SharedBytes::kLeastInFile + i));
    if (all.back().file()) ++in_files;
    if (all.back().bytes() != numbered(SharedBytes::kLeastInFile + i)) std::exit(1);
  }
  const bool quarter = in_files == 10;
  all.clear();
  std::exit(quarter && SharedBytes(numbered(50'000)).file() ? 0 : 2);
}

TEST(SharedBytesDeathTest, LeaveMostDescriptorsToConnections) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(take_more_files_than_there_are(), ::testing::ExitedWithCode(0), "");
}

Task<void> send(Stream& stream, SharedBytes bytes) {
  std::string head = "head ";
  iovec pieces[2] = {{head.data(), head.size()}, {const_cast<char*>(bytes.bytes().data()), bytes.size()}};
  auto sent = co_await stream.write(pieces, bytes.file());
  EXPECT_TRUE(sent);
  EXPECT_EQ(*sent, head.size() + bytes.size());
  EXPECT_EQ(stream.written(), *sent);
  auto ended = co_await stream.shut_down();
  EXPECT_TRUE(ended);
}

Task<void> receive(SharedBytes bytes, std::string& got) {
  const Address any{"127.0.0.1", 0, ""};
  auto listener = Listener::open(any);
  const Address there{"127.0.0.1", (*listener)->port(), ""};
  auto client = co_await connect(there, 5s);
  auto server = co_await (*listener)->accept();
  EXPECT_TRUE(client && server);
  TaskGroup group;
  group.spawn(send(**server, bytes));
  std::string buffer(9'999, '\0');
  for (;;) {
    auto count = co_await (*client)->read(buffer);
    EXPECT_TRUE(count);
    if (!count || *count == 0) break;
    got.append(buffer, 0, *count);
  }
  co_await group.drain();
}

TEST(SharedBytes, GoOutFromTheFileWhole) {
  const SharedBytes whole(numbered(8'000'000));
  for (const auto& bytes : {whole, whole.part(12'345, 5'000'000)}) {
    Worker worker(0);
    std::string got;
    worker.run_until_done(receive(bytes, got));
    EXPECT_TRUE(got == "head " + std::string(bytes.bytes())) << "more than the socket's buffers hold";
  }
}

}  // namespace
}  // namespace securebase::net
