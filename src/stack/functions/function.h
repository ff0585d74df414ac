// Terraform's function library. A function is a plain function of its arguments; what is wrong with an argument it
// says through `Arguments`, and returns any value then.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "stack/value.h"

namespace securebase::stack {

// What functions see of the outside.
struct FunctionContext {
  std::filesystem::path root;  // relative paths begin here, and no file outside is read; empty: no file at all
  std::vector<std::filesystem::path> readable;  // directories besides it
  const base::Clock* clock = nullptr;           // null: the system's
  std::vector<std::string>* files = nullptr;    // the files that were read are added here; may be null
  bool programs = false;                        // data "external" may run them
  int template_depth = 0;                       // templatefile() inside templatefile()
};

// The path as it is on the disk, links followed, when it lies where files may be read.
Result<std::filesystem::path> readable_path(const FunctionContext& context, const std::string& given);

struct Fault {
  std::size_t argument;  // kWholeCall: none in particular
  std::string text;      // continues "Call to function ... failed: ", without a full stop
};
inline constexpr std::size_t kWholeCall = static_cast<std::size_t>(-1);

class Arguments {
 public:
  Arguments(std::span<const Value> values, const FunctionContext& context) : values_(values), context_(context) {}

  std::size_t size() const { return values_.size(); }
  const Value& operator[](std::size_t i) const { return values_[i]; }
  const FunctionContext& context() const { return context_; }

  // Argument i as that kind; what cannot be converted is a fault, and something of the kind is returned.
  std::string text(std::size_t i);
  Value::Number number(std::size_t i);
  std::int64_t integer(std::size_t i);
  bool boolean(std::size_t i);
  const Value::List& list(std::size_t i);  // of a list or set
  const Value::Map& map(std::size_t i);
  std::vector<std::string> texts(std::size_t i);  // of a list or set of strings

  // Only the first fault counts.
  Value fail(std::size_t i, std::string text);
  Value fail(std::string text) { return fail(kWholeCall, std::move(text)); }
  bool failed() const { return !fault_.text.empty(); }
  const Fault& fault() const { return fault_; }

 private:
  std::span<const Value> values_;
  const FunctionContext& context_;
  Fault fault_{kWholeCall, {}};
};

struct Function {
  // How the mark of sensitive arguments gets into the result.
  enum class Marks {
    kByContent,  // any sensitive part of an argument marks a primitive result, a sensitive argument any result
    kByElement,  // the parts taken over bring their own marks; only a sensitive argument marks the result
    kOwn,        // the function sees to it
  };
  std::string_view name;
  std::size_t least;
  std::size_t most;  // kAnyNumber
  Value (*call)(Arguments& arguments);
  Marks marks = Marks::kByContent;
};
inline constexpr std::size_t kAnyNumber = static_cast<std::size_t>(-1);

const Function* find_function(std::string_view name);
const std::vector<std::string>& function_names();
Result<Value, Fault> call_function(const Function& function, std::span<const Value> arguments,
                                   const FunctionContext& context);

// The chapters of the library, each in the file of its name.
std::span<const Function> numeric_functions();
std::span<const Function> string_functions();
std::span<const Function> format_functions();
std::span<const Function> collection_functions();
std::span<const Function> set_functions();
std::span<const Function> encoding_functions();
std::span<const Function> file_functions();
std::span<const Function> time_functions();
std::span<const Function> crypto_functions();
std::span<const Function> network_functions();
std::span<const Function> type_functions();
std::span<const Function> provider_functions();

}  // namespace securebase::stack
