#include "gateway/config.h"

#include <fmt/format.h>

namespace securebase::gateway {

Result<Parameter> Parameter::parse(std::string_view text) {
  static constexpr std::pair<std::string_view, From> kPrefixes[] = {
      {"method.request.querystring.", From::kQuery},
      {"method.request.multivaluequerystring.", From::kMultiQuery},
      {"method.request.header.", From::kHeader},
      {"method.request.multivalueheader.", From::kMultiHeader},
      {"method.request.path.", From::kPath},
      {"integration.request.querystring.", From::kQuery},
      {"integration.request.multivaluequerystring.", From::kMultiQuery},
      {"integration.request.header.", From::kHeader},
      {"integration.request.multivalueheader.", From::kMultiHeader},
      {"integration.request.path.", From::kPath},
      {"context.", From::kContext},
      {"stageVariables.", From::kStageVariable},
      {"$context.", From::kContext},
      {"$stageVariables.", From::kStageVariable},
  };
  for (const auto& [prefix, from] : kPrefixes) {
    if (text.starts_with(prefix) && text.size() > prefix.size()) {
      return Parameter{from, std::string(text.substr(prefix.size()))};
    }
  }
  return Error{Errc::kMalformed,
               fmt::format("expected method.request.{{querystring,header,path}}.NAME, context.NAME or "
                           "stageVariables.NAME, got \"{}\"",
                           text)};
}

Result<std::string> function_of_uri(std::string_view uri) {
  constexpr std::string_view kBegin = "/functions/";
  constexpr std::string_view kEnd = "/invocations";
  const auto begin = uri.find(kBegin);
  if (uri.starts_with("arn:") && uri.find(":lambda:path/") != std::string_view::npos &&
      begin != std::string_view::npos && uri.ends_with(kEnd) && begin + kBegin.size() + kEnd.size() < uri.size()) {
    const auto from = begin + kBegin.size();
    return std::string(uri.substr(from, uri.size() - kEnd.size() - from));
  }
  return Error{Errc::kMalformed,
               fmt::format("expected the invoke_arn of a function (arn:aws:apigateway:REGION:lambda:path/2015-03-31/"
                           "functions/ARN/invocations), got \"{}\"",
                           uri)};
}

std::string normal_method_path(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '~' && i + 1 < text.size() && (text[i + 1] == '1' || text[i + 1] == '0')) {
      decoded += text[++i] == '1' ? '/' : '~';
    } else {
      decoded += text[i];
    }
  }
  const auto first = decoded.find_first_not_of('/');
  return first == std::string::npos ? std::string() : decoded.substr(first);
}

Result<std::string> log_group_of_arn(std::string_view arn) {
  constexpr std::string_view kMark = ":log-group:";
  const auto at = arn.find(kMark);
  if (!arn.starts_with("arn:") || at == std::string_view::npos) {
    return Error{
        Errc::kMalformed,
        fmt::format("expected the ARN of a log group, got \"{}\"; Firehose streams are not written to here", arn)};
  }
  auto group = arn.substr(at + kMark.size());
  if (group.ends_with(":*")) group.remove_suffix(2);
  // The group becomes a path below the log directory.
  if (group.empty() || group.find("..") != std::string_view::npos ||
      group.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_/.#") !=
          std::string_view::npos) {
    return Error{Errc::kMalformed, fmt::format("\"{}\" is not the name of a log group", group)};
  }
  return std::string(group);
}

std::optional<std::string> literal_of(std::string_view mapping) {
  if (mapping.size() < 2 || mapping.front() != '\'' || mapping.back() != '\'') return std::nullopt;
  return std::string(mapping.substr(1, mapping.size() - 2));
}

std::string with_stage_variables(std::string_view text, const std::map<std::string, std::string>& variables) {
  constexpr std::string_view kBegin = "${stageVariables.";
  std::string out;
  for (;;) {
    const auto at = text.find(kBegin);
    const auto end = at == std::string_view::npos ? at : text.find('}', at);
    if (end == std::string_view::npos) {
      out += text;
      return out;
    }
    out += text.substr(0, at);
    const auto found = variables.find(std::string(text.substr(at + kBegin.size(), end - at - kBegin.size())));
    if (found != variables.end()) out += found->second;
    text.remove_prefix(end + 1);
  }
}

}  // namespace securebase::gateway
