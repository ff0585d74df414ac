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

// Attributes that the provider fills when they are not written, which its documentation, where the list of names comes
// from, does not tell: those that public modules read. In schemas they are optional and computed.
struct Filled {
  std::string_view type;
  std::string_view path;
  std::string_view value;  // empty: an empty text; "?": as other computed attributes of that name
};
constexpr Filled kFilled[] = {
    {"eks_cluster", "version", "1.33"},
    {"eks_cluster", "kubernetes_network_config.ip_family", "ipv4"},
    {"eks_cluster", "kubernetes_network_config.service_ipv4_cidr", "172.20.0.0/16"},
    {"eks_cluster", "vpc_config.cluster_security_group_id", "?"},
    {"eks_addon", "addon_version", "?"},
    {"launch_template", "default_version", "1"},
    {"launch_template", "latest_version", "1"},
    {"vpc", "instance_tenancy", "default"},
    {"vpc", "ipv6_association_id", "?"},
    {"vpc", "ipv6_cidr_block", ""},
    {"vpc", "ipv6_cidr_block_network_border_group", ""},
    {"subnet", "availability_zone_id", "?"},
    {"subnet", "ipv6_cidr_block", ""},
    {"vpc_ipv6_cidr_block_association", "ipv6_cidr_block", "2001:db8:1234:1a00::/56"},
    {"instance", "private_ip", "?"},
    {"instance", "subnet_id", "?"},
    {"instance", "instance_type", "?"},
    {"instance", "ami", "?"},
    {"nat_gateway", "private_ip", "?"},
    {"network_interface", "private_ip", "?"},
    {"kms_key", "key_id", "?"},
    {"lb", "security_groups", "?"},
    {"lb", "subnets", "?"},
    {"lb", "zone_id", "?"},
    {"iam_role", "unique_id", "?"},
    {"iam_role", "path", "/"},
    {"cloudwatch_event_rule", "event_bus_name", "default"},
};

const Filled* filled(std::string_view type, std::string_view path) {
  const auto found = std::find_if(std::begin(kFilled), std::end(kFilled),
                                  [&](const Filled& one) { return one.type == type && one.path == path; });
  return found == std::end(kFilled) ? nullptr : found;
}

// Whether something below the block is filled when the block is not written.
bool fills_block(std::string_view type, std::string_view path) {
  return std::any_of(std::begin(kFilled), std::end(kFilled),
                     [&](const Filled& one) { return one.type == type && one.path.starts_with(path); });
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
      const Filled* fill = is_data_ ? nullptr : filled(short_type_, path + name);
      if (wanted || (fill && fill->value == "?")) {
        value = generated(name, known.type, path);
      } else if (fill && known.type == NameType::kNumber) {
        value = parse_number(fill->value).value_or(0);
      } else if (fill) {
        value = std::string(fill->value);
      }
    }
    for (const auto& [name, block] : provider.blocks) {
      Value& value = attributes[name];
      if (value.is_sequence() && value.size() > 0) {
        value = filled_list(value, block, path + name + ".", depth);
      } else if (value.is_null()) {
        value = Value::list();
        const bool unwritten = block.computed || is_data_ || fills_block(short_type_, path + name + ".");
        if (unwritten && !block.open && depth < 4 && name != "filter") {
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
        return name == "port" ? 443 : name.ends_with("_version") ? 1 : 0;
      case NameType::kBool:
        return false;
      case NameType::kList:
        return is_data_ && name == "ids" ? ids() : Value::list();
      case NameType::kMap:
        return Value::map();
      case NameType::kAny:
        return Value();
      case NameType::kString:
        return text(name, path);
    }
    return Value();
  }

  // Of all that a data source finds: as many as there are availability zones (builtin/identity.cc).
  Value ids() const {
    Value::List made;
    const std::string_view prefix = short_type_ == "subnets" ? "subnet-" : short_type_ == "vpcs" ? "vpc-" : "";
    for (const char zone : std::string_view("abc")) {
      made.emplace_back(fmt::format("{}{}", prefix, digits(std::string("ids.") + zone, 17)));
    }
    return made;
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
    // https://docs.aws.amazon.com/AmazonECS/latest/developerguide/retrieve-ecs-optimized_AMI.html
    if (short_type_ == "ssm_parameter" && (name == "value" || name == "insecure_value") && is_data_) {
      const std::string image = "ami-" + digits("image", 17);
      if (name_.ends_with("/recommended")) return fmt::format(R"({{"image_id":"{}","image_name":"{}"}})", image, name_);
      if (name_.ends_with("/image_id")) return image;
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
