// The modules of a script: found, read and rewritten once, then used by every user's context. Any thread: what was
// loaded never changes.
//
//   k6, k6/http, ...                       our own, in js/
//   https://jslib.k6.io/k6-utils/<v>/...   our own copies, whatever version
//   https://host/path                      <a vendor directory>/host/path, or without the host for jslib.k6.io
//   ./a.js, ../a.js, /a.js, file:///a.js   files
#pragma once

#include <deque>
#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "k6/rewriter.h"

namespace securebase::k6 {

class Modules {
 public:
  enum class Kind { kModule, kCommonJs, kBuiltin };
  struct Module {
    std::size_t id;
    Kind kind;
    std::string name;                 // as people know it: a path, or "k6/http"
    std::string url;                  // what the engine calls it in stacks
    std::filesystem::path directory;  // open() and relative imports start here; empty for our own
    ModuleText text;
    std::vector<std::size_t> dependencies;  // ids, by index of text.dependencies
    std::string code;                       // an expression that the engine evaluates: a function
    std::size_t prefix_bytes = 0;           // of `code`, in front of the module's first line
  };
  struct Settings {
    std::vector<std::filesystem::path> vendor;  // where modules by URL are looked for
  };

  explicit Modules(Settings settings) : settings_(std::move(settings)) {}

  // The script itself, with everything that it imports. Errors begin with "file:line:column: " where there is a place.
  Result<std::size_t> load_main(const std::filesystem::path& path);
  // `source` is the script; relative names start at `directory`.
  Result<std::size_t> load_main_text(std::string source, const std::filesystem::path& directory);
  // What `specifier` means to the module `from`; -1: to nobody, so it can only be one of our own.
  Result<std::size_t> load(std::string_view specifier, std::int64_t from);
  const Module& at(std::size_t id) const;
  std::size_t main() const { return main_; }
  // import.meta.resolve().
  Result<std::string> resolved(std::string_view specifier, std::size_t from) const;
  // All files of the script, for messages.
  std::string name_of_url(std::string_view url) const;

 private:
  struct Target {
    Kind kind;
    std::string key;
    std::filesystem::path path;
    std::string url;
  };
  Result<Target> find(std::string_view specifier, const Module* from) const;
  Result<std::size_t> load_target(const Target& target);
  Result<std::size_t> add(const Target& target, std::string source);
  void write_code(Module& module) const;
  bool live(const Module& module, std::size_t dependency, const std::string& imported) const;

  const Settings settings_;
  std::size_t main_ = 0;
  mutable std::recursive_mutex mutex_;
  std::deque<Module> modules_;              // guarded by mutex_; elements stay where they are
  std::map<std::string, std::size_t> ids_;  // guarded by mutex_
};

// The text of one of our own modules ("k6/http"; "jslib/k6-utils"); empty: there is none.
std::string_view builtin_source(std::string_view name);

}  // namespace securebase::k6
