// One user's JavaScript: a virtual machine and a context of its own, on one thread (JavaScriptCore's collector looks
// through the stack of the thread for what is alive, and machines share nothing).
#pragma once

#include <JavaScriptCore/JavaScript.h>

#include <functional>
#include <initializer_list>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "k6/interruption.h"

namespace securebase::k6 {

// What a script threw.
struct ScriptError {
  std::string message;  // "TypeError: x is not a function"
  std::string place;    // "script.js:3:5", where it is known
  std::string stack;    // lines of "    at f (script.js:3:5)"
  bool ended = false;   // it was not thrown: the engine was told to end
  // All of it, for people.
  std::string text() const;
};

class Vm {
 public:
  // Once, before any other thread is made: settings of the engine.
  static void prepare_process();

  // On the thread that will use it. `interruption` outlives it.
  explicit Vm(const Interruption& interruption);
  ~Vm();
  Vm(const Vm&) = delete;
  Vm& operator=(const Vm&) = delete;

  JSContextRef context() const { return context_; }
  JSObjectRef global() const { return JSContextGetGlobalObject(context_); }

  // `url` is what stacks call it. `prefix_bytes`: how much of its first line is not the script's.
  Result<JSValueRef, ScriptError> evaluate(std::string_view code, const std::string& url, std::size_t prefix_bytes = 0);
  Result<JSValueRef, ScriptError> call(JSObjectRef function, std::span<const JSValueRef> arguments);
  Result<JSValueRef, ScriptError> call(JSObjectRef function, std::initializer_list<JSValueRef> arguments = {}) {
    return call(function, std::span(arguments.begin(), arguments.size()));
  }
  // `function` is called with (promise, reason) for rejections that nobody took up.
  void hear_rejections(JSObjectRef function);
  // How a thrown value reads.
  ScriptError describe(JSValueRef exception) const;
  // After an execution was ended: the watch begins anew.
  void watch_again();
  // How much of the first line of what is evaluated under that url is not the script's.
  void note_prefix(const std::string& url, std::size_t bytes) { prefixes_[url] = bytes; }
  // What stacks call a url: told by the loader.
  void name_urls(std::function<std::string(std::string_view)> name) { name_ = std::move(name); }

 private:
  static bool must_end(JSContextRef context, void* vm);
  ScriptError located(std::string message, std::string_view stack, const std::string& url, double line,
                      double column) const;

  const Interruption& interruption_;
  JSContextGroupRef group_;
  JSGlobalContextRef context_;
  std::map<std::string, std::size_t, std::less<>> prefixes_;  // by url
  std::function<std::string(std::string_view)> name_;
};

}  // namespace securebase::k6
