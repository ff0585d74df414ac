// The door of the Terraform reader: a directory of .tf files becomes a Stack, the resources that it asks for with every
// attribute known. docs/terraform.md tells what is understood.
//
//   stack::Catalogue catalogue;
//   catalogue.add(kBucket);                                   // every room adds its declarations (stack/declare.h)
//   auto loaded = stack::load({.directory = "service/infra"}, catalogue);
//   if (!loaded) std::cerr << stack::render(loaded.error());  // never half a stack
//   for (const auto& bucket : loaded->all<Bucket>("aws_s3_bucket")) ...
//
// Values without threads of their own; load() reads files and blocks. A Stack refers to its Catalogue's declarations by
// shared pointers, so it may outlive the catalogue.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <typeindex>
#include <vector>

#include "base/check.h"
#include "base/clock.h"
#include "base/result.h"
#include "stack/declare.h"
#include "stack/diagnostic.h"
#include "stack/value.h"

namespace securebase::stack {

// The resource types that the rooms own.
class Catalogue {
 public:
  template <class T>
  void add(const Block<T>& block) {
    add(block.declaration());
  }
  void add(Declaration declaration);

  const std::shared_ptr<const Declaration>& find(Declaration::Mode mode, std::string_view type) const;  // null: none
  std::vector<std::shared_ptr<const Declaration>> all() const;

 private:
  std::map<std::pair<Declaration::Mode, std::string>, std::shared_ptr<const Declaration>> declarations_;
};

struct Inputs {
  std::filesystem::path directory;                             // the root module
  std::vector<std::pair<std::string, std::string>> variables;  // -var name=text, in order
  std::vector<std::filesystem::path> variable_files;           // -var-file, in order
  std::map<std::string, std::string> environment;              // the process's; TF_VAR_name is read from it
  // Directories besides its own from which the stack may read files (file(), fileset(), archive_file, ...).
  std::vector<std::filesystem::path> readable;
  bool programs = false;  // data "external" may run programs, with all rights of this process
  std::string account = "123456789012";
  std::string region = "us-east-1";  // where no provider block names one
  std::string workspace = "default";
  // Secret text for random_password: the same for an address as long as the state directory lives. When it is not set,
  // resources that need it get an error.
  std::function<std::string(std::string_view address, std::size_t length, std::string_view alphabet)> derive_secret;
  const base::Clock* clock = nullptr;  // for timestamp(); null: the system's
};

struct Resource {
  enum class Origin { kFiles, kApi };  // kApi: made through an AWS API, beside the files (stack/registry.h)
  Declaration::Mode mode = Declaration::Mode::kResource;
  Origin origin = Origin::kFiles;
  std::string address;  // module.cdn["eu"].aws_s3_bucket.portal[0]
  std::string module;   // module.cdn["eu"], or ""
  std::string type;
  std::string name;
  Value key;                            // null, or the index in count or for_each
  Value attributes;                     // a map: what was written, defaults, and what is computed; marks kept
  Body body;                            // what was written, evaluated
  std::vector<std::string> depends_on;  // addresses of what it refers to, sorted
  std::filesystem::path module_directory;
  std::string region;                              // of its provider
  Value default_tags;                              // of its provider; a map or null
  std::shared_ptr<const Declaration> declaration;  // null: no room owns the type
  std::shared_ptr<const void> decoded;             // the T of the declaration

  const SourceRange& range() const { return body.range; }
};

struct Output {
  Value value;
  std::string description;
  bool sensitive = false;
};

template <class T>
struct Found {
  const Resource& resource;
  const T& value;
};

struct Stack {
  std::filesystem::path directory;
  std::string account;
  std::string region;               // of the default aws provider
  std::vector<Resource> resources;  // each behind all that it refers to
  std::map<std::string, Output> outputs;
  std::vector<Finding> findings;  // known and not honoured here, and notes
  Diagnostics warnings;
  // Every file that was read, so that a change of one can be noticed.
  std::vector<std::filesystem::path> files;

  const Resource* find(std::string_view address) const;
  // Managed resources of the type, in the order of `resources`. T is the type that its declaration fills.
  template <class T>
  std::vector<Found<T>> all(std::string_view type, Declaration::Mode mode = Declaration::Mode::kResource) const {
    std::vector<Found<T>> found;
    for (const auto& resource : resources) {
      if (resource.type != type || resource.mode != mode || !resource.decoded) continue;
      check(resource.declaration->type == typeid(T), "a resource is asked for by the type that its declaration fills");
      found.push_back({resource, *static_cast<const T*>(resource.decoded.get())});
    }
    return found;
  }
};

// Everything, or all that is wrong. Never half a stack.
Result<Stack, Diagnostics> load(const Inputs& inputs, const Catalogue& catalogue);

}  // namespace securebase::stack
