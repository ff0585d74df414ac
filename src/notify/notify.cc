#include "notify/notify.h"

#include <fmt/format.h>

#include <cstdlib>

#include "base/file.h"
#include "base/log.h"
#include "notify/engine.h"

namespace securebase::notify {

namespace {

// The system's authorities and ours: a TLS client knows what it is given, and nothing else.
std::string trusted_authorities(const net::Authority& own) {
  std::string pem = own.certificate_pem;
  const char* named = std::getenv("SSL_CERT_FILE");  // as OpenSSL has it
  const std::filesystem::path file = named && *named ? named : "/etc/ssl/certs/ca-certificates.crt";
  if (auto system = base::read_file(file)) {
    pem += "\n" + *system;
  } else {
    base::log(base::Level::kWarning, "notify", "webhooks with certificates of public authorities will fail: {}",
              system.error().message);
  }
  return pem;
}

}  // namespace

Result<Done> Notify::Engine::open() {
  if (auto made = base::make_directory(settings.directory, 0700); !made) return made;
  auto opened_signer = Signer::open(settings.directory / "signing", settings.authority);
  if (!opened_signer) return opened_signer.error();
  signer = std::move(*opened_signer);
  auto opened_registry = Registry::open(settings.directory / "topics.json");
  if (!opened_registry) return opened_registry.error();
  registry = std::move(*opened_registry);
  auto opened_queue = Queue::open(
      settings.directory / "queue", settings.limits, [this](const std::string& arn) { return rule_of(arn); },
      doors.clock);
  if (!opened_queue) return opened_queue.error().within("the queue of notifications");
  queue = std::move(*opened_queue);
  forget_unknown();
  log = std::make_unique<DeliveryLog>(settings.logs / "notify", settings.limits.log_bytes, doors.pool);
  net::TlsClientSettings tls_settings;
  tls_settings.authorities_pem = trusted_authorities(settings.authority);
  auto tls = net::TlsClient::make(tls_settings);
  if (!tls) return tls.error().within("TLS for webhooks and mail");
  dispatcher = std::make_unique<Dispatcher>(*this, std::move(*tls));
  return Done{};
}

Notify::Notify(std::unique_ptr<Engine> engine) : engine_(std::move(engine)) {}

Notify::~Notify() { stop(); }

Result<std::unique_ptr<Notify>> Notify::make(Settings settings, Doors doors) {
  auto engine = std::make_unique<Engine>(std::move(settings), doors);
  if (auto opened = engine->open(); !opened) return opened.error();
  return std::unique_ptr<Notify>(new Notify(std::move(engine)));
}

Result<Done> Notify::apply(std::shared_ptr<const Config> config) { return engine_->apply(std::move(config)); }
std::vector<stack::Drifted> Notify::drift() const { return engine_->drift(); }
void Notify::start() { engine_->dispatcher->start(); }
void Notify::stop() { engine_->dispatcher->stop(); }

Result<std::string, aws::Fault> Notify::publish(Publication publication) {
  return engine_->publish(std::move(publication));
}

Result<std::string, aws::Fault> Notify::publish(std::string_view topic_arn, std::optional<std::string> subject,
                                                std::string message, Attributes attributes) {
  Publication publication;
  publication.topic_arn = topic_arn;
  publication.subject = std::move(subject);
  publication.message = std::move(message);
  publication.attributes = std::move(attributes);
  return publish(std::move(publication));
}

bool Notify::recognises(const http::Request& request) const { return engine_->recognises(request); }
net::Task<http::Response> Notify::answer(http::Request& request) { return engine_->answer(request); }

Status Notify::status() const { return engine_->status(); }
std::vector<Waiting> Notify::waiting(std::size_t most) const { return engine_->queue->waiting(most); }
std::vector<DeadLetter> Notify::dead_letters() const { return engine_->dead_letters(); }

Result<std::vector<base::Json>> Notify::deliveries(std::size_t most, std::string_view arn) const {
  return engine_->log->newest(most, [arn](const base::Json& line) {
    return arn.empty() || line["delivery"]["subscriptionArn"].string_or("") == arn ||
           line["notification"]["topicArn"].string_or("") == arn;
  });
}

Result<std::size_t> Notify::redrive(std::optional<std::uint64_t> id, std::string_view subscription_arn) {
  const auto count = engine_->queue->redrive(id, subscription_arn);
  if (id && count == 0) return Error{Errc::kNotFound, fmt::format("there is no dead letter {}", *id)};
  return count;
}

Result<std::size_t> Notify::purge(std::optional<std::uint64_t> id, std::string_view subscription_arn) {
  const auto count = engine_->queue->purge(id, subscription_arn);
  if (id && count == 0) return Error{Errc::kNotFound, fmt::format("there is no dead letter {}", *id)};
  return count;
}

Result<Done, aws::Fault> Notify::confirm(std::string_view subscription_arn) {
  return engine_->confirm_by_operator(subscription_arn);
}

}  // namespace securebase::notify
