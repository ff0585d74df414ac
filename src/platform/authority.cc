#include "platform/authority.h"

#include "base/file.h"

namespace securebase::platform {

namespace fs = std::filesystem;

Result<LocalAuthority> LocalAuthority::open(const fs::path& directory) {
  const fs::path certificate = directory / "ca.pem";
  const fs::path key = directory / "ca-key.pem";
  if (auto made = base::make_directory(directory, 0755); !made) return made.error();
  auto certificate_pem = base::read_file(certificate, 1 << 20);
  auto key_pem = base::read_file(key, 1 << 20);
  if (certificate_pem && key_pem)
    return LocalAuthority(certificate, {std::move(*certificate_pem), std::move(*key_pem)});
  if (!key_pem && key_pem.error().code != Errc::kNotFound) return key_pem.error().within("the local authority's key");

  auto authority = net::make_authority("SecureBase local authority");
  if (!authority) return authority.error();
  // The key first: a certificate without its key would be of no use.
  auto kept = base::replace_file(key, authority->key_pem, 0600);
  if (kept) kept = base::replace_file(certificate, authority->certificate_pem, 0644);
  if (!kept) return kept.error().within("keeping the local authority");
  return LocalAuthority(certificate, std::move(*authority));
}

Result<net::Certificate> LocalAuthority::issue(std::vector<std::string> names) const {
  names.insert(names.begin(), {"localhost", "127.0.0.1", "::1"});
  return net::issue_certificate(authority_, names);
}

}  // namespace securebase::platform
