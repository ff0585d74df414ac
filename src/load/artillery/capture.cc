#include "load/artillery/capture.h"

#include <fmt/format.h>

#include <charconv>
#include <pugixml.hpp>

namespace securebase::load::artillery {
namespace {

Error nothing_found(const Capture& capture) {
  static constexpr std::string_view kWords[] = {"JSONPath", "regular expression", "header", "XPath"};
  return Error{Errc::kNotFound, fmt::format("the {} {} finds nothing in the answer",
                                            kWords[static_cast<int>(capture.kind)], capture.expression.source())};
}

Result<base::Json> find_json(const Capture& capture, const JsonPath& path, const Received& received) {
  const base::Json* document = received.json();
  if (document == nullptr) return Error{Errc::kMalformed, "the answer is no JSON"};
  if (!document->is_object() && !document->is_array()) return nothing_found(capture);
  auto found = path.search(*document);
  if (!found) return found.error();
  if (found->empty()) return nothing_found(capture);
  if (!capture.multiple) return found->size() == 1 ? std::move(found->front()) : base::Json(std::move(*found));
  // One of several, at random, as Artillery does: a list's elements are choices.
  const auto last = static_cast<std::int64_t>(found->size()) - 1;
  return std::move((*found)[static_cast<std::size_t>(Random::of_thread().between(0, last))]);
}

Result<base::Json> find_regexp(const Capture& capture, const re2::RE2& pattern, const Received& received) {
  const int groups = pattern.NumberOfCapturingGroups();
  std::vector<re2::StringPiece> found(static_cast<std::size_t>(groups) + 1);
  const std::string& body = received.body();
  if (!pattern.Match(body, 0, body.size(), re2::RE2::UNANCHORED, found.data(), groups + 1))
    return nothing_found(capture);
  std::size_t wanted = 0;
  if (!capture.group.empty()) {
    const auto& names = pattern.NamedCapturingGroups();
    const auto named = names.find(capture.group);
    if (named != names.end()) {
      wanted = static_cast<std::size_t>(named->second);
    } else {
      std::from_chars(capture.group.data(), capture.group.data() + capture.group.size(), wanted);
    }
    if (wanted >= found.size()) wanted = 0;
  }
  if (found[wanted].empty()) return nothing_found(capture);
  return base::Json(std::string(found[wanted]));
}

// pugixml tells by an exception what is no XPath.
Result<pugi::xpath_query> xpath_of(const std::string& expression) {
  try {
    return pugi::xpath_query(expression.c_str());
  } catch (const pugi::xpath_exception& wrong) {
    return Error{Errc::kMalformed, fmt::format("\"{}\" is no XPath: {}", expression, wrong.what())};
  }
}

Result<base::Json> find_xpath(const Capture& capture, const std::string& expression, const Received& received) {
  pugi::xml_document document;
  const auto& body = received.body();
  if (const auto parsed = document.load_buffer(body.data(), body.size()); !parsed) {
    return Error{Errc::kMalformed, fmt::format("the answer is no XML: {}", parsed.description())};
  }
  const auto compiled = xpath_of(expression);
  if (!compiled) return compiled.error();
  const pugi::xpath_query& query = *compiled;
  if (query.return_type() != pugi::xpath_type_node_set) {
    auto text = query.evaluate_string(document);
    if (text.empty()) return nothing_found(capture);
    return base::Json(std::move(text));
  }
  const auto nodes = query.evaluate_node_set(document);
  if (nodes.empty()) return nothing_found(capture);
  const auto last = static_cast<std::int64_t>(nodes.size()) - 1;
  const pugi::xpath_node& node = nodes[static_cast<std::size_t>(Random::of_thread().between(0, last))];
  std::string text;
  if (!capture.attribute.empty()) {
    text = node.node().attribute(capture.attribute.c_str()).value();
  } else {
    text = node.attribute() ? node.attribute().value() : node.node().text().get();
  }
  if (text.empty()) return nothing_found(capture);
  return base::Json(std::move(text));
}

bool strictly_equal(const base::Json& a, const base::Json& b) {
  return a.is_number() && b.is_number() ? a.number_or(0) == b.number_or(0) : a == b;
}

}  // namespace

Result<Done> compile_capture(Capture& capture, std::string_view expression) {
  switch (capture.kind) {
    case Capture::Kind::kJson: {
      auto path = JsonPath::parse(expression);
      if (!path) return path.error();
      capture.path = std::move(*path);
      break;
    }
    case Capture::Kind::kRegexp: {
      re2::RE2::Options options(re2::RE2::Quiet);
      for (const char flag : capture.flags) {
        if (flag == 'i') options.set_case_sensitive(false);
        if (flag == 's') options.set_dot_nl(true);
        if (flag == 'm') options.set_one_line(false);
      }
      // JavaScript's names of groups, (?<name>...), are RE2's (?P<name>...).
      std::string source(expression);
      for (std::size_t at = source.find("(?<"); at != std::string::npos; at = source.find("(?<", at + 3)) {
        if (at + 3 < source.size() && source[at + 3] != '=' && source[at + 3] != '!') source.insert(at + 2, "P");
      }
      const bool lines = capture.flags.find('m') != std::string::npos;
      capture.pattern = std::make_shared<const re2::RE2>(lines ? "(?m)" + source : source, options);
      if (!capture.pattern->ok()) {
        return Error{
            Errc::kMalformed,
            fmt::format("\"{}\" is no regular expression that can be used here ({}); look-ahead, look-behind and "
                        "back references are not supported",
                        expression, capture.pattern->error())};
      }
      break;
    }
    case Capture::Kind::kXpath:
      if (auto compiled = xpath_of(std::string(expression)); !compiled) return compiled.error();
      break;
    case Capture::Kind::kHeader:
      break;
  }
  return Done{};
}

Result<base::Json> find_value(const Capture& capture, const Variables& variables, const Received& received) {
  const bool ready = capture.expression.constant();
  const std::string expression = ready ? capture.expression.source() : capture.expression.text(variables);
  Capture compiled;
  const Capture* use = &capture;
  if (!ready && (capture.kind == Capture::Kind::kJson || capture.kind == Capture::Kind::kRegexp)) {
    compiled = capture;
    if (auto done = compile_capture(compiled, expression); !done) return done.error();
    use = &compiled;
  }
  switch (capture.kind) {
    case Capture::Kind::kJson:
      return find_json(capture, *use->path, received);
    case Capture::Kind::kRegexp:
      return find_regexp(capture, *use->pattern, received);
    case Capture::Kind::kXpath:
      return find_xpath(capture, expression, received);
    case Capture::Kind::kHeader:
      break;
  }
  const auto field = received.header(expression);
  if (!field || field->empty()) return nothing_found(capture);
  return base::Json(std::string(*field));
}

Result<Done> take_captures(const RequestStep& step, bool strict_by_default, const Received& received,
                           Variables& variables, std::string* details) {
  bool failed = false;
  const auto fail = [&](const std::string& what) {
    failed = true;
    if (details != nullptr && details->empty()) *details = what;
  };
  std::vector<std::pair<const Capture*, std::optional<base::Json>>> values;
  for (const auto& capture : step.captures) {
    auto value = find_value(capture, variables, received);
    const bool empty = !value || (value->is_string() && value->as_string()->empty());
    if (empty && capture.strict.value_or(strict_by_default)) {
      fail(fmt::format("{}: {}", capture.as, value ? "the value is empty" : value.error().message));
    }
    values.emplace_back(&capture, value ? std::optional(std::move(*value)) : std::nullopt);
  }
  for (const auto& match : step.matches) {
    const auto value = find_value(match, variables, received);
    const base::Json expected = match.value->value(variables);
    if (value && strictly_equal(*value, expected)) continue;
    if (match.strict.value_or(true)) {
      fail(fmt::format("match {}: expected {}, and {} came", match.expression.source(), expected.dump(),
                       value ? value->dump() : "nothing"));
    }
  }
  if (failed) return Error{Errc::kNotFound, "Failed capture or match"};
  for (auto& [capture, value] : values) {
    if (value) {
      variables.set_path(capture->as, std::move(*value));
    } else {
      variables.erase(capture->as);
    }
  }
  return Done{};
}

}  // namespace securebase::load::artillery
