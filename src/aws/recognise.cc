#include "aws/recognise.h"

#include <fmt/format.h>

#include "base/check.h"

namespace securebase::aws {

Recogniser::Recogniser() : s3_(find_service("s3")) {
  check(s3_ != nullptr, "S3 is among the models");
  for (const auto& service : services()) {
    check(by_signing_name_.emplace(service.signing_name, &service).second, "signing names are unique");
    for (const auto prefix : service.target_prefixes) by_target_prefix_.emplace(prefix, &service);
    if (service.protocol == Protocol::kRestJson || service.protocol == Protocol::kRestXml) {
      routes_.emplace(service.name, Routes(service));
    }
  }
}

void Recogniser::take_head(Target& target, const http::Request& request,
                           const std::optional<Authorization>& authorization) const {
  if (authorization) {
    const auto found = by_signing_name_.find(authorization->service);
    if (found != by_signing_name_.end()) target.service = found->second;
  }
  target.query_compatible = request.headers.has("x-amzn-query-mode");
  if (take_target_header(target, request) || take_rpc_path(target, request)) return;
  const auto type = request.headers.get("Content-Type").value_or("");
  const bool form = type.starts_with("application/x-www-form-urlencoded");
  if (!target.service || target.service->speaks(Protocol::kQuery)) {
    if (take_action(target, target.query)) return;
    if (target.service || (form && request.path == "/")) {
      target.protocol = Protocol::kQuery;
      return;
    }
  }
  take_route(target, request);
}

bool Recogniser::take_target_header(Target& target, const http::Request& request) const {
  const auto header = request.headers.get("X-Amz-Target");
  if (!header) return false;
  const auto dot = std::min(header->rfind('.'), header->size());
  const auto found = by_target_prefix_.find(header->substr(0, dot));
  if (found == by_target_prefix_.end() && !(target.service && target.service->speaks(Protocol::kJson))) return false;
  if (found != by_target_prefix_.end()) target.service = found->second;
  target.protocol = Protocol::kJson;
  target.operation_name = header->substr(std::min(dot + 1, header->size()));
  target.operation = found == by_target_prefix_.end() ? nullptr : target.service->find(target.operation_name);
  return true;
}

// POST /service/{service}/operation/{operation}
bool Recogniser::take_rpc_path(Target& target, const http::Request& request) const {
  if (request.headers.get("smithy-protocol").value_or("") != "rpc-v2-cbor") return false;
  constexpr std::string_view kService = "/service/", kOperation = "/operation/";
  const auto begin = request.path.rfind(kService);
  const auto middle = request.path.rfind(kOperation);
  if (begin == std::string_view::npos || middle == std::string_view::npos || middle < begin) return false;
  const auto name = request.path.substr(begin + kService.size(), middle - begin - kService.size());
  // A prefix with dots may stand before the service's name.
  const auto found = by_target_prefix_.find(name.substr(name.rfind('.') + 1));
  if (found != by_target_prefix_.end()) target.service = found->second;
  if (!target.service) return false;
  target.protocol = Protocol::kCbor;
  target.operation_name = request.path.substr(middle + kOperation.size());
  target.operation = found == by_target_prefix_.end() ? nullptr : target.service->find(target.operation_name);
  return true;
}

bool Recogniser::take_action(Target& target, const std::vector<Parameter>& parameters) const {
  const auto* action = find_parameter(parameters, "Action");
  if (!action || action->empty()) return false;
  const auto* version = find_parameter(parameters, "Version");
  if (!target.service) {
    // Versions are dates, and no two services share one.
    for (const auto& service : services()) {
      if (service.protocol == Protocol::kQuery && version && service.version == *version) target.service = &service;
    }
    if (!target.service) return false;
  }
  target.protocol = Protocol::kQuery;
  target.operation_name = *action;
  target.operation = target.service->find(*action);
  return true;
}

void Recogniser::take_form(Target& target) const { take_action(target, target.form); }

void Recogniser::take_route(Target& target, const http::Request& request) const {
  if (!target.service) {
    for (const auto& [name, routes] : routes_) {
      if (name != "s3" && routes.knows_path(request.path)) target.service = find_service(name);
    }
  }
  if (!target.service) target.service = s3_;
  const auto routes = routes_.find(target.service->name);
  if (routes == routes_.end()) {  // a service without paths, called by one
    target.protocol = target.service->protocol;
    target.operation_name = fmt::format("{} {}", request.method_name, request.path.substr(0, 200));
    return;
  }
  target.protocol = target.service->protocol;
  std::string rewritten;
  std::string_view path = request.path;
  if (target.service == s3_) {
    if (auto with_bucket = path_of_virtual_host(request.authority, path)) path = rewritten = std::move(*with_bucket);
  }
  auto found = routes->second.find(request.method_name, path, target.query, request.headers);
  if (!found) {
    target.operation_name = fmt::format("{} {}", request.method_name, path.substr(0, 200));
    return;
  }
  target.operation = found->operation;
  target.operation_name = found->operation->name;
  target.labels = std::move(found->labels);
}

std::optional<std::string> Recogniser::path_of_virtual_host(std::string_view authority, std::string_view path) {
  const auto host = authority.substr(0, authority.rfind(':'));
  std::string_view bucket;
  if (host.ends_with(".localhost")) {
    bucket = host.substr(0, host.size() - std::string_view(".localhost").size());
    if (bucket == "s3") return std::nullopt;
    if (bucket.ends_with(".s3")) bucket.remove_suffix(3);
  } else if (host.ends_with(".amazonaws.com")) {
    // bucket.s3.amazonaws.com, bucket.s3.us-east-1.amazonaws.com, bucket.s3-us-west-2.amazonaws.com
    auto at = host.rfind(".s3.");
    if (at == std::string_view::npos) at = host.rfind(".s3-");
    if (at == std::string_view::npos) return std::nullopt;
    bucket = host.substr(0, at);
  }
  if (bucket.empty()) return std::nullopt;
  return fmt::format("/{}{}", bucket, path);
}

}  // namespace securebase::aws
