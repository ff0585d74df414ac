// A server for tests: answers each write with the next line of a script.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "lambda/stream.h"

namespace securebase::lambda {

struct Script {
  std::deque<std::string> answers;  // "": the server closes the connection
  std::vector<std::string> written;
  int connections = 0;
};

class ScriptedStream final : public Stream {
 public:
  explicit ScriptedStream(Script& script) : script_(script) { ++script_.connections; }

  Result<Done> read_some(std::string& into, base::SteadyPoint) override {
    if (script_.answers.empty()) return Error{Errc::kTimeout, "the script has ended"};
    const std::string answer = script_.answers.front();
    script_.answers.pop_front();
    if (answer.empty()) return Error{Errc::kClosed, "the script closes"};
    into += answer;
    return Done{};
  }
  Result<Done> write_all(std::string_view bytes, base::SteadyPoint) override {
    script_.written.emplace_back(bytes);
    return Done{};
  }

 private:
  Script& script_;
};

}  // namespace securebase::lambda
