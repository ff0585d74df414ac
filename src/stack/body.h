// A block of the configuration after evaluation: values where expressions stood, dynamic blocks written out, and for
// each piece the place it came from. A value type.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "stack/diagnostic.h"
#include "stack/value.h"

namespace securebase::stack {

struct Body {
  struct Attribute {
    Value value;
    SourceRange name_range;
    SourceRange value_range;
  };
  struct Nested;  // a block inside this one

  std::map<std::string, Attribute, std::less<>> attributes;
  std::vector<Nested> blocks;  // in the order of the file
  SourceRange range;           // the block's header, or the whole object it was made of
  bool from_json = false;      // .tf.json: there a block may be written as an attribute

  // The attribute's value; null when it is not set.
  const Value& operator[](std::string_view name) const;
  const Attribute* find(std::string_view name) const;
  std::vector<const Body*> blocks_named(std::string_view type) const;

  // Attributes by name, and for each type of block a list of such objects: as Terraform's state holds them.
  Value as_value() const;
  // The members of a map as attributes, all with the range given.
  static Body from_value(const Value& map, const SourceRange& range);
};

struct Body::Nested {
  std::string type;
  std::vector<std::string> labels;
  Body body;
};

}  // namespace securebase::stack
