#include "stack/provider/generated.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "stack/provider/asked.h"
#include "stack/provider/forms.h"

namespace securebase::stack {

namespace {

using NameType = ProviderBlock::Type;

constexpr std::string_view kHex = "0123456789abcdef";
constexpr std::string_view kLower = "abcdefghijklmnopqrstuvwxyz0123456789";
constexpr std::string_view kUpper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
constexpr int kDeepest = 8;  // of a form that names another attribute, which has a form: more is a circle

// What RDS and its like listen on where nothing else is written.
int customary_port(std::string_view type, std::string_view engine) {
  const auto has = [&](std::string_view word) { return engine.find(word) != std::string_view::npos; };
  if (type.starts_with("docdb")) return 27'017;
  if (type.starts_with("neptune")) return 8'182;
  if (type.starts_with("redshift")) return 5'439;
  if (type.starts_with("elasticache") || type.starts_with("memorydb")) return has("memcached") ? 11'211 : 6'379;
  if (has("postgres")) return 5'432;
  if (has("mysql") || has("maria")) return 3'306;
  if (has("oracle")) return 1'521;
  if (has("sqlserver")) return 1'433;
  return 443;
}

std::string_view behind_last(std::string_view text, std::string_view separators) {
  const auto at = text.find_last_of(separators);
  return at == std::string_view::npos ? text : text.substr(at + 1);
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const auto at = text.find(from);
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

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

// What the provider fills in when it is not written, where that is not the general thing of its name (forms.cc has the
// ids and ARNs), and what it fills in nested blocks, which the list of names does not tell.
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
    {"autoscaling_group", "desired_capacity", "{min_size}"},
    {"autoscaling_group", "default_cooldown", "300"},
    {"autoscaling_group", "health_check_type", "EC2"},
    {"db_instance", "storage_type", "gp2"},
    {"db_instance", "backup_window", "03:00-04:00"},
    {"db_instance", "maintenance_window", "sun:05:00-sun:06:00"},
    {"instance", "tenancy", "default"},
    {"instance", "instance_initiated_shutdown_behavior", "stop"},
    {"instance", "root_block_device.delete_on_termination", "true"},
    {"instance", "root_block_device.device_name", "/dev/xvda"},
    {"instance", "root_block_device.volume_id", "vol-{17}"},
    {"instance", "root_block_device.volume_size", "8"},
    {"instance", "root_block_device.volume_type", "gp2"},
    {"kms_key", "policy", "{default_key_policy}"},
    {"vpc", "cidr_block", "10.0.0.0/16"},
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
      : mode_(mode),
        is_data_(mode == Declaration::Mode::kData),
        context_(context),
        type_(type),
        short_type_(type.substr(type.find('_') + 1)),
        forms_(forms_of(short_type_)) {}

  void fill(Value::Map& attributes, const ProviderBlock& provider, const std::string& path, int depth) {
    if (path.empty()) learn(attributes);
    for (const auto& [name, known] : provider.attributes) {
      Value& value = attributes[name];
      if (!value.is_null()) continue;
      if (path.empty() && is_asked_outside(mode_, type_, name, name_)) {
        attributes.erase(name);
        continue;
      }
      const bool generated_ipv6 =
          name == "ipv6_cidr_block" && value_of(attributes, "assign_generated_ipv6_cidr_block") == Value(true);
      const bool formed = path.empty() && known.type == NameType::kString && !is_data_ && !form_of(name).empty();
      const bool wanted = known.computed || generated_ipv6 || formed ||
                          (path.empty() && (always_set(name) || (is_data_ && name != "filter")));
      const Filled* fill = is_data_ ? nullptr : filled(short_type_, path + name);
      if (fill && fill->value != "?" && !generated_ipv6) {
        value = expanded(fill->value, path + name, 0);
        if (known.type == NameType::kNumber) value = parse_number(value.string()).value_or(0);
        if (known.type == NameType::kBool) value = fill->value == "true";
      } else if (wanted || fill) {
        value = generated(name, known.type, path);
      } else if (known.filled && !is_data_) {
        value = filled_in(name, known.type);
      }
    }
    for (const auto& [name, block] : provider.blocks) {
      if (path.empty() && is_asked_outside(mode_, type_, name, name_)) {
        if (value_of(attributes, name).is_null()) attributes.erase(name);
        continue;
      }
      Value& value = attributes[name];
      if (path.empty() && name == "domain_validation_options" && value.is_null()) {
        value = validation_options(attributes);
        continue;
      }
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

  // What the object says of itself: what the forms are made from, and its name.
  void learn(const Value::Map& attributes) {
    attributes_ = &attributes;
    if (is_data_) {
      for (const auto& key : key_arguments(type_)) {
        auto text = value_of(attributes, key.argument).to_text();
        if (!text || text->empty()) continue;
        // A key may be named by its alias, which is no id, or by its ARN, in which the id is the last.
        if (key.attribute == "id" && text->starts_with("alias/")) continue;
        if (key.attribute == "id" && key.argument != "id") text = std::string(behind_last(*text, "/"));
        learned_.emplace(key.attribute, std::move(*text));
      }
    }
    name_ = written("name");
    if (name_.empty() && is_data_) name_ = name_in(written("arn"));
  }

  std::string name_in(std::string_view arn) const {
    // A secret's name has slashes of its own, and six characters of AWS behind it: secret:a/b-AbCdEf
    if (short_type_ == "secretsmanager_secret" && arn.size() > 7) {
      return std::string(behind_last(arn.substr(0, arn.size() - 7), ":"));
    }
    const bool balancer = arn.find(":loadbalancer/") != arn.npos || arn.find(":targetgroup/") != arn.npos;
    if (balancer) arn = arn.substr(0, arn.rfind('/'));
    return std::string(behind_last(arn, "/:"));
  }

  // The written attribute, or what an argument of the data source says in its place; "" when there is none.
  std::string written(std::string_view name) const {
    if (auto text = value_of(*attributes_, name).to_text(); text && !text->empty()) return *text;
    const auto learned = learned_.find(name);
    return learned == learned_.end() ? "" : learned->second;
  }

  std::string_view form_of(std::string_view attribute) const {
    const auto found =
        std::find_if(forms_.begin(), forms_.end(), [&](const Form& form) { return form.attribute == attribute; });
    return found == forms_.end() ? std::string_view() : found->pattern;
  }

  static bool is_arn(std::string_view attribute) {
    return attribute == "arn" || attribute.ends_with("_arn") || attribute.starts_with("arn_without");
  }

  std::string expanded(std::string_view pattern, const std::string& attribute, int depth) const {
    std::string made;
    while (!pattern.empty()) {
      const auto open = std::min(pattern.find('{'), pattern.size());
      made += pattern.substr(0, open);
      pattern.remove_prefix(open);
      if (pattern.empty()) break;
      const auto close = pattern.find('}');
      made += part(std::string(pattern.substr(1, close - 1)), attribute, depth);
      pattern.remove_prefix(close + 1);
    }
    return made;
  }

  std::string part(const std::string& name, const std::string& attribute, int depth) const {
    if (name == "region") return context_.region;
    if (name == "account") return context_.account;
    if (name == "partition") return context_.partition;
    if (name.starts_with("ID")) return digits(attribute, parse_number(name.substr(2)).value_or(0), kUpper);
    if (const auto length = parse_number(name)) {
      const auto count = static_cast<std::size_t>(*length);
      if (count == 36) return uuid(attribute);
      const bool hex = count == 8 || count == 16 || count == 17 || count == 32;
      return digits(attribute, count, hex ? kHex : kLower);
    }
    return depth > kDeepest ? "" : attribute_text(name, depth + 1);
  }

  std::string uuid(const std::string& attribute) const {
    std::string text = digits(attribute, 32);
    for (const std::size_t at : {8, 13, 18, 23}) text.insert(at, 1, '-');
    return text;
  }

  // Of the object itself: what is written, else what is made.
  std::string attribute_text(const std::string& name, int depth = 0) const {
    if (name == "id" && !context_.pinned_id.empty()) return context_.pinned_id;
    if (std::string text = written(name); !text.empty()) return text;
    if (auto special = joined(name, depth)) return *special;
    if (const auto form = form_of(name); !form.empty()) {
      const std::string text = expanded(form, name, depth);
      return is_arn(name) && !text.empty() && !text.starts_with("arn:")
                 ? fmt::format("arn:{}:{}", context_.partition, text)
                 : text;
    }
    if (name == "port") return fmt::format("{}", customary_port(short_type_, written("engine")));
    return plain_text(name, "");
  }

  // Parts of forms that are more than the text of an attribute.
  std::optional<std::string> joined(std::string_view name, int depth) const {
    if (name == "bus_part") {
      const std::string bus(behind_last(attribute_text("event_bus_name", depth), "/"));
      return bus == "default" ? "" : bus + "/";
    }
    if (name == "cluster_part") {
      const std::string cluster(behind_last(written("cluster"), "/"));
      return cluster.empty() ? "default/" : cluster + "/";
    }
    if (name == "lb_kind") {
      const std::string kind = written("load_balancer_type");
      return kind == "network" ? "net" : kind == "gateway" ? "gwy" : "app";
    }
    if (name == "arn_suffix") {
      const std::string own = written("arn");
      const auto at = own.find_last_of(':');
      if (at != std::string::npos) return replaced(own.substr(at + 1), "loadbalancer/", "");
    }
    if (name == "listener_arn_of") return replaced(written("load_balancer_arn"), ":loadbalancer/", ":listener/");
    if (name == "rule_arn_of") return replaced(written("listener_arn"), ":listener/", ":listener-rule/");
    if (name == "alias_key_arn") {
      const std::string key = attribute_text("target_key_id", depth);
      return key.starts_with("arn:") ? key : context_.arn("kms", "key/" + key);
    }
    if (name == "waf_place") {
      return written("scope") == "CLOUDFRONT" ? "us-east-1:" + context_.account + ":global"
                                              : context_.region + ":" + context_.account + ":regional";
    }
    if (name == "name_below_root") {
      const std::string own = attribute_text("name", depth);
      return own.starts_with('/') ? own : "/" + own;
    }
    if (name == "default_key_policy") {
      return fmt::format(
          R"({{"Version":"2012-10-17","Id":"key-default-1","Statement":[{{"Sid":"Enable IAM User Permissions",)"
          R"("Effect":"Allow","Principal":{{"AWS":"arn:{}:iam::{}:root"}},"Action":"kms:*","Resource":"*"}}]}})",
          context_.partition, context_.account);
    }
    return std::nullopt;
  }

  // One for each name of the certificate; a name and its wildcard are shown to be one's own by the same record.
  Value validation_options(const Value::Map& attributes) const {
    Value::List made;
    const std::string method = written("validation_method");
    if (!value_of(attributes, "private_key").is_null() || (!method.empty() && method != "DNS")) return made;
    std::vector<std::string> names = {written("domain_name")};
    const Value& others = value_of(attributes, "subject_alternative_names");
    if (others.is_sequence()) {
      for (const auto& other : others.elements()) names.push_back(other.to_text().value_or(""));
    }
    std::set<std::string> seen = {""};
    for (const auto& name : names) {
      if (!seen.insert(name).second) continue;
      const std::string base = name.starts_with("*.") ? name.substr(2) : name;
      made.push_back(Value::map(
          {{"domain_name", name},
           {"resource_record_name", fmt::format("_{}.{}.", digits("record " + base, 32), base)},
           {"resource_record_type", "CNAME"},
           {"resource_record_value", fmt::format("_{}.acm-validations.aws.", digits("validation " + base, 32))}}));
    }
    return made;
  }

  // What may be written and is not: most often a thing that is switched off, and only what every object of the kind has
  // gets a value.
  Value filled_in(const std::string& name, NameType type) const {
    if (type != NameType::kString) return generated(name, type, "");
    const bool has_one = name.ends_with("cidr_block") || name.ends_with("private_ip") || name == "vpc_id" ||
                         name == "subnet_id" || name == "availability_zone" || name == "engine_version" ||
                         name == "owner_id" || name == "account_id" || name == "region" || name == "arn" ||
                         name == "name" || name == "identifier" || name.ends_with("dns_name");
    return has_one && !name.starts_with("ipv6") ? Value(text(name, "")) : Value("");
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
    if (const auto form = form_of("id"); !form.empty()) return attribute_text("id");
    return name_.empty() ? digits("id", 26, kLower) : name_;
  }

  Value generated(const std::string& name, NameType type, const std::string& path) const {
    switch (type) {
      case NameType::kNumber:
        return name == "port" ? customary_port(short_type_, written("engine")) : name.ends_with("_version") ? 1 : 0;
      case NameType::kBool:
        return false;
      case NameType::kList:
        return is_data_ && name == "ids" ? ids() : list(name);
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

  // Lists that are never empty in AWS.
  Value list(std::string_view name) const {
    Value::List made;
    if (name == "name_servers") {
      for (const int i : {1, 2, 3, 4}) {
        static constexpr std::string_view kTops[] = {"com", "net", "org", "co.uk"};
        made.emplace_back(fmt::format("ns-{}.awsdns-{:02}.{}", 200 * i, 10 * i, kTops[i - 1]));
      }
    } else if (name == "network_interface_ids" && written("vpc_endpoint_type") == "Interface") {
      const std::size_t count = std::max<std::size_t>(1, value_of(*attributes_, "subnet_ids").size());
      for (std::size_t i = 0; i < count; ++i) {
        made.emplace_back("eni-" + digits(fmt::format("{}.{}", name, i), 17));
      }
    } else if (name == "dkim_tokens") {
      for (const int i : {1, 2, 3}) made.emplace_back(digits(fmt::format("{}.{}", name, i), 32, kLower));
    } else if (name == "vpc_security_group_ids") {
      made.emplace_back("sg-" + digits(std::string(name), 17));
    } else if (name == "availability_zones") {
      for (const char zone : {'a', 'b', 'c'}) made.emplace_back(context_.region + zone);
    }
    return made;
  }

  std::string service() const { return short_type_.substr(0, short_type_.find('_')); }

  std::string arn() const {
    if (!form_of("arn").empty()) return attribute_text("arn");
    const std::string own = id();
    if (service() == "iam")
      return fmt::format("arn:{}:iam::{}:{}/{}", context_.partition, context_.account, last_word(), own);
    return context_.arn(service(), last_word() + "/" + own);
  }

  std::string last_word() const {
    const auto at = short_type_.find('_');
    std::string rest = at == std::string::npos ? short_type_ : short_type_.substr(at + 1);
    std::replace(rest.begin(), rest.end(), '_', '-');
    return rest;
  }

  std::string text(const std::string& name, const std::string& path) const {
    return path.empty() ? attribute_text(name) : plain_text(name, path);
  }

  // Where the type has no form for it: by the name alone.
  std::string plain_text(const std::string& name, const std::string& path) const {
    if (path.empty() && name == "id") return id();
    if (name == "arn" || name == "qualified_arn" || name == "invoke_arn") return arn();
    if (name.ends_with("_arn"))
      return context_.arn(service(), name.substr(0, name.size() - 4) + "/" + digits(path + name, 12));
    if (name == "region") return context_.region;
    if (name == "partition") return context_.partition;
    if (name == "owner_id" || name == "account_id" || name == "registry_id") return context_.account;
    if (name == "availability_zone") return context_.region + "a";
    if (name == "name" || name == "bucket" || name == "identifier" || name == "function_name") {
      if (!name_.empty()) return name_;
      const std::string prefix = written(name == "name" ? "name_prefix" : name + "_prefix");
      return prefix.empty() ? fmt::format("{}-{}", service(), digits("name", 12)) : prefix + digits("name", 26, kLower);
    }
    if (name.ends_with("endpoint") || name.ends_with("domain_name") || name.ends_with("dns_name") ||
        name == "address") {
      return fmt::format("{}.{}.{}.amazonaws.com", behind_last(id(), ":/"), service(), context_.region);
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
      if (name_.starts_with("/aws/service/aws-for-fluent-bit/")) {
        return fmt::format("906394416424.dkr.ecr.{}.amazonaws.com/aws-for-fluent-bit:{}", context_.region,
                           behind_last(name_, "/"));
      }
      return name_.ends_with("/release_version") ? "1.33.0-20260101" : image;
    }
    if (name == "data" || name.ends_with("base64")) return "";
    if (name == "json" || name == "policy") return "{}";
    if (name == "status" || name == "state") return "ACTIVE";
    if (name == "version") return "1";
    return digits(path + name, 16);
  }

  const Declaration::Mode mode_;
  const bool is_data_;
  const Context& context_;
  const std::string type_;
  const std::string short_type_;
  const std::span<const Form> forms_;
  // Of the object at the top, once learn() saw it.
  const Value::Map* attributes_ = nullptr;
  std::map<std::string, std::string, std::less<>> learned_;
  std::string name_;
};

}  // namespace

void complete(Value::Map& attributes, const ProviderBlock& provider, Declaration::Mode mode, const std::string& type,
              const Context& context) {
  Completer(mode, type, context).fill(attributes, provider, "", 0);
}

}  // namespace securebase::stack
