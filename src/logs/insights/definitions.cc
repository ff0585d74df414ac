#include "logs/insights/definitions.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "base/file.h"
#include "base/json.h"
#include "base/random.h"

namespace securebase::logs::insights {

namespace {

constexpr std::size_t kMostDefinitions = 1000;  // CloudWatch's quota

}  // namespace

Result<std::unique_ptr<Definitions>> Definitions::open(std::filesystem::path directory) {
  if (auto made = base::make_directory(directory, 0700); !made) return made.error();
  std::unique_ptr<Definitions> opened(new Definitions(directory / "insights-queries.json"));
  std::error_code failure;
  if (!std::filesystem::exists(opened->file_, failure)) return opened;
  const auto text = base::read_file(opened->file_);
  if (!text) return text.error();
  const auto json = base::Json::parse(*text);
  if (!json || !json->is_array()) {
    return Error{Errc::kMalformed, fmt::format("{} is no list of saved queries: {}; move it away to start without",
                                               opened->file_.native(), json ? "no list" : json.error().message)};
  }
  for (const auto& one : *json->as_array()) {
    Definition definition{std::string(one["id"].string_or("")),
                          std::string(one["name"].string_or("")),
                          std::string(one["query"].string_or("")),
                          {},
                          base::TimePoint{std::chrono::milliseconds{one["modified_ms"].integer_or(0)}}};
    if (const auto* groups = one["groups"].as_array()) {
      for (const auto& group : *groups) definition.groups.emplace_back(group.string_or(""));
    }
    opened->definitions_.emplace(definition.id, std::move(definition));
  }
  return opened;
}

Result<Done> Definitions::save(const std::map<std::string, Definition>& definitions) const {
  base::Json list = base::Json::array();
  for (const auto& [id, one] : definitions) {
    base::Json groups = base::Json::array();
    for (const auto& group : one.groups) groups.push_back(group);
    const auto modified = std::chrono::floor<std::chrono::milliseconds>(one.modified).time_since_epoch().count();
    list.push_back(base::Json::object({{"id", id},
                                       {"name", one.name},
                                       {"query", one.text},
                                       {"groups", std::move(groups)},
                                       {"modified_ms", std::int64_t{modified}}}));
  }
  return base::replace_file(file_, list.dump(1), 0600);
}

Result<std::string> Definitions::put(Definition definition) {
  const std::lock_guard lock(mutex_);
  if (definition.id.empty()) {
    if (definitions_.size() >= kMostDefinitions) {
      return Error{Errc::kLimit, fmt::format("there are {} saved queries, as many as may be", definitions_.size())};
    }
    definition.id = base::random_uuid();
  } else if (definitions_.find(definition.id) == definitions_.end()) {
    return Error{Errc::kNotFound, fmt::format("there is no saved query {}", definition.id)};
  }
  const auto id = definition.id;
  auto changed = definitions_;
  changed.insert_or_assign(id, std::move(definition));
  if (auto saved = save(changed); !saved) return saved.error();
  definitions_ = std::move(changed);
  return id;
}

Result<bool> Definitions::remove(const std::string& id) {
  const std::lock_guard lock(mutex_);
  auto changed = definitions_;
  if (changed.erase(id) == 0) return false;
  if (auto saved = save(changed); !saved) return saved.error();
  definitions_ = std::move(changed);
  return true;
}

std::vector<Definitions::Definition> Definitions::list(std::string_view prefix) const {
  const std::lock_guard lock(mutex_);
  std::vector<Definition> made;
  for (const auto& [id, one] : definitions_) {
    if (one.name.starts_with(prefix)) made.push_back(one);
  }
  std::sort(made.begin(), made.end(),
            [](const Definition& a, const Definition& b) { return a.name != b.name ? a.name < b.name : a.id < b.id; });
  return made;
}

}  // namespace securebase::logs::insights
