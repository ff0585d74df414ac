// What platform and warden say to each other: one packet of a SOCK_SEQPACKET socket each, so that none is ever seen in
// part. Both ends are the same program, so the form may change with any build.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace securebase::process {

struct Packet {
  enum class Kind : std::uint32_t {
    kSpawn,    // platform: start `words` = directory, argv (`first` of them), then NAME=value; `second` = packed
               // credentials or -1; comes with the descriptor for output
    kSignal,   // platform: signal `first` to the child, or to its process group when `second` is 1
    kStarted,  // warden: it runs as process `first`
    kRefused,  // warden: it could not be started; `first` = errno, words[0] = the step that failed
    kEnded,    // warden: it ended with wait status `first`, and nothing of it is left
  };
  Kind kind = Kind::kSpawn;
  std::uint64_t id = 0;  // of the child, chosen by the platform
  std::int64_t first = 0;
  std::int64_t second = 0;
  std::vector<std::string> words;

  std::string encode() const;
  static std::optional<Packet> decode(std::string_view bytes);
};

// As much as a packet may hold, arguments and environment of a child together: below the kernel's least buffer for one.
constexpr std::size_t kMaxPacketBytes = std::size_t{128} << 10;

std::int64_t pack_credentials(std::uint32_t user, std::uint32_t group);

// False, with errno, when the packet did not go out whole. `descriptor` < 0: none goes along.
bool send_packet(int socket, const Packet& packet, int descriptor = -1);
enum class Received { kPacket, kEnd, kNothing };  // kNothing: interrupted, or not a packet
// `descriptor` gets what came along, or -1; the caller closes it.
Received receive_packet(int socket, Packet& packet, int& descriptor);

}  // namespace securebase::process
