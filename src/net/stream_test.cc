// Streams over loopback sockets: this room owns sockets, so its tests open them, on ports that the kernel chooses.
#include "net/stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>

#include "net/event.h"
#include "net/task_group.h"
#include "net/worker.h"

namespace securebase::net {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

const Address kAnyPort{"127.0.0.1", 0, ""};

// GCC 12 destroys a braced aggregate twice when it stands in a co_await expression: hence a function.
Address at(std::string host, std::uint16_t port) { return Address{std::move(host), port, ""}; }

TEST(Address, ReadsItsForms) {
  EXPECT_EQ(Address::parse("[::1]:8080")->host, "::1");
  EXPECT_EQ(Address::parse("localhost:5432")->port, 5432);
  EXPECT_EQ(Address::parse("unix:/run/x.sock")->path, "/run/x.sock");
  EXPECT_EQ(Address::parse("[::1]:8080")->to_string(), "[::1]:8080");
  for (const char* wrong : {"", "host", "host:", "host:99999", ":80", "host:8x", "::1:80", "[::1]", "unix:"}) {
    EXPECT_FALSE(Address::parse(wrong)) << wrong;
  }
}

Task<void> echo_once(Listener& listener) {
  auto stream = co_await listener.accept();
  EXPECT_TRUE(stream);
  std::string buffer(1 << 16, '\0');
  for (;;) {
    auto got = co_await (*stream)->read(buffer);
    if (!got || *got == 0) co_return;
    iovec piece{buffer.data(), *got};
    auto sent = co_await (*stream)->write({&piece, 1});
    if (!sent) co_return;
  }
}

Task<void> send_all(Stream& stream, std::string bytes) {
  iovec pieces[2] = {{bytes.data(), bytes.size() / 2},
                     {bytes.data() + bytes.size() / 2, bytes.size() - bytes.size() / 2}};
  auto sent = co_await stream.write(pieces);
  EXPECT_TRUE(sent);
  EXPECT_EQ(*sent, bytes.size());
  auto ended = co_await stream.shut_down();
  EXPECT_TRUE(ended);
}

Task<void> echo_through(Address address, std::string& got) {
  auto listener = Listener::open(address);
  EXPECT_TRUE(listener);
  if (address.path.empty()) address.port = (*listener)->port();
  TaskGroup group;
  group.spawn(echo_once(**listener));
  auto stream = co_await connect(address, 5s);
  EXPECT_TRUE(stream);
  // More than socket buffers hold: both sides have to wait for each other.
  std::string sent;
  for (int i = 0; i < 1'000'000; ++i) sent += static_cast<char>('a' + i % 26), sent += "xyz";
  group.spawn(send_all(**stream, sent));
  std::string buffer(3001, '\0');
  for (;;) {
    auto count = co_await (*stream)->read(buffer);
    EXPECT_TRUE(count);
    if (!count || *count == 0) break;
    got.append(buffer, 0, *count);
  }
  EXPECT_TRUE(got == sent);
  co_await group.drain();
}

TEST(Stream, CarriesMoreThanBuffersHoldBothWays) {
  Worker worker(0);
  std::string got;
  worker.run_until_done(echo_through(kAnyPort, got));
  EXPECT_EQ(got.size(), 4'000'000u);
}

TEST(Stream, WorksOverUnixSocketsAndReplacesAnAbandonedOne) {
  Worker worker(0);
  const auto path = std::filesystem::temp_directory_path() / ("securebase-stream-" + std::to_string(::getpid()));
  const int stale = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  path.string().copy(name.sun_path, sizeof name.sun_path - 1);
  ASSERT_EQ(::bind(stale, reinterpret_cast<sockaddr*>(&name), sizeof name), 0);
  ::close(stale);
  std::string got;
  worker.run_until_done(echo_through(Address{"", 0, path}, got));
  EXPECT_EQ(got.size(), 4'000'000u);
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(Stream, WorksOverIpv6) {
  Worker worker(0);
  std::string got;
  worker.run_until_done(echo_through(Address{"::1", 0, ""}, got));
  EXPECT_EQ(got.size(), 4'000'000u);
}

Task<void> read_forever(Stream& stream, Errc& code) {
  std::string buffer(10, '\0');
  auto got = co_await stream.read(buffer);
  EXPECT_FALSE(got);
  if (!got) code = got.error().code;
}

Task<void> cancel_and_close() {
  auto listener = Listener::open(kAnyPort);
  Errc by_cancel = Errc::kIo;
  Errc by_close = Errc::kIo;
  auto first = co_await connect(at("127.0.0.1", (*listener)->port()), 5s);
  auto second = co_await connect(at("localhost", (*listener)->port()), 5s);
  EXPECT_EQ((*first)->peer_address(), "127.0.0.1");
  EXPECT_EQ((*first)->peer_port(), (*listener)->port());
  TaskGroup cancelled;
  cancelled.spawn(read_forever(**first, by_cancel));
  TaskGroup closed;
  closed.spawn(read_forever(**second, by_close));
  (*second)->close();
  co_await cancelled.close();
  co_await closed.drain();
  EXPECT_EQ(by_cancel, Errc::kCancelled);
  EXPECT_EQ(by_close, Errc::kCancelled);
}

TEST(Stream, WaitingReadsEndWhenCancelledAndWhenClosed) {
  Worker worker(0);
  worker.run_until_done(cancel_and_close());
}

Task<void> accept_until_closed(Listener& listener, Errc& code) {
  auto stream = co_await listener.accept();
  EXPECT_FALSE(stream);
  if (!stream) code = stream.error().code;
}

Task<void> close_listener(Errc& code) {
  auto listener = Listener::open(kAnyPort);
  TaskGroup group;
  group.spawn(accept_until_closed(**listener, code));
  (*listener)->close();
  co_await group.drain();
}

TEST(Listener, WaitingAcceptEndsWhenClosed) {
  Worker worker(0);
  Errc code = Errc::kIo;
  worker.run_until_done(close_listener(code));
  EXPECT_EQ(code, Errc::kClosed);
}

Task<void> refused(std::uint16_t port, Errc& code) {
  auto stream = co_await connect(at("127.0.0.1", port), 5s);
  EXPECT_FALSE(stream);
  if (!stream) code = stream.error().code;
}

Task<void> take_ports() {
  // A socket of ours that is no Listener stands for another program.
  const int other = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in any{};
  any.sin_family = AF_INET;
  any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::bind(other, reinterpret_cast<sockaddr*>(&any), sizeof any), 0);
  EXPECT_EQ(::listen(other, 1), 0);
  socklen_t size = sizeof any;
  ::getsockname(other, reinterpret_cast<sockaddr*>(&any), &size);
  auto listener = Listener::open({"127.0.0.1", ntohs(any.sin_port), ""});
  EXPECT_FALSE(listener);
  if (!listener) {
    EXPECT_EQ(listener.error().code, Errc::kConflict);
    EXPECT_THAT(listener.error().message, HasSubstr("process " + std::to_string(::getpid())));
  }
  ::close(other);
  Errc code = Errc::kIo;
  co_await refused(ntohs(any.sin_port), code);
  EXPECT_EQ(code, Errc::kUnavailable);

  using Sharing = Listener::Sharing;
  auto first = Listener::open(kAnyPort, Sharing::kFirst);
  const Address shared{"127.0.0.1", (*first)->port(), ""};
  auto further = Listener::open(shared, Sharing::kFurther);
  EXPECT_TRUE(further) << "the workers of a server share its port";
  EXPECT_FALSE(Listener::open(shared)) << "another server of the process is not let in";
  EXPECT_FALSE(Listener::open(shared, Sharing::kFirst));
  auto alone = Listener::open(kAnyPort);
  EXPECT_FALSE(Listener::open({"127.0.0.1", (*alone)->port(), ""}, Sharing::kFurther));
}

TEST(Listener, SharesAPortWithinAServerAndNamesTheOwnerOfATakenOne) {
  Worker worker(0);
  worker.run_until_done(take_ports());
}

class Burst {
 public:
  static Task<void> read_all(Stream& stream, int& rounds) {
    char byte = 0;
    for (;;) {
      auto got = co_await stream.read({&byte, 1});
      if (!got || *got == 0) co_return;
      ++rounds;
    }
  }
};

Task<void> starve(int& seen_when_timer_ran) {
  auto listener = Listener::open(kAnyPort);
  auto client = co_await connect(at("127.0.0.1", (*listener)->port()), 5s);
  auto server = co_await (*listener)->accept();
  std::string many(100'000, 'x');
  iovec piece{many.data(), many.size()};
  auto sent = co_await (*client)->write({&piece, 1});
  EXPECT_TRUE(sent);
  int reads = 0;
  TaskGroup group;
  Timer timer(Worker::current());
  timer.start(0ms, [&] { seen_when_timer_ran = reads; });
  group.spawn(Burst::read_all(**server, reads));
  const auto slept = co_await sleep_for(1ms);
  EXPECT_TRUE(slept);
  co_await group.close();
}

TEST(Stream, ABusyPeerDoesNotStarveTheOthers) {
  Worker worker(0);
  int seen = 0;
  worker.run_until_done(starve(seen));
  EXPECT_LT(seen, 1000);
}

}  // namespace
}  // namespace securebase::net
