#include "monitoring/dashboards.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/durable.h"
#include "base/encoding.h"
#include "base/file.h"
#include "base/json.h"
#include "monitoring/alarms/definition.h"
#include "stack/plan.h"

namespace securebase::monitoring {

namespace {

using base::Json;

constexpr std::size_t kMostDashboards = 5000;      // CloudWatch's quota
constexpr std::size_t kMostWidgets = 500;          // CloudWatch's own
constexpr std::size_t kMostMetricsOfWidget = 500;  // of a widget
constexpr std::size_t kBodyBytes = std::size_t{1} << 20;

bool is_dashboard_name(std::string_view name) {
  return !name.empty() && name.size() <= 255 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

class Checker {
 public:
  DashboardCheck check(std::string_view body) {
    if (body.size() > kBodyBytes) {
      error("/", fmt::format("The dashboard body has {} bytes; at most {}", body.size(), kBodyBytes));
      return std::move(made_);
    }
    const auto json = Json::parse(body);
    if (!json) {
      error("/", "The dashboard body is not valid JSON: " + json.error().message);
      return std::move(made_);
    }
    if (!json->is_object()) {
      error("/", "The dashboard body is a JSON object");
      return std::move(made_);
    }
    const auto* widgets = json->find("widgets");
    if (!widgets || !widgets->is_array()) {
      error("/widgets", "Should have a property widgets, an array");
      return std::move(made_);
    }
    const auto& list = *widgets->as_array();
    if (list.size() > kMostWidgets)
      error("/widgets", fmt::format("Should have at most {} widgets, has {}", kMostWidgets, list.size()));
    for (std::size_t i = 0; i < list.size(); ++i) widget(fmt::format("/widgets/{}", i), list[i]);
    known("", *json, {"widgets", "start", "end", "periodOverride", "variables"});
    return std::move(made_);
  }

 private:
  void error(std::string path, std::string message) { made_.errors.push_back({std::move(path), std::move(message)}); }
  void warning(std::string path, std::string message) {
    made_.warnings.push_back({std::move(path), std::move(message)});
  }

  void known(const std::string& path, const Json& object, std::initializer_list<std::string_view> names) {
    for (const auto& [name, value] : *object.as_object()) {
      if (std::find(names.begin(), names.end(), name) == names.end()) {
        warning(path + "/" + name, fmt::format("\"{}\" is no known field; it is kept and not shown", name));
      }
    }
  }

  void whole(const std::string& path, const Json& object, std::string_view name, std::int64_t least,
             std::int64_t most) {
    const auto* value = object.find(name);
    if (!value) return;
    const auto number = value->integer_or(-1);
    if (number < least || number > most) {
      error(fmt::format("{}/{}", path, name), fmt::format("Should be a whole number from {} to {}", least, most));
    }
  }

  void widget(const std::string& path, const Json& widget) {
    if (!widget.is_object()) return error(path, "Should be an object");
    whole(path, widget, "width", 1, 24);
    whole(path, widget, "height", 1, 1000);
    whole(path, widget, "x", 0, 23);
    whole(path, widget, "y", 0, 1'000'000);
    const auto type = widget["type"].string_or("");
    const auto& properties = widget["properties"];
    const std::string inside = path + "/properties";
    if (type.empty()) return error(path + "/type", "Should have a property type");
    if (!properties.is_object()) return error(inside, "Should have a property properties, an object");
    if (type == "text") {
      if (!properties["markdown"].is_string()) error(inside + "/markdown", "Should have a property markdown, a text");
    } else if (type == "alarm") {
      if (!properties["alarms"].is_array())
        error(inside + "/alarms", "Should have a property alarms, an array of ARNs");
    } else if (type == "log") {
      if (!properties["query"].is_string()) error(inside + "/query", "Should have a property query, a text");
      if (!properties["region"].is_string()) error(inside + "/region", "Should have a property region");
    } else if (type == "metric") {
      metric(inside, properties);
    } else if (type == "explorer" || type == "custom") {
      warning(path + "/type", fmt::format("Widgets of the type {} are kept and not shown", type));
    } else {
      error(path + "/type",
            fmt::format("Should be one of metric, text, log, alarm, explorer, custom; is \"{}\"", type));
    }
  }

  void metric(const std::string& path, const Json& properties) {
    const auto& metrics = properties["metrics"];
    const auto& annotations = properties["annotations"];
    if (!metrics.is_array() && !annotations["alarms"].is_array()) {
      return error(path + "/metrics", "Should have a property metrics, an array, or annotations with alarms");
    }
    const auto view = properties["view"].string_or("timeSeries");
    constexpr std::string_view kViews[] = {"timeSeries", "singleValue", "gauge", "bar", "pie", "table"};
    if (std::find(std::begin(kViews), std::end(kViews), view) == std::end(kViews)) {
      error(path + "/view",
            fmt::format("Should be one of timeSeries, singleValue, gauge, bar, pie, table; is \"{}\"", view));
    }
    if (!properties["region"].is_string()) error(path + "/region", "Should have a property region");
    if (const auto* period = properties.find("period");
        period && !valid_period(std::chrono::seconds(period->integer_or(0)))) {
      error(path + "/period", "Should be 1, 5, 10, 20, 30 or a multiple of 60 up to 86400");
    }
    if (!metrics.is_array()) return;
    const auto& list = *metrics.as_array();
    if (list.size() > kMostMetricsOfWidget)
      error(path + "/metrics", fmt::format("Should have at most {} metrics", kMostMetricsOfWidget));
    for (std::size_t i = 0; i < list.size(); ++i) line(fmt::format("{}/metrics/{}", path, i), list[i], i);
  }

  // [Namespace, MetricName, Dimension, Value, ..., {options}], or [{expression}]; "." repeats what stands above, "..."
  // all that is not said.
  void line(const std::string& path, const Json& metric, std::size_t place) {
    const auto* parts = metric.as_array();
    if (!parts || parts->empty()) return error(path, "Should be an array such as [Namespace, MetricName, Name, Value]");
    const bool has_options = parts->back().is_object();
    const std::size_t texts = parts->size() - (has_options ? 1 : 0);
    for (std::size_t i = 0; i < texts; ++i) {
      if (!(*parts)[i].is_string()) return error(fmt::format("{}/{}", path, i), "Should be a text");
    }
    if (texts == 0) {
      if (!(*parts)[0]["expression"].is_string()) error(path + "/0", "Should have an expression");
      return;
    }
    const bool shortened = (*parts)[0].string_or("") == "...";
    if (shortened && place == 0) error(path + "/0", "There is no metric above that ... could repeat");
    if (!shortened && (texts < 2 || texts % 2 != 0)) {
      error(path, "Should hold a namespace, a name, and then pairs of a dimension's name and value");
    }
  }

  DashboardCheck made_;
};

}  // namespace

DashboardCheck check_dashboard(std::string_view body) { return Checker().check(body); }

Result<std::unique_ptr<Dashboards>> Dashboards::open(std::filesystem::path directory, const base::Clock& clock) {
  if (auto made = base::make_directory(directory); !made) return made.error();
  std::unique_ptr<Dashboards> opened(new Dashboards(std::move(directory), clock));
  auto files = base::files_below(opened->directory_);
  if (!files) return files.error();
  for (const auto& file : *files) {
    if (file.extension() != ".json") continue;
    auto bytes = base::read_file(opened->directory_ / file);
    if (!bytes) return bytes.error();
    auto json = Json::parse(*bytes);
    if (!json) return json.error().within((opened->directory_ / file).native());
    Entry entry;
    entry.name = (*json)["name"].string_or("");
    entry.body = (*json)["body"].string_or("");
    entry.modified = base::TimePoint(std::chrono::microseconds((*json)["modified"].integer_or(0)));
    entry.from_stack = (*json)["stack"].bool_or(false);
    opened->entries_[entry.name] = std::move(entry);
  }
  return opened;
}

Result<Done> Dashboards::write(const Entry& entry) {
  const Json json = Json::object({{"name", entry.name},
                                  {"body", entry.body},
                                  {"modified", static_cast<std::int64_t>(entry.modified.time_since_epoch().count())},
                                  {"stack", entry.from_stack}});
  return base::replace_file(directory_ / (entry.name + ".json"), json.dump(), 0600);
}

Result<Done> Dashboards::erase(const std::string& name) {
  if (auto removed = base::remove_file(directory_ / (name + ".json")); !removed) return removed;
  entries_.erase(name);
  return Done{};
}

Result<Done> Dashboards::put(const std::string& name, const std::string& body, DashboardCheck& check) {
  if (!is_dashboard_name(name)) {
    return Error{Errc::kMalformed,
                 fmt::format("DashboardName \"{}\" is none: 1 to 255 letters, digits, - and _", name)};
  }
  check = check_dashboard(body);
  if (!check.errors.empty()) {
    return Error{Errc::kMalformed, fmt::format("The field DashboardBody must be a valid JSON object: {}: {}",
                                               check.errors[0].path, check.errors[0].message)};
  }
  const std::lock_guard lock(mutex_);
  const auto at = entries_.find(name);
  if (at == entries_.end() && entries_.size() >= kMostDashboards) {
    return Error{Errc::kLimit, fmt::format("there are {} dashboards already, as many as may be", entries_.size())};
  }
  const Entry entry{name, body, clock_.now(), at != entries_.end() && at->second.from_stack};
  if (auto done = write(entry); !done) return done;
  entries_[name] = entry;
  return Done{};
}

Result<Done> Dashboards::remove(const std::vector<std::string>& names) {
  const std::lock_guard lock(mutex_);
  for (const auto& name : names) {
    if (!entries_.contains(name)) return Error{Errc::kNotFound, fmt::format("Dashboard {} does not exist", name)};
  }
  for (const auto& name : names) {
    if (auto done = erase(name); !done) return done;
  }
  return Done{};
}

std::optional<Dashboards::Entry> Dashboards::find(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  const auto at = entries_.find(name);
  return at == entries_.end() ? std::nullopt : std::optional(at->second);
}

std::vector<Dashboards::Entry> Dashboards::list(std::string_view prefix) const {
  const std::lock_guard lock(mutex_);
  std::vector<Entry> found;
  for (const auto& [name, entry] : entries_) {
    if (name.starts_with(prefix)) found.push_back(entry);
  }
  return found;
}

Result<Done> Dashboards::apply(const AlarmsConfig& config) {
  const std::lock_guard lock(mutex_);
  applied_.clear();
  for (const auto& wanted : config.dashboards) {
    applied_[wanted.name] = wanted.body;
    const auto at = entries_.find(wanted.name);
    if (at != entries_.end() && at->second.body == wanted.body && at->second.from_stack) continue;
    const Entry entry{wanted.name, wanted.body, clock_.now(), true};
    if (auto done = write(entry); !done) return done;
    entries_[wanted.name] = entry;
  }
  std::vector<std::string> going;
  for (const auto& [name, entry] : entries_) {
    if (entry.from_stack && !applied_.contains(name)) going.push_back(name);
  }
  for (const auto& name : going) {
    if (auto done = erase(name); !done) return done;
  }
  return Done{};
}

std::vector<stack::Drifted> Dashboards::drift() const {
  const std::lock_guard lock(mutex_);
  std::vector<stack::Drifted> drifted;
  for (const auto& [name, body] : applied_) {
    const auto at = entries_.find(name);
    if (at == entries_.end()) {
      drifted.push_back({"aws_cloudwatch_dashboard", name, true, {}});
    } else if (at->second.body != body) {
      drifted.push_back(
          {"aws_cloudwatch_dashboard", name, false, {{"dashboard_body", at->second.body, body, false, "", false}}});
    }
  }
  return drifted;
}

}  // namespace securebase::monitoring
