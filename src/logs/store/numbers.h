// The bytes of numbers, before they are compressed.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "logs/store/bytes.h"
#include "logs/store/zstd.h"

namespace securebase::logs {

// As integers over a power of ten where that loses nothing, above the least of them, or as steps where those are
// smaller, without a factor that they all have.
void put_numbers(MixedBytes& out, std::span<const double> numbers);
// False: these are no `count` numbers.
bool take_numbers(ByteReader& from, std::size_t count, double* into);
// Goes past them. Each skip_ looks no further than where what it goes past must end.
bool skip_numbers(ByteReader& from, std::size_t count);

// Small integers byte by byte: all lowest bytes, then all second ones. The width goes first.
void put_planes(MixedBytes& out, std::span<const std::uint64_t> values);
bool take_planes(ByteReader& from, std::size_t count, std::vector<std::uint64_t>& into);
bool skip_planes(ByteReader& from, std::size_t count);

// Codes of a dictionary's words; as steps from one to the next where those are smaller, since words are numbered in the
// order of their first use.
void put_codes(MixedBytes& out, std::span<const std::uint64_t> codes, std::size_t words);
// All below `words`.
bool take_codes(ByteReader& from, std::size_t count, std::size_t words, std::vector<std::uint32_t>& into);
bool skip_codes(ByteReader& from, std::size_t count);

}  // namespace securebase::logs
