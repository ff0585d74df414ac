// hashicorp/random: what it draws once and keeps in its state follows here from the address (and from `keepers`), so it
// is the same as long as the resource is. Passwords come from the state directory's master key instead: an address is
// no secret.
#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "base/hash.h"
#include "stack/builtin/builtin.h"
#include "stack/functions/encoding.h"

namespace securebase::stack {

namespace {

constexpr std::string_view kLower = "abcdefghijklmnopqrstuvwxyz";
constexpr std::string_view kUpper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
constexpr std::string_view kDigits = "0123456789";
constexpr std::string_view kSpecial = "!@#$%&*()-_=+[]{}<>:?";
constexpr std::int64_t kMostLength = 4096;

// What the values follow from; another `keepers` is another value, as in the provider.
std::string seed(const BuiltinCall& call, std::string_view use) {
  return fmt::format("{}/{}/{}", call.context.address, json_encode(call.resource.body["keepers"]), use);
}

std::string drawn(const BuiltinCall& call, std::string_view use, std::size_t length, std::string_view alphabet) {
  return Context{.address = seed(call, use)}.id(length, alphabet);
}

std::string uuid_text(std::string hex) {
  hex[12] = '4';
  hex[16] = "89ab"[static_cast<unsigned char>(hex[16]) % 4];
  return fmt::format("{}-{}-{}-{}-{}", hex.substr(0, 8), hex.substr(8, 4), hex.substr(12, 4), hex.substr(16, 4),
                     hex.substr(20, 12));
}

struct Characters {
  std::string alphabet;
  std::vector<std::pair<std::string, std::int64_t>> least;  // of each class
};

Characters characters_of(const Body& body) {
  Characters made;
  const std::string special = body["override_special"].to_text().value_or(std::string(kSpecial));
  const bool numeric = body["numeric"].to_bool().value_or(body["number"].to_bool().value_or(true));
  const auto add = [&](bool wanted, std::string_view letters, std::string_view least) {
    if (wanted) made.alphabet += letters;
    if (const auto count = body[least].to_integer(); count && *count > 0 && wanted)
      made.least.emplace_back(letters, *count);
  };
  add(body["lower"].to_bool().value_or(true), kLower, "min_lower");
  add(body["upper"].to_bool().value_or(true), kUpper, "min_upper");
  add(numeric, kDigits, "min_numeric");
  add(body["special"].to_bool().value_or(true), special, "min_special");
  return made;
}

std::optional<Value::Map> text_of(const BuiltinCall& call, bool secret) {
  const auto length = call.resource.body["length"].to_integer();
  const Characters characters = characters_of(call.resource.body);
  if (!length || *length < 1 || *length > kMostLength || characters.alphabet.empty()) {
    return call.fail("Incorrect attribute value",
                     "\"length\" is a whole number from 1 to 4096, and one class of characters is needed.");
  }
  if (secret && !call.context.derive_secret) {
    return call.fail("No place for secrets",
                     "A password follows from the master key of the state directory, and none was given.");
  }
  const auto draw = [&](std::string_view use, std::size_t count, const std::string& alphabet) {
    return secret ? call.context.derive_secret(seed(call, use), count, alphabet) : drawn(call, use, count, alphabet);
  };
  std::string text = draw("", static_cast<std::size_t>(*length), characters.alphabet);
  std::size_t at = 0;  // the least numbers are met at the front; which places those are is no secret of any use
  for (const auto& [letters, count] : characters.least) {
    const std::string some = draw(letters, static_cast<std::size_t>(std::min(count, *length)), letters);
    for (const char c : some) {
      if (at < text.size()) text[at++] = c;
    }
  }
  return Value::Map{{"id", secret ? "none" : text}, {"result", Value(text).marked(secret)}};
}

std::optional<Value::Map> random_password(const BuiltinCall& call) { return text_of(call, true); }
std::optional<Value::Map> random_string(const BuiltinCall& call) { return text_of(call, false); }

std::optional<Value::Map> random_id(const BuiltinCall& call) {
  const auto length = call.resource.body["byte_length"].to_integer();
  if (!length || *length < 1 || *length > kMostLength) {
    return call.fail("Incorrect attribute value", "\"byte_length\" is a whole number from 1 to 4096.");
  }
  const std::string hex = drawn(call, "", static_cast<std::size_t>(*length) * 2, "0123456789abcdef");
  const std::string bytes = base::from_hex(hex).value_or("");
  const std::string prefix = call.resource.body["prefix"].to_text().value_or("");
  Value::Number decimal = 0;
  for (const char c : bytes.substr(0, 7)) decimal = decimal * 256 + static_cast<unsigned char>(c);
  return Value::Map{{"id", base::base64url(bytes)},
                    {"hex", prefix + hex},
                    {"b64_url", prefix + base::base64url(bytes)},
                    {"b64_std", prefix + base::base64(bytes)},
                    {"dec", prefix + number_text(decimal)}};
}

std::optional<Value::Map> random_bytes(const BuiltinCall& call) {
  const auto length = call.resource.body["length"].to_integer().value_or(16);
  if (length < 1 || length > kMostLength)
    return call.fail("Incorrect attribute value", "\"length\" is a whole number from 1 to 4096.");
  if (!call.context.derive_secret)
    return call.fail("No place for secrets",
                     "Random bytes follow from the master key of the state directory, and none was given.");
  const std::string hex =
      call.context.derive_secret(seed(call, "bytes"), static_cast<std::size_t>(length) * 2, "0123456789abcdef");
  return Value::Map{{"hex", Value(hex).marked()},
                    {"base64", Value(base::base64(base::from_hex(hex).value_or(""))).marked()}};
}

std::optional<Value::Map> random_integer(const BuiltinCall& call) {
  const auto least = call.resource.body["min"].to_integer();
  const auto most = call.resource.body["max"].to_integer();
  if (!least || !most || *most < *least)
    return call.fail("Incorrect attribute value", "\"min\" and \"max\" are whole numbers, in this order.");
  const auto room = static_cast<std::uint64_t>(*most - *least) + 1;
  const auto number = *least + static_cast<std::int64_t>(base::hash64(seed(call, "")) % room);
  return Value::Map{{"id", std::to_string(number)}, {"result", number}};
}

std::optional<Value::Map> random_uuid(const BuiltinCall& call) {
  const std::string uuid = uuid_text(drawn(call, "", 32, "0123456789abcdef"));
  return Value::Map{{"id", uuid}, {"result", uuid}};
}

std::optional<Value::Map> random_pet(const BuiltinCall& call) {
  static constexpr std::string_view kAdverbs[] = {"barely", "calmly", "duly",   "early",
                                                  "firmly", "gladly", "kindly", "nicely"};
  static constexpr std::string_view kAdjectives[] = {"amber", "brave", "calm",  "eager", "fair",  "golden",
                                                     "keen",  "lucky", "merry", "noble", "proud", "quick",
                                                     "sunny", "tidy",  "vivid", "wise"};
  static constexpr std::string_view kNames[] = {"badger", "crane",  "dolphin", "falcon", "gecko",  "heron",
                                                "ibex",   "jackal", "koala",   "lynx",   "marten", "otter",
                                                "puffin", "raven",  "stoat",   "wren"};
  const auto pick = [&](const auto& words, std::string_view use) {
    return words[base::hash64(seed(call, use)) % std::size(words)];
  };
  const auto length = call.resource.body["length"].to_integer().value_or(2);
  const std::string separator = call.resource.body["separator"].to_text().value_or("-");
  std::vector<std::string> words;
  if (const auto prefix = call.resource.body["prefix"].to_text()) words.push_back(*prefix);
  for (auto i = length; i > 2 && i < 20; --i) words.emplace_back(pick(kAdverbs, fmt::format("adverb{}", i)));
  if (length > 1) words.emplace_back(pick(kAdjectives, "adjective"));
  words.emplace_back(pick(kNames, "name"));
  return Value::Map{{"id", fmt::format("{}", fmt::join(words, separator))}};
}

std::optional<Value::Map> random_shuffle(const BuiltinCall& call) {
  Value::List list = call.resource.body["input"].is_sequence() ? call.resource.body["input"].elements() : Value::List();
  for (std::size_t i = list.size(); i > 1; --i) {
    std::swap(list[i - 1], list[base::hash64(seed(call, fmt::format("{}", i))) % i]);
  }
  const auto count = call.resource.body["result_count"].to_integer();
  if (count && *count >= 0 && static_cast<std::size_t>(*count) < list.size())
    list.resize(static_cast<std::size_t>(*count));
  return Value::Map{{"id", "-"}, {"result", Value(std::move(list))}};
}

}  // namespace

Builtin find_random(std::string_view type) {
  static constexpr std::pair<std::string_view, Builtin> kTypes[] = {
      {"random_bytes", random_bytes},       {"random_id", random_id},
      {"random_integer", random_integer},   {"random_uuid", random_uuid},
      {"random_password", random_password}, {"random_pet", random_pet},
      {"random_string", random_string},     {"random_shuffle", random_shuffle}};
  for (const auto& [name, builtin] : kTypes) {
    if (name == type) return builtin;
  }
  return nullptr;
}

}  // namespace securebase::stack
