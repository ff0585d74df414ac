#include <cstddef>
#include <cstdint>
#include <string>

#include "stack/syntax/parser.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace securebase::stack;
  const auto file =
      std::make_shared<const SourceFile>(SourceFile{"fuzz.tf", std::string(reinterpret_cast<const char*>(data), size)});
  Diagnostics diagnostics;
  if (const auto body = parse_file(file, diagnostics)) {
    std::vector<Reference> references;
    collect_references(*body, references);
    for (const auto& reference : references) (void)reference.text();
  }
  (void)parse_expression(file, diagnostics);
  (void)parse_template(file, diagnostics);
  (void)parse_json_file(file, diagnostics);
  (void)render(diagnostics);
  return 0;
}
