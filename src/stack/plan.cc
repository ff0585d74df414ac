#include "stack/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/encoding.h"
#include "base/hash.h"

namespace securebase::stack {

namespace {

using base::Json;

constexpr std::string_view kDigest = "sensitive sha256 ";

// A sensitive value by its digest: enough to see that it changed. The path goes into it, so that equal secrets in two
// places do not show as equal.
Value without_secrets(const Value& value, const std::string& path) {
  if (value.sensitive()) {
    const std::string text = path + "\n" + value.unmarked().to_json().dump();
    return std::string(kDigest) + base::hex(base::sha256(text));
  }
  if (value.is_sequence()) {
    Value::List list;
    for (const auto& element : value.elements()) list.push_back(without_secrets(element, path + "[]"));
    return value.is_set() ? Value::set(std::move(list)) : Value(std::move(list));
  }
  if (value.is_map()) {
    Value::Map map;
    for (const auto& [name, member] : value.members()) map.emplace(name, without_secrets(member, path + "." + name));
    return map;
  }
  return value;
}

bool is_digest(const Value& value) { return value.is_string() && value.string().starts_with(kDigest); }

// JSON knows no sets: what was one comes back as a list, so both sides are compared as lists.
Value as_json_would(const Value& value) { return Value::from_json(value.to_json()); }

// What the declaration says about the attribute at a path "origin[0].domain_name".
const Declaration::Attribute* declared_at(const Declaration* declared, std::string_view path) {
  while (declared) {
    const std::size_t end = std::min(path.find_first_of(".["), path.size());
    const std::string_view name = path.substr(0, end);
    if (const auto* attribute = declared->attribute(name)) return attribute;
    const auto* nested = declared->nested_block(name);
    const std::size_t dot = path.find('.', end);
    if (!nested || dot == std::string_view::npos) return nullptr;
    declared = nested->block.get();
    path.remove_prefix(dot + 1);
  }
  return nullptr;
}

bool is_nested(const Declaration* declared, const std::string& name) {
  return declared && declared->nested_block(name);
}

class Differ {
 public:
  explicit Differ(const Declaration* declared) : declared_(declared) {}

  std::vector<Change::Attribute> run(const Value& before, const Value& after) {
    members(before, after, "", declared_);
    return std::move(found_);
  }

 private:
  void members(const Value& before, const Value& after, const std::string& path, const Declaration* here) {
    std::set<std::string> names;
    for (const auto* side : {&before, &after}) {
      if (!side->is_map()) continue;
      for (const auto& [name, value] : side->members()) names.insert(name);
    }
    for (const auto& name : names) {
      const Value& old = before[name];
      const Value& now = after[name];
      if (old == now) continue;
      const std::string at = path + name;
      if (is_nested(here, name)) {
        blocks(old, now, at, here->nested_block(name)->block.get());
      } else {
        add(at, old, now);
      }
    }
  }

  void blocks(const Value& before, const Value& after, const std::string& path, const Declaration* block) {
    const std::size_t count = std::max(before.size(), after.size());
    for (std::size_t i = 0; i < count; ++i) {
      const auto at = [&](const Value& list) {
        return i < list.size() && list.is_sequence() ? list.elements()[i] : Value();
      };
      if (at(before) == at(after)) continue;
      members(at(before), at(after), fmt::format("{}[{}].", path, i), block);
    }
  }

  void add(const std::string& path, const Value& before, const Value& after) {
    Change::Attribute changed{path, before, after, is_digest(before) || is_digest(after), "", false};
    if (const auto* attribute = declared_at(declared_, path)) {
      changed.effect = attribute->effect;
      changed.replaces = attribute->replaces;
    }
    found_.push_back(std::move(changed));
  }

  const Declaration* declared_;
  std::vector<Change::Attribute> found_;
};

std::string_view sign(Change::Action action) {
  switch (action) {
    case Change::Action::kCreate:
      return "  +";
    case Change::Action::kUpdate:
      return "  ~";
    case Change::Action::kReplace:
      return "-/+";
    case Change::Action::kDelete:
      return "  -";
  }
  return "  ~";
}

std::string_view colour_of(Change::Action action) {
  switch (action) {
    case Change::Action::kCreate:
      return "\x1b[32m";
    case Change::Action::kUpdate:
      return "\x1b[33m";
    case Change::Action::kReplace:
    case Change::Action::kDelete:
      return "\x1b[31m";
  }
  return "";
}

std::string_view words(Change::Action action) {
  switch (action) {
    case Change::Action::kCreate:
      return "will be created";
    case Change::Action::kUpdate:
      return "will be updated in place";
    case Change::Action::kReplace:
      return "must be replaced";
    case Change::Action::kDelete:
      return "will be destroyed";
  }
  return "";
}

std::string shown(const Value& value, bool sensitive) {
  return sensitive || is_digest(value) ? std::string("(sensitive value)") : value.display(10);
}

std::string attribute_line(const Change::Attribute& changed, Change::Action action) {
  std::string out = fmt::format("        {} = ", changed.path);
  if (action == Change::Action::kUpdate || action == Change::Action::kReplace)
    out += shown(changed.before, changed.sensitive) + " -> ";
  out += shown(changed.after, changed.sensitive);
  if (changed.replaces && action == Change::Action::kReplace) out += "  # forces replacement";
  if (!changed.effect.empty() && action != Change::Action::kCreate) out += fmt::format("  # {}", changed.effect);
  return out + "\n";
}

void append_changes(const Plan& plan, bool coloured, std::string& out) {
  for (const auto& change : plan.changes) {
    out += fmt::format("  # {} {}{}\n", change.address, words(change.action),
                       change.room.empty() ? "" : fmt::format(" ({})", change.room));
    out += fmt::format("{}{}{} {}\n", coloured ? colour_of(change.action) : "", sign(change.action),
                       coloured ? "\x1b[0m" : "", change.address);
    if (change.action == Change::Action::kDelete) {
      out += '\n';
      continue;
    }
    for (const auto& attribute : change.attributes) {
      const bool says_nothing =
          change.action == Change::Action::kCreate &&
          (attribute.after.is_null() || (attribute.after.size() == 0 && !attribute.after.is_primitive()));
      if (!says_nothing) out += attribute_line(attribute, change.action);
    }
    out += '\n';
  }
}

// What the changes empty or restart, each once with what causes it.
void append_blast_radius(const Plan& plan, std::string& out) {
  std::map<std::string, std::set<std::string>> effects;
  for (const auto& change : plan.changes) {
    if (change.action == Change::Action::kCreate) continue;
    for (const auto& attribute : change.attributes) {
      if (!attribute.effect.empty()) effects[attribute.effect].insert(change.address);
    }
    const bool deletes = change.action == Change::Action::kDelete;
    if (!deletes && change.action != Change::Action::kReplace) continue;
    const char* loss = deletes ? "removes it with what it holds" : "makes it anew: what it holds is lost";
    effects[change.effect.empty() ? loss : change.effect].insert(change.address);
  }
  if (effects.empty()) return;
  out += "Blast radius:\n";
  for (const auto& [effect, causes] : effects) out += fmt::format("  {}: {}\n", effect, fmt::join(causes, ", "));
  out += '\n';
}

void append_findings(const Stack& stack, Finding::Kind kind, std::string_view title, std::string& out) {
  std::string lines;
  std::map<std::string, std::pair<std::size_t, const Finding*>> whole_types;  // one line for many of a kind
  for (const auto& finding : stack.findings) {
    if (finding.kind != kind) continue;
    if (finding.attribute.empty()) {
      const Resource* resource = stack.find(finding.address);
      auto& [count, first] = whole_types[resource ? resource->type : finding.address];
      ++count;
      first = &finding;
      continue;
    }
    lines += fmt::format("  {}: {}{} ({})\n", finding.address, finding.attribute,
                         finding.reason.empty() ? "" : ", " + finding.reason, finding.range.text());
  }
  for (const auto& [type, seen] : whole_types) {
    lines += fmt::format("  {}{}{}\n",
                         seen.first == 1 ? seen.second->address : fmt::format("{} ({} of them)", type, seen.first),
                         seen.second->reason.empty() ? "" : ": " + seen.second->reason,
                         seen.first == 1 ? fmt::format(" ({})", seen.second->range.text()) : "");
  }
  if (!lines.empty()) out += fmt::format("{}\n{}\n", title, lines);
}

void append_made_by_api(const Stack& stack, const std::vector<std::string>& beside, std::string& out) {
  std::string lines;
  for (const auto& resource : stack.resources) {
    if (resource.origin == Resource::Origin::kApi) lines += fmt::format("  {}\n", resource.address);
  }
  for (const auto& address : beside) lines += fmt::format("  {}\n", address);
  if (!lines.empty()) out += fmt::format("Made through the AWS APIs, stays:\n{}\n", lines);
}

}  // namespace

Json Applied::to_json() const {
  Json all = Json::object();
  for (const auto& [address, entry] : resources) {
    all.set(address, Json::object({{"type", entry.type}, {"attributes", entry.attributes.to_json()}}));
  }
  Json values = Json::object();
  for (const auto& [name, value] : outputs) values.set(name, value.to_json());
  return Json::object({{"version", 1}, {"resources", std::move(all)}, {"outputs", std::move(values)}});
}

Result<Applied> Applied::from_json(const Json& json) {
  if (json["version"].integer_or(0) != 1 || !json["resources"].is_object()) {
    return Error{Errc::kMalformed, "this is no record of an applied stack of version 1"};
  }
  Applied made;
  for (const auto& [address, entry] : *json["resources"].as_object()) {
    made.resources.emplace(address,
                           Entry{std::string(entry["type"].string_or("")), Value::from_json(entry["attributes"])});
  }
  if (const auto* outputs = json["outputs"].as_object()) {
    for (const auto& [name, value] : *outputs) made.outputs.emplace(name, Value::from_json(value));
  }
  return made;
}

Applied applied(const Stack& stack) {
  Applied made;
  for (const auto& resource : stack.resources) {
    if (resource.mode != Declaration::Mode::kResource) continue;
    made.resources.emplace(
        resource.address,
        Applied::Entry{resource.type, as_json_would(without_secrets(resource.attributes, resource.address))});
  }
  for (const auto& [name, output] : stack.outputs) {
    made.outputs.emplace(name, as_json_would(without_secrets(output.value, "output " + name)));
  }
  return made;
}

Plan diff(const Applied& before, const Stack& after) {
  const Applied now = applied(after);
  Plan plan;
  for (const auto& resource : after.resources) {
    if (resource.mode != Declaration::Mode::kResource) continue;
    const Value& attributes = now.resources.at(resource.address).attributes;
    const auto old = before.resources.find(resource.address);
    const bool is_new = old == before.resources.end();
    if (!is_new && old->second.attributes == attributes) continue;
    Change change;
    change.address = resource.address;
    change.type = resource.type;
    change.room = resource.declaration ? resource.declaration->room : "";
    change.attributes = Differ(resource.declaration.get()).run(is_new ? Value() : old->second.attributes, attributes);
    const bool replaces =
        std::any_of(change.attributes.begin(), change.attributes.end(), [](const auto& a) { return a.replaces; });
    change.action = is_new ? Change::Action::kCreate : replaces ? Change::Action::kReplace : Change::Action::kUpdate;
    plan.changes.push_back(std::move(change));
  }
  for (const auto& [address, entry] : before.resources) {
    if (now.resources.contains(address)) continue;
    plan.changes.push_back({Change::Action::kDelete, address, entry.type, "", {}});
  }
  std::set<std::string> names;
  for (const auto& [name, value] : before.outputs) names.insert(name);
  for (const auto& [name, value] : now.outputs) names.insert(name);
  for (const auto& name : names) {
    const auto value = [&](const Applied& side) {
      const auto found = side.outputs.find(name);
      return found == side.outputs.end() ? Value() : found->second;
    };
    const Value old = value(before), next = value(now);
    if (old != next) plan.outputs.push_back({name, old, next, is_digest(old) || is_digest(next), "", false});
  }
  return plan;
}

void add_drift(Plan& plan, const std::vector<Drifted>& drifted, const Stack& after) {
  for (const auto& one : drifted) {
    const auto resource = std::find_if(after.resources.begin(), after.resources.end(), [&](const Resource& each) {
      return each.type == one.type && each.mode == Declaration::Mode::kResource && each.attributes["id"] == one.id;
    });
    if (resource == after.resources.end()) continue;
    auto change = std::find_if(plan.changes.begin(), plan.changes.end(),
                               [&](const Change& each) { return each.address == resource->address; });
    if (change == plan.changes.end()) {
      const auto deletions = std::find_if(plan.changes.begin(), plan.changes.end(),
                                          [](const Change& each) { return each.action == Change::Action::kDelete; });
      const std::string room = resource->declaration ? resource->declaration->room : "";
      change = plan.changes.insert(deletions, {Change::Action::kUpdate, resource->address, one.type, room, {}, {}});
    }
    if (one.removed) {
      change->action = Change::Action::kCreate;
      change->attributes = Differ(resource->declaration.get())
                               .run(Value(), as_json_would(without_secrets(resource->attributes, resource->address)));
      continue;
    }
    for (auto attribute : one.attributes) {
      const auto same = std::find_if(change->attributes.begin(), change->attributes.end(),
                                     [&](const auto& each) { return each.path == attribute.path; });
      if (same != change->attributes.end()) {
        same->before = attribute.before;  // the files change it too: from what it is, not from what they said
        continue;
      }
      if (const auto* declared = declared_at(resource->declaration.get(), attribute.path)) {
        attribute.effect = declared->effect;
      }
      change->attributes.push_back(std::move(attribute));
    }
  }
}

std::string terraform_name(std::string_view member) {
  const auto is_capital = [&](std::size_t at) { return at < member.size() && member[at] >= 'A' && member[at] <= 'Z'; };
  std::string name;
  for (std::size_t i = 0; i < member.size(); ++i) {
    // A word begins at a capital after a small letter, and at the last capital of several: OK|Actions.
    const bool begins = is_capital(i) && (!is_capital(i - 1) || (i + 1 < member.size() && !is_capital(i + 1)));
    if (i > 0 && begins) name += '_';
    name += is_capital(i) ? static_cast<char>(member[i] - 'A' + 'a') : member[i];
  }
  return name;
}

std::string render_plan(const Plan& plan, const Stack& after, Colour colour) {
  std::string out;
  append_changes(plan, colour == Colour::kAlways, out);
  append_blast_radius(plan, out);
  append_findings(after, Finding::Kind::kNotHonoured, "Known, not honoured here:", out);
  append_findings(after, Finding::Kind::kNote, "Notes:", out);
  append_made_by_api(after, plan.beside, out);
  std::size_t counts[4] = {};
  for (const auto& change : plan.changes) ++counts[static_cast<std::size_t>(change.action)];
  if (!plan.outputs.empty()) {
    out += "Changes to outputs:\n";
    for (const auto& output : plan.outputs) {
      out += fmt::format("  {} = {}\n", output.path, shown(output.after, output.sensitive));
    }
    out += '\n';
  }
  if (plan.empty()) return out + "No changes. What runs is what the files say.\n";
  return out + fmt::format("Plan: {} to add, {} to change, {} to replace, {} to destroy.\n", counts[0], counts[1],
                           counts[2], counts[3]);
}

}  // namespace securebase::stack
