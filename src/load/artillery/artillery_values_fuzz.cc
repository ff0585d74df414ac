// The small languages of scripts, and what they are held against. The first byte says which; a NUL parts the two.
#include "load/artillery/csv.h"
#include "load/artillery/expression.h"
#include "load/artillery/json_path.h"
#include "load/artillery/period.h"
#include "load/artillery/received.h"
#include "load/artillery/template.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace securebase;                   // NOLINT
  using namespace securebase::load::artillery;  // NOLINT
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  const auto cut = bytes.find('\0');
  const std::string_view first = bytes.substr(0, cut);
  const std::string_view second =
      cut == std::string_view::npos ? std::string_view("{\"a\":[1,{\"b\":2}]}") : bytes.substr(cut + 1);
  const auto json = base::Json::parse(second);
  auto shared = std::make_shared<SharedVariables>();
  if (json && json->is_object()) shared->values = *json->as_object();
  Variables variables(shared);
  switch (data[0] % 6) {
    case 0:
      if (const auto compiled = Template::compile(first)) static_cast<void>(compiled->text(variables));
      variables.set_path(first.substr(0, 200), 1);
      break;
    case 1: {
      const auto path = JsonPath::parse(first);
      if (path && json) static_cast<void>(path->search(*json));
      break;
    }
    case 2:
      static_cast<void>(read_csv(first, {}));
      break;
    case 3: {
      const auto expression = Expression::parse(first, {"a.b", "x/y"});
      if (expression)
        static_cast<void>(expression->evaluate([&](std::string_view name) { return variables.find(name); }));
      break;
    }
    case 4: {
      const auto report = parse_report(bytes);
      if (report) static_cast<void>(metrics_text(report->aggregate, 79, ""));
      break;
    }
    default:
      for (const char* encoding : {"gzip", "deflate", "br"}) static_cast<void>(decoded_body(encoding, bytes, 1 << 20));
  }
  return 0;
}
