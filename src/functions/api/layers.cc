// Layers: zips that functions share in /opt.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/encoding.h"
#include "base/file.h"
#include "base/hash.h"
#include "functions/api/lambda_api.h"
#include "functions/code_links.h"

namespace securebase::functions {

namespace {

using aws::Fault;
using aws::Value;
using FoundLayer = stack::Found<LayerResource>;

// By number, the newest first.
std::map<std::int64_t, FoundLayer, std::greater<>> layer_versions(const stack::Stack& stack, std::string_view layer) {
  std::map<std::int64_t, FoundLayer, std::greater<>> all;
  for (const auto& found : stack.all<LayerResource>("aws_lambda_layer_version")) {
    if (found.value.layer_name == layer && found.value.filename) all.emplace(found.value.version, found);
  }
  return all;
}

// A name, an ARN, or an ARN with a version.
std::string layer_name(std::string_view text) {
  constexpr std::string_view kMark = ":layer:";
  if (const auto at = text.find(kMark); at != text.npos) text.remove_prefix(at + kMark.size());
  return std::string(text.substr(0, text.find(':')));
}

Fault no_layer(const stack::Stack& stack, std::string_view layer, std::int64_t version) {
  return faults::not_found(fmt::format("Layer version arn:aws:lambda:{}:{}:layer:{}:{} does not exist.", stack.region,
                                       stack.account, layer, version));
}

}  // namespace

Value LambdaApi::layer_description(const FoundLayer& found) const {
  const LayerResource& layer = found.value;
  Value runtimes = Value::list();
  for (const auto& runtime : layer.compatible_runtimes) runtimes.push_back(runtime);
  Value made = Value::structure({{"LayerVersionArn", found.resource.attributes["arn"].to_text().value_or("")},
                                 {"Version", layer.version},
                                 {"Description", layer.description},
                                 {"CreatedDate", layer.created_date},
                                 {"CompatibleRuntimes", std::move(runtimes)}});
  if (!layer.license_info.empty()) made.set("LicenseInfo", layer.license_info);
  return made;
}

namespace {

Value with_content(Value made, const stack::Stack& stack, const FoundLayer& found, const CodeLinks* links) {
  made.set("LayerArn", found.resource.attributes["layer_arn"].to_text().value_or(""));
  auto zip = base::read_file(place_of(stack, *found.value.filename));
  Value content = Value::structure();
  if (zip) {  // a directory has none
    content.set("CodeSha256", base::base64(base::sha256(*zip)));
    content.set("CodeSize", zip->size());
    if (links) {
      content.set("Location",
                  links->link(CodeLinks::Kind::kLayer, found.value.layer_name, std::to_string(found.value.version)));
    }
  }
  made.set("Content", std::move(content));
  return made;
}

}  // namespace

aws::Outcome LambdaApi::publish_layer_version(const aws::Call& call) {
  const Value& in = call.input;
  auto code = code_from(in["Content"]);
  if (!code) return std::move(code.error());
  // A layer's zip is first unpacked for a function that uses it: here it is found to be one that can be.
  if (auto intact = doors_.functions.check_code(code->file()); !intact) {
    return faults::invalid(intact.error().message);
  }
  const std::string name = layer_name(in["LayerName"].string_or(""));
  stack::Value::List runtimes;
  for (const auto& one : in["CompatibleRuntimes"].elements()) runtimes.emplace_back(text_of(one));
  std::int64_t number = 0;
  auto now = change([&](const stack::Stack& current) -> Result<Edits, Fault> {
    const auto versions = layer_versions(current, name);
    number = versions.empty() ? 1 : versions.begin()->first + 1;
    return Edits{stack::create("aws_lambda_layer_version", fmt::format("{}:{}", name, number),
                               {{"layer_name", name},
                                {"version", number},
                                {"filename", code->file().native()},
                                {"description", text_of(in["Description"])},
                                {"license_info", text_of(in["LicenseInfo"])},
                                {"compatible_runtimes", stack::Value(runtimes)},
                                {"created_date", lambda_time(call.now)}})};
  });
  if (!now) return std::move(now.error());
  const auto made = layer_versions(**now, name).at(number);
  return with_content(layer_description(made), **now, made, doors_.links);
}

aws::Outcome LambdaApi::list_layers(const aws::Call& call) {
  const auto stack = doors_.changes.current();
  const std::string runtime = text_of(call.input["CompatibleRuntime"]);
  std::map<std::string, FoundLayer> newest;
  for (const auto& found : stack->all<LayerResource>("aws_lambda_layer_version")) {
    const auto& runtimes = found.value.compatible_runtimes;
    if (!found.value.filename) continue;
    if (!runtime.empty() && std::find(runtimes.begin(), runtimes.end(), runtime) == runtimes.end()) continue;
    const auto known = newest.find(found.value.layer_name);
    if (known != newest.end() && known->second.value.version > found.value.version) continue;
    if (known != newest.end()) newest.erase(known);
    newest.emplace(found.value.layer_name, found);
  }
  Value all = Value::list();
  for (const auto& [name, found] : newest) {
    all.push_back(Value::structure({{"LayerName", name},
                                    {"LayerArn", found.resource.attributes["layer_arn"].to_text().value_or("")},
                                    {"LatestMatchingVersion", layer_description(found)}}));
  }
  return Value::structure({{"Layers", std::move(all)}});
}

aws::Outcome LambdaApi::list_layer_versions(const aws::Call& call) {
  const auto stack = doors_.changes.current();
  Value all = Value::list();
  for (const auto& [number, found] : layer_versions(*stack, layer_name(call.input["LayerName"].string_or("")))) {
    all.push_back(layer_description(found));
  }
  return Value::structure({{"LayerVersions", std::move(all)}});
}

aws::Outcome LambdaApi::get_layer_version(const aws::Call& call) {
  const auto stack = doors_.changes.current();
  const std::string name = layer_name(call.input["LayerName"].string_or(""));
  const auto number = call.input["VersionNumber"].integer_or(0);
  const auto versions = layer_versions(*stack, name);
  const auto found = versions.find(number);
  if (found == versions.end()) return no_layer(*stack, name, number);
  return with_content(layer_description(found->second), *stack, found->second, doors_.links);
}

aws::Outcome LambdaApi::get_layer_version_by_arn(const aws::Call& call) {
  const auto stack = doors_.changes.current();
  const std::string arn = text_of(call.input["Arn"]);
  for (const auto& found : stack->all<LayerResource>("aws_lambda_layer_version")) {
    if (found.value.filename && found.resource.attributes["arn"].to_text() == arn) {
      return with_content(layer_description(found), *stack, found, doors_.links);
    }
  }
  return faults::not_found(fmt::format("Layer version {} does not exist.", arn));
}

// As Lambda: functions that use it go on with it, and cannot be changed to use it again. Here a function refers to its
// layers by name, so one that is used stays.
aws::Outcome LambdaApi::delete_layer_version(const aws::Call& call) {
  const std::string name = layer_name(call.input["LayerName"].string_or(""));
  const auto number = call.input["VersionNumber"].integer_or(0);
  auto now = change([&](const stack::Stack& current) -> Result<Edits, Fault> {
    const auto versions = layer_versions(current, name);
    const auto found = versions.find(number);
    if (found == versions.end()) return Edits{};  // deleting what is not there succeeds
    const auto arn = found->second.resource.attributes["arn"].to_text().value_or("");
    for (const std::string_view type : {std::string_view("aws_lambda_function"), kVersionType}) {
      for (const auto& user : current.all<FunctionResource>(type)) {
        const auto& layers = user.value.layers;
        if (std::find(layers.begin(), layers.end(), arn) == layers.end()) continue;
        return faults::conflict(
            fmt::format("{} is used by the function {}; take it out there first", arn, user.value.function_name));
      }
    }
    return Edits{stack::remove(found->second.resource.address)};
  });
  if (!now) return std::move(now.error());
  return Value::structure();
}

}  // namespace securebase::functions
