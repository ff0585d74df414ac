#include "load/artillery/variables.h"

#include <algorithm>
#include <charconv>

namespace securebase::load::artillery {
namespace {

std::optional<std::size_t> index_of(std::string_view step) {
  std::size_t index = 0;
  const auto got = std::from_chars(step.data(), step.data() + step.size(), index);
  if (step.empty() || got.ec != std::errc{} || got.ptr != step.data() + step.size()) return std::nullopt;
  return index;
}

const base::Json* find_in(const base::Json::Object& object, std::string_view name) {
  for (const auto& member : object) {
    if (member.first == name) return &member.second;
  }
  return nullptr;
}

}  // namespace

Path parse_path(std::string_view text) {
  Path path;
  path.text = std::string(text);
  std::string step;
  const auto finish = [&] {
    if (!step.empty()) path.steps.push_back(std::move(step));
    step.clear();
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '.') {
      finish();
    } else if (c == '[') {
      finish();
      ++i;
      const char quote = i < text.size() && (text[i] == '"' || text[i] == '\'') ? text[i] : '\0';
      if (quote != '\0') ++i;
      for (; i < text.size() && text[i] != (quote != '\0' ? quote : ']'); ++i) step += text[i];
      if (quote != '\0') {
        while (i < text.size() && text[i] != ']') ++i;
      }
      path.steps.push_back(std::move(step));
      step.clear();
    } else {
      step += c;
    }
  }
  finish();
  return path;
}

const base::Json* descend(const base::Json* from, const std::vector<std::string>& steps, std::size_t first) {
  for (std::size_t i = first; from != nullptr && i < steps.size(); ++i) {
    if (const auto* array = from->as_array()) {
      const auto index = index_of(steps[i]);
      from = index && *index < array->size() ? &(*array)[*index] : nullptr;
    } else {
      from = from->find(steps[i]);
    }
  }
  return from;
}

const base::Json* Variables::find(std::string_view name) const {
  if (const auto* own = find_in(own_, name)) return own;
  return shared_ ? find_in(shared_->values, name) : nullptr;
}

const base::Json* Variables::find(const Path& path) const {
  if (path.steps.size() == 1) return find(path.steps.front());
  if (const auto* whole = find(path.text)) return whole;
  return path.steps.empty() ? nullptr : descend(find(path.steps.front()), path.steps, 1);
}

base::Json* Variables::own_value(std::string_view name) {
  const auto found = std::find_if(own_.begin(), own_.end(), [&](const auto& member) { return member.first == name; });
  return found == own_.end() ? nullptr : &found->second;
}

void Variables::note(std::string_view name) {
  if (watched_ && std::find(changed_.begin(), changed_.end(), name) == changed_.end()) changed_.emplace_back(name);
}

void Variables::watch() {
  watched_ = true;
  for (const auto& member : own_) note(member.first);
}

Variables::Changes Variables::take_changes() {
  Changes changes;
  for (auto& name : changed_) {
    if (const auto* value = own_value(name)) {
      changes.set.emplace_back(std::move(name), *value);
    } else {
      changes.erased.push_back(std::move(name));
    }
  }
  changed_.clear();
  return changes;
}

void Variables::set(std::string_view name, base::Json value) {
  note(name);
  if (auto* existing = own_value(name)) {
    *existing = std::move(value);
  } else {
    own_.emplace_back(std::string(name), std::move(value));
  }
}

void Variables::set_path(std::string_view text, base::Json value) {
  const Path path = parse_path(text);
  if (path.steps.size() <= 1) return set(text, std::move(value));
  if (own_value(path.steps.front()) == nullptr) {
    const auto* shared = find(path.steps.front());
    set(path.steps.front(), shared != nullptr ? *shared : base::Json());
  }
  note(path.steps.front());
  base::Json* at = own_value(path.steps.front());
  for (std::size_t i = 1; i < path.steps.size(); ++i) {
    const auto index = index_of(path.steps[i]);
    if (!at->is_array() && !at->is_object()) *at = index ? base::Json::array() : base::Json::object();
    if (auto* array = at->as_array()) {
      if (!index || *index > array->size() + 1000) return;
      if (*index >= array->size()) array->resize(*index + 1);
      at = &(*array)[*index];
    } else {
      auto* object = at->as_object();
      auto found = std::find_if(object->begin(), object->end(),
                                [&](const auto& member) { return member.first == path.steps[i]; });
      if (found == object->end()) found = object->insert(object->end(), {path.steps[i], base::Json()});
      at = &found->second;
    }
  }
  *at = std::move(value);
}

void Variables::erase(std::string_view name) {
  note(name);
  std::erase_if(own_, [&](const auto& member) { return member.first == name; });
}

base::Json Variables::to_json() const {
  base::Json::Object all;
  if (shared_) {
    for (const auto& [name, value] : shared_->values) {
      if (name != "$env" && name != "$processEnvironment" && find_in(own_, name) == nullptr)
        all.emplace_back(name, value);
    }
  }
  all.insert(all.end(), own_.begin(), own_.end());
  return all;
}

}  // namespace securebase::load::artillery
