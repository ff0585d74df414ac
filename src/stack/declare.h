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
#include <functional>
#include <memory>
#include <string_view>
#include <type_traits>
#include <typeindex>

#include "stack/constraint.h"
#include "stack/declaration.h"
#include "stack/member.h"

namespace securebase::stack {

// What Block<T> knows whatever T is: compiled once, in declare.cc.
class AnyBlock {
 public:
  AnyBlock(const AnyBlock& other);
  ~AnyBlock();

  const Declaration& declaration() const { return declared_; }

 protected:
  AnyBlock(std::string_view name, Declaration::Mode mode, std::string_view room, std::string_view sentence,
           std::type_index type, std::shared_ptr<void> (*make_empty)());

  void add(std::string_view name, std::string_view sentence, std::size_t offset, std::unique_ptr<const Member> member);
  void add_nested(const Declaration& block, std::size_t most, std::string_view sentence, std::size_t offset,
                  std::unique_ptr<const NestedMember> member);
  void add_known(std::string_view name, std::string_view reason);
  void add_computed(std::string_view name, std::function<Value(const void*, const Context&)> value);
  void decide_by_last();  // the computed attribute declared last
  void add_rule(std::string_view sentence, std::function<bool(const void*)> holds);
  // The attribute and the nested block declared last.
  Declaration::Attribute& last();
  Declaration::Nested& last_nested();

 private:
  Declaration declared_;
};

template <class T>
class Block : public AnyBlock {
 public:
  Block(std::string_view name, Declaration::Mode mode, std::string_view room, std::string_view sentence)
      : AnyBlock(name, mode, room, sentence, typeid(T), [] { return std::shared_ptr<void>(std::make_shared<T>()); }) {}

  // `limit` is at_least, at_most, between, one_of, matches, length or any.
  template <class M, MemberLimit<M> C>
  Block& attribute(std::string_view name, M T::*member, std::type_identity_t<M> fallback, C limit,
                   std::string_view sentence) {
    add(name, sentence, offset(member), std::make_unique<LimitedMember<M, C>>(std::move(fallback), std::move(limit)));
    return *this;
  }
  template <class M>
  Block& attribute(std::string_view name, M T::*member, std::type_identity_t<M> fallback, std::string_view sentence) {
    return attribute(name, member, std::move(fallback), any(), sentence);
  }

  template <class M, MemberLimit<M> C>
  Block& required(std::string_view name, M T::*member, C limit, std::string_view sentence) {
    attribute(name, member, M{}, std::move(limit), sentence);
    last().required = true;
    last().fallback = nullptr;
    return *this;
  }
  template <class M>
  Block& required(std::string_view name, M T::*member, std::string_view sentence) {
    return required(name, member, any(), sentence);
  }

  // Said of the attribute declared last:
  // a change of it does this ("restarts the function's instances"), and `plan` says so.
  Block& effect(std::string_view what) { return last().effect = what, *this; }
  // a change of it makes a new resource.
  Block& replaces() { return last().replaces = true, *this; }
  // it is never shown.
  Block& sensitive() { return last().sensitive = true, *this; }
  // the provider would refuse it here; it is accepted, with this note.
  Block& accepted_with_note(std::string_view note) { return last().note = note, *this; }
  // the provider demands it; here it may be missing, with a note.
  Block& provider_requires() { return last().provider_requires = true, *this; }

  template <class U>
  Block& nested(const Block<U>& block, std::vector<U> T::*member, AtLeast<int> least, std::string_view sentence) {
    nested(block, member, sentence);
    last_nested().least = static_cast<std::size_t>(least.limit);
    return *this;
  }
  template <class U>
  Block& nested(const Block<U>& block, std::vector<U> T::*member, std::string_view sentence) {
    return nest<U>(block, member, 0, sentence);
  }
  template <class U>
  Block& nested(const Block<U>& block, std::optional<U> T::*member, std::string_view sentence) {
    return nest<U>(block, member, 1, sentence);
  }
  template <class U>
  Block& nested(const Block<U>& block, U T::*member, std::string_view sentence) {
    return nest<U>(block, member, 1, sentence);
  }
  // Said of the nested block declared last: there is at least one.
  Block& required_block() { return last_nested().least = 1, *this; }

  // An attribute or block that the provider has and this platform does not act on, and why (may be empty).
  Block& known(std::string_view name, std::string_view reason = "") { return add_known(name, reason), *this; }

  // What others refer to. May bear the name of an optional attribute: then it holds where that is not set.
  // `value` is a function of (const T&) or (const T&, const Context&) to something a Value can be made of.
  template <class F>
  Block& computed(std::string_view name, F value) {
    auto erased = [value](const void* object, [[maybe_unused]] const Context& context) -> Value {
      if constexpr (std::is_invocable_v<F, const T&, const Context&>) {
        return value(*static_cast<const T*>(object), context);
      } else {
        return value(*static_cast<const T*>(object));
      }
    };
    add_computed(name, std::move(erased));
    return *this;
  }

  // Said of the computed attribute declared last: it holds even where the file sets the attribute.
  Block& decides() { return decide_by_last(), *this; }

  // What must hold between attributes; the sentence is the error: "Either filename or s3_bucket is set, not both."
  template <class F>
  Block& rule(std::string_view sentence, F holds) {
    add_rule(sentence, [holds](const void* object) -> bool { return holds(*static_cast<const T*>(object)); });
    return *this;
  }

 private:
  static const T& sample() {
    static const T made{};
    return made;
  }
  // Where in every T the member stands.
  template <class M>
  static std::size_t offset(M T::*member) {
    return static_cast<std::size_t>(reinterpret_cast<const char*>(&(sample().*member)) -
                                    reinterpret_cast<const char*>(&sample()));
  }
  template <class U, class M>
  Block& nest(const Block<U>& block, M T::*member, std::size_t most, std::string_view sentence) {
    add_nested(block.declaration(), most, sentence, offset(member), std::make_unique<BlockMember<M, U>>());
    return *this;
  }
};

// A block inside a resource.
template <class T>
Block<T> block(std::string_view name, std::string_view sentence = "") {
  return Block<T>(name, Declaration::Mode::kBlock, "", sentence);
}

// A resource type of the room.
template <class T>
Block<T> resource(std::string_view type, std::string_view room, std::string_view sentence) {
  return Block<T>(type, Declaration::Mode::kResource, room, sentence);
}

// A data source of the room: its answers are computed attributes.
template <class T>
Block<T> data_source(std::string_view type, std::string_view room, std::string_view sentence) {
  return Block<T>(type, Declaration::Mode::kData, room, sentence);
}

}  // namespace securebase::stack
