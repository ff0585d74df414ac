// The bytes of texts, before they are compressed: laid out so that zstd finds what is alike.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "logs/store/alphabet.h"
#include "logs/store/bytes.h"
#include "logs/store/zstd.h"

namespace securebase::logs {

// Words, in the order of their first use, and codes, if the texts repeat; false otherwise, with what was found so far.
bool as_dictionary(std::span<const std::string_view> texts, std::vector<std::string_view>& words,
                   std::vector<std::uint64_t>& codes);

// UUIDs as their bytes; texts of the same length by position, all first bytes, then all second ones; texts that differ
// in their numbers only ("customer-12", "customer-7") as what they share and the numbers.
void put_texts(MixedBytes& out, std::span<const std::string_view> texts);
// `into` refers to the reader's bytes, or to `unpacked`, which is replaced.
bool take_texts(ByteReader& from, std::size_t count, std::vector<std::string_view>& into, std::string& unpacked);
bool skip_texts(ByteReader& from, std::size_t count);
// What the texts that begin here are made of, without reading them.
Alphabet alphabet_of_texts(ByteReader from);

}  // namespace securebase::logs
