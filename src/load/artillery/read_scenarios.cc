// Scenarios and the steps of their flows.
#include <fmt/format.h>

#include <algorithm>

#include "load/artillery/reading.h"

namespace securebase::load::artillery {
namespace {

constexpr std::string_view kMethods[] = {"get", "post", "put", "patch", "delete", "head", "options"};
constexpr std::string_view kKinds[] = {"think", "log", "function", "loop", "parallel"};

// Which of the words of a step says what it does; empty: none.
std::string_view kind_of(const Node& step) {
  for (const auto& member : step.members) {
    for (const auto method : kMethods) {
      if (member.key == method) return method;
    }
    for (const auto kind : kKinds) {
      if (member.key == kind) return kind;
    }
  }
  return {};
}

Step read_think(const Node& node, const std::string& where, Reading& reading, const Config& config) {
  reading.check_keys(node, where, {"think", "jitter"});
  ThinkStep think;
  think.jitter = config.think_jitter;
  if (const auto jitter = reading.text(node, where, "jitter")) {
    think.jitter = parse_jitter(*jitter);
    if (!think.jitter) {
      reading.error(node.find("jitter")->place,
                    fmt::format("{}.jitter: expected \"20%\" or milliseconds, and \"{}\" came", where, *jitter));
    }
  }
  const Node& duration = *node.find("think");
  if (const auto text = duration.scalar.as_string(); text != nullptr && text->find("{{") != std::string::npos) {
    think.duration = reading.as_template(duration, where + ".think");
  } else if (const auto time = reading.as_duration(duration, where + ".think")) {
    think.duration = *time;
  }
  return {std::move(think)};
}

Step read_loop(const Node& node, const std::string& where, Reading& reading, const Config& config) {
  reading.check_keys(node, where, {"loop", "count", "over", "whileTrue", "loopValue", "loopElement"});
  LoopStep loop;
  loop.steps = read_flow(*node.find("loop"), where + ".loop", reading, config);
  if (const Node* count = node.find("count")) loop.count = reading.as_template(*count, where + ".count");
  if (const Node* over = node.find("over")) {
    if (over->is_list()) {
      const auto elements = over->to_json();
      loop.elements = *elements.as_array();
    } else if (const auto name = reading.text(node, where, "over")) {
      loop.over = *name;
    }
  }
  loop.while_true = reading.text(node, where, "whileTrue").value_or("");
  loop.value_name = reading.text(node, where, "loopValue").value_or(loop.value_name);
  loop.element_name = reading.text(node, where, "loopElement").value_or(loop.element_name);
  if (!loop.count && !loop.elements && loop.over.empty() && loop.while_true.empty()) {
    reading.error(node.place,
                  fmt::format("{}: the loop has no end; expected count, over or whileTrue beside it", where));
  }
  const bool unending = loop.count && loop.count->source() == "-1" && loop.while_true.empty();
  if (unending) reading.warn(node.place, fmt::format("{}: this loop ends only with the run", where));
  if (loop.steps.empty() && !reading.failed()) {
    reading.error(node.place, fmt::format("{}.loop: expected at least one step", where));
  }
  return {std::move(loop)};
}

Step read_parallel(const Node& node, const std::string& where, Reading& reading, const Config& config) {
  reading.check_keys(node, where, {"parallel", "limit"});
  ParallelStep parallel;
  parallel.steps = read_flow(*node.find("parallel"), where + ".parallel", reading, config);
  if (const auto limit = reading.number(node, where, "limit", 1)) {
    parallel.limit = static_cast<std::size_t>(std::min(*limit, 10'000.0));
  }
  return {std::move(parallel)};
}

void complain_of(const Node& node, const std::string& where, Reading& reading) {
  static const std::vector<std::string_view> kAll = {"get",     "post",  "put", "patch",    "delete", "head",
                                                     "options", "think", "log", "function", "loop",   "parallel"};
  const std::string& word = node.members.front().key;
  if (word == "emit" || word == "send" || word == "connect" || word == "namespace" || word == "acknowledge") {
    reading.error(node.members.front().place,
                  fmt::format("{}: \"{}\" is a step of the engines ws and socketio; only http is here", where, word));
    return;
  }
  // did_you_mean, by way of the check of keys: a word that is near to one says so.
  const auto before = reading.failed();
  reading.check_keys(node, where, kAll);
  if (reading.failed() && !before) return;
  reading.error(
      node.members.front().place,
      fmt::format("{}: expected a request (get, post, put, patch, delete, head, options), think, log, function, "
                  "loop or parallel, and {} came",
                  where, word));
}

// A flow in a flow is laid flat, as YAML's references make them.
void read_steps(const Node& node, const std::string& where, Reading& reading, const Config& config,
                std::vector<Step>& into) {
  if (!reading.expect_list(node, where)) return;
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    const Node& step = node.items[i];
    const std::string at = fmt::format("{}[{}]", where, i);
    if (step.is_list()) {
      read_steps(step, at, reading, config, into);
      continue;
    }
    if (!reading.expect_map(step, at)) continue;
    if (step.members.empty()) {
      reading.error(step.place, fmt::format("{}: the step is empty", at));
      continue;
    }
    const auto kind = kind_of(step);
    if (kind.empty()) {
      complain_of(step, at, reading);
    } else if (kind == "think") {
      into.push_back(read_think(step, at, reading, config));
    } else if (kind == "log") {
      reading.check_keys(step, at, {"log"});
      into.push_back({LogStep{reading.as_template_value(*step.find("log"), at + ".log")}});
    } else if (kind == "function") {
      reading.check_keys(step, at, {"function"});
      into.push_back({FunctionStep{reading.text(step, at, "function").value_or("")}});
    } else if (kind == "loop") {
      into.push_back(read_loop(step, at, reading, config));
    } else if (kind == "parallel") {
      into.push_back(read_parallel(step, at, reading, config));
    } else {
      reading.check_keys(step, at, {kind});
      std::string method(kind);
      for (char& c : method) c = static_cast<char>(c - 32);
      into.push_back({read_request(method, *step.find(kind), fmt::format("{}.{}", at, kind), reading, config)});
    }
  }
}

}  // namespace

std::vector<Step> read_flow(const Node& node, const std::string& where, Reading& reading, const Config& config) {
  std::vector<Step> steps;
  read_steps(node, where, reading, config, steps);
  return steps;
}

Scenario read_scenario(const Node& node, const std::string& where, std::size_t index, Reading& reading,
                       const Config& config) {
  Scenario scenario;
  scenario.name = std::to_string(index);
  if (!reading.expect_map(node, where)) return scenario;
  reading.check_keys(node, where,
                     {"name", "weight", "engine", "flow", "beforeScenario", "afterScenario", "beforeRequest",
                      "afterResponse", "onError"});
  if (const auto name = reading.text(node, where, "name"); name && !name->empty()) scenario.name = *name;
  if (const auto engine = reading.text(node, where, "engine"); engine && *engine != "http") {
    reading.error(node.find("engine")->place,
                  fmt::format("{}.engine: only the engine http is here, and \"{}\" came", where, *engine));
    return scenario;
  }
  if (const auto weight = reading.number(node, where, "weight")) scenario.weight = *weight;
  scenario.before_scenario = reading.texts(node, where, "beforeScenario");
  scenario.after_scenario = reading.texts(node, where, "afterScenario");
  scenario.before_request = reading.texts(node, where, "beforeRequest");
  scenario.after_response = reading.texts(node, where, "afterResponse");
  scenario.on_error = reading.texts(node, where, "onError");
  const Node* flow = node.find("flow");
  if (flow == nullptr) {
    reading.error(node.place, fmt::format("{}: expected a flow: the list of its steps", where));
  } else {
    scenario.flow = read_flow(*flow, where + ".flow", reading, config);
  }
  return scenario;
}

}  // namespace securebase::load::artillery
