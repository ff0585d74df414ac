// The bytes of numbers and of texts, before they are compressed.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "logs/store/bytes.h"

namespace securebase::logs {

void put_numbers(std::string& out, std::span<const double> numbers, bool steps);
// False: these are no `count` numbers.
bool take_numbers(ByteReader& from, std::size_t count, double* into);

// Small integers byte by byte: all lowest bytes, then all second ones. The width goes first.
void put_planes(std::string& out, std::span<const std::uint64_t> values);
bool take_planes(ByteReader& from, std::size_t count, std::vector<std::uint64_t>& into);

// Codes of a dictionary's words. Where there are many words they mostly come in the order of their first use: then
// steps from one to the next are stored.
void put_codes(std::string& out, std::span<const std::uint64_t> codes, std::size_t words);
// All below `words`.
bool take_codes(ByteReader& from, std::size_t count, std::size_t words, std::vector<std::uint32_t>& into);

// Words and codes if the texts repeat; false otherwise, with what was found so far.
bool as_dictionary(std::span<const std::string_view> texts, std::vector<std::string_view>& words,
                   std::vector<std::uint64_t>& codes);

void put_texts(std::string& out, std::span<const std::string_view> texts);
// `into` refers to the reader's bytes, or to `unpacked`, which grows by what is needed and must not be used for two.
bool take_texts(ByteReader& from, std::size_t count, std::vector<std::string_view>& into, std::string& unpacked);

}  // namespace securebase::logs
