#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>

#include "base/encoding.h"
#include "base/file.h"
#include "base/json.h"
#include "base/random.h"
#include "k6/gjson.h"
#include "k6/js.h"
#include "k6/md4.h"
#include "k6/natives.h"
#include "k6/user.h"

namespace securebase::k6 {

namespace {

constexpr std::size_t kMostFileBytes = std::size_t{512} << 20;

const EVP_MD* algorithm_of(std::string name) {
  if (name == "sha512_224") name = "sha512-224";
  if (name == "sha512_256") name = "sha512-256";
  return EVP_get_digestbyname(name.c_str());
}

JSValueRef encoded(JSContextRef context, const std::string& digest, const std::string& encoding,
                   JSValueRef* exception) {
  if (encoding == "hex") return js::make_string(context, base::hex(digest));
  if (encoding == "base64") return js::make_string(context, base::base64(digest));
  if (encoding == "base64url") {
    std::string text = base::base64url(digest);
    while (text.size() % 4 != 0) text += '=';
    return js::make_string(context, text);
  }
  if (encoding == "base64rawurl") return js::make_string(context, base::base64url(digest));
  if (encoding == "binary") return js::make_bytes(context, digest);
  return js::fail(
      context, exception,
      fmt::format("crypto: invalid output encoding '{}': expected hex, base64, base64url, base64rawurl or binary",
                  encoding));
}

}  // namespace

namespace data {

JSValueRef utf8(JSContextRef context, JSObjectRef, JSObjectRef, std::size_t, const JSValueRef a[], JSValueRef*) {
  return js::make_bytes(context, js::to_text(context, a[0]));
}

JSValueRef from_utf8(JSContextRef context, JSObjectRef, JSObjectRef, std::size_t, const JSValueRef a[], JSValueRef*) {
  return js::make_string(context, js::to_data(context, a[0]));
}

JSValueRef random_bytes(JSContextRef context, JSObjectRef, JSObjectRef, std::size_t, const JSValueRef a[],
                        JSValueRef*) {
  const double count = std::clamp(js::to_number(context, a[0]), 0.0, double{1 << 26});
  return js::make_bytes(context, base::random_bytes(static_cast<std::size_t>(count)));
}

JSValueRef uuid(JSContextRef context, JSObjectRef, JSObjectRef, std::size_t, const JSValueRef[], JSValueRef*) {
  return js::make_string(context, base::random_uuid());
}

JSValueRef hash(JSContextRef context, JSObjectRef, JSObjectRef, std::size_t, const JSValueRef a[], JSValueRef* e) {
  const std::string name = js::to_text(context, a[0]);
  const EVP_MD* const algorithm = algorithm_of(name);
  const std::string bytes = js::to_data(context, a[1]);
  if (name == "md4") return encoded(context, md4(bytes), js::to_text(context, a[2]), e);
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (!algorithm || EVP_Digest(bytes.data(), bytes.size(), digest, &size, algorithm, nullptr) != 1) {
    return js::fail(context, e, fmt::format("crypto: the algorithm '{}' is not available", name));
  }
  return encoded(context, std::string(reinterpret_cast<char*>(digest), size), js::to_text(context, a[2]), e);
}

JSValueRef hmac(JSContextRef context, JSObjectRef, JSObjectRef, std::size_t, const JSValueRef a[], JSValueRef* e) {
  const std::string name = js::to_text(context, a[0]);
  const EVP_MD* const algorithm = algorithm_of(name);
  const std::string key = js::to_data(context, a[1]);
  const std::string bytes = js::to_data(context, a[2]);
  if (name == "md4") return encoded(context, hmac_md4(key, bytes), js::to_text(context, a[3]), e);
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (!algorithm || !HMAC(algorithm, key.data(), static_cast<int>(key.size()),
                          reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest, &size)) {
    return js::fail(context, e, fmt::format("crypto: the algorithm '{}' is not available", name));
  }
  return encoded(context, std::string(reinterpret_cast<char*>(digest), size), js::to_text(context, a[3]), e);
}

JSValueRef base64(JSContextRef context, JSObjectRef, JSObjectRef, std::size_t, const JSValueRef a[], JSValueRef*) {
  const std::string bytes = js::to_data(context, a[0]);
  const std::string variant = js::to_text(context, a[1]);
  std::string text = variant.ends_with("url") ? base::base64url(bytes) : base::base64(bytes);
  if (variant == "url") {
    while (text.size() % 4 != 0) text += '=';
  }
  if (variant == "rawstd") text.erase(text.find_last_not_of('=') + 1);
  return js::make_string(context, text);
}

JSValueRef from_base64(JSContextRef context, JSObjectRef, JSObjectRef, std::size_t, const JSValueRef a[],
                       JSValueRef* e) {
  std::string text = js::to_text(context, a[0]);
  const std::string variant = js::to_text(context, a[1]);
  std::erase_if(text, [](char c) { return c == '\n' || c == '\r'; });
  const bool url = variant.ends_with("url");
  if (url) text.erase(text.find_last_not_of('=') + 1);
  const auto bytes = url ? base::from_base64url(text) : base::from_base64(text);
  if (!bytes)
    return js::fail(context, e, fmt::format("b64decode: '{}' is not base64 ({})", text.substr(0, 60), variant));
  return JSValueToBoolean(context, a[2]) ? js::make_string(context, *bytes) : js::make_bytes(context, *bytes);
}

JSValueRef json_path(JSContextRef context, JSObjectRef, JSObjectRef, std::size_t, const JSValueRef a[], JSValueRef* e) {
  auto value = base::Json::parse(js::to_text(context, a[0]));
  if (!value) return js::fail(context, e, fmt::format("json(): the body is not JSON: {}", value.error().message));
  auto found = gjson(*value, js::to_text(context, a[1]));
  if (!found) return js::fail(context, e, found.error().message);
  return *found ? js::make_string(context, (*found)->dump()) : JSValueMakeUndefined(context);
}

}  // namespace data

// Those that look into the user.
struct DataNatives {
  static JSValueRef open(JSContextRef context, JSObjectRef, JSObjectRef, std::size_t, const JSValueRef a[],
                         JSValueRef* e) {
    User& user = current_user();
    const std::string name = js::to_text(context, a[1]);
    if (!user.in_init_) {
      return js::fail(
          context, e,
          fmt::format("open('{}') can only be called in the init context: at the top of the script, outside "
                      "of functions",
                      name));
    }
    namespace fs = std::filesystem;
    const auto& modules = user.shared_.modules;
    fs::path path = name.starts_with("file://") ? name.substr(7) : name;
    if (path.is_relative()) {
      // Relative to the file that says it; older scripts mean the directory of the first script.
      const fs::path here = modules.at(static_cast<std::size_t>(js::to_number(context, a[0]))).directory / path;
      std::error_code failure;
      path = fs::exists(here, failure) ? here : modules.at(modules.main()).directory / path;
    }
    auto bytes = base::read_file(path, kMostFileBytes);
    if (!bytes) {
      return js::fail(
          context, e,
          fmt::format("open('{}'): {}: expected a file, relative to the script", name, bytes.error().message));
    }
    return JSValueToBoolean(context, a[2]) ? js::make_bytes(context, *bytes) : js::make_string(context, *bytes);
  }

  // (name, make): the array's number; `make` is called by the first user that comes.
  static JSValueRef shared(JSContextRef context, JSObjectRef, JSObjectRef, std::size_t, const JSValueRef a[],
                           JSValueRef* e) {
    User& user = current_user();
    if (!user.in_init_) return js::fail(context, e, "a SharedArray can only be made in the init context");
    const std::string name = js::to_text(context, a[0]);
    if (const auto known = user.shared_.arrays.find(name))
      return JSValueMakeNumber(context, static_cast<double>(*known));
    const JSObjectRef make = JSValueToObject(context, a[1], e);
    if (!make) return JSValueMakeUndefined(context);
    const JSValueRef made = JSObjectCallAsFunction(context, make, nullptr, 0, nullptr, e);
    if (!made) return JSValueMakeUndefined(context);
    const JSObjectRef list = JSValueToObject(context, made, e);
    const auto length = static_cast<unsigned>(js::to_number(context, js::property(context, list, "length")));
    std::vector<std::string> elements;
    elements.reserve(length);
    for (unsigned i = 0; i < length; ++i) {
      elements.push_back(js::to_text(context, JSObjectGetPropertyAtIndex(context, list, i, nullptr)));
    }
    return JSValueMakeNumber(context, static_cast<double>(user.shared_.arrays.put(name, std::move(elements))));
  }

  static JSValueRef shared_length(JSContextRef context, JSObjectRef, JSObjectRef, std::size_t, const JSValueRef a[],
                                  JSValueRef*) {
    const auto array = static_cast<std::size_t>(js::to_number(context, a[0]));
    return JSValueMakeNumber(context, static_cast<double>(current_user().shared_.arrays.length(array)));
  }

  static JSValueRef shared_element(JSContextRef context, JSObjectRef, JSObjectRef, std::size_t, const JSValueRef a[],
                                   JSValueRef*) {
    const std::string* const element = current_user().shared_.arrays.element(
        static_cast<std::size_t>(js::to_number(context, a[0])), static_cast<std::size_t>(js::to_number(context, a[1])));
    return element ? js::make_string(context, *element) : JSValueMakeUndefined(context);
  }
};

void add_data_natives(JSContextRef context, JSObjectRef natives) {
  struct Entry {
    const char* name;
    JSObjectCallAsFunctionCallback function;
  };
  static constexpr Entry kEntries[] = {{"utf8", data::utf8},
                                       {"fromUtf8", data::from_utf8},
                                       {"randomBytes", data::random_bytes},
                                       {"uuid", data::uuid},
                                       {"hash", data::hash},
                                       {"hmac", data::hmac},
                                       {"base64", data::base64},
                                       {"fromBase64", data::from_base64},
                                       {"gjson", data::json_path},
                                       {"open", DataNatives::open},
                                       {"shared", DataNatives::shared},
                                       {"sharedLength", DataNatives::shared_length},
                                       {"sharedElement", DataNatives::shared_element}};
  for (const auto& entry : kEntries)
    js::set(context, natives, entry.name, js::make_function(context, entry.name, entry.function));
}

}  // namespace securebase::k6
