// The files of one module directory, sorted by what they declare. Constant once read, shared by all instances of the
// module.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "stack/diagnostic.h"
#include "stack/syntax/ast.h"

namespace securebase::stack {

struct ModuleConfig {
  struct Resource {
    std::string type;
    std::string name;
    const BlockSyntax* block;
  };

  std::filesystem::path directory;
  std::map<std::string, const BlockSyntax*> variables;
  std::map<std::string, const BlockSyntax*> outputs;
  std::map<std::string, const BlockSyntax*> calls;
  std::map<std::string, const BodySyntax::Attribute*> locals;
  std::map<std::pair<std::string, std::string>, const BlockSyntax*> resources;  // by type and name
  std::map<std::pair<std::string, std::string>, const BlockSyntax*> data;
  std::map<std::pair<std::string, std::string>, const BlockSyntax*> ephemerals;
  // By the word that references begin with: "data", "ephemeral", anything else.
  const std::map<std::pair<std::string, std::string>, const BlockSyntax*>& table_of(std::string_view word) const {
    return word == "data" ? data : word == "ephemeral" ? ephemerals : resources;
  }
  std::vector<const BlockSyntax*> providers;
  std::vector<const BlockSyntax*> checks;
  // The data sources inside of checks, which stand in `data` as well: each is known to its own check alone.
  std::map<std::pair<std::string, std::string>, const BlockSyntax*> check_of_data;
  std::vector<const BlockSyntax*> in_order;  // resource, data and module blocks as they stand in the files

  std::vector<std::unique_ptr<BodySyntax>> bodies;  // owns what the pointers point to
};

// Reads *.tf and *.tf.json of the directory, override files last. `shown` is how messages name the directory. The
// paths of the files read are added to `files`. Null after an error.
std::shared_ptr<const ModuleConfig> read_module(const std::filesystem::path& directory, const std::string& shown,
                                                std::vector<std::string>& files, Diagnostics& diagnostics);

}  // namespace securebase::stack
