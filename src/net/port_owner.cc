#include "net/port_owner.h"

#include <fmt/format.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

namespace securebase::net {

namespace {

namespace fs = std::filesystem;

// The inodes of sockets that listen on `port`. A line: "sl local:port remote:port state tx:rx tr:when retr uid timeout
// inode ...", all but the inode in hex; state 0A listens (proc(5)).
void add_listeners(const char* table, std::uint16_t port, std::set<std::string>& links) {
  std::ifstream file(table);
  std::string line;
  std::getline(file, line);
  const std::string ending = fmt::format(":{:04X}", port);
  while (std::getline(file, line)) {
    std::istringstream words(line);
    std::string slot, local, remote, state, queues, timer, retransmits, uid, timeout, inode;
    words >> slot >> local >> remote >> state >> queues >> timer >> retransmits >> uid >> timeout >> inode;
    if (state == "0A" && local.size() > 5 && local.substr(local.size() - 5) == ending) {
      links.insert(fmt::format("socket:[{}]", inode));
    }
  }
}

bool holds_one_of(const fs::path& process, const std::set<std::string>& links) {
  std::error_code failure;
  for (fs::directory_iterator entry(process / "fd", failure), end; !failure && entry != end; entry.increment(failure)) {
    std::error_code unreadable;
    const auto link = fs::read_symlink(entry->path(), unreadable);
    if (!unreadable && links.count(link.string())) return true;
  }
  return false;
}

}  // namespace

std::optional<PortOwner> owner_of_port(std::uint16_t port) {
  std::set<std::string> links;
  add_listeners("/proc/net/tcp", port, links);
  add_listeners("/proc/net/tcp6", port, links);
  if (links.empty()) return std::nullopt;
  std::error_code failure;
  for (fs::directory_iterator entry("/proc", failure), end; !failure && entry != end; entry.increment(failure)) {
    const std::string name = entry->path().filename();
    PortOwner owner;
    const auto parsed = std::from_chars(name.data(), name.data() + name.size(), owner.pid);
    if (parsed.ec != std::errc{} || parsed.ptr != name.data() + name.size()) continue;
    if (!holds_one_of(entry->path(), links)) continue;
    std::ifstream command(entry->path() / "comm");
    std::getline(command, owner.command);
    return owner;
  }
  return std::nullopt;
}

}  // namespace securebase::net
