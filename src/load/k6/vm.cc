#include "k6/vm.h"

#include <fmt/format.h>

#include <re2/re2.h>

#include <charconv>
#include <cstdlib>
#include <cstring>

#include "k6/js.h"

// In JSContextRefPrivate.h, which Debian does not install; the library exports them.
extern "C" {
using JSShouldTerminateCallback = bool (*)(JSContextRef context, void* userdata);
void JSContextGroupSetExecutionTimeLimit(JSContextGroupRef, double limit_seconds, JSShouldTerminateCallback,
                                         void* userdata);
void JSGlobalContextSetUnhandledRejectionCallback(JSGlobalContextRef, JSObjectRef function, JSValueRef* exception);
}

namespace securebase::k6 {

namespace {

// How much of a user's processor time passes before it is asked whether it should go on.
constexpr double kWatchSeconds = 0.25;

struct Frame {
  std::string_view function;
  std::string_view url;
  std::uint32_t line = 0;
  std::uint32_t column = 0;
};

// "f@file:///a.js:3:5" as the engine has it, "\tat f (file:///a.js:3:5)" as js/runtime.js writes it; native frames have
// no place.
Frame frame_from(std::string_view text) {
  constexpr std::string_view kOfScripts = "\tat ";
  const bool of_scripts = text.starts_with(kOfScripts);
  if (of_scripts) text.remove_prefix(kOfScripts.size());
  if (of_scripts && text.ends_with(')')) text.remove_suffix(1);
  const std::string_view between = of_scripts ? " (" : "@";
  const auto at = text.find(between);
  Frame frame;
  frame.function = at == std::string_view::npos ? std::string_view{} : text.substr(0, at);
  auto place = at == std::string_view::npos ? text : text.substr(at + between.size());
  const auto take_number = [&place](std::uint32_t& into) {
    const auto colon = place.rfind(':');
    if (colon == std::string_view::npos) return false;
    const auto digits = place.substr(colon + 1);
    const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), into);
    if (failure != std::errc{} || end != digits.data() + digits.size() || digits.empty()) return false;
    place = place.substr(0, colon);
    return true;
  };
  std::uint32_t last = 0;
  std::uint32_t before = 0;
  if (take_number(last)) {
    if (take_number(before)) {
      frame.line = before;
      frame.column = last;
    } else {
      frame.line = last;
    }
  }
  frame.url = place;
  return frame;
}

}  // namespace

std::string ScriptError::text() const {
  // What the loader throws names the importing line itself, which is better than where the loader was called.
  static const RE2 kPlaced(R"((\w*Error: )?([^\s:]+:\d+:\d+: )([\s\S]*))");
  std::string kind, own_place, rest;
  if (RE2::FullMatch(message, kPlaced, &kind, &own_place, &rest)) return own_place + kind + rest;
  std::string out = place.empty() ? message : fmt::format("{}: {}", place, message);
  if (!stack.empty()) out += "\n" + stack;
  return out;
}

void Vm::prepare_process() {
  // One collector thread and one compiler are enough beside a user's own thread. setenv, since the engine reads its
  // options from the environment and has no other door for them.
  setenv("JSC_numberOfGCMarkers", "1", 0);
  setenv("JSC_useConcurrentGC", "0", 0);
  // The watchdog reaches running code by a flag that it looks at, instead of by signals: the thread that sends them
  // ("Signal Sender") had 26 % of all samples with 100 users.
  setenv("JSC_usePollingTraps", "1", 0);
  // Every user compiles for itself, while the interpreter's code is one for all. Compiled is what runs some thousand
  // times in an iteration or in a loop: the few lines that most scripts are cost more in a hundred copies, which do not
  // fit into a cache, than they save. An entry of a function counts 15, a turn of a loop 1.
  setenv("JSC_thresholdForJITAfterWarmUp", "300000", 0);
  setenv("JSC_thresholdForOptimizeAfterWarmUp", "20000", 0);
  setenv("JSC_thresholdForOptimizeAfterLongWarmUp", "20000", 0);
  setenv("JSC_thresholdForOptimizeSoon", "20000", 0);
}

Vm::Vm(const Interruption& interruption)
    : interruption_(interruption),
      group_(JSContextGroupCreate()),
      context_(JSGlobalContextCreateInGroup(group_, nullptr)) {
  watch_again();
}

Vm::~Vm() {
  JSGlobalContextRelease(context_);
  JSContextGroupRelease(group_);
}

void Vm::watch_again() { JSContextGroupSetExecutionTimeLimit(group_, kWatchSeconds, must_end, this); }

void Vm::hear_rejections(JSObjectRef function) {
  JSGlobalContextSetUnhandledRejectionCallback(context_, function, nullptr);
}

bool Vm::must_end(JSContextRef, void* vm) {
  auto* const self = static_cast<Vm*>(vm);
  if (self->interruption_.due()) return true;
  // WebKitGTK 2.50 does not ask a second time unless the limit is set again.
  self->watch_again();
  return false;
}

Result<JSValueRef, ScriptError> Vm::evaluate(std::string_view code, const std::string& url, std::size_t prefix_bytes) {
  prefixes_[url] = prefix_bytes;
  const JSValueRef text = js::make_string(context_, code);
  const JSStringRef script = JSValueToStringCopy(context_, text, nullptr);
  const JSStringRef source = JSStringCreateWithUTF8CString(url.c_str());
  JSValueRef exception = nullptr;
  const JSValueRef value = JSEvaluateScript(context_, script, nullptr, source, 1, &exception);
  JSStringRelease(source);
  JSStringRelease(script);
  if (exception) return describe(exception);
  return value;
}

Result<JSValueRef, ScriptError> Vm::call(JSObjectRef function, std::span<const JSValueRef> arguments) {
  JSValueRef exception = nullptr;
  const JSValueRef value =
      JSObjectCallAsFunction(context_, function, nullptr, arguments.size(), arguments.data(), &exception);
  if (exception) return describe(exception);
  return value;
}

ScriptError Vm::describe(JSValueRef exception) const {
  if (!JSValueIsObject(context_, exception)) {
    const std::string text = js::to_text(context_, exception);
    // The exception of an ended execution is no object that scripts could catch.
    ScriptError error{"Uncaught " + text, "", "", interruption_.due()};
    return error;
  }
  const JSObjectRef object = JSValueToObject(context_, exception, nullptr);
  const std::string message = js::to_text(context_, exception);
  const auto text_of = [&](const char* name) {
    const JSValueRef value = js::property(context_, object, name);
    return value && JSValueIsString(context_, value) ? js::to_text(context_, value) : std::string();
  };
  const auto number_of = [&](const char* name) {
    const JSValueRef value = js::property(context_, object, name);
    return value && JSValueIsNumber(context_, value) ? js::to_number(context_, value) : 0.0;
  };
  ScriptError error = located(message.empty() ? "an error without a message" : message, text_of("stack"),
                              text_of("sourceURL"), number_of("line"), number_of("column"));
  error.ended = interruption_.due() && message.find("terminated") != std::string::npos;
  return error;
}

ScriptError Vm::located(std::string message, std::string_view stack, const std::string& url, double line,
                        double column) const {
  ScriptError error{std::move(message), "", "", false};
  const auto place_text = [this](std::string_view at, std::uint32_t row, std::uint32_t col) {
    const auto prefix = prefixes_.find(at);
    if (row == 1 && prefix != prefixes_.end()) {
      col = col > prefix->second ? col - static_cast<std::uint32_t>(prefix->second) : 1;
    }
    const std::string name = name_ ? name_(at) : std::string(at);
    return col > 0 ? fmt::format("{}:{}:{}", name, row, col) : fmt::format("{}:{}", name, row);
  };
  std::size_t shown = 0;
  while (!stack.empty() && shown < 20) {
    const auto end = stack.find('\n');
    const Frame frame = frame_from(stack.substr(0, end));
    stack = end == std::string_view::npos ? std::string_view{} : stack.substr(end + 1);
    if (frame.line == 0 || !frame.url.starts_with("file://")) continue;  // our own modules and the engine's functions
    const std::string place = place_text(frame.url, frame.line, frame.column);
    // What the rewriter calls a default export without a name.
    const std::string_view function = frame.function == "__k6_d" ? "default" : frame.function;
    if (error.place.empty()) error.place = place;
    if (!error.stack.empty()) error.stack += '\n';
    error.stack += function.empty() ? fmt::format("    at {}", place) : fmt::format("    at {} ({})", function, place);
    ++shown;
  }
  if (error.place.empty() && url.starts_with("file://") && line > 0) {
    error.place = place_text(url, static_cast<std::uint32_t>(line), static_cast<std::uint32_t>(std::max(0.0, column)));
  }
  return error;
}

}  // namespace securebase::k6
