#include "k6/modules.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "base/file.h"
#include "base/json.h"

namespace securebase::k6 {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kMostScriptBytes = std::size_t{32} << 20;
constexpr std::size_t kMostModules = 5000;

struct NotHere {
  std::string_view prefix;
  std::string_view why;
};
constexpr std::array<NotHere, 10> kNotHere = {{
    {"k6/ws", "WebSockets are not supported"},
    {"k6/websockets", "WebSockets are not supported"},
    {"k6/experimental/websockets", "WebSockets are not supported"},
    {"k6/net/grpc", "gRPC is not supported"},
    {"k6/browser", "browser tests are not supported; canaries with a browser are (docs/synthetics.md)"},
    {"k6/secrets", "secret sources are not supported: pass values with --env"},
    {"k6/x/", "extensions in Go are not supported"},
    {"k6/experimental/", "experimental modules are not supported"},
    {"k6/webcrypto", "WebCrypto is not supported: use k6/crypto"},
    {"k6/", "there is no such module"},
}};

std::string js_literal(std::string_view text) {
  std::string out;
  base::append_json_string(out, text);
  return out;
}

// "3:5: message" from the rewriter, with the file's name in front.
Error in_file(const Error& error, const std::string& name) {
  return Error{error.code, fmt::format("{}:{}", name, error.message)};
}

// The path of a URL, without its query.
std::string path_of(std::string_view url) {
  const auto rest = url.substr(url.find("://") + 3);
  return std::string(rest.substr(0, rest.find_first_of("?#")));
}

// Our own copy of a module of jslib.k6.io; empty: none.
std::string own_jslib(std::string_view url) {
  const std::string path = path_of(url);
  constexpr std::string_view kHost = "jslib.k6.io/";
  if (!path.starts_with(kHost)) return "";
  const auto rest = std::string_view(path).substr(kHost.size());
  const auto name = rest.substr(0, rest.find('/'));
  if (name == "k6-utils" || name == "k6-summary") return fmt::format("jslib/{}", name);
  return "";
}

}  // namespace

const Modules::Module& Modules::at(std::size_t id) const {
  const std::lock_guard lock(mutex_);
  return modules_.at(id);
}

Result<std::size_t> Modules::load_main(const fs::path& path) {
  std::error_code failure;
  const fs::path whole = fs::weakly_canonical(path, failure);
  if (failure || !fs::exists(whole, failure)) {
    return Error{Errc::kNotFound, fmt::format("the script '{}' does not exist", path.native())};
  }
  const std::lock_guard lock(mutex_);
  auto id = load_target({Kind::kModule, whole.native(), whole, "file://" + whole.native()});
  if (id) main_ = *id;
  return id;
}

Result<std::size_t> Modules::load_main_text(std::string source, const fs::path& directory) {
  const std::lock_guard lock(mutex_);
  auto id = add({Kind::kModule, "-", directory / "-", "file:///-"}, std::move(source));
  if (id) main_ = *id;
  return id;
}

Result<std::size_t> Modules::load(std::string_view specifier, std::int64_t from) {
  const std::lock_guard lock(mutex_);
  auto target = find(specifier, from < 0 ? nullptr : &modules_.at(static_cast<std::size_t>(from)));
  if (!target) return target.error();
  return load_target(*target);
}

Result<std::string> Modules::resolved(std::string_view specifier, std::size_t from) const {
  const std::lock_guard lock(mutex_);
  auto target = find(specifier, &modules_.at(from));
  if (!target) return target.error();
  return target->url;
}

std::string Modules::name_of_url(std::string_view url) const {
  const std::lock_guard lock(mutex_);
  for (const auto& module : modules_) {
    if (module.url == url) return module.name;
  }
  return std::string(url);
}

Result<Modules::Target> Modules::find(std::string_view specifier, const Module* from) const {
  const std::string text(specifier);
  // Parts of k6's modules, which only those ask for.
  if (from == nullptr && specifier.starts_with("inside/")) return Target{Kind::kBuiltin, text, {}, "k6:" + text};
  if (specifier == "k6" || specifier.starts_with("k6/") || specifier.starts_with("jslib/")) {
    if (!builtin_source(specifier).empty()) return Target{Kind::kBuiltin, text, {}, "k6:" + text};
    for (const auto& [prefix, why] : kNotHere) {
      if (specifier.starts_with(prefix))
        return Error{Errc::kUnsupported, fmt::format("the module '{}': {}", specifier, why)};
    }
  }
  if (specifier.starts_with("http://") || specifier.starts_with("https://")) {
    if (const auto own = own_jslib(specifier); !own.empty()) return Target{Kind::kBuiltin, own, {}, "k6:" + own};
    const std::string path = path_of(specifier);
    std::string tried;
    for (const auto& directory : settings_.vendor) {
      std::vector<fs::path> candidates{directory / path};
      if (path.starts_with("jslib.k6.io/")) candidates.push_back(directory / path.substr(12));
      for (const auto& candidate : candidates) {
        std::error_code failure;
        if (fs::is_regular_file(candidate, failure)) {
          const auto whole = fs::weakly_canonical(candidate, failure);
          return Target{Kind::kModule, whole.native(), whole, "file://" + whole.native()};
        }
        tried += fmt::format("{}{}", tried.empty() ? "" : ", ", candidate.native());
      }
    }
    return Error{
        Errc::kNotFound,
        fmt::format("the module '{}' is not fetched from the network while a test runs; put a copy of it where one "
                    "is looked for ({}), or name a directory with --jslib",
                    specifier, tried.empty() ? "./vendor/" + path : tried)};
  }
  fs::path path;
  if (specifier.starts_with("file://")) {
    path = std::string(specifier.substr(7));
  } else if (specifier.starts_with("/")) {
    path = text;
  } else if (specifier.starts_with("./") || specifier.starts_with("../") || specifier == "." || specifier == "..") {
    path = (from ? from->directory : fs::path(".")) / text;
  } else {
    return Error{
        Errc::kNotFound,
        fmt::format("the module '{}' is neither one of k6's nor a path: modules of npm are not looked up (bundle them "
                    "first), and files begin with ./ or ../",
                    specifier)};
  }
  std::error_code failure;
  const fs::path whole = fs::weakly_canonical(path, failure);
  if (!fs::is_regular_file(whole, failure)) {
    const std::string hint = fs::is_regular_file(whole.native() + ".js", failure)
                                 ? fmt::format("; did you mean '{}.js'?", specifier)
                                 : std::string("; expected a path relative to the file that imports it");
    return Error{Errc::kNotFound,
                 fmt::format("the module '{}' is not there: no file {}{}", specifier, whole.native(), hint)};
  }
  return Target{Kind::kModule, whole.native(), whole, "file://" + whole.native()};
}

Result<std::size_t> Modules::load_target(const Target& target) {
  if (const auto known = ids_.find(target.key); known != ids_.end()) return known->second;
  if (target.kind == Kind::kBuiltin) return add(target, std::string(builtin_source(target.key)));
  const auto extension = target.path.extension().native();
  if (extension == ".ts" || extension == ".mts" || extension == ".tsx") {
    return Error{
        Errc::kUnsupported,
        fmt::format("{} is TypeScript: make JavaScript of it first, for example with `esbuild {} --outfile={}.js`",
                    target.path.native(), target.path.native(), target.path.stem().native())};
  }
  if (extension == ".json") {
    return Error{Errc::kUnsupported, fmt::format("{} is not a module: read it with JSON.parse(open('./{}'))",
                                                 target.path.native(), target.path.filename().native())};
  }
  auto source = base::read_file(target.path, kMostScriptBytes);
  if (!source) return source.error();
  return add(target, std::move(*source));
}

Result<std::size_t> Modules::add(const Target& target, std::string source) {
  if (modules_.size() >= kMostModules) return Error{Errc::kLimit, "the script has more than 5000 modules"};
  const std::size_t id = modules_.size();
  const bool builtin = target.kind == Kind::kBuiltin;
  const std::string name = builtin ? target.key
                           : target.path.lexically_relative(fs::current_path()).native().starts_with("..")
                               ? target.path.native()
                               : target.path.lexically_relative(fs::current_path()).native();
  modules_.push_back({id, target.kind, name, target.url, target.path.parent_path(), {}, {}, {}, 0});
  ids_[target.key] = id;
  Module& module = modules_.back();
  if (builtin) {
    module.code = std::move(source);
    return id;
  }
  const auto forget = [&](Error error) {
    ids_.erase(target.key);
    return error;
  };
  auto text = rewrite(source);
  if (!text) return forget(in_file(text.error(), name));
  module.text = std::move(*text);
  if (!module.text.is_module) module.kind = Kind::kCommonJs;
  for (const auto& dependency : module.text.dependencies) {
    auto found = find(dependency.specifier, &module);
    Result<std::size_t> loaded = found ? load_target(*found) : Result<std::size_t>(found.error());
    if (!loaded) {
      // A place inside the dependency is already named; one that is missing is named where it was asked for.
      const bool placed = loaded.error().code == Errc::kMalformed;
      return forget(placed ? loaded.error()
                           : Error{loaded.error().code, fmt::format("{}:{}:{}: {}", name, dependency.place.line,
                                                                    dependency.place.column, loaded.error().message)});
    }
    module.dependencies.push_back(*loaded);
  }
  write_code(module);
  return id;
}

// Whether importers must look at the binding each time: it may change, or it does not exist yet when they begin.
bool Modules::live(const Module& module, std::size_t dependency, const std::string& imported) const {
  const Module& from = modules_[module.dependencies[dependency]];
  if (from.kind == Kind::kBuiltin) return false;
  // In a circle the dependency has not been written yet (its code is empty): its bindings come later.
  if (from.code.empty()) return true;
  if (from.kind == Kind::kCommonJs || imported == "*") return false;
  for (const auto& exported : from.text.exports) {
    if (exported.exported == imported) return exported.reassigned;
  }
  // By way of another module: what it says of its own dependency.
  for (const auto& again : from.text.re_exports) {
    if (again.exported == imported) return live(from, again.dependency, again.imported);
  }
  for (const auto star : from.text.stars) {
    const Module& source = modules_[from.dependencies[star]];
    for (const auto& exported : source.text.exports) {
      if (exported.exported == imported) return exported.reassigned;
    }
  }
  return false;
}

void Modules::write_code(Module& module) const {
  if (module.kind == Kind::kCommonJs) {
    const std::string prefix = "(function(require,module,exports,open,__k6_meta,__k6_i){";
    module.prefix_bytes = prefix.size();
    module.code = prefix + module.text.body + "\n})";
    return;
  }
  std::string live_part;
  std::string constants;
  for (const auto& import : module.text.imports) {
    if (live(module, import.dependency, import.imported)) {
      live_part = "with(__k6.l)";
      continue;
    }
    constants += fmt::format("{}{}=__k6.g({},{},{},{})", constants.empty() ? "const " : ",", import.local,
                             import.dependency, js_literal(import.imported), import.place.line, import.place.column);
  }
  if (!constants.empty()) constants += ';';
  std::string exports;
  for (const auto& exported : module.text.exports) {
    exports += fmt::format("{}{}:()=>{}", exports.empty() ? "" : ",", js_literal(exported.exported), exported.local);
  }
  // A generator: it is begun for all modules before any body runs, so functions are there in circles too.
  const std::string prefix = fmt::format(
      "(function(__k6){{{}return {}function*(require,open,__k6_meta,__k6_i){{'use strict';__k6.x({{{}}});yield;{}",
      live_part, module.text.top_level_await ? "async " : "", exports, constants);
  module.prefix_bytes = prefix.size();
  module.code = prefix + module.text.body + "\n}})";
}

}  // namespace securebase::k6
