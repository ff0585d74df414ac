#include "k6/md4.h"

#include <array>
#include <bit>
#include <cstdint>

namespace securebase::k6 {
namespace {

using Md4State = std::array<std::uint32_t, 4>;

constexpr std::size_t kMd4Block = 64;

// One step of RFC 1320, 3.4: `a` of the words is that which the others turn around at step `i`.
void md4_step(Md4State& words, int i, std::uint32_t mixed, std::uint32_t added, int turn) {
  std::uint32_t& a = words[static_cast<std::size_t>((64 - i) % 4)];
  a = std::rotl(a + mixed + added, turn);
}

void md4_block(Md4State& state, const unsigned char* bytes) {
  constexpr int kTurns[3][4] = {{3, 7, 11, 19}, {3, 5, 9, 13}, {3, 9, 11, 15}};
  constexpr int kThirdOrder[16] = {0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15};
  std::uint32_t x[16];
  for (int i = 0; i < 16; ++i) {
    const unsigned char* at = bytes + 4 * i;
    x[i] = static_cast<std::uint32_t>(at[0]) | static_cast<std::uint32_t>(at[1]) << 8 |
           static_cast<std::uint32_t>(at[2]) << 16 | static_cast<std::uint32_t>(at[3]) << 24;
  }
  Md4State words = state;
  for (int i = 0; i < 48; ++i) {
    const auto word = [&](int after) { return words[static_cast<std::size_t>((64 - i + after) % 4)]; };
    const std::uint32_t b = word(1), c = word(2), d = word(3);
    const int round = i / 16;
    const int turn = kTurns[round][i % 4];
    if (round == 0) md4_step(words, i, (b & c) | (~b & d), x[i], turn);
    if (round == 1) md4_step(words, i, (b & c) | (b & d) | (c & d), x[(i % 4) * 4 + (i / 4) % 4] + 0x5a827999, turn);
    if (round == 2) md4_step(words, i, b ^ c ^ d, x[kThirdOrder[i % 16]] + 0x6ed9eba1, turn);
  }
  for (std::size_t i = 0; i < 4; ++i) state[i] += words[i];
}

}  // namespace

std::string md4(std::string_view bytes) {
  Md4State state = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
  std::string tail(bytes.substr(bytes.size() / kMd4Block * kMd4Block));
  for (std::size_t at = 0; at + kMd4Block <= bytes.size(); at += kMd4Block) {
    md4_block(state, reinterpret_cast<const unsigned char*>(bytes.data()) + at);
  }
  tail += '\x80';
  while (tail.size() % kMd4Block != kMd4Block - 8) tail += '\0';
  const std::uint64_t bits = std::uint64_t{bytes.size()} * 8;
  for (int i = 0; i < 8; ++i) tail += static_cast<char>(bits >> (8 * i) & 0xff);
  for (std::size_t at = 0; at < tail.size(); at += kMd4Block) {
    md4_block(state, reinterpret_cast<const unsigned char*>(tail.data()) + at);
  }
  std::string digest;
  for (const std::uint32_t word : state) {
    for (int i = 0; i < 4; ++i) digest += static_cast<char>(word >> (8 * i) & 0xff);
  }
  return digest;
}

std::string hmac_md4(std::string_view key, std::string_view bytes) {
  std::string padded = key.size() > kMd4Block ? md4(key) : std::string(key);
  padded.resize(kMd4Block, '\0');
  std::string inner, outer;
  for (const char c : padded) {
    inner += static_cast<char>(c ^ 0x36);
    outer += static_cast<char>(c ^ 0x5c);
  }
  return md4(outer + md4(inner + std::string(bytes)));
}

}  // namespace securebase::k6
