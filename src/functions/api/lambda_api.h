// What Lambda's operations do: they read the stack that is in force, and change it through stack::Changes, so that a
// change by API goes the way of an apply. ../api.cc binds them to their names.
//
// A function of the files and one made by the API are the same to every operation; of the first, a change is drift.
// Published versions are resources of their own (kVersionType) that hold what the function was.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aws/aws.h"
#include "functions/code_store.h"
#include "functions/functions.h"
#include "functions/resources.h"
#include "stack/registry.h"

namespace securebase::functions {

class LambdaApi {
 public:
  explicit LambdaApi(ApiDoors doors);

  // functions.cc. On the pool; block.
  aws::Outcome create_function(const aws::Call& call);
  aws::Outcome get_function(const aws::Call& call);
  aws::Outcome get_function_configuration(const aws::Call& call);
  aws::Outcome list_functions(const aws::Call& call);
  aws::Outcome update_function_code(const aws::Call& call);
  aws::Outcome update_function_configuration(const aws::Call& call);
  aws::Outcome delete_function(const aws::Call& call);
  // versions.cc
  aws::Outcome publish_version(const aws::Call& call);
  aws::Outcome list_versions_by_function(const aws::Call& call);
  aws::Outcome create_alias(const aws::Call& call);
  aws::Outcome get_alias(const aws::Call& call);
  aws::Outcome list_aliases(const aws::Call& call);
  aws::Outcome update_alias(const aws::Call& call);
  aws::Outcome delete_alias(const aws::Call& call);
  // layers.cc
  aws::Outcome publish_layer_version(const aws::Call& call);
  aws::Outcome list_layers(const aws::Call& call);
  aws::Outcome list_layer_versions(const aws::Call& call);
  aws::Outcome get_layer_version(const aws::Call& call);
  aws::Outcome get_layer_version_by_arn(const aws::Call& call);
  aws::Outcome delete_layer_version(const aws::Call& call);
  // concurrency.cc
  aws::Outcome put_function_concurrency(const aws::Call& call);
  aws::Outcome get_function_concurrency(const aws::Call& call);
  aws::Outcome delete_function_concurrency(const aws::Call& call);
  aws::Outcome put_provisioned_concurrency(const aws::Call& call);
  aws::Outcome get_provisioned_concurrency(const aws::Call& call);
  aws::Outcome list_provisioned_concurrency(const aws::Call& call);
  aws::Outcome delete_provisioned_concurrency(const aws::Call& call);
  aws::Outcome put_event_invoke(const aws::Call& call);
  aws::Outcome update_event_invoke(const aws::Call& call);
  aws::Outcome get_event_invoke(const aws::Call& call);
  aws::Outcome list_event_invokes(const aws::Call& call);
  aws::Outcome delete_event_invoke(const aws::Call& call);
  aws::Outcome get_account_settings(const aws::Call& call);
  // permissions.cc
  aws::Outcome add_permission(const aws::Call& call);
  aws::Outcome get_policy(const aws::Call& call);
  aws::Outcome remove_permission(const aws::Call& call);
  aws::Outcome tag_resource(const aws::Call& call);
  aws::Outcome untag_resource(const aws::Call& call);
  aws::Outcome list_tags(const aws::Call& call);
  // invoke.cc. On the worker.
  net::Task<aws::Outcome> invoke(aws::Call& call);

  using FoundFunction = stack::Found<FunctionResource>;
  // The function itself, or the version that `version` names.
  static std::optional<FoundFunction> find(const stack::Stack& stack, std::string_view function,
                                           std::string_view version = "$LATEST");

 private:
  using Edits = std::vector<stack::Edit>;
  using Decide = std::function<Result<Edits, aws::Fault>(const stack::Stack& current)>;
  using Now = std::shared_ptr<const stack::Stack>;

  // A name as an operation takes it: NAME, NAME:QUALIFIER, or any form of ARN.
  struct Named {
    std::string function;
    std::string qualifier;
    std::string whole() const { return qualifier.empty() ? function : function + ":" + qualifier; }
  };
  static Named named(const aws::Call& call);

  Result<Now, aws::Fault> change(const Decide& decide);
  // What a name and its qualifier mean, or Lambda's own fault for what is not there.
  static Result<FoundFunction, aws::Fault> require(const stack::Stack& stack, const Named& named);
  // The version that a qualifier means; an alias' own, for an alias.
  static std::optional<std::string> version_of(const stack::Stack& stack, const Named& named);
  static std::vector<FoundFunction> versions_of(const stack::Stack& stack, std::string_view function);
  static std::optional<stack::Found<AliasResource>> alias_of(const stack::Stack& stack, const Named& named);
  static std::string arn_prefix(const stack::Stack& stack) {
    return "arn:aws:lambda:" + stack.region + ":" + stack.account + ":";
  }

  Result<CodeStore::Pin, aws::Fault> code_from(const aws::Value& code);
  // FunctionConfiguration of the API.
  aws::Value description(const stack::Stack& stack, const FoundFunction& found, std::string_view qualifier = {}) const;
  aws::Value alias_description(const stack::Found<AliasResource>& found) const;
  aws::Value layer_description(const stack::Found<LayerResource>& found) const;
  aws::Outcome update(const aws::Call& call, const stack::Value::Map& set, bool publish, bool dry_run);
  static Result<Edits, aws::Fault> without_version(const stack::Stack& stack, const Named& name);

  // Held until the change that refers to the code is made.
  using Pins = std::vector<CodeStore::Pin>;
  static stack::Value::Map version_attributes(stack::Value::Map attributes, std::int64_t number,
                                              std::string_view description);
  Result<Done, aws::Fault> freeze_code(const stack::Stack& stack, const FoundFunction& found,
                                       stack::Value::Map& attributes, Pins& pins) const;
  // A function of the files that is published there: before it changes, version 1 is kept as what it is.
  Result<Edits, aws::Fault> keep_published(const stack::Stack& stack, const FoundFunction& found, Pins& pins) const;
  // Adds what makes `attributes` the next version, and gives its number; when the newest version is the same already,
  // that one's.
  Result<std::string, aws::Fault> publishing(const stack::Stack& stack, const FoundFunction& found,
                                             stack::Value::Map attributes, Edits& edits, std::string_view description,
                                             Pins& pins) const;
  aws::Value provisioned_description(const stack::Stack& stack, const ProvisionedResource& config,
                                     base::TimePoint now) const;
  aws::Outcome set_event_invoke(const aws::Call& call, bool replace);
  aws::Outcome change_tags(const aws::Call& call,
                           const std::function<void(std::map<std::string, std::string>& tags)>& edit);
  static std::optional<aws::Fault> missing_version(const stack::Stack& stack, const std::string& function,
                                                   const stack::Value::Map& alias);
  static std::string revision_of(const stack::Resource& resource);

  ApiDoors doors_;
};

namespace faults {
aws::Fault invalid(std::string message);
aws::Fault conflict(std::string message);
aws::Fault not_found(std::string message);
aws::Fault precondition();
}  // namespace faults

std::string text_of(const aws::Value& value);
// A file as a resource names it: from the stack's directory, unless it is absolute.
std::filesystem::path place_of(const stack::Stack& stack, const std::string& written);
// 2026-11-26T23:00:00.000+0000, as Lambda writes times.
std::string lambda_time(base::TimePoint time);

}  // namespace securebase::functions
