#include "stack/provider/generated.h"

#include <fmt/format.h>

#include <algorithm>

namespace securebase::stack {

namespace {

using NameType = ProviderBlock::Type;

constexpr std::string_view kHex = "0123456789abcdef";

// Attributes that the configuration may set, and that always have a value in the end.
bool always_set(std::string_view name) {
  static constexpr std::string_view kNames[] = {"id",
                                                "arn",
                                                "name",
                                                "bucket",
                                                "region",
                                                "identifier",
                                                "cluster_identifier",
                                                "availability_zone",
                                                "port",
                                                "engine_version",
                                                "function_name",
                                                "family"};
  return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames);
}

class Completer {
 public:
  Completer(Declaration::Mode mode, const std::string& type, const Context& context)
      : is_data_(mode == Declaration::Mode::kData), context_(context), short_type_(type.substr(type.find('_') + 1)) {}

  void fill(Value::Map& attributes, const ProviderBlock& provider, const std::string& path, int depth) {
    if (path.empty()) {
      const Value& name = value_of(attributes, "name");
      if (name.is_string()) name_ = name.string();
    }
    for (const auto& [name, known] : provider.attributes) {
      Value& value = attributes[name];
      if (!value.is_null()) continue;
      const bool generated_ipv6 =
          name == "ipv6_cidr_block" && value_of(attributes, "assign_generated_ipv6_cidr_block") == Value(true);
      const bool wanted =
          known.computed || generated_ipv6 || (path.empty() && (always_set(name) || (is_data_ && name != "filter")));
      if (wanted) value = generated(name, known.type, path);
    }
    for (const auto& [name, block] : provider.blocks) {
      Value& value = attributes[name];
      if (value.is_sequence() && value.size() > 0) {
        value = filled_list(value, block, path + name + ".", depth);
      } else if (value.is_null()) {
        value = Value::list();
        if ((block.computed || is_data_) && !block.open && depth < 4 && name != "filter") {
          Value::Map one;
          fill(one, block, path + name + ".", depth + 1);
          value = Value::list({Value(std::move(one))});
        }
      }
    }
  }

 private:
  static const Value& value_of(const Value::Map& map, std::string_view name) {
    static const Value kNone;
    const auto found = map.find(name);
    return found == map.end() ? kNone : found->second;
  }

  Value filled_list(const Value& list, const ProviderBlock& block, const std::string& path, int depth) {
    Value::List made;
    for (const auto& element : list.elements()) {
      if (!element.is_map()) return list;
      Value::Map one = element.members();
      fill(one, block, path, depth + 1);
      made.push_back(Value(std::move(one)).marked(element.sensitive()));
    }
    return Value(std::move(made)).marked(list.sensitive());
  }

  // Another text for every attribute, the same for every run.
  std::string digits(const std::string& name, std::size_t length, std::string_view alphabet = kHex) const {
    Context own = context_;
    own.pinned_id.clear();
    own.address += "#" + name;
    return own.id(length, alphabet);
  }

  std::string id() const {
    if (!context_.pinned_id.empty()) return context_.pinned_id;
    if (!name_.empty()) return name_;
    static constexpr std::pair<std::string_view, std::string_view> kPrefixes[] = {
        {"vpc", "vpc"},
        {"default_vpc", "vpc"},
        {"subnet", "subnet"},
        {"security_group", "sg"},
        {"default_security_group", "sg"},
        {"internet_gateway", "igw"},
        {"nat_gateway", "nat"},
        {"route_table", "rtb"},
        {"default_route_table", "rtb"},
        {"eip", "eipalloc"},
        {"instance", "i"},
        {"network_interface", "eni"},
        {"network_acl", "acl"},
        {"vpc_endpoint", "vpce"},
        {"launch_template", "lt"},
        {"ami", "ami"},
        {"ebs_volume", "vol"},
        {"egress_only_internet_gateway", "eigw"},
        {"vpc_dhcp_options", "dopt"},
        {"flow_log", "fl"},
        {"security_group_rule", "sgrule"},
        {"customer_gateway", "cgw"},
        {"vpn_gateway", "vgw"},
        {"vpc_security_group_ingress_rule", "sgr"},
        {"vpc_security_group_egress_rule", "sgr"}};
    for (const auto& [type, prefix] : kPrefixes) {
      if (short_type_ == type) return fmt::format("{}-{}", prefix, digits("id", 17));
    }
    return digits("id", 26, "abcdefghijklmnopqrstuvwxyz0123456789");
  }

  Value generated(const std::string& name, NameType type, const std::string& path) const {
    switch (type) {
      case NameType::kNumber:
        return name == "port" ? 443 : 0;
      case NameType::kBool:
        return false;
      case NameType::kList:
        return Value::list();
      case NameType::kMap:
        return Value::map();
      case NameType::kAny:
        return Value();
      case NameType::kString:
        return text(name, path);
    }
    return Value();
  }

  std::string service() const { return short_type_.substr(0, short_type_.find('_')); }

  std::string arn() const {
    const std::string own = id();
    if (service() == "iam")
      return fmt::format("arn:{}:iam::{}:{}/{}", context_.partition, context_.account, last_word(), own);
    if (short_type_.starts_with("s3_bucket")) return fmt::format("arn:{}:s3:::{}", context_.partition, own);
    // What an API's stage writes its access log to.
    if (short_type_ == "cloudwatch_log_group")
      return context_.arn("logs", "log-group:" + (name_.empty() ? own : name_));
    return context_.arn(service(), last_word() + "/" + own);
  }

  std::string last_word() const {
    const auto at = short_type_.find('_');
    std::string rest = at == std::string::npos ? short_type_ : short_type_.substr(at + 1);
    std::replace(rest.begin(), rest.end(), '_', '-');
    return rest;
  }

  Value text(const std::string& name, const std::string& path) const {
    if (path.empty() && name == "id") return id();
    if (name == "arn" || name == "qualified_arn" || name == "invoke_arn") return arn();
    if (name.ends_with("_arn"))
      return context_.arn(service(), name.substr(0, name.size() - 4) + "/" + digits(path + name, 12));
    if (name == "region") return context_.region;
    if (name == "partition") return context_.partition;
    if (name == "owner_id" || name == "account_id" || name == "registry_id") return context_.account;
    if (name == "availability_zone") return context_.region + "a";
    if (name == "name" || name == "bucket" || name == "identifier" || name == "function_name") {
      return name_.empty() ? fmt::format("{}-{}", service(), digits("name", 12)) : name_;
    }
    if (name.ends_with("endpoint") || name.ends_with("domain_name") || name.ends_with("dns_name") ||
        name == "address") {
      return fmt::format("{}.{}.{}.amazonaws.com", id(), service(), context_.region);
    }
    if (name.ends_with("url") || name == "issuer") {
      return fmt::format("https://{}.{}.amazonaws.com/{}", service(), context_.region, digits(path + name, 12));
    }
    if (name == "ipv6_cidr_block") return "2001:db8:1234:1a00::/56";
    if (name.ends_with("cidr_block") || name == "cidr") return "10.0.0.0/16";
    if (name.ends_with("_ip")) return "10.0.0.10";
    if (name.ends_with("_id")) return digits(path + name, 17);
    if (name.starts_with("create") || name.ends_with("_date") || name.ends_with("_at") || name.ends_with("_time")) {
      return "2026-01-01T00:00:00Z";
    }
    if (name == "data" || name.ends_with("base64")) return "";
    if (name == "json" || name == "policy") return "{}";
    if (name == "status" || name == "state") return "ACTIVE";
    if (name == "version") return "1";
    return digits(path + name, 16);
  }

  const bool is_data_;
  const Context& context_;
  const std::string short_type_;
  std::string name_;
};

}  // namespace

void complete(Value::Map& attributes, const ProviderBlock& provider, Declaration::Mode mode, const std::string& type,
              const Context& context) {
  Completer(mode, type, context).fill(attributes, provider, "", 0);
}

}  // namespace securebase::stack
