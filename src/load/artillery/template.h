// Text with {{ holes }} as Artillery fills them: {{ name }}, {{ a.b[0] }}, {{ $randomNumber(1, 9) }}. Compiled once,
// when the script is read; filling it allocates the text that comes out and nothing else. Immutable; any thread.
//
// As in Artillery: text that is one variable and nothing else keeps the variable's type; in other text a list or map is
// written as JSON and an undefined name as "undefined"; functions give text; what is no name and no call stays as it
// is.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "load/artillery/variables.h"

namespace securebase::load::artillery {

// Even numbers for templates and choices: a generator of its own for each thread, so that no user waits for another.
class Random {
 public:
  explicit Random(std::uint64_t seed);
  std::uint64_t next();
  // Evenly from [least, most]; least when most < least.
  std::int64_t between(std::int64_t least, std::int64_t most);
  double fraction();  // [0, 1)
  static Random& of_thread();

 private:
  std::uint64_t state_[2];
};

class Template {
 public:
  Template() = default;
  // Never fails on text that has no call; a call of an unknown function, or with arguments that are no numbers, is an
  // error that names it.
  static Result<Template> compile(std::string_view text);

  bool constant() const { return parts_.empty(); }
  // What was compiled.
  const std::string& source() const { return source_; }
  // As a value: with the type of the variable when the text is one variable and nothing else. Undefined is null.
  base::Json value(const Variables& variables) const;
  // It is one variable and nothing else, and there is no such variable.
  bool undefined(const Variables& variables) const;
  // Appends it as text.
  void append(const Variables& variables, std::string& out) const;
  std::string text(const Variables& variables) const;
  // The names of variables that it reads, as written.
  std::vector<std::string_view> names() const;

  struct Call;
  using Function = void (*)(const std::vector<std::int64_t>& arguments, Random& random, std::string& out);
  struct Call {
    Function function;
    std::vector<std::int64_t> arguments;
  };
  using Part = std::variant<std::string, Path, Call>;

 private:
  std::string source_;
  std::vector<Part> parts_;  // empty: the text is constant
};

// JSON in which texts and keys may be templates. A member whose value is undefined is left out, as by JSON.stringify.
class TemplateValue {
 public:
  // Defined where Member is whole (template.cc).
  TemplateValue();
  TemplateValue(const TemplateValue& other);
  TemplateValue(TemplateValue&& other) noexcept;
  TemplateValue& operator=(const TemplateValue& other);
  TemplateValue& operator=(TemplateValue&& other) noexcept;
  ~TemplateValue();
  static Result<TemplateValue> compile(const base::Json& value);
  base::Json value(const Variables& variables) const;
  // As JSON text, without building the value first.
  void append_json(const Variables& variables, std::string& out) const;
  const base::Json& source() const { return source_; }
  bool constant() const { return constant_; }

 private:
  struct Member;
  enum class Shape { kConstant, kText, kList, kMap };
  Result<Done> fill(const base::Json& value, int depth);

  Shape shape_ = Shape::kConstant;
  bool constant_ = true;
  base::Json source_;
  std::string constant_json_;  // of kConstant: written once
  Template text_;
  std::vector<TemplateValue> items_;
  std::vector<Member> members_;
};

struct TemplateValue::Member {
  Template key;
  TemplateValue value;
};

// As JavaScript's String() and Artillery's templates write a value into text.
void append_as_text(const base::Json* value, std::string& out);

}  // namespace securebase::load::artillery
