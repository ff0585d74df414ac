// Lambda's operations by their names. What each does is in api/.
#include "functions/api/lambda_api.h"

namespace securebase::functions {

namespace {

using Method = aws::Outcome (LambdaApi::*)(const aws::Call& call);

struct Operation {
  const char* name;
  Method method;
  const char* listed_by = nullptr;  // a list in pages: the member that tells its elements apart
};

constexpr Operation kOperations[] = {
    {"CreateFunction", &LambdaApi::create_function},
    {"GetFunction", &LambdaApi::get_function},
    {"GetFunctionConfiguration", &LambdaApi::get_function_configuration},
    {"ListFunctions", &LambdaApi::list_functions, "FunctionArn"},
    {"UpdateFunctionCode", &LambdaApi::update_function_code},
    {"UpdateFunctionConfiguration", &LambdaApi::update_function_configuration},
    {"DeleteFunction", &LambdaApi::delete_function},
    {"PublishVersion", &LambdaApi::publish_version},
    {"ListVersionsByFunction", &LambdaApi::list_versions_by_function},
    {"CreateAlias", &LambdaApi::create_alias},
    {"GetAlias", &LambdaApi::get_alias},
    {"ListAliases", &LambdaApi::list_aliases, "Name"},
    {"UpdateAlias", &LambdaApi::update_alias},
    {"DeleteAlias", &LambdaApi::delete_alias},
    {"PublishLayerVersion", &LambdaApi::publish_layer_version},
    {"ListLayers", &LambdaApi::list_layers, "LayerName"},
    {"ListLayerVersions", &LambdaApi::list_layer_versions},
    {"GetLayerVersion", &LambdaApi::get_layer_version},
    {"GetLayerVersionByArn", &LambdaApi::get_layer_version_by_arn},
    {"DeleteLayerVersion", &LambdaApi::delete_layer_version},
    {"PutFunctionConcurrency", &LambdaApi::put_function_concurrency},
    {"GetFunctionConcurrency", &LambdaApi::get_function_concurrency},
    {"DeleteFunctionConcurrency", &LambdaApi::delete_function_concurrency},
    {"PutProvisionedConcurrencyConfig", &LambdaApi::put_provisioned_concurrency},
    {"GetProvisionedConcurrencyConfig", &LambdaApi::get_provisioned_concurrency},
    {"ListProvisionedConcurrencyConfigs", &LambdaApi::list_provisioned_concurrency},
    {"DeleteProvisionedConcurrencyConfig", &LambdaApi::delete_provisioned_concurrency},
    {"PutFunctionEventInvokeConfig", &LambdaApi::put_event_invoke},
    {"UpdateFunctionEventInvokeConfig", &LambdaApi::update_event_invoke},
    {"GetFunctionEventInvokeConfig", &LambdaApi::get_event_invoke},
    {"ListFunctionEventInvokeConfigs", &LambdaApi::list_event_invokes},
    {"DeleteFunctionEventInvokeConfig", &LambdaApi::delete_event_invoke},
    {"GetAccountSettings", &LambdaApi::get_account_settings},
    {"AddPermission", &LambdaApi::add_permission},
    {"GetPolicy", &LambdaApi::get_policy},
    {"RemovePermission", &LambdaApi::remove_permission},
    {"TagResource", &LambdaApi::tag_resource},
    {"UntagResource", &LambdaApi::untag_resource},
    {"ListTags", &LambdaApi::list_tags},
};

aws::Outcome in_pages(const aws::Call& call, aws::Outcome outcome, std::string_view key) {
  if (!outcome) return outcome;
  auto page = aws::paginate(call, std::move(outcome->output), key);
  if (!page) return std::move(page.error());
  return aws::Answer(std::move(*page));
}

}  // namespace

void add_operations(aws::Operations& operations, ApiDoors doors) {
  const auto api = std::make_shared<LambdaApi>(std::move(doors));
  for (const auto& operation : kOperations) {
    operations.add("lambda", operation.name, [api, operation](const aws::Call& call) {
      auto outcome = ((*api).*operation.method)(call);
      return operation.listed_by ? in_pages(call, std::move(outcome), operation.listed_by) : std::move(outcome);
    });
  }
  operations.add_on_worker("lambda", "Invoke", [api](aws::Call& call) { return api->invoke(call); });
}

}  // namespace securebase::functions
