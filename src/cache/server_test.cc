// The real Redis: what a table of parameters and a file's syntax promise is only true if the server takes it.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "base/random.h"
#include "cache/config.h"
#include "cache/metrics.h"
#include "cache/parameters.h"

namespace securebase::cache {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr const char* kProgram = "/usr/bin/redis-server";

std::uint16_t free_port() {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  bind(socket, reinterpret_cast<sockaddr*>(&address), size);
  getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
  close(socket);
  return ntohs(address.sin_port);
}

// A client over the network, without TLS, as far as a test needs one.
class Network {
 public:
  explicit Network(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    if (connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) ADD_FAILURE() << "connect";
  }
  ~Network() { close(socket_); }
  std::string ask(const std::string& line) {
    const std::string text = line + "\r\n";
    if (send(socket_, text.data(), text.size(), MSG_NOSIGNAL) < 0) return "";
    char buffer[64 << 10];
    const ssize_t got = recv(socket_, buffer, sizeof buffer, 0);
    return got > 0 ? std::string(buffer, static_cast<std::size_t>(got)) : "";
  }

 private:
  int socket_;
};

class RealRedis : public testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(kProgram)) GTEST_SKIP() << "no redis-server";
    if (geteuid() == 0 && !process::unprivileged("redis")) GTEST_SKIP() << "no user redis";
    fs::create_directories(directory_);
    fs::permissions(directory_, fs::perms::owner_all | fs::perms::group_exec | fs::perms::others_exec);
    auto supervisor = process::Supervisor::start();
    ASSERT_TRUE(supervisor) << supervisor.error().message;
    supervisor_ = std::move(*supervisor);
    Settings settings;
    settings.directory = directory_ / "cache";
    settings.logs = directory_ / "logs";
    cache_ = Cache::make(std::move(settings), *supervisor_, &registry_);
    cluster_.id = "test";
    cluster_.port = free_port();
    cluster_.node_bytes = std::uint64_t{64} << 20;
  }
  void TearDown() override {
    cache_.reset();
    supervisor_.reset();
    fs::remove_all(directory_);
  }

  Result<Done> apply() {
    auto config = std::make_shared<Config>();
    config->cluster = cluster_;
    return cache_->apply(std::move(config));
  }
  // By the platform's own way in, whose password only the process knows: what a client sees of it instead.
  std::string conf() const {
    std::ifstream file(directory_ / "cache" / "redis.conf");
    return {std::istreambuf_iterator<char>(file), {}};
  }

  const fs::path directory_ = fs::temp_directory_path() / ("cache-test-" + base::random_hex(8));
  telemetry::Registry registry_;
  std::unique_ptr<process::Supervisor> supervisor_;
  std::unique_ptr<Cache> cache_;
  Cluster cluster_;
};

TEST_F(RealRedis, TakesEveryParameterOfTheTableAndGoesBackToItsDefaults) {
  ASSERT_TRUE(apply()) << apply().error().message;
  const auto fresh = conf();
  // The least that the table lets through, for each number.
  for (const auto& name : parameter_names()) {
    if (!why_not_honoured(name).empty() || name == "databases") continue;
    for (const char* value : {"yes", "noeviction", "KEA", "-5", "-1", "0", "1", "100", "1048576"}) {
      if (!check_parameter(name, value)) continue;
      cluster_.parameters = {{name, value}};
      const auto done = apply();
      EXPECT_TRUE(done) << name << " = " << value << ": " << done.error().message;
      break;
    }
  }
  cluster_.parameters.clear();
  ASSERT_TRUE(apply());
  EXPECT_EQ(conf(), fresh) << "nothing is left of any of them";
  EXPECT_EQ(cache_->status().restarts, 0);
}

TEST_F(RealRedis, TakesAParameterOutAgainWithoutARestart) {
  cluster_.parameters = {{"timeout", "77"}};
  ASSERT_TRUE(apply());
  const auto pid = cache_->status().pid;
  EXPECT_THAT(conf(), HasSubstr("timeout \"77\""));
  cluster_.parameters.clear();
  ASSERT_TRUE(apply());
  EXPECT_THAT(conf(), HasSubstr("timeout \"0\""));
  EXPECT_EQ(cache_->status().pid, pid);
}

TEST_F(RealRedis, AnswersInClearWithoutTlsAndKeepsClientsFromItsSettings) {
  ASSERT_TRUE(apply());
  Network client(cluster_.port);
  EXPECT_EQ(client.ask("SET a 1"), "+OK\r\n");
  EXPECT_EQ(client.ask("GET a"), "$1\r\n1\r\n");
  for (const char* command : {"CONFIG GET dir", "CONFIG SET dir /", "ACL SETUSER x on", "SHUTDOWN",
                              "REPLICAOF 127.0.0.1 1", "BGSAVE", "MODULE LIST"}) {
    EXPECT_THAT(client.ask(command), HasSubstr("NOPERM")) << command;
  }
}

TEST_F(RealRedis, ComesBackAfterAKillWithTheParametersOfItsGroup) {
  ASSERT_TRUE(apply());
  cluster_.parameters = {{"maxmemory-policy", "noeviction"}};
  ASSERT_TRUE(apply());
  const auto pid = cache_->status().pid;
  kill(pid, SIGKILL);
  for (int i = 0; i < 500 && (cache_->status().restarts == 0 || cache_->status().state != process::State::kReady);
       ++i) {
    std::this_thread::sleep_for(10ms);
  }
  ASSERT_EQ(cache_->status().state, process::State::kReady);
  Network client(cluster_.port);
  EXPECT_THAT(client.ask("INFO memory"), HasSubstr("maxmemory_policy:noeviction"));
}

TEST_F(RealRedis, RestartsForWhatItCannotChange) {
  ASSERT_TRUE(apply());
  const auto pid = cache_->status().pid;
  cluster_.parameters = {{"databases", "40"}};
  ASSERT_TRUE(apply());
  EXPECT_NE(cache_->status().pid, pid);
  Network client(cluster_.port);
  EXPECT_EQ(client.ask("SELECT 39"), "+OK\r\n");
}

TEST_F(RealRedis, LetsTheOldTokenInUntilTheNextChange) {
  cluster_.auth_token = "first-token-of-the-test";
  ASSERT_TRUE(apply());
  const auto pid = cache_->status().pid;
  Network connected(cluster_.port);
  EXPECT_EQ(connected.ask("AUTH first-token-of-the-test"), "+OK\r\n");
  cluster_.auth_token = "second-token-of-the-test";
  ASSERT_TRUE(apply());
  EXPECT_EQ(cache_->status().pid, pid) << "no restart";
  EXPECT_EQ(connected.ask("PING"), "+PONG\r\n") << "who is in stays";
  EXPECT_EQ(Network(cluster_.port).ask("AUTH first-token-of-the-test"), "+OK\r\n");
  EXPECT_EQ(Network(cluster_.port).ask("AUTH second-token-of-the-test"), "+OK\r\n");
  cluster_.auth_token = "third-token-of-the-test";
  cluster_.new_token = Cluster::NewToken::kSet;
  ASSERT_TRUE(apply());
  EXPECT_THAT(Network(cluster_.port).ask("AUTH first-token-of-the-test"), HasSubstr("WRONGPASS"));
  EXPECT_THAT(Network(cluster_.port).ask("AUTH second-token-of-the-test"), HasSubstr("WRONGPASS"));
  EXPECT_EQ(Network(cluster_.port).ask("AUTH third-token-of-the-test"), "+OK\r\n");
  EXPECT_THAT(Network(cluster_.port).ask("PING"), HasSubstr("NOAUTH"));
}

TEST_F(RealRedis, SweepsByTheServersOwnKeys) {
  ASSERT_TRUE(apply());
  Network client(cluster_.port);
  for (const char* key : {"invoices:42:list", "metrics:42", "metrics:43"}) client.ask(std::string("SET ") + key + " x");
  const auto receipt = cache_->invalidate({"#customer:42"});
  ASSERT_TRUE(receipt) << receipt.error().message;
  ASSERT_EQ(receipt->tags.size(), 1U);
  EXPECT_EQ(receipt->tags[0].keys, 2U);
  EXPECT_EQ(receipt->tags[0].generation, 1U);
  EXPECT_EQ(client.ask("GET metrics:43"), "$1\r\nx\r\n");
  EXPECT_EQ(client.ask("GET metrics:42"), "$-1\r\n");
}

TEST_F(RealRedis, IsMeasuredWithinSeconds) {
  ASSERT_TRUE(apply());
  std::this_thread::sleep_for(1500ms);  // the first reading, from which the second counts
  Network client(cluster_.port);
  client.ask("SET a 1");
  for (int i = 0; i < 9; ++i) client.ask("GET a");
  client.ask("GET b");
  const telemetry::Dimensions group = {{"ReplicationGroupId", "test"}};
  auto& rate = registry_.distribution(kCacheHitRate, group);
  for (int i = 0; i < 300 && rate.total().count() < 10; ++i) std::this_thread::sleep_for(10ms);
  EXPECT_EQ(rate.total().count(), 10U);
  EXPECT_DOUBLE_EQ(*rate.total().average(), 90);
  EXPECT_EQ(registry_.counter(kGetTypeCmds, group).total(), 10U);
  EXPECT_EQ(registry_.counter(kSetTypeCmds, group).total(), 1U);
}

}  // namespace
}  // namespace securebase::cache

int main(int argc, char** argv) {
  if (const auto code = securebase::process::warden_main(argc, argv)) return *code;
  testing::InitGoogleMock(&argc, argv);
  return RUN_ALL_TESTS();
}
