// The one declaration of a Terraform resource type: its names, types, units, defaults, ranges and meaning, and which
// member of which C++ type each fills. From it come reading, errors, references to the resource, `plan` and the docs.
// A room writes it once, in its resources.cc, and hands it to the Catalogue (stack/stack.h):
//
//   struct Rule { std::string path; std::chrono::seconds ttl{}; std::optional<std::int64_t> most; };
//   enum class Scope { kRegion, kGlobal };
//   struct Cache { std::string name; Scope scope{}; std::vector<Rule> rules; std::map<std::string, std::string> tags;
//   };
//
//   const auto kRule = stack::block<Rule>("rule")
//       .required("path", &Rule::path, "Which requests it is about.")
//       .attribute("ttl", &Rule::ttl, 1h, between(0s, 24h), "How long a response is kept.")
//           .effect("empties the cache")
//       .attribute("most", &Rule::most, std::nullopt, at_least(1), "How many are kept; any number when not set.");
//   const auto kCache = stack::resource<Cache>("aws_example_cache", "edge", "Responses kept near the viewer.")
//       .required("name", &Cache::name, matches("[a-z][a-z0-9-]*"), "Its name.").replaces()
//       .attribute("scope", &Cache::scope, Scope::kRegion,
//                  one_of<Scope>({{"REGION", Scope::kRegion}, {"GLOBAL", Scope::kGlobal}}), "Where it is.")
//       .attribute("tags", &Cache::tags, {}, "Labels.")
//       .nested(kRule, &Cache::rules, at_least(1), "What is kept, and how long; the first that fits counts.")
//       .known("price_class", "one machine has one price")
//       .computed("id", [](const Cache& cache, const Context&) { return cache.name; })
//       .computed("arn", [](const Cache& cache, const Context& c) { return c.arn("example", "cache/" + cache.name); });
//
//   catalogue.add(kCache);                                            // at start
//   for (const auto& found : stack.all<Cache>("aws_example_cache"))   // after load: found.resource, found.value
//
// Members may be bool, integers, floating point, std::string, std::chrono durations (the file's number counts the
// member's own unit), enumerations (with one_of), stack::Value (any), and std::optional, std::vector, std::set and
// std::map<std::string, ...> of those. An attribute that is null or not set leaves the default.
// Nested blocks fill std::vector<T>, std::optional<T> (at most one) or T (at most one, defaults when it is not there).
// Declarations are constant once made: any thread.
#pragma once

#include <chrono>
#include <type_traits>

#include "stack/constraint.h"
#include "stack/declaration.h"
#include "stack/member.h"

namespace securebase::stack {

template <class T>
class Block {
 public:
  Block(std::string name, Declaration::Mode mode, std::string room, std::string sentence) {
    declared_.name = std::move(name);
    declared_.mode = mode;
    declared_.room = std::move(room);
    declared_.sentence = std::move(sentence);
    declared_.type = typeid(T);
    declared_.make = [] { return std::static_pointer_cast<void>(std::make_shared<T>()); };
  }

  // `limit` is at_least, at_most, between, one_of, matches, length or any.
  template <class M, MemberLimit<M> C>
  Block& attribute(std::string name, M T::*member, std::type_identity_t<M> fallback, C limit, std::string sentence) {
    Declaration::Attribute made;
    made.name = std::move(name);
    made.type = member_type<M>(limit);
    made.range = limit.text();
    made.sentence = std::move(sentence);
    made.fallback = member_value(fallback, limit);
    made.read = [member, limit](void* object, const Value& value) {
      return read_member(value, static_cast<T*>(object)->*member, limit);
    };
    made.write = [member, limit](const void* object) {
      return member_value(static_cast<const T*>(object)->*member, limit);
    };
    fallbacks_.push_back([member, fallback](T& object) { object.*member = fallback; });
    declared_.make = [fallbacks = fallbacks_] {
      auto object = std::make_shared<T>();
      for (const auto& set : fallbacks) set(*object);
      return std::static_pointer_cast<void>(object);
    };
    declared_.attributes.push_back(std::move(made));
    return *this;
  }
  template <class M>
  Block& attribute(std::string name, M T::*member, std::type_identity_t<M> fallback, std::string sentence) {
    return attribute(std::move(name), member, std::move(fallback), any(), std::move(sentence));
  }

  template <class M, MemberLimit<M> C>
  Block& required(std::string name, M T::*member, C limit, std::string sentence) {
    attribute(std::move(name), member, M{}, std::move(limit), std::move(sentence));
    declared_.attributes.back().required = true;
    declared_.attributes.back().fallback = nullptr;
    return *this;
  }
  template <class M>
  Block& required(std::string name, M T::*member, std::string sentence) {
    return required(std::move(name), member, any(), std::move(sentence));
  }

  // Said of the attribute declared last:
  // a change of it does this ("restarts the function's instances"), and `plan` says so.
  Block& effect(std::string what) { return last().effect = std::move(what), *this; }
  // a change of it makes a new resource.
  Block& replaces() { return last().replaces = true, *this; }
  // it is never shown.
  Block& sensitive() { return last().sensitive = true, *this; }
  // the provider would refuse it here; it is accepted, with this note.
  Block& accepted_with_note(std::string note) { return last().note = std::move(note), *this; }
  // the provider demands it; here it may be missing, with a note.
  Block& provider_requires() { return last().provider_requires = true, *this; }

  template <class U>
  Block& nested(const Block<U>& block, std::vector<U> T::*member, AtLeast<int> least, std::string sentence) {
    nested(block, member, std::move(sentence));
    declared_.nested.back().least = static_cast<std::size_t>(least.limit);
    return *this;
  }
  template <class U>
  Block& nested(const Block<U>& block, std::vector<U> T::*member, std::string sentence) {
    return add_nested(
        block, 0, std::move(sentence),
        [member, make = block.declaration().make](void* object) -> void* {
          auto& list = static_cast<T*>(object)->*member;
          list.push_back(*std::static_pointer_cast<U>(make()));
          return &list.back();
        },
        [member](const void* object) {
          std::vector<const void*> all;
          for (const auto& one : static_cast<const T*>(object)->*member) all.push_back(&one);
          return all;
        });
  }
  template <class U>
  Block& nested(const Block<U>& block, std::optional<U> T::*member, std::string sentence) {
    return add_nested(
        block, 1, std::move(sentence),
        [member, make = block.declaration().make](void* object) -> void* {
          return &(static_cast<T*>(object)->*member).emplace(*std::static_pointer_cast<U>(make()));
        },
        [member](const void* object) {
          const auto& one = static_cast<const T*>(object)->*member;
          return one ? std::vector<const void*>{&*one} : std::vector<const void*>{};
        });
  }
  template <class U>
  Block& nested(const Block<U>& block, U T::*member, std::string sentence) {
    const auto make = block.declaration().make;
    fallbacks_.push_back([member, make](T& object) { object.*member = *std::static_pointer_cast<U>(make()); });
    declared_.make = [fallbacks = fallbacks_] {
      auto object = std::make_shared<T>();
      for (const auto& set : fallbacks) set(*object);
      return std::static_pointer_cast<void>(object);
    };
    return add_nested(
        block, 1, std::move(sentence), [member](void* object) -> void* { return &(static_cast<T*>(object)->*member); },
        [member](const void* object) { return std::vector<const void*>{&(static_cast<const T*>(object)->*member)}; });
  }
  // Said of the nested block declared last: there is at least one.
  Block& required_block() { return declared_.nested.back().least = 1, *this; }

  // An attribute or block that the provider has and this platform does not act on, and why (may be empty).
  Block& known(std::string name, std::string reason = "") {
    declared_.known.push_back({std::move(name), std::move(reason)});
    return *this;
  }

  // What others refer to. May bear the name of an optional attribute: then it holds where that is not set.
  // `value` is a function of (const T&) or (const T&, const Context&) to something a Value can be made of.
  template <class F>
  Block& computed(std::string name, F value) {
    declared_.computed.push_back({std::move(name), [value](const void* object, const Context& context) -> Value {
                                    if constexpr (std::is_invocable_v<F, const T&, const Context&>) {
                                      return value(*static_cast<const T*>(object), context);
                                    } else {
                                      return value(*static_cast<const T*>(object));
                                    }
                                  }});
    return *this;
  }

  // What must hold between attributes; the sentence is the error: "Either filename or s3_bucket is set, not both."
  template <class F>
  Block& rule(std::string sentence, F holds) {
    declared_.rules.push_back(
        {std::move(sentence), [holds](const void* object) -> bool { return holds(*static_cast<const T*>(object)); }});
    return *this;
  }

  const Declaration& declaration() const { return declared_; }

 private:
  Declaration::Attribute& last() {
    check(!declared_.attributes.empty(), "an attribute was declared before something is said about it");
    return declared_.attributes.back();
  }
  template <class U, class Add, class All>
  Block& add_nested(const Block<U>& block, std::size_t most, std::string sentence, Add add, All all) {
    declared_.nested.push_back(
        {std::make_shared<const Declaration>(block.declaration()), std::move(sentence), 0, most, add, all});
    return *this;
  }

  Declaration declared_;
  std::vector<std::function<void(T&)>> fallbacks_;
};

// A block inside a resource.
template <class T>
Block<T> block(std::string name, std::string sentence = "") {
  return Block<T>(std::move(name), Declaration::Mode::kBlock, "", std::move(sentence));
}

// A resource type of the room.
template <class T>
Block<T> resource(std::string type, std::string room, std::string sentence) {
  return Block<T>(std::move(type), Declaration::Mode::kResource, std::move(room), std::move(sentence));
}

// A data source of the room: its answers are computed attributes.
template <class T>
Block<T> data_source(std::string type, std::string room, std::string sentence) {
  return Block<T>(std::move(type), Declaration::Mode::kData, std::move(room), std::move(sentence));
}

}  // namespace securebase::stack
