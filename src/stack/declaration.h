// A declaration without the C++ type it fills: what reading, errors, plans and documentation work on. Made by
// stack/declare.h; constant once made, any thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <typeindex>
#include <vector>

#include "stack/body.h"
#include "stack/diagnostic.h"
#include "stack/value.h"

namespace securebase::stack {

// What a computed attribute may be computed from, besides the resource's own attributes.
struct Context {
  std::string address;  // module.cdn.aws_cloudfront_distribution.main["eu"]
  std::string account = "123456789012";
  std::string region = "us-east-1";
  std::string partition = "aws";
  std::string pinned_id;  // the tag `securebase:id`, or ""
  // Secret text that is the same for an address as long as the state directory lives.
  std::function<std::string(std::string_view address, std::size_t length, std::string_view alphabet)> derive_secret;
  // The attributes of the resource of that type with that id, among those read before this one (all that it refers to
  // are); null: none.
  std::function<Value(std::string_view type, std::string_view id)> attributes_of;

  // The pinned id, else `length` characters that follow from the address: the same in every run and on every machine.
  std::string id(std::size_t length, std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") const;
  // arn:aws:SERVICE:REGION:ACCOUNT:RESOURCE
  std::string arn(std::string_view service, std::string_view resource) const;
};

// What is accepted without effect, or accepted although the provider would refuse it.
struct Finding {
  enum class Kind { kNotHonoured, kNote };
  Kind kind = Kind::kNotHonoured;
  std::string address;    // of the resource
  std::string attribute;  // "viewer_certificate.minimum_protocol_version"; empty: the whole resource
  std::string reason;     // may be empty
  SourceRange range;
};

struct Declaration;
struct ProviderBlock;  // stack/provider/schema.h: the names that the real provider knows

// One reading of one resource.
struct Reading {
  Diagnostics& diagnostics;
  std::vector<Finding>& findings;
  std::string address;
  std::string context;                      // `resource "aws_s3_bucket" "portal"`
  const ProviderBlock* provider = nullptr;  // null: only the declaration's own names are known
};

// How a member of a C++ type is read from a value and written as one, wherever in an object it stands; stack/member.h
// has one for each type of member and limit.
class Member {
 public:
  virtual ~Member() = default;
  virtual std::string type() const = 0;   // "number of seconds", "list of string"
  virtual std::string range() const = 0;  // of its limit; may be empty
  // Fills the member; an error text when the value is not fit for it.
  virtual std::optional<std::string> read(void* member, const Value& value) const = 0;
  virtual Value write(const void* member) const = 0;
  // What the member is when it is not set.
  virtual void set_fallback(void* member) const = 0;
  virtual Value fallback() const = 0;
};

// The same for a member that nested blocks fill.
class NestedMember {
 public:
  virtual ~NestedMember() = default;
  // A place for one more block, with the block's defaults in it.
  virtual void* add(void* member, const Declaration& block) const = 0;
  virtual std::vector<const void*> all(const void* member) const = 0;
  virtual void set_fallback(void* member, const Declaration& block) const = 0;
};

struct Declaration {
  enum class Mode { kBlock, kResource, kData };

  struct Attribute {
    std::string name;
    std::string type;
    std::string range;
    std::string sentence;
    std::string effect;  // what a change of it empties or restarts
    std::string note;    // set: accepted here, refused by the provider, and this is said about it
    Value fallback;      // the value when it is not set
    bool required = false;
    bool provider_requires = false;
    bool replaces = false;
    bool sensitive = false;
    std::size_t offset = 0;  // of the member in the object, in bytes
    std::shared_ptr<const Member> member;
  };
  struct Nested {
    std::shared_ptr<const Declaration> block;
    std::string sentence;
    std::size_t least = 0;
    std::size_t most = 0;    // 0: any number
    std::size_t offset = 0;  // of the member in the object, in bytes
    std::shared_ptr<const NestedMember> member;
  };
  struct Known {
    std::string name;
    std::string reason;
  };
  struct Computed {
    std::string name;
    std::function<Value(const void* object, const Context& context)> value;
    bool decides = false;  // holds even where the attribute is set
  };
  struct Rule {
    std::string sentence;
    std::function<bool(const void* object)> holds;
  };

  std::string name;
  Mode mode = Mode::kBlock;
  std::string room;
  std::string sentence;
  std::vector<Attribute> attributes;
  std::vector<Nested> nested;
  std::vector<Known> known;
  std::vector<Computed> computed;
  std::vector<Rule> rules;
  std::type_index type = typeid(void);
  std::shared_ptr<void> (*make_empty)() = nullptr;  // an object of the type, without the declared defaults

  const Attribute* attribute(std::string_view wanted) const;
  const Nested* nested_block(std::string_view wanted) const;
  const Known* known_name(std::string_view wanted) const;

  // An object of the type with every default that is declared.
  std::shared_ptr<void> make() const;
  void set_fallbacks(void* object) const;

  // Fills `object`, which make() made. What is wrong goes to the diagnostics, what is known and not honoured to the
  // findings. `path` is the way to this block, "origin.custom_origin_config." or "".
  void read(void* object, const Body& body, Reading& reading, const std::string& path = "") const;
  // All attributes and blocks that the declaration honours, defaults included.
  Value write(const void* object) const;
  // The declaration as a section of a Markdown page.
  std::string page() const;
};

}  // namespace securebase::stack
