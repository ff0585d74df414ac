#include "k6/js.h"

#include <cstdlib>
#include <cstring>
#include <vector>

namespace securebase::k6::js {

namespace {

// UTF-8 to UTF-16, with U+FFFD for what is no UTF-8.
std::vector<JSChar> to_utf16(std::string_view text) {
  std::vector<JSChar> out;
  out.reserve(text.size());
  std::size_t i = 0;
  while (i < text.size()) {
    const auto c = static_cast<unsigned char>(text[i]);
    const int more = c < 0x80                ? 0
                     : c >= 0xc2 && c < 0xe0 ? 1
                     : c >= 0xe0 && c < 0xf0 ? 2
                     : c >= 0xf0 && c < 0xf5 ? 3
                                             : -1;
    std::uint32_t code = more < 0 ? 0xfffd : more == 0 ? c : c & (0x3f >> more);
    std::size_t taken = 1;
    for (int k = 0; k < more; ++k) {
      const auto next = i + taken < text.size() ? static_cast<unsigned char>(text[i + taken]) : 0;
      if ((next & 0xc0) != 0x80) {
        code = 0xfffd;
        break;
      }
      code = (code << 6) | (next & 0x3f);
      ++taken;
    }
    if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000) || (more == 2 && code < 0x800) ||
        (more == 3 && code < 0x10000)) {
      code = 0xfffd;
    }
    i += taken;
    if (code >= 0x10000) {
      out.push_back(static_cast<JSChar>(0xd800 + ((code - 0x10000) >> 10)));
      out.push_back(static_cast<JSChar>(0xdc00 + ((code - 0x10000) & 0x3ff)));
    } else {
      out.push_back(static_cast<JSChar>(code));
    }
  }
  return out;
}

// ASCII without zeros: the engine keeps it in bytes.
bool is_plain(std::string_view text) {
  unsigned char any = 0;
  for (const char c : text) {
    any |= static_cast<unsigned char>(c);
    if (c == 0) return false;
  }
  return any < 0x80;
}

JSStringRef make_js_string(std::string_view text) {
  if (is_plain(text)) {
    // The API wants a zero behind it.
    char small[256];
    if (text.size() < sizeof small) {
      std::memcpy(small, text.data(), text.size());
      small[text.size()] = 0;
      return JSStringCreateWithUTF8CString(small);
    }
    const std::string copy(text);
    return JSStringCreateWithUTF8CString(copy.c_str());
  }
  const auto wide = to_utf16(text);
  return JSStringCreateWithCharacters(wide.data(), wide.size());
}

void release_bytes(void* bytes, void*) { std::free(bytes); }

}  // namespace

JSValueRef make_string(JSContextRef context, std::string_view text) {
  const JSStringRef string = make_js_string(text);
  const JSValueRef value = JSValueMakeString(context, string);
  JSStringRelease(string);
  return value;
}

JSValueRef make_bytes(JSContextRef context, std::string_view bytes) {
  void* const copy = std::malloc(bytes.empty() ? 1 : bytes.size());
  if (!copy) return JSValueMakeNull(context);
  if (!bytes.empty()) std::memcpy(copy, bytes.data(), bytes.size());
  return JSObjectMakeArrayBufferWithBytesNoCopy(context, copy, bytes.size(), release_bytes, nullptr, nullptr);
}

JSObjectRef make_function(JSContextRef context, const char* name, JSObjectCallAsFunctionCallback callback) {
  const JSStringRef string = JSStringCreateWithUTF8CString(name);
  const JSObjectRef function = JSObjectMakeFunctionWithCallback(context, string, callback);
  JSStringRelease(string);
  return function;
}

std::string to_text(JSContextRef context, JSValueRef value) {
  JSValueRef exception = nullptr;
  const JSStringRef string = JSValueToStringCopy(context, value, &exception);
  if (!string) return "";
  const std::size_t most = JSStringGetMaximumUTF8CStringSize(string);
  std::string text;
  if (most <= 512) {
    char small[512];
    const std::size_t bytes = JSStringGetUTF8CString(string, small, sizeof small);
    text.assign(small, bytes > 0 ? bytes - 1 : 0);
  } else {
    text.resize(most);
    const std::size_t bytes = JSStringGetUTF8CString(string, text.data(), most);
    text.resize(bytes > 0 ? bytes - 1 : 0);
  }
  JSStringRelease(string);
  return text;
}

std::optional<std::string_view> to_bytes(JSContextRef context, JSValueRef value) {
  const JSTypedArrayType type = JSValueGetTypedArrayType(context, value, nullptr);
  if (type == kJSTypedArrayTypeNone) return std::nullopt;
  const JSObjectRef object = JSValueToObject(context, value, nullptr);
  if (!object) return std::nullopt;
  if (type == kJSTypedArrayTypeArrayBuffer) {
    const void* const bytes = JSObjectGetArrayBufferBytesPtr(context, object, nullptr);
    return std::string_view(static_cast<const char*>(bytes),
                            JSObjectGetArrayBufferByteLength(context, object, nullptr));
  }
  const void* const bytes = JSObjectGetTypedArrayBytesPtr(context, object, nullptr);
  if (!bytes) return std::string_view();
  // Unlike its name, the pointer is that of the whole buffer.
  return std::string_view(static_cast<const char*>(bytes) + JSObjectGetTypedArrayByteOffset(context, object, nullptr),
                          JSObjectGetTypedArrayByteLength(context, object, nullptr));
}

std::string to_data(JSContextRef context, JSValueRef value) {
  if (JSValueIsObject(context, value)) {
    if (const auto bytes = to_bytes(context, value)) return std::string(*bytes);
  }
  return to_text(context, value);
}

double to_number(JSContextRef context, JSValueRef value) { return JSValueToNumber(context, value, nullptr); }

JSValueRef property(JSContextRef context, JSObjectRef object, const char* name) {
  const JSStringRef string = JSStringCreateWithUTF8CString(name);
  JSValueRef exception = nullptr;
  const JSValueRef value = JSObjectGetProperty(context, object, string, &exception);
  JSStringRelease(string);
  return exception ? nullptr : value;
}

void set(JSContextRef context, JSObjectRef object, const char* name, JSValueRef value) {
  const JSStringRef string = JSStringCreateWithUTF8CString(name);
  JSObjectSetProperty(context, object, string, value, kJSPropertyAttributeNone, nullptr);
  JSStringRelease(string);
}

JSObjectRef function_of(JSContextRef context, JSObjectRef object, const char* name) {
  const JSValueRef value = property(context, object, name);
  if (!value || !JSValueIsObject(context, value)) return nullptr;
  const JSObjectRef function = JSValueToObject(context, value, nullptr);
  return function && JSObjectIsFunction(context, function) ? function : nullptr;
}

JSValueRef fail(JSContextRef context, JSValueRef* exception, std::string_view message) {
  const JSValueRef argument = make_string(context, message);
  *exception = JSObjectMakeError(context, 1, &argument, nullptr);
  return JSValueMakeUndefined(context);
}

}  // namespace securebase::k6::js
