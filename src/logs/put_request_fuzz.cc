// What is taken is what the JSON of every operation says.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "base/json.h"
#include "logs/put_request.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace securebase;  // NOLINT
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto request = logs::read_put_request(bytes);
  if (!request) return 0;
  const auto json = base::Json::parse(bytes);
  check(json.has_value(), "what is taken is JSON");
  const auto text_of = [](const base::Json& object, std::string_view name) {
    const auto* member = object.find(name);
    return member ? member->string_or("") : std::string_view();
  };
  check(text_of(*json, "logGroupName") == request->group && text_of(*json, "logStreamName") == request->stream,
        "names are the same");
  const auto* events = json->find("logEvents");
  check(events && events->as_array() && events->as_array()->size() == request->events.size(), "all events are taken");
  for (std::size_t i = 0; i < request->events.size(); ++i) {
    const auto& event = (*events->as_array())[i];
    check(text_of(event, "message") == request->events[i].message, "messages are the same");
    check(event.find("timestamp")->integer_or(-1) == request->events[i].time_ms, "times are the same");
  }
  return 0;
}
