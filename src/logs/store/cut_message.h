// A message as what it has in common with others and what it differs in.
//
//   took 12.5 ms, 3 of 7             took * ms, * of *           12.5  3  7
//   {"level":"INFO","ms":12.5}       {"level":"*","ms":*}        INFO  12.5
//
// Of JSON, every value is a variable; of other lines, the runs that hold a digit.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace securebase::logs {

inline constexpr char kVariable = '\x11';               // stands for a variable; a message that holds it is not cut
inline constexpr std::size_t kVariablesOfMessage = 64;  // one with more is not cut

// Of lines that are no JSON.
bool may_be_in_variable(char c);

// False: it is not cut. What `variables` has refers to `message`.
bool cut_text(std::string_view message, std::string& shape, std::vector<std::string_view>& variables);
// The same; false as well if it does not look like a JSON object.
bool cut_json(std::string_view message, std::string& shape, std::vector<std::string_view>& variables);

// The same for a shape that the message probably has, in less time. False: it has another one, or it is hard to say.
bool cut_like(std::string_view message, std::string_view shape, std::vector<std::string_view>& variables);

}  // namespace securebase::logs
