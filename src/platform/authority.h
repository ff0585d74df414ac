// The local certificate authority: made at first start, kept in <state>/tls, so that what trusted it once trusts it
// still.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "net/tls.h"

namespace securebase::platform {

class LocalAuthority {
 public:
  // Reads ca.pem and ca-key.pem (0600), or makes both.
  static Result<LocalAuthority> open(const std::filesystem::path& directory);

  const std::filesystem::path& certificate_file() const { return file_; }
  const std::string& certificate_pem() const { return authority_.certificate_pem; }
  const net::Authority& authority() const { return authority_; }
  // For these names beside localhost, 127.0.0.1 and ::1. Issued anew at every start: it outlives no key.
  Result<net::Certificate> issue(std::vector<std::string> names) const;

 private:
  LocalAuthority(std::filesystem::path file, net::Authority authority)
      : file_(std::move(file)), authority_(std::move(authority)) {}
  std::filesystem::path file_;
  net::Authority authority_;
};

}  // namespace securebase::platform
