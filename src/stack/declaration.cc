#include "stack/declaration.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/hash.h"
#include "stack/provider/schema.h"

namespace securebase::stack {

namespace {

constexpr const char* kNotListed = "not among the names known here: newer than they are, or misspelt";

void* at(void* object, std::size_t offset) { return static_cast<char*>(object) + offset; }
const void* at(const void* object, std::size_t offset) { return static_cast<const char*>(object) + offset; }

template <class List>
auto* named(List& list, std::string_view wanted) {
  const auto found = std::find_if(list.begin(), list.end(), [&](const auto& one) { return one.name == wanted; });
  return found == list.end() ? nullptr : &*found;
}

std::vector<std::string> all_names(const Declaration& declared, const ProviderBlock* provider) {
  std::vector<std::string> names;
  for (const auto& attribute : declared.attributes) names.push_back(attribute.name);
  for (const auto& nested : declared.nested) names.push_back(nested.block->name);
  for (const auto& known : declared.known) names.push_back(known.name);
  if (provider) {
    for (auto& name : provider->names()) names.push_back(std::move(name));
  }
  return names;
}

void missing(Reading& reading, const Declaration::Attribute& attribute, const Body& body, const std::string& path) {
  if (attribute.required) {
    reading.diagnostics
        .error("Missing required argument",
               fmt::format("The argument \"{}\" is required, but no definition was found.", attribute.name), body.range)
        .context = reading.context;
  } else if (attribute.provider_requires) {
    reading.findings.push_back({Finding::Kind::kNote, reading.address, path + attribute.name,
                                "the AWS provider requires this argument; it is not needed here", body.range});
  }
}

void read_attribute(const Declaration::Attribute& attribute, void* object, const Body& body, Reading& reading,
                    const std::string& path) {
  const Body::Attribute* given = body.find(attribute.name);
  if (!given || given->value.is_null()) {
    missing(reading, attribute, body, path);
    return;
  }
  if (!attribute.note.empty()) {
    reading.findings.push_back(
        {Finding::Kind::kNote, reading.address, path + attribute.name, attribute.note, given->name_range});
  }
  if (const auto wrong = attribute.member->read(at(object, attribute.offset), given->value)) {
    reading.diagnostics
        .error("Incorrect attribute value",
               fmt::format("Inappropriate value for attribute \"{}\": {}.", path + attribute.name,
                           given->value.contains_sensitive() || attribute.sensitive ? "it is not of the declared form"
                                                                                    : *wrong),
               given->value_range)
        .context = reading.context;
  }
}

const ProviderBlock* provider_block(const ProviderBlock* provider, std::string_view name) {
  if (!provider) return nullptr;
  const auto found = provider->blocks.find(name);
  return found == provider->blocks.end() ? nullptr : &found->second;
}

bool provider_attribute(const ProviderBlock* provider, std::string_view name) {
  return provider && provider->attributes.contains(name);
}

// A block written as an attribute whose value is a map or a list of maps.
std::vector<Body> bodies_of(const Body::Attribute& attribute) {
  std::vector<Body> bodies;
  const auto add = [&](const Value& value) {
    bodies.push_back(Body::from_value(value, attribute.value_range));
    bodies.back().from_json = true;
  };
  if (attribute.value.is_map()) add(attribute.value);
  if (attribute.value.is_sequence()) {
    for (const auto& element : attribute.value.elements()) add(element);
  }
  return bodies;
}

void unknown_attribute(const Declaration& declared, const std::string& name, const Body::Attribute& given,
                       Reading& reading, const std::string& path) {
  const auto not_honoured = [&](std::string reason) {
    if (given.value.is_null()) return;  // as good as not written
    reading.findings.push_back(
        {Finding::Kind::kNotHonoured, reading.address, path + name, std::move(reason), given.name_range});
  };
  if (const auto* known = declared.known_name(name)) return not_honoured(known->reason);
  if (provider_attribute(reading.provider, name)) return not_honoured("");
  const bool fits_block = given.value.is_null() || given.value.is_sequence() || given.value.is_map();
  if (provider_block(reading.provider, name) && fits_block) return not_honoured("");
  const auto candidates = all_names(declared, reading.provider);
  // The provider's list ends with the version it was made of: a name that is near to none may be newer.
  if (reading.provider && closest(name, candidates).empty()) return not_honoured(kNotListed);
  auto& error = reading.diagnostics.error(
      "Unsupported argument", fmt::format("An argument named \"{}\" is not expected here.", name), given.name_range);
  error.context = reading.context;
  error.suggestion = closest(name, candidates);
}

void unknown_block(const Declaration& declared, const Body::Nested& block, Reading& reading, const std::string& path) {
  const auto not_honoured = [&](std::string reason) {
    reading.findings.push_back(
        {Finding::Kind::kNotHonoured, reading.address, path + block.type, std::move(reason), block.body.range});
  };
  if (const auto* known = declared.known_name(block.type)) return not_honoured(known->reason);
  if (block.type == "timeouts" && path.empty()) return;
  if (provider_block(reading.provider, block.type)) return not_honoured("");
  const bool is_argument = declared.attribute(block.type) || provider_attribute(reading.provider, block.type);
  const auto candidates = all_names(declared, reading.provider);
  if (reading.provider && !is_argument && closest(block.type, candidates).empty()) return not_honoured(kNotListed);
  auto& error = reading.diagnostics.error(
      "Unsupported block type",
      is_argument ? fmt::format("Blocks of type \"{0}\" are not expected here. \"{0}\" is an argument: write it with "
                                "an equals sign.",
                                block.type)
                  : fmt::format("Blocks of type \"{}\" are not expected here.", block.type),
      block.body.range);
  error.context = reading.context;
  if (!is_argument) error.suggestion = closest(block.type, candidates);
}

void read_nested(const Declaration::Nested& nested, void* object, const Body& body, Reading& reading,
                 const std::string& path) {
  const std::string& type = nested.block->name;
  std::vector<Body> written_as_attribute;
  std::vector<const Body*> bodies = body.blocks_named(type);
  if (const auto* attribute = body.find(type)) {
    if (!body.from_json && !provider_attribute(reading.provider, type) && !attribute->value.is_null()) {
      reading.diagnostics
          .error(
              "Unsupported argument",
              fmt::format("\"{0}\" is a block. To define it, write \"{0} {{ ... }}\" without the equals sign.", type),
              attribute->name_range)
          .context = reading.context;
      return;
    }
    written_as_attribute = bodies_of(*attribute);
    for (const auto& one : written_as_attribute) bodies.push_back(&one);
  }
  if (bodies.size() < nested.least) {
    reading.diagnostics
        .error(fmt::format("Insufficient {} blocks", type),
               fmt::format("At least {} \"{}\" block{} required.", nested.least, type,
                           nested.least == 1 ? " is" : "s are"),
               body.range)
        .context = reading.context;
  }
  if (nested.most > 0 && bodies.size() > nested.most) {
    reading.diagnostics
        .error(fmt::format("Too many {} blocks", type),
               fmt::format("No more than {} \"{}\" block{} allowed.", nested.most, type,
                           nested.most == 1 ? " is" : "s are"),
               bodies[nested.most]->range)
        .context = reading.context;
    return;
  }
  Reading inner{reading.diagnostics, reading.findings, reading.address, reading.context,
                provider_block(reading.provider, type)};
  for (const Body* one : bodies) {
    void* added = nested.member->add(at(object, nested.offset), *nested.block);
    nested.block->read(added, *one, inner, path + type + ".");
  }
}

void append_table(const Declaration& declared, std::string& out) {
  if (!declared.attributes.empty()) {
    out += "| argument | type | default | range | meaning |\n|---|---|---|---|---|\n";
    for (const auto& a : declared.attributes) {
      const std::string fallback = a.required ? "required" : a.fallback.is_null() ? "" : a.fallback.to_json().dump();
      std::string meaning = a.sentence;
      if (!a.effect.empty()) meaning += fmt::format(" A change {}.", a.effect);
      if (a.replaces) meaning += " A change makes a new resource.";
      out += fmt::format("| `{}` | {} | {} | {} | {} |\n", a.name, a.type,
                         fallback.empty() || a.required ? fallback : "`" + fallback + "`", a.range, meaning);
    }
    out += '\n';
  }
  if (!declared.known.empty()) {
    out += "Known, not honoured here: ";
    for (std::size_t i = 0; i < declared.known.size(); ++i) {
      const auto& known = declared.known[i];
      out += fmt::format("{}`{}`{}", i ? ", " : "", known.name, known.reason.empty() ? "" : " (" + known.reason + ")");
    }
    out += ".\n\n";
  }
}

void append_section(const Declaration& declared, std::string_view title, std::string& out, int level) {
  out += fmt::format("{} {}\n\n", std::string(static_cast<std::size_t>(level), '#'), title);
  if (!declared.sentence.empty()) out += declared.sentence + "\n\n";
  append_table(declared, out);
  if (!declared.computed.empty()) {
    std::set<std::string> names;
    for (const auto& computed : declared.computed) names.insert("`" + computed.name + "`");
    out += fmt::format("Others can refer to: {}.\n\n", fmt::join(names, ", "));
  }
  for (const auto& nested : declared.nested) {
    append_section(*nested.block, fmt::format("Block `{}`", nested.block->name), out, std::min(level + 1, 6));
    if (!nested.sentence.empty()) out += nested.sentence + "\n\n";
  }
}

}  // namespace

std::string Context::id(std::size_t length, std::string_view alphabet) const {
  if (!pinned_id.empty()) return pinned_id;
  std::string id;
  for (unsigned round = 0; id.size() < length; ++round) {
    for (const char byte : base::sha256(fmt::format("{}/{}", address, round))) {
      if (id.size() < length) id += alphabet[static_cast<unsigned char>(byte) % alphabet.size()];
    }
  }
  return id;
}

std::string Context::arn(std::string_view service, std::string_view resource) const {
  return fmt::format("arn:{}:{}:{}:{}:{}", partition, service, region, account, resource);
}

const Declaration::Attribute* Declaration::attribute(std::string_view wanted) const {
  return named(attributes, wanted);
}

const Declaration::Known* Declaration::known_name(std::string_view wanted) const { return named(known, wanted); }

const Declaration::Nested* Declaration::nested_block(std::string_view wanted) const {
  const auto found =
      std::find_if(nested.begin(), nested.end(), [&](const Nested& one) { return one.block->name == wanted; });
  return found == nested.end() ? nullptr : &*found;
}

std::shared_ptr<void> Declaration::make() const {
  auto object = make_empty();
  set_fallbacks(object.get());
  return object;
}

void Declaration::set_fallbacks(void* object) const {
  for (const auto& one : attributes) one.member->set_fallback(at(object, one.offset));
  for (const auto& one : nested) one.member->set_fallback(at(object, one.offset), *one.block);
}

void Declaration::read(void* object, const Body& body, Reading& reading, const std::string& path) const {
  const bool was_right = !reading.diagnostics.has_errors();
  for (const auto& one : attributes) read_attribute(one, object, body, reading, path);
  for (const auto& one : nested) read_nested(one, object, body, reading, path);
  for (const auto& [given, value] : body.attributes) {
    if (!attribute(given) && !nested_block(given)) unknown_attribute(*this, given, value, reading, path);
  }
  for (const auto& block : body.blocks) {
    if (!nested_block(block.type)) unknown_block(*this, block, reading, path);
  }
  if (!was_right || reading.diagnostics.has_errors()) return;  // a rule judges only what was read whole
  for (const auto& rule : rules) {
    if (!rule.holds(object)) {
      reading.diagnostics.error("Invalid combination of arguments", rule.sentence, body.range).context =
          reading.context;
    }
  }
}

Value Declaration::write(const void* object) const {
  Value::Map members;
  for (const auto& one : attributes) {
    Value value = one.member->write(at(object, one.offset));
    members.emplace(one.name, one.sensitive && !value.is_null() ? value.marked() : value);
  }
  for (const auto& one : nested) {
    Value::List list;
    for (const void* element : one.member->all(at(object, one.offset))) list.push_back(one.block->write(element));
    members.emplace(one.block->name, Value(std::move(list)));
  }
  return members;
}

std::string Declaration::page() const {
  std::string out;
  append_section(*this, fmt::format("`{}`", name), out, 2);
  return out;
}

}  // namespace securebase::stack
