// MessageStructure = "json": what is taken has a default, and every text of it survives the queue's own form.
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "notify/message.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace securebase::notify;  // NOLINT
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto texts = parse_structure(text);
  Publication publication;
  publication.topic_arn = "arn:aws:sns:us-east-1:123456789012:t";
  publication.message = text;
  publication.by_protocol = true;
  auto message = compose(publication, securebase::base::TimePoint{});
  if (!message) return 0;
  securebase::check(texts.has_value(), "a message that is taken has its texts");
  securebase::check(message->text == texts->at("default"), "the default is the text of those without their own");
  const auto kept = message_from(to_json(*message));
  securebase::check(kept.has_value() && kept->texts == message->texts && kept->text == message->text,
                    "a message comes out of the queue as it went in");
  return 0;
}
