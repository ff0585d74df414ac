// The reference graph. Every variable, local, output, resource and module call is a node that is evaluated once, after
// all that it refers to; nodes are reached by reference, and one that is reached while it is evaluated is a cycle.
// As in Terraform, what counts is what is written, not which branch is taken.
//
// An error is reported where it arises; a node that failed gives nullopt to all who refer to it, silently.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "stack/evaluate/evaluator.h"
#include "stack/evaluate/expand.h"
#include "stack/evaluate/module_config.h"
#include "stack/stack.h"

namespace securebase::stack {

struct ProviderSettings {
  std::string region;
  Value default_tags;  // a map or null
};

class Module;

// A module call with its instances.
struct ModuleCall {
  Expansion::Mode mode = Expansion::Mode::kSingle;
  std::vector<std::pair<Instance, std::unique_ptr<Module>>> instances;
};

// One instance of a module.
class Module {
 public:
  enum class State { kNew, kRunning, kDone, kFailed };
  struct Node {
    State state = State::kNew;
    Value value;
  };

  std::shared_ptr<const ModuleConfig> config;
  Module* parent = nullptr;
  const BlockSyntax* call = nullptr;  // in the parent
  Instance instance;
  std::string address;     // module.cdn["eu"], or "" for the root
  std::string config_key;  // "cdn.inner": as modules.json names it
  std::string path;        // path.module
  unsigned depth = 0;
  std::map<std::string, ProviderSettings> providers;  // by local name, "aws" or "aws.west"

  std::map<std::string, Node> nodes;  // "var.a", "local.b", "output.c", "aws_s3_bucket.d", "data.x.e", "module.f"
  std::map<std::string, ModuleCall> calls;

  std::string address_of(std::string_view what) const {
    return address.empty() ? std::string(what) : address + "." + std::string(what);
  }
};

class Loader {
 public:
  Loader(const Inputs& inputs, const Catalogue& catalogue);
  Result<Stack, Diagnostics> load();

  // Evaluates what the reference is about, as far as it is written. False: it failed, and that was reported.
  bool touch(Module& module, const Reference& reference, const std::string& context);
  std::optional<Value> node_value(Module& module, const std::string& key);
  // All outputs of all instances, or of one.
  std::optional<Value> call_value(ModuleCall& call);
  std::optional<Value> outputs_of(Module& module);
  const FunctionContext& functions() const { return functions_; }
  const Inputs& inputs() const { return inputs_; }

 private:
  friend class ModuleScope;

  // loader.cc
  bool touch_all(Module& module, const std::vector<Reference>& references, const std::string& context);
  bool touch_body(Module& module, const BodySyntax& body, const std::string& context);
  bool touch_depends_on(Module& module, const BodySyntax& body, const std::string& context);
  bool undeclared(std::string what, const std::string& name, std::vector<std::string> known, const Reference& reference,
                  const std::string& context);
  template <class Evaluate>
  bool run(Module& module, const std::string& key, const SourceRange& range, Evaluate evaluate);
  bool run_node(Module& module, const std::string& key);
  bool run_local(Module& module, const std::string& name);
  bool run_output(Module& module, const std::string& name);
  bool visit_all(Module& module);
  void check_rules(Module& module, const BodySyntax& body, std::string_view type, Scope& scope,
                   const std::string& context, Severity severity);

  // variables.cc
  bool run_variable(Module& module, const std::string& name);
  std::optional<Value> given_value(Module& module, const std::string& name, const BlockSyntax& block, bool& given);
  bool read_variable_values(const ModuleConfig& root);
  bool read_values_file(const std::filesystem::path& path, const ModuleConfig& root);
  bool take_text(const std::string& name, const std::string& text, const std::string& origin, const BlockSyntax& block);

  // modules.cc
  std::shared_ptr<const ModuleConfig> config_at(const std::filesystem::path& directory, const std::string& shown);
  std::shared_ptr<const ModuleConfig> source_of(const Module& module, const BlockSyntax& call, std::string& path,
                                                const std::string& config_key);
  bool run_call(Module& module, const std::string& name);
  bool read_providers(Module& module);
  void read_module_index();

  // resources.cc
  bool has_provider(Module& module, const BlockSyntax& block, const std::string& context);
  bool run_resource(Module& module, const BlockSyntax& block);
  std::optional<Value> finish(Module& module, Resource& resource, const BlockSyntax& block);
  bool check_names(const Resource& resource, const ProviderBlock& provider);
  const ProviderSettings& settings_for(Module& module, const BlockSyntax& block, const std::string& type);

  const Inputs& inputs_;
  const Catalogue& catalogue_;
  Diagnostics diagnostics_;
  FunctionContext functions_;
  std::vector<std::string> files_;
  std::map<std::filesystem::path, std::shared_ptr<const ModuleConfig>> configs_;
  std::map<std::string, std::filesystem::path> module_index_;  // .terraform/modules/modules.json
  std::map<std::string, Value> given_;                         // of the root's variables
  std::vector<std::string> running_;                           // addresses of the nodes being evaluated
  std::unique_ptr<Module> root_;
  Stack stack_;
};

// The names that an expression of a module can use.
class ModuleScope final : public Scope {
 public:
  ModuleScope(Loader& loader, Module& module, const Instance* instance = nullptr, const Value* self = nullptr)
      : loader_(loader), module_(module), instance_(instance), self_(self) {}

  std::optional<Value> resolve(const Reference& reference, std::size_t& consumed, Diagnostics& diagnostics) override;
  const FunctionContext& functions() const override { return loader_.functions(); }
  void read_unlisted(const Value::Open& open, std::string_view name, const SourceRange& range) override;

 private:
  std::optional<Value> of_module(const Reference& reference, std::size_t& consumed, Diagnostics& diagnostics);
  std::optional<Value> of_resource(const Reference& reference, std::size_t& consumed);
  std::optional<Value> of_instance(const Reference& reference, Diagnostics& diagnostics);

  Loader& loader_;
  Module& module_;
  const Instance* instance_;  // null: neither each nor count
  const Value* self_;
};

}  // namespace securebase::stack
