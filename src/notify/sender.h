// One attempt to deliver: chooses the form by protocol and endpoint, sends, and says what came of it. Lives on one
// worker; made and destroyed there.
#pragma once

#include <memory>
#include <string>

#include "net/http/client.h"
#include "net/task.h"
#include "notify/envelope.h"
#include "notify/queue.h"
#include "notify/registered.h"

namespace securebase::notify {

struct Attempt {
  enum class Kind {
    kDelivered,
    kRetry,    // by the schedule
    kRefused,  // another attempt would end the same
  };
  Kind kind = Kind::kRetry;
  int status = 0;                                       // HTTP's or SMTP's; 0: there was none
  std::string answer;                                   // the receiver's, cut; or what went wrong
  std::optional<std::chrono::milliseconds> not_before;  // the receiver asked for a pause (Retry-After)
  std::optional<RetryPolicy> schedule;                  // in place of the subscription's
};

class Sender {
 public:
  // All outlive it. `tls` is shared.
  Sender(const Settings& settings, const Doors& doors, const Links& links, Signer& signer,
         std::shared_ptr<const net::TlsClient> tls);

  net::Task<Attempt> attempt(Queue::Delivery delivery, TopicPointer topic, SubscriptionPointer subscription);

 private:
  net::Task<Attempt> post(http::ClientRequest request);
  net::Task<Attempt> to_webhook(Queue::Delivery delivery, TopicPointer topic, SubscriptionPointer subscription);
  net::Task<Attempt> to_slack(Queue::Delivery delivery, TopicPointer topic, SubscriptionPointer subscription);
  net::Task<Attempt> to_pagerduty(Queue::Delivery delivery, TopicPointer topic, SubscriptionPointer subscription);
  net::Task<Attempt> to_mail(Queue::Delivery delivery, TopicPointer topic, SubscriptionPointer subscription);
  net::Task<Attempt> to_function(Queue::Delivery delivery, TopicPointer topic, SubscriptionPointer subscription);

  const Settings& settings_;
  const Doors& doors_;
  const Links& links_;
  Signer& signer_;
  const std::shared_ptr<const net::TlsClient> tls_;
  http::Client client_;
};

// What an HTTP status means (SNS developer guide): 429 and 5xx may pass, all else that is not 2xx will not.
Attempt::Kind meaning_of(int status);

}  // namespace securebase::notify
