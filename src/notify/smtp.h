// A mail to the relay: one connection for each (RFC 5321), STARTTLS (RFC 3207) or TLS from the first byte, AUTH PLAIN
// and LOGIN (RFC 4954, only where TLS protects them or the relay is on this machine).
#pragma once

#include <memory>
#include <string>

#include "net/task.h"
#include "net/tls.h"
#include "notify/notify.h"

namespace securebase::notify {

struct Submission {
  std::string from;
  std::string to;
  std::string message;  // as render() makes it
};

struct Submitted {
  enum class Kind {
    kAccepted,
    kLater,    // the relay is not there, or says 4xx, or does not like us: try again
    kRefused,  // this mail will not be taken: 5xx for receiver or content
  };
  Kind kind = Kind::kLater;
  int code = 0;        // of the relay's last reply; 0: there was none
  std::string answer;  // of the relay, or what went wrong
};

// On a worker. Each step has `step_time`.
net::Task<Submitted> submit(const Relay& relay, std::string password, Submission submission,
                            std::shared_ptr<const net::TlsClient> tls, std::chrono::milliseconds step_time);

}  // namespace securebase::notify
