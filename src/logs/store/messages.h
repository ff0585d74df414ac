// The messages of a block as templates ("REPORT RequestId: *\tDuration: * ms...") and their variables. A message that
// is like no other stays as it is. What is read (read_messages.h) is, byte by byte, what was written.
#pragma once

#include <span>
#include <string_view>

#include "base/result.h"
#include "logs/store/block_words.h"
#include "logs/store/column.h"
#include "logs/store/slots.h"

namespace securebase::logs {

// `words`: takes those of the messages.
EncodedColumn encode_messages(std::span<const std::string_view> messages, const MessageFields& fields,
                              BlockWords& words);

}  // namespace securebase::logs
