#include "stack/provider/asked.h"

#include <fmt/format.h>

#include <algorithm>

namespace securebase::stack {

namespace {

using Mode = Declaration::Mode;

struct Asked {
  Mode mode;
  std::string_view type;
  std::string_view attribute;
};
constexpr Asked kAsked[] = {
    {Mode::kData, "aws_secretsmanager_secret_version", "secret_string"},
    {Mode::kData, "aws_secretsmanager_secret_version", "secret_binary"},
    {Mode::kData, "aws_ssm_parameter", "value"},
    {Mode::kData, "aws_ssm_parameter", "insecure_value"},
    {Mode::kData, "aws_ssm_parameters_by_path", "names"},
    {Mode::kData, "aws_ssm_parameters_by_path", "values"},
    {Mode::kData, "aws_lambda_invocation", "result"},
    {Mode::kResource, "aws_lambda_invocation", "result"},
    {Mode::kData, "aws_kms_secrets", "plaintext"},
    {Mode::kData, "aws_s3_object", "body"},
    {Mode::kData, "aws_s3_object", "body_base64"},
    {Mode::kData, "aws_s3_bucket_object", "body"},
    {Mode::kData, "aws_dynamodb_table_item", "item"},
    {Mode::kData, "aws_cloudformation_export", "value"},
    {Mode::kData, "aws_cloudformation_stack", "outputs"},
    {Mode::kData, "aws_emr_release_labels", "release_labels"},
    {Mode::kData, "aws_emr_supported_instance_types", "supported_instance_types"},
    {Mode::kData, "aws_mq_broker_engine_types", "broker_engine_types"},
    {Mode::kData, "aws_mq_broker_instance_type_offerings", "broker_instance_options"},
};

bool is_public_image(std::string_view parameter) {
  return parameter.starts_with("/aws/service/") &&
         (parameter.find("ami") != std::string_view::npos || parameter.ends_with("image_id") ||
          parameter.starts_with("/aws/service/aws-for-fluent-bit/"));
}

struct Key {
  std::string_view type;
  std::string_view argument;
  std::string_view attribute;
};
// Where argument and attribute are not one name, or the name is not one of those that all types have (kCommonKeys).
constexpr Key kKeys[] = {
    {"aws_acm_certificate", "domain", "domain_name"},
    {"aws_apigatewayv2_api", "api_id", "id"},
    {"aws_cloudfront_distribution", "id", "id"},
    {"aws_codecommit_repository", "repository_name", "repository_name"},
    {"aws_cognito_identity_pool", "identity_pool_name", "identity_pool_name"},
    {"aws_cognito_user_pool", "user_pool_id", "id"},
    {"aws_db_instance", "db_instance_identifier", "identifier"},
    {"aws_db_snapshot", "db_snapshot_identifier", "db_snapshot_identifier"},
    {"aws_ebs_volume", "volume_id", "id"},
    {"aws_ecs_cluster", "cluster_name", "name"},
    {"aws_ecs_service", "service_name", "name"},
    {"aws_ecs_task_definition", "task_definition", "family"},
    {"aws_efs_access_point", "access_point_id", "id"},
    {"aws_efs_file_system", "file_system_id", "id"},
    {"aws_efs_mount_target", "mount_target_id", "id"},
    {"aws_eks_node_group", "node_group_name", "node_group_name"},
    {"aws_elasticache_cluster", "cluster_id", "cluster_id"},
    {"aws_elasticache_replication_group", "replication_group_id", "replication_group_id"},
    {"aws_elasticsearch_domain", "domain_name", "domain_name"},
    {"aws_iam_group", "group_name", "name"},
    {"aws_iam_user", "user_name", "name"},
    {"aws_instance", "instance_id", "id"},
    {"aws_internet_gateway", "internet_gateway_id", "id"},
    {"aws_key_pair", "key_name", "key_name"},
    {"aws_kms_key", "key_id", "id"},
    {"aws_lambda_alias", "function_name", "function_name"},
    {"aws_lambda_function", "function_name", "function_name"},
    {"aws_lambda_layer_version", "layer_name", "layer_name"},
    {"aws_mq_broker", "broker_id", "id"},
    {"aws_mq_broker", "broker_name", "broker_name"},
    {"aws_msk_cluster", "cluster_name", "cluster_name"},
    {"aws_opensearch_domain", "domain_name", "domain_name"},
    {"aws_rds_cluster", "cluster_identifier", "cluster_identifier"},
    {"aws_redshift_cluster", "cluster_identifier", "cluster_identifier"},
    {"aws_route53_zone", "zone_id", "zone_id"},
    {"aws_route_table", "route_table_id", "id"},
    {"aws_s3_bucket", "bucket", "bucket"},
    {"aws_s3_bucket_object", "bucket", "bucket"},
    {"aws_s3_bucket_object", "key", "key"},
    {"aws_s3_bucket_policy", "bucket", "bucket"},
    {"aws_s3_object", "bucket", "bucket"},
    {"aws_s3_object", "key", "key"},
    {"aws_secretsmanager_secret_version", "secret_id", "secret_id"},
    {"aws_security_group", "vpc_id", "vpc_id"},
    {"aws_transfer_server", "server_id", "id"},
    {"aws_wafv2_ip_set", "scope", "scope"},
    {"aws_wafv2_web_acl", "scope", "scope"},
};
constexpr std::string_view kCommonKeys[] = {"id", "arn", "name"};

// Types whose objects are everywhere, whatever region the provider has.
bool is_global(std::string_view type) {
  return type.starts_with("aws_s3_bucket") || type.starts_with("aws_iam_") || type.starts_with("aws_route53_") ||
         type.starts_with("aws_cloudfront_");
}

std::string text_of(const Value& object, std::string_view name) {
  std::string text = object[name].to_text().value_or("");
  // Route 53 takes and gives the dot of the root.
  if (name.find("name") != std::string_view::npos && text.ends_with('.')) text.pop_back();
  return text;
}

// One of the ways to say which secret or key is meant: its ARN, its id, its name.
bool is_same(std::string_view type, std::string_view a, std::string_view b, const std::vector<Resource>& resources) {
  if (a == b) return true;
  const std::string_view whose = type == "aws_secretsmanager_secret_version" ? "aws_secretsmanager_secret"
                                 : type == "aws_kms_key"                     ? "aws_kms_key"
                                                                             : "";
  if (whose.empty()) return false;
  return std::any_of(resources.begin(), resources.end(), [&](const Resource& one) {
    if (one.mode != Mode::kResource) return false;
    if (type == "aws_kms_key" && one.type == "aws_kms_alias") {
      return text_of(one.attributes, "name") == a &&
             (text_of(one.attributes, "target_key_id") == b ||
              text_of(one.attributes, "target_key_arn").ends_with("/" + std::string(b)));
    }
    if (one.type != whose) return false;
    const auto named = [&](std::string_view text) {
      return text == text_of(one.attributes, "arn") || text == text_of(one.attributes, "id") ||
             text == text_of(one.attributes, "name");
    };
    return named(a) && named(b);
  });
}

}  // namespace

bool is_asked_outside(Mode mode, std::string_view type, std::string_view attribute, std::string_view name) {
  const bool asked = std::any_of(std::begin(kAsked), std::end(kAsked), [&](const Asked& one) {
    return one.mode == mode && one.type == type && one.attribute == attribute;
  });
  return asked && !(type == "aws_ssm_parameter" && is_public_image(name));
}

std::string asked_outside(std::string_view type, std::string_view attribute) {
  return fmt::format(
      "The attribute \"{}\" of {} is in none of the stack's files, and reading a stack asks nobody. Declare in the "
      "stack what it reads and refer to that (or name it in depends_on, so that it is read first), or put the value "
      "into a variable.",
      attribute, type);
}

std::vector<KeyArgument> key_arguments(std::string_view type) {
  std::vector<KeyArgument> keys;
  for (const auto& key : kKeys) {
    if (key.type == type) keys.push_back({key.argument, key.attribute});
  }
  for (const auto common : kCommonKeys) keys.push_back({common, common});
  return keys;
}

const Resource* meant_by(const Resource& data, const std::vector<Resource>& resources) {
  std::vector<std::pair<std::string, std::string_view>> wanted;
  const Value written = data.body.as_value();
  for (const auto& key : key_arguments(data.type)) {
    if (auto text = text_of(written, key.argument); !text.empty()) wanted.emplace_back(std::move(text), key.attribute);
  }
  if (wanted.empty()) return nullptr;
  // Of several, as versions of one secret are, the one that was read last.
  for (auto one = resources.rbegin(); one != resources.rend(); ++one) {
    if (one->mode != Mode::kResource || one->type != data.type) continue;
    if (one->region != data.region && !is_global(data.type)) continue;
    if (data.type == "aws_route53_zone" &&
        (written["private_zone"] == Value(true)) != (one->attributes["vpc"].size() > 0)) {
      continue;
    }
    const bool all = std::all_of(wanted.begin(), wanted.end(), [&](const auto& key) {
      return is_same(data.type, key.first, text_of(one->attributes, key.second), resources);
    });
    if (all) return &*one;
  }
  return nullptr;
}

Value attribute_for(const Resource& data, std::string_view attribute, const Resource& resource) {
  const Value& own = resource.attributes[attribute];
  const bool is_parameter = data.type == "aws_ssm_parameter" && attribute == "value";
  const bool is_object = attribute == "body" && resource.attributes["source"].is_null();
  Value found = own;
  if (found.is_null() && attribute == "secret_string") found = resource.attributes["secret_string_wo"];
  if (found.is_null() && is_parameter) found = resource.attributes["insecure_value"];
  if (found.is_null() && is_parameter) found = resource.attributes["value_wo"];
  if (found.is_null() && is_object) found = resource.attributes["content"];
  const bool secret = (is_parameter && resource.attributes["type"] == Value("SecureString")) ||
                      (data.type == "aws_secretsmanager_secret_version" && attribute.starts_with("secret_"));
  return found.is_null() ? found : found.marked(found.sensitive() || (secret && attribute != "secret_id"));
}

}  // namespace securebase::stack
