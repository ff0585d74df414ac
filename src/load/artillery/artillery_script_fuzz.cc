// Scripts come from repositories of others: whatever is in one is read or refused with a message.
#include "load/artillery/script_reader.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace securebase::load::artillery;  // NOLINT
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  // Payloads are files; devices never end.
  if (text.find("/dev") != std::string_view::npos || text.find("/proc") != std::string_view::npos) return 0;
  ScriptOptions options;
  options.environment = "test";
  options.environment_variables = {{"TOKEN", "t"}};
  const auto script = read_script(text, "/nowhere/script.yml", options);
  if (!script && script.error().message.empty()) __builtin_trap();
  return 0;
}
