// Answers as JavaScript holds them: an object of the engine that owns what came, and a Response takes out of it what
// the script asks for. Most of an answer is never asked for, and what costs is the way into the engine.
#pragma once

#include <JavaScriptCore/JavaScript.h>

#include <cstddef>

#include "k6/transfer.h"

namespace securebase::k6 {

class User;

class Answers {
 public:
  Answers();
  ~Answers();
  Answers(const Answers&) = delete;
  Answers& operator=(const Answers&) = delete;

  // Takes the answer out of the transfer. Its status and error code go into the user's numbers.
  JSValueRef make(JSContextRef context, User& user, Transfer& transfer);

  static void add_natives(JSContextRef context, JSObjectRef natives);

 private:
  const JSClassRef class_;
  std::size_t untold_bytes_ = 0;  // of answers that the collector does not know of yet
};

}  // namespace securebase::k6
