// What a change of the files means: which resources are made, changed in place, replaced or deleted, and what that
// empties or restarts. Pure functions of values; any thread.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "stack/diagnostic.h"
#include "stack/stack.h"

namespace securebase::stack {

// What is remembered of an applied stack to compare the next one with. Sensitive values are kept as a digest only.
struct Applied {
  struct Entry {
    std::string type;
    Value attributes;
    bool operator==(const Entry&) const = default;
  };
  std::map<std::string, Entry> resources;  // by address
  std::map<std::string, Value> outputs;

  base::Json to_json() const;
  static Result<Applied> from_json(const base::Json& json);
  bool operator==(const Applied&) const = default;
};

Applied applied(const Stack& stack);

struct Change {
  enum class Action { kCreate, kUpdate, kReplace, kDelete };
  struct Attribute {
    std::string path;  // "ordered_cache_behavior[1].default_ttl"
    Value before;      // null: was not there
    Value after;
    bool sensitive = false;
    std::string effect;  // "empties the cache", or ""
    bool replaces = false;
    bool operator==(const Attribute&) const = default;
  };
  Action action = Action::kCreate;
  std::string address;
  std::string type;
  std::string room;  // "" when no room owns the type
  std::vector<Attribute> attributes;
  std::string effect;  // of a deletion or replacement, where it is another than that what it holds is lost
};

struct Plan {
  std::vector<Change> changes;  // in the order in which they are to be made: deletions last
  std::vector<Change::Attribute> outputs;
  // What APIs made beside the files, and rooms keep themselves: addresses. It stays.
  std::vector<std::string> beside;
  bool empty() const { return changes.empty() && outputs.empty(); }
};

Plan diff(const Applied& before, const Stack& after);

// What an AWS API changed of a resource that the files declare, as a room that keeps its resources itself tells it
// (alarms, dashboards, topics). Others leave theirs to the registry (registry.h), whose drift is in `before`.
struct Drifted {
  std::string type;
  std::string id;                             // as the resource's own attribute `id`
  bool removed = false;                       // then without attributes
  std::vector<Change::Attribute> attributes;  // before: as it is; after: as the files say
  bool operator==(const Drifted&) const = default;
};
// Adds what takes it back. What `after` does not declare is left out: it goes, or nobody asks for it.
void add_drift(Plan& plan, const std::vector<Drifted>& drifted, const Stack& after);
// What Terraform calls a member of an AWS API: "OKActions" -> "ok_actions".
std::string terraform_name(std::string_view member);

// The plan in Terraform's manner, its blast radius, and what is known but not honoured here.
std::string render_plan(const Plan& plan, const Stack& after, Colour colour = Colour::kNever);

}  // namespace securebase::stack
