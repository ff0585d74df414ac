// The registry of resources: what the AWS APIs make and change, in Terraform's own terms, so that files and APIs are
// two views of one thing. docs/terraform.md, "Drift", tells it to the user.
//
// A room's api.cc reads what is in force and asks for changes of it:
//
//   auto now = changes.change([&](const stack::Stack& current) -> Result<std::vector<stack::Edit>> {
//     for (const auto& found : current.all<Bucket>("aws_s3_bucket")) {
//       if (found.value.bucket == name) return Error{Errc::kConflict, "..."};
//     }
//     return std::vector{stack::create("aws_s3_bucket", name, {{"bucket", name}})};
//   });
//   if (!now) return fault_of(now.error());
//
// What is made this way stays beside the files, across restarts. What is changed or removed of the files' own resources
// is drift: `plan` shows it, `apply` and `up` put it back.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "stack/stack.h"

namespace securebase::stack {

// One step of a change. Attributes are those of the Terraform type; nested blocks are lists of maps; null takes an
// attribute back to what it is when nothing is written.
struct Edit {
  enum class Kind { kCreate, kUpdate, kRemove };
  Kind kind = Kind::kCreate;
  std::string address;  // Resource::address
  std::string type;     // kCreate
  std::string key;      // kCreate
  Value::Map attributes;
};
// `key` tells resources of the type apart: a bucket's name, "FUNCTION:ALIAS".
Edit create(std::string type, std::string key, Value::Map attributes);
// Attributes that are not named stay as they are.
Edit update(std::string address, Value::Map attributes);
Edit remove(std::string address);
// api.aws_s3_bucket["uploads"]
std::string api_address(std::string_view type, std::string_view key);

// What rooms ask. Any thread but a worker's; blocks.
class Changes {
 public:
  virtual ~Changes() = default;
  // What is in force.
  virtual std::shared_ptr<const Stack> current() const = 0;
  // Decides on what is in force, while nobody else changes it. An empty list changes nothing.
  using Decide = std::function<Result<std::vector<Edit>>(const Stack& current)>;
  // All or nothing: with the new stack in hand it is decoded by every room, on disk, and in force. Errors: those of
  // `decide`; kMalformed, a resource is not as its declaration asks; kConflict, an address that is there already;
  // kNotFound, one that is not; and what a room could not apply.
  virtual Result<std::shared_ptr<const Stack>> change(const Decide& decide) = 0;
};

// What is recorded of changes by API. A value; the platform keeps it and saves it before it answers.
class Registry {
 public:
  struct Made {
    std::string type;
    std::string key;
    Value::Map attributes;
    bool operator==(const Made&) const = default;
  };
  struct Drift {
    bool removed = false;
    Value::Map attributes;  // in place of those written
    bool operator==(const Drift&) const = default;
  };

  // Nothing recorded yet, or what the file has. The error names the file and what is wrong with it.
  static Result<Registry> open(const std::filesystem::path& file);
  // Whole or not at all, even in a crash. It may hold secrets: only its owner can read it.
  Result<Done> save(const std::filesystem::path& file) const;

  // With the steps done; `current` is what over() gave.
  Result<Registry> with(const std::vector<Edit>& edits, const Stack& current) const;
  // What the files say counts again; what was made beside them stays.
  Registry without_drift() const;

  struct Overlaid {
    Stack stack;
    // Addresses of what the API made and the files now have too (the same type and id): the files' own counts.
    std::vector<std::string> superseded;
  };
  // What is in force: the files' stack, changed as recorded, and what was made beside it.
  Result<Overlaid, Diagnostics> over(const Stack& files, const Catalogue& catalogue,
                                     const std::function<std::string(std::string_view address, std::size_t length,
                                                                     std::string_view alphabet)>& derive_secret) const;
  Registry without(const std::vector<std::string>& made) const;

  const std::map<std::string, Made>& made() const { return made_; }
  const std::map<std::string, Drift>& drift() const { return drift_; }
  bool operator==(const Registry&) const = default;

 private:
  std::map<std::string, Made> made_;    // by address
  std::map<std::string, Drift> drift_;  // by the address of a resource of the files
};

}  // namespace securebase::stack
