// Runs a program to its end, for what Terraform asks of programs.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"

namespace securebase::stack {

struct ProgramCall {
  std::vector<std::string> command;  // the program, found by PATH when it has no slash, and its arguments
  std::string input;                 // its standard input
  std::filesystem::path directory;   // it is started there
  std::chrono::milliseconds time{60'000};
  std::size_t output_bytes = 4 << 20;  // more is an error; of what it complains, the first 16 KiB are kept
};

struct ProgramEnd {
  int status = 0;  // as a shell tells it: its exit code, or 128 and the signal that ended it
  std::string output;
  std::string complaints;  // its standard error
};

// Blocks until the program has ended. It has this process's environment and a process group of its own; whatever is
// left of the group then, and all of it when a limit is passed, is killed.
Result<ProgramEnd> run_program(const ProgramCall& call);

}  // namespace securebase::stack
