// The door of notifications (SNS): topics, their subscribers (e-mail, webhooks, Slack, PagerDuty, functions), and a
// queue on disk between them. docs/notifications.md tells how.
//
//   auto notify = Notify::make(settings, doors);
//   (*notify)->apply(config);                     // the stack's topics and subscriptions
//   (*notify)->start();                           // deliveries begin
//   (*notify)->publish(arn, "ALARM: \"x\" in us-east-1", text);   // returns when it is on disk
//
// What publish() has acknowledged is delivered at least once: it is in an append-only log before publish() returns, is
// tried again by the subscription's schedule, and goes to the dead-letter list when that is used up.
//
// Threads: publish() and the questions from any thread that may block (it waits for the disk), so not a worker's own.
// Deliveries run on `doors.worker`; signatures and what blocks on `doors.pool`.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aws/aws.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "functions/functions.h"
#include "net/event.h"
#include "net/http/message.h"
#include "net/tls.h"
#include "net/worker.h"
#include "stack/plan.h"
#include "stack/stack.h"
#include "telemetry/metrics.h"

namespace securebase::notify {

// --- its Terraform ----------------------------------------------------------------------------------------------

// aws_sns_topic, aws_sns_topic_subscription, aws_sns_topic_policy.
void declare(stack::Catalogue& catalogue);
struct Config;  // config.h
Result<std::shared_ptr<const Config>, stack::Diagnostics> configure(const stack::Stack& stack);

// --- what is published ------------------------------------------------------------------------------------------

struct Attribute {
  std::string type;   // "String", "String.Array", "Number" or "Binary", perhaps with a label: "String.uuid"
  std::string value;  // of a binary one: its bytes
  bool operator==(const Attribute&) const = default;
};
using Attributes = std::map<std::string, Attribute, std::less<>>;

struct Publication {
  std::string topic_arn;
  std::optional<std::string> subject;  // up to 100 characters, on one line
  std::string message;
  bool by_protocol = false;  // MessageStructure "json": `message` is an object of texts by protocol
  Attributes attributes;
};

// --- settings ---------------------------------------------------------------------------------------------------

// The mail server that takes our mail.
struct Relay {
  enum class Security {
    kStartTls,  // refuse to go on without
    kTls,       // TLS from the first byte, port 465
    kNone,      // in clear: for a relay on this machine
  };
  std::string host;
  std::uint16_t port = 587;
  Security security = Security::kStartTls;
  std::string user;  // empty: no AUTH
  // Asked at each delivery, on the pool, so that a changed secret counts at once.
  std::function<Result<std::string>()> password;
  std::string from;  // "alerts@example.com"
};

// From the variables SECUREBASE_SMTP_HOST, _PORT, _TLS (starttls, tls, none), _USER, _PASSWORD or _PASSWORD_SECRET (a
// name that `secret` knows), _FROM. nullopt: no host is set.
Result<std::optional<Relay>> relay_from(const std::map<std::string, std::string>& environment,
                                        std::function<Result<std::string>(std::string_view name)> secret);

struct Limits {
  std::size_t topics = 1000;              // beyond: TopicLimitExceeded
  std::size_t subscriptions = 10'000;     // beyond: SubscriptionLimitExceeded
  std::size_t queue_length = 100'000;     // deliveries that wait; beyond: Publish answers Throttled
  std::size_t queue_bytes = 128u << 20;   // of messages that are held; beyond: Throttled
  std::size_t lane_length = 20'000;       // of one subscription; beyond: its new deliveries are dead letters
  std::size_t dead_letters = 10'000;      // beyond: the oldest are dropped, and counted
  std::size_t in_flight = 256;            // attempts under way
  std::size_t log_bytes = 16u << 20;      // of the delivery log; beyond: the older half goes
  std::chrono::seconds attempt_time{15};  // SNS's own for HTTP; for mail it is twice that for each step
  std::chrono::hours dead_letter_time{14 * 24};
  std::chrono::hours confirmation_time{3 * 24};
};

struct Settings {
  std::filesystem::path directory;  // <state>/notify: topics, the queue, the signing key
  std::filesystem::path logs;       // <state>/logs: notify/deliveries.log
  std::string account = "123456789012";
  std::string region = "us-east-1";
  // Where receivers reach port 4566: begins SigningCertURL and the links that confirm and unsubscribe.
  std::string public_url = "http://127.0.0.1:4566";
  std::string console_url;  // links of alarms; empty: no links
  // The local certificate authority: issues the signing certificate, and is trusted beside the system's.
  net::Authority authority;
  std::optional<Relay> relay;  // nullopt: mail waits in the queue
  Limits limits;
};

struct Doors {
  net::Worker& worker;
  net::Pool& pool;
  functions::Invoker* functions = nullptr;  // null: lambda subscriptions are refused
  telemetry::Registry* registry = nullptr;  // records the metrics of metrics.h
  const base::Clock& clock = base::system_clock();
};

// --- what is seen from outside ----------------------------------------------------------------------------------

struct SubscriptionStatus {
  std::string arn;
  std::string topic_arn;
  std::string protocol;
  std::string endpoint;  // without what is secret in it
  std::string format;    // "sns", "slack", "pagerduty"
  bool confirmed = false;
  bool declared = false;  // by the stack
  std::size_t waiting = 0;
  std::size_t dead_letters = 0;
  std::string trouble;  // why nothing is delivered, or the last failure; empty when all is well
};

struct TopicStatus {
  std::string arn;
  std::string display_name;
  bool declared = false;
  std::size_t subscriptions = 0;
};

struct Status {
  std::vector<TopicStatus> topics;
  std::vector<SubscriptionStatus> subscriptions;
  std::size_t waiting = 0;
  std::size_t dead_letters = 0;
  std::uint64_t dropped_dead_letters = 0;
  // One line each, for people: "no SMTP relay is set, 3 mails wait: ...".
  std::vector<std::string> troubles;
};

// A delivery that waits or is under way.
struct Waiting {
  std::string subscription_arn;
  std::string topic_arn;
  std::string message_id;
  std::optional<std::string> subject;
  std::uint32_t attempts = 0;  // made
  base::TimePoint published;
  base::TimePoint due;     // of the next attempt; in the past: as soon as its lane is free
  bool under_way = false;  // now
};

struct DeadLetter {
  std::uint64_t id = 0;
  std::string subscription_arn;
  std::string topic_arn;
  std::string message_id;
  std::optional<std::string> subject;
  std::string reason;
  std::string redrive_target;  // what RedrivePolicy names; kept, not used: the list is here
  std::uint32_t attempts = 0;
  base::TimePoint published;
  base::TimePoint died;
};

// --- the engine -------------------------------------------------------------------------------------------------

class Notify {
 public:
  // Opens the state directory. Not from a worker's thread.
  static Result<std::unique_ptr<Notify>> make(Settings settings, Doors doors);
  ~Notify();  // stop()

  // Puts what the stack declares in force: makes, changes back, and removes what an earlier stack declared and this one
  // does not. What the AWS API made stays. New webhooks and addresses are asked to confirm.
  Result<Done> apply(std::shared_ptr<const Config> config);
  // What the last apply declared and an API or a receiver changed since, in Terraform's terms.
  std::vector<stack::Drifted> drift() const;
  // Deliveries begin, with what waited on disk.
  void start();
  // Ends attempts under way; they count as not made. Before the worker stops. Idempotent.
  void stop();

  // The message id, once the message is on disk. NotFound, InvalidParameter, Throttled.
  Result<std::string, aws::Fault> publish(Publication publication);
  Result<std::string, aws::Fault> publish(std::string_view topic_arn, std::optional<std::string> subject,
                                          std::string message, Attributes attributes = {});

  // Port 4566, unsigned: the signing certificate, and the links to confirm and to unsubscribe. Any thread.
  bool recognises(const http::Request& request) const;
  // On a worker.
  net::Task<http::Response> answer(http::Request& request);

  // For `securebase notify`.
  Status status() const;
  std::vector<Waiting> waiting(std::size_t most) const;  // those due next
  std::vector<DeadLetter> dead_letters() const;          // oldest first
  // The newest attempts, oldest first, as the delivery log has them (SNS's delivery status logs): of one subscription
  // or topic, or of all where `arn` is empty. Reads the log's files, which hold Limits::log_bytes.
  Result<std::vector<base::Json>> deliveries(std::size_t most, std::string_view arn = {}) const;
  // Tries again what is dead: one, or all of a subscription, or all. How many there were.
  Result<std::size_t> redrive(std::optional<std::uint64_t> id, std::string_view subscription_arn = {});
  Result<std::size_t> purge(std::optional<std::uint64_t> id, std::string_view subscription_arn = {});
  // The operator confirms instead of the receiver.
  Result<Done, aws::Fault> confirm(std::string_view subscription_arn);

  struct Engine;  // engine.h
  Engine& engine() { return *engine_; }

 private:
  explicit Notify(std::unique_ptr<Engine> engine);
  std::unique_ptr<Engine> engine_;
};

// The operations of SNS (service "sns").
void add_operations(aws::Operations& operations, Notify& notify);

}  // namespace securebase::notify
