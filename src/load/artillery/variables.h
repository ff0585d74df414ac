// The variables of a virtual user (context.vars): what is the same for all users is shared and never copied; what this
// user was given, captured or set stands before it. Values are JSON; a name that stands nowhere is `undefined`, as
// JavaScript has it: null here, and the text "undefined" where it is written into other text.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace securebase::load::artillery {

// a.b[0]["c"]: the steps of a path, as lodash's get reads it.
struct Path {
  std::string text;                // as it was written
  std::vector<std::string> steps;  // an index is its digits
};
Path parse_path(std::string_view text);
// The value at `steps` from `first` on; null when there is none.
const base::Json* descend(const base::Json* from, const std::vector<std::string>& steps, std::size_t first = 0);

// The same for all users: constant after the run has begun; any thread.
struct SharedVariables {
  base::Json::Object values;
};

class Variables {
 public:
  explicit Variables(std::shared_ptr<const SharedVariables> shared) : shared_(std::move(shared)) {}

  // Null: undefined. Valid until the next set().
  const base::Json* find(std::string_view name) const;
  // A whole name wins over a path of that spelling.
  const base::Json* find(const Path& path) const;
  void set(std::string_view name, base::Json value);
  // `a.b[0]` sets inside of a value, making what is missing, as lodash's set does; at most 1,000 elements are added to
  // a list.
  void set_path(std::string_view path, base::Json value);
  void erase(std::string_view name);

  // For whoever keeps a copy elsewhere (the processor): from now on remembers which names were set and erased,
  // beginning with all own ones. take_changes() gives them, and begins anew.
  struct Changes {
    base::Json::Object set;
    std::vector<std::string> erased;
  };
  void watch();
  Changes take_changes();

  // All but $env and $processEnvironment, which the processor has by itself.
  base::Json to_json() const;
  const base::Json::Object& own() const { return own_; }

 private:
  base::Json* own_value(std::string_view name);
  void note(std::string_view name);

  std::shared_ptr<const SharedVariables> shared_;
  base::Json::Object own_;
  bool watched_ = false;
  std::vector<std::string> changed_;
};

}  // namespace securebase::load::artillery
