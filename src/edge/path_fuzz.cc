#include <cstdlib>

#include "edge/path.h"

// The normal form is normal, and holds nothing that another parser could take for a way out.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace securebase::edge;
  const std::string raw(reinterpret_cast<const char*>(data), size);
  std::string scratch;
  const auto normal = normal_path(raw, scratch);
  if (!normal) return 0;
  std::string again;
  const auto twice = normal_path(*normal, again);
  if (!twice || *twice != *normal || normal->front() != '/') std::abort();
  if ((std::string(*normal) + "/").find("/../") != std::string::npos) std::abort();
  path_matches("/a*b?c*", *normal);
  return 0;
}
