// Password hashes: scrypt (RFC 7914), written as $scrypt$ln=15,r=8,p=1$<salt>$<hash> with unpadded base64. The
// parameters stand in each hash, so that they can be raised without losing anybody.
#pragma once

#include <string>
#include <string_view>

namespace securebase::lambda {

// With a fresh salt. About 80 ms and 32 MiB on a small machine (measured on 2 vCPU at 2.5 GHz).
std::string hash_password(std::string_view password);
// False for a wrong password and for what is no hash of ours.
bool password_matches(std::string_view password, std::string_view hash);
// The same work as password_matches, for an account that does not exist.
void waste_password_check(std::string_view password);

}  // namespace securebase::lambda
