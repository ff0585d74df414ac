// Values of JavaScriptCore and of C++, from one to the other. Everything here belongs to the thread of its context.
#pragma once

#include <JavaScriptCore/JavaScript.h>

#include <optional>
#include <string>
#include <string_view>

namespace securebase::k6::js {

// Invalid UTF-8 becomes U+FFFD; zero bytes are kept.
JSValueRef make_string(JSContextRef context, std::string_view text);
JSValueRef make_bytes(JSContextRef context, std::string_view bytes);  // an ArrayBuffer with a copy
JSObjectRef make_function(JSContextRef context, const char* name, JSObjectCallAsFunctionCallback callback);

// "" for what cannot become text.
std::string to_text(JSContextRef context, JSValueRef value);
// The bytes of an ArrayBuffer or a view into one; nullopt: it is neither. Valid until the engine runs again.
std::optional<std::string_view> to_bytes(JSContextRef context, JSValueRef value);
// Bytes, or else text as UTF-8.
std::string to_data(JSContextRef context, JSValueRef value);
double to_number(JSContextRef context, JSValueRef value);

// nullptr: there is no such property, or reading it threw.
JSValueRef property(JSContextRef context, JSObjectRef object, const char* name);
void set(JSContextRef context, JSObjectRef object, const char* name, JSValueRef value);
JSObjectRef function_of(JSContextRef context, JSObjectRef object, const char* name);

// Makes `*exception` an Error with that message; gives undefined.
JSValueRef fail(JSContextRef context, JSValueRef* exception, std::string_view message);

}  // namespace securebase::k6::js
