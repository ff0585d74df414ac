#include "process/packet.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace securebase::process {

namespace {

template <class T>
void put(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

template <class T>
bool take(std::string_view& bytes, T& value) {
  if (bytes.size() < sizeof value) return false;
  std::memcpy(&value, bytes.data(), sizeof value);
  bytes.remove_prefix(sizeof value);
  return true;
}

}  // namespace

std::string Packet::encode() const {
  std::string out;
  put(out, kind);
  put(out, id);
  put(out, first);
  put(out, second);
  for (const auto& word : words) {
    put(out, static_cast<std::uint32_t>(word.size()));
    out += word;
  }
  return out;
}

std::optional<Packet> Packet::decode(std::string_view bytes) {
  Packet packet;
  if (!take(bytes, packet.kind) || !take(bytes, packet.id) || !take(bytes, packet.first) ||
      !take(bytes, packet.second)) {
    return std::nullopt;
  }
  while (!bytes.empty()) {
    std::uint32_t size = 0;
    if (!take(bytes, size) || bytes.size() < size) return std::nullopt;
    packet.words.emplace_back(bytes.substr(0, size));
    bytes.remove_prefix(size);
  }
  return packet;
}

std::int64_t pack_credentials(std::uint32_t user, std::uint32_t group) {
  return static_cast<std::int64_t>((std::uint64_t{user} << 32) | group);
}

bool send_packet(int socket, const Packet& packet, int descriptor) {
  auto bytes = packet.encode();
  if (bytes.size() > kMaxPacketBytes) {
    errno = E2BIG;
    return false;
  }
  iovec piece{bytes.data(), bytes.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  if (descriptor >= 0) {
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
  }
  for (;;) {
    if (sendmsg(socket, &message, MSG_NOSIGNAL) >= 0) return true;
    if (errno != EINTR) return false;
  }
}

Received receive_packet(int socket, Packet& packet, int& descriptor) {
  descriptor = -1;
  std::string bytes(kMaxPacketBytes, '\0');
  iovec piece{bytes.data(), bytes.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  const ssize_t got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  if (got == 0) return Received::kEnd;
  if (got < 0) return errno == EINTR || errno == EAGAIN ? Received::kNothing : Received::kEnd;
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
      std::memcpy(&descriptor, CMSG_DATA(header), sizeof descriptor);
    }
  }
  auto decoded = Packet::decode({bytes.data(), static_cast<std::size_t>(got)});
  if (!decoded) return Received::kNothing;
  packet = std::move(*decoded);
  return Received::kPacket;
}

}  // namespace securebase::process
