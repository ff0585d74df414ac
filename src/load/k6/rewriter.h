// Turns an ES module into text that can stand inside a function, since JavaScriptCore's C API evaluates scripts only.
// Import and export declarations are blanked out in place, so every line and every column stays where it was; what
// they said is given beside the text, and loader.js does it.
//
//   import http from 'k6/http';             ;                              imports: default of "k6/http" as http
//   export const options = {...};      ->   ;      const options = {...};  exports: options as options
//   export default function () {...}        ;function __k6_d () {...}      exports: __k6_d as default
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace securebase::k6 {

struct Place {
  std::uint32_t line = 1;
  std::uint32_t column = 1;
};

struct ModuleText {
  struct Dependency {
    std::string specifier;
    Place place;
  };
  struct Import {
    std::size_t dependency;  // index in `dependencies`
    std::string imported;    // "default", a name, or "*" for the namespace
    std::string local;
    Place place;
  };
  struct Export {
    std::string exported;
    std::string local;
    bool reassigned = false;  // an assignment to it was seen: importers must look at it each time
    Place place{};
  };
  struct ReExport {
    std::size_t dependency;
    std::string imported;  // "*": the namespace
    std::string exported;
    Place place;
  };

  std::string body;                      // as many bytes as the source, or some more on one line for a rare form
  std::vector<Dependency> dependencies;  // in order, no specifier twice
  std::vector<Import> imports;
  std::vector<Export> exports;
  std::vector<ReExport> re_exports;
  std::vector<std::size_t> stars;  // export * from
  bool is_module = false;          // has an import or an export; else it is a CommonJS script
  bool top_level_await = false;
  std::vector<Dependency> requires_;  // require("...") with a literal, anywhere
};

// Names that the rewritten text uses: __k6_d (the default export), __k6_meta (import.meta), __k6_i (import()).
// An error begins with "line:column: ".
Result<ModuleText> rewrite(std::string_view source);

}  // namespace securebase::k6
