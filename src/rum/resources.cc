// aws_rum_app_monitor.
#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "base/hash.h"
#include "rum/rum.h"
#include "stack/declare.h"

namespace securebase::rum {

namespace {

struct Sampling {
  double session_sample_rate = 0.1;  // the service's own
};

struct AppMonitor {
  std::string name;
  std::string domain;
  std::vector<std::string> domain_list;
  Sampling sampling;
  bool cw_log_enabled = false;
  std::map<std::string, std::string> tags;
};

std::string monitor_id(const AppMonitor& monitor) {
  const auto digest = base::hex(base::sha256("app monitor " + monitor.name));
  return fmt::format("{}-{}-{}-{}-{}", digest.substr(0, 8), digest.substr(8, 4), digest.substr(12, 4),
                     digest.substr(16, 4), digest.substr(20, 12));
}

// As CloudWatch RUM names it.
std::string log_group(const AppMonitor& monitor) {
  return fmt::format("/aws/vendedlogs/RUMService_{}{}", monitor.name, monitor_id(monitor).substr(0, 8));
}

auto sampling_block() {
  auto block = stack::block<Sampling>("app_monitor_configuration")
                   .attribute("session_sample_rate", &Sampling::session_sample_rate, 0.1, stack::between(0.0, 1.0),
                              "The share of page loads that are measured, by chance.");
  block.known("allow_cookies", "no cookie is ever set")
      .known("enable_xray", "page views always name their traces")
      .known("excluded_pages", "what is measured is where the script tag is")
      .known("included_pages", "what is measured is where the script tag is")
      .known("favorite_pages")
      .known("guest_role_arn", "beacons need no credentials")
      .known("identity_pool_id", "beacons need no credentials")
      .known("telemetries", "timings, vitals and a count of errors, in one beacon");
  return block;
}

auto monitor_block() {
  return stack::resource<AppMonitor>("aws_rum_app_monitor", "rum",
                                     "Page loads of a web application, as its visitors' browsers saw them.")
      .required("name", &AppMonitor::name, stack::matches("[.\\-_/#A-Za-z0-9]{1,255}"),
                "Its name, the dimension application_name of its metrics.")
      .replaces()
      .attribute("domain", &AppMonitor::domain, "", stack::length(0, 253),
                 "The host that its pages are asked at: localhost, www.example.com, *.example.com.")
      .attribute("domain_list", &AppMonitor::domain_list, {}, "The hosts, where they are several.")
      .nested(sampling_block(), &AppMonitor::sampling, "How much is measured.")
      .attribute("cw_log_enabled", &AppMonitor::cw_log_enabled, false, "Each page view is a line of a log group too.")
      .attribute("tags", &AppMonitor::tags, {}, "Labels.")
      .known("custom_events", "a beacon has no events of one's own")
      .computed("id", [](const AppMonitor& monitor) { return monitor.name; })
      .computed("arn", [](const AppMonitor& monitor,
                          const stack::Context& context) { return context.arn("rum", "appmonitor/" + monitor.name); })
      .computed("app_monitor_id", monitor_id)
      .computed("cw_log_group",
                [](const AppMonitor& monitor) { return monitor.cw_log_enabled ? log_group(monitor) : std::string(); })
      .rule("One of domain and domain_list is set.",
            [](const AppMonitor& monitor) { return monitor.domain.empty() != monitor.domain_list.empty(); });
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return text;
}

}  // namespace

void declare(stack::Catalogue& catalogue) { catalogue.add(monitor_block()); }

Result<std::shared_ptr<const Config>, stack::Diagnostics> configure(const stack::Stack& stack) {
  auto made = std::make_shared<Config>();
  stack::Diagnostics problems;
  std::map<std::string, std::string> owners;  // by domain, and by name
  const auto claim = [&](const std::string& what, const stack::Resource& resource) {
    const auto [at, is_new] = owners.try_emplace(what, resource.address);
    if (!is_new) {
      problems.error("App monitor declared twice",
                     fmt::format("{} and {} both claim {}; a page view belongs to one of them.", at->second,
                                 resource.address, what),
                     resource.range());
    }
  };
  for (const auto& found : stack.all<AppMonitor>("aws_rum_app_monitor")) {
    Monitor monitor;
    monitor.name = found.value.name;
    claim(fmt::format("the name \"{}\"", monitor.name), found.resource);
    if (!found.value.domain.empty()) monitor.domains.push_back(lower(found.value.domain));
    for (const auto& domain : found.value.domain_list) monitor.domains.push_back(lower(domain));
    for (const auto& domain : monitor.domains) claim(fmt::format("the domain \"{}\"", domain), found.resource);
    monitor.sample_rate = found.value.sampling.session_sample_rate;
    if (found.value.cw_log_enabled) monitor.log_group = log_group(found.value);
    monitor.id = monitor_id(found.value);
    monitor.tags = found.value.tags;
    made->monitors.push_back(std::move(monitor));
  }
  if (problems.has_errors()) return problems;
  return std::shared_ptr<const Config>(std::move(made));
}

}  // namespace securebase::rum
