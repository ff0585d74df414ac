// Who has a port. Linux tells it in two steps: /proc/net/tcp gives the socket's inode, and the owner is the process one
// of whose descriptors is that socket.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "process/process.h"

namespace securebase::process {

namespace {

namespace fs = std::filesystem;

std::set<std::string> listening_inodes(std::uint16_t port) {
  std::set<std::string> inodes;
  for (const char* table : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    std::ifstream lines(table);
    for (std::string line; std::getline(lines, line);) {
      std::istringstream words(line);
      std::string slot, local, remote, state, queues, timer, retransmits, user, timeout, inode;
      words >> slot >> local >> remote >> state >> queues >> timer >> retransmits >> user >> timeout >> inode;
      if (state == "0A" && local.ends_with(fmt::format(":{:04X}", port))) inodes.insert(inode);
    }
  }
  return inodes;
}

// "postgres (process 812)", or "" where it cannot be known: another user's process, another namespace.
std::string owner_of(std::uint16_t port) {
  const auto inodes = listening_inodes(port);
  std::error_code failure;
  for (const auto& process : fs::directory_iterator("/proc", failure)) {
    const std::string pid = process.path().filename();
    if (pid.find_first_not_of("0123456789") != std::string::npos) continue;
    for (fs::directory_iterator file(process.path() / "fd", failure), none; !failure && file != none;
         file.increment(failure)) {
      std::error_code gone;
      const std::string target = fs::read_symlink(file->path(), gone);
      if (!target.starts_with("socket:[") || !inodes.contains(target.substr(8, target.size() - 9))) continue;
      std::string name;
      std::ifstream comm(process.path() / "comm");
      std::getline(comm, name);
      return fmt::format("{} (process {})", name, pid);
    }
  }
  return "";
}

}  // namespace

Result<Done> port_is_free(const std::string& address, std::uint16_t port, std::string_view option) {
  const bool six = address.find(':') != std::string::npos;
  const int socket = ::socket(six ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return system_error(errno, "socket", address);
  const int yes = 1;
  setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);  // as servers do: what only lingers is no owner
  sockaddr_in four{};
  sockaddr_in6 wide{};
  four.sin_family = AF_INET;
  wide.sin6_family = AF_INET6;
  four.sin_port = wide.sin6_port = htons(port);
  const int valid =
      six ? inet_pton(AF_INET6, address.c_str(), &wide.sin6_addr) : inet_pton(AF_INET, address.c_str(), &four.sin_addr);
  if (valid != 1) {
    close(socket);
    return Error{Errc::kMalformed, fmt::format("\"{}\" is not an IP address", address)};
  }
  const auto* to = six ? reinterpret_cast<const sockaddr*>(&wide) : reinterpret_cast<const sockaddr*>(&four);
  const int bound = bind(socket, to, six ? sizeof wide : sizeof four);
  const int failure = errno;
  close(socket);
  if (bound == 0) return Done{};
  if (failure != EADDRINUSE) return system_error(failure, "bind", fmt::format("{} port {}", address, port));
  const auto owner = owner_of(port);
  return Error{Errc::kConflict,
               fmt::format("port {} on {} is taken by {}; stop it, or choose another port{}{}", port, address,
                           owner.empty() ? "another process" : owner, option.empty() ? "" : " with ", option)};
}

}  // namespace securebase::process
