#include "functions/environment.h"

#include <fmt/format.h>

#include "base/file.h"

namespace securebase::functions {
namespace {

namespace fs = std::filesystem;

constexpr const char* kAuthorities = "/etc/ssl/certs/ca-certificates.crt";

// A file of the host's /etc as it is; none where the host has none.
Result<Done> copy_of_host(const fs::path& directory, const fs::path& name) {
  auto bytes = base::read_file(fs::path("/etc") / name);
  if (!bytes) return Done{};
  if (auto made = base::make_directory((directory / name).parent_path()); !made) return made;
  return base::replace_file(directory / name, *bytes);
}

}  // namespace

std::vector<std::string> instance_environment(const FunctionConfig& function, const Settings& settings,
                                              std::string_view log_stream, std::uint16_t runtime_port) {
  std::map<std::string, std::string> all{
      {"LANG", "C.UTF-8"},
      {"TZ", ":UTC"},
      {"PATH", "/usr/local/bin:/usr/bin:/bin:/opt/bin"},
      {"LD_LIBRARY_PATH", "/var/lang/lib:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib"},
      {"SSL_CERT_FILE", kAuthorities},
      {"REQUESTS_CA_BUNDLE", kAuthorities},
      {"AWS_CA_BUNDLE", kAuthorities}};
  for (const auto& [name, value] : settings.environment) all.insert_or_assign(name, value);
  for (const auto& [name, value] : function.environment) all.insert_or_assign(name, value);
  const std::map<std::string, std::string> reserved{
      {"_HANDLER", function.handler},
      {"AWS_LAMBDA_FUNCTION_NAME", function.name},
      {"AWS_LAMBDA_FUNCTION_VERSION", function.version},
      {"AWS_LAMBDA_FUNCTION_MEMORY_SIZE", std::to_string(function.memory_mb)},
      {"AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/" + function.name},
      {"AWS_LAMBDA_LOG_STREAM_NAME", std::string(log_stream)},
      {"AWS_LAMBDA_RUNTIME_API", fmt::format("127.0.0.1:{}", runtime_port)},
      {"AWS_LAMBDA_INITIALIZATION_TYPE", function.provisioned > 0 ? "provisioned-concurrency" : "on-demand"},
      {"AWS_REGION", settings.region},
      {"AWS_DEFAULT_REGION", settings.region},
      {"LAMBDA_TASK_ROOT", "/var/task"},
      {"LAMBDA_RUNTIME_DIR", "/var/runtime"}};
  for (const auto& [name, value] : reserved) all.insert_or_assign(name, value);
  if (function.runtime == Runtime::kPython311) {
    all.insert_or_assign("AWS_EXECUTION_ENV", "AWS_Lambda_python3.11");
    all.try_emplace("PYTHONPATH", "/var/runtime");
    all.try_emplace("PYTHONDONTWRITEBYTECODE", "1");  // the code's directory is read-only
  }
  std::vector<std::string> lines;
  for (const auto& [name, value] : all) lines.push_back(name + "=" + value);
  return lines;
}

Result<Done> write_etc(const fs::path& directory, const std::string& authorities_pem) {
  std::error_code failure;
  fs::remove_all(directory, failure);
  if (auto made = base::make_directory(directory); !made) return made;
  for (const char* name : {"ld.so.cache", "resolv.conf", "localtime", "services", "protocols", "mime.types",
                           "ssl/openssl.cnf", "host.conf", "gai.conf"}) {
    if (auto copied = copy_of_host(directory, name); !copied) return copied;
  }
  // Users differ between instances: these lead to a file of the instance's own.
  fs::create_symlink("/run/sandbox/passwd", directory / "passwd", failure);
  fs::create_symlink("/run/sandbox/group", directory / "group", failure);
  fs::copy("/etc/alternatives", directory / "alternatives", fs::copy_options::copy_symlinks, failure);
  const auto write = [&](const char* name, std::string_view text) {
    return base::replace_file(directory / name, text);
  };
  if (auto made = write("hosts", "127.0.0.1 localhost lambda\n::1 localhost\n"); !made) return made;
  if (auto made = write("nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\nservices: files\n"); !made) {
    return made;
  }
  if (auto made = base::make_directory(directory / "ssl/certs"); !made) return made;
  std::string authorities = base::read_file(kAuthorities).value_or(std::string());
  if (!authorities.empty() && authorities.back() != '\n') authorities += '\n';
  return write("ssl/certs/ca-certificates.crt", authorities + authorities_pem);
}

}  // namespace securebase::functions
