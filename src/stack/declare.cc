#include "stack/declare.h"

#include "base/check.h"

namespace securebase::stack {

AnyBlock::AnyBlock(std::string_view name, Declaration::Mode mode, std::string_view room, std::string_view sentence,
                   std::type_index type, std::shared_ptr<void> (*make_empty)()) {
  declared_.name = name;
  declared_.mode = mode;
  declared_.room = room;
  declared_.sentence = sentence;
  declared_.type = type;
  declared_.make_empty = make_empty;
}

AnyBlock::AnyBlock(const AnyBlock&) = default;
AnyBlock::~AnyBlock() = default;

void AnyBlock::add(std::string_view name, std::string_view sentence, std::size_t offset,
                   std::unique_ptr<const Member> member) {
  Declaration::Attribute made;
  made.name = name;
  made.type = member->type();
  made.range = member->range();
  made.sentence = sentence;
  made.fallback = member->fallback();
  made.offset = offset;
  made.member = std::move(member);
  declared_.attributes.push_back(std::move(made));
}

void AnyBlock::add_nested(const Declaration& block, std::size_t most, std::string_view sentence, std::size_t offset,
                          std::unique_ptr<const NestedMember> member) {
  declared_.nested.push_back(
      {std::make_shared<const Declaration>(block), std::string(sentence), 0, most, offset, std::move(member)});
}

void AnyBlock::add_known(std::string_view name, std::string_view reason) {
  declared_.known.push_back({std::string(name), std::string(reason)});
}

void AnyBlock::add_computed(std::string_view name, std::function<Value(const void*, const Context&)> value) {
  declared_.computed.push_back({std::string(name), std::move(value), false});
}

void AnyBlock::decide_by_last() {
  check(!declared_.computed.empty(), "an attribute was computed before something is said about it");
  declared_.computed.back().decides = true;
}

void AnyBlock::add_rule(std::string_view sentence, std::function<bool(const void*)> holds) {
  declared_.rules.push_back({std::string(sentence), std::move(holds)});
}

Declaration::Attribute& AnyBlock::last() {
  check(!declared_.attributes.empty(), "an attribute was declared before something is said about it");
  return declared_.attributes.back();
}

Declaration::Nested& AnyBlock::last_nested() {
  check(!declared_.nested.empty(), "a block was nested before something is said about it");
  return declared_.nested.back();
}

}  // namespace securebase::stack
