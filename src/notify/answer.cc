// The addresses of port 4566 that nobody signs: the certificate, and the links in mails and messages.
#include <fmt/format.h>

#include "base/encoding.h"
#include "base/markup.h"
#include "base/random.h"
#include "net/http/syntax.h"
#include "notify/engine.h"

namespace securebase::notify {

namespace {

constexpr std::string_view kCertificates = "/SimpleNotificationService-";
constexpr std::size_t kQueryBytes = 4096;

std::map<std::string, std::string, std::less<>> parameters(std::string_view query) {
  std::map<std::string, std::string, std::less<>> found;
  if (query.size() > kQueryBytes) return found;
  while (!query.empty()) {
    const auto one = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(one.size() + 1, query.size()));
    const auto equals = std::min(one.find('='), one.size());
    auto name = base::percent_decode(one.substr(0, equals), base::Plus::kSpace);
    auto value = base::percent_decode(one.substr(std::min(equals + 1, one.size())), base::Plus::kSpace);
    if (name && value) found.emplace(std::move(*name), std::move(*value));
  }
  return found;
}

// What a person in a browser sees.
http::Response page(int status, std::string_view title, std::string_view text) {
  http::Response response;
  response.status = status;
  response.headers.add("Content-Type", "text/html; charset=utf-8");
  response.headers.add("Cache-Control", "no-store");
  response.headers.add("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'");
  response.headers.add("Referrer-Policy", "no-referrer");
  response.body = fmt::format(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{0}</title>"
      "<style>body{{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:4rem auto;padding:0 1rem}}</style></head>"
      "<body><h1>{0}</h1><p>{1}</p></body></html>\n",
      base::markup_escaped(title), base::markup_escaped(text));
  return response;
}

http::Response xml(int status, std::string text) {
  http::Response response;
  response.status = status;
  response.headers.add("Content-Type", "text/xml");
  response.headers.add("Cache-Control", "no-store");
  response.body = std::move(text);
  return response;
}

http::Response succeeded(bool browser, std::string_view action, std::string_view arn) {
  const bool confirmed = action == "ConfirmSubscription";
  if (browser) {
    return confirmed
               ? page(200, "Subscription confirmed", fmt::format("Messages will come. The subscription is {}.", arn))
               : page(200, "Unsubscribed", fmt::format("No more messages will come of {}.", arn));
  }
  const auto result =
      confirmed
          ? fmt::format("<ConfirmSubscriptionResult><SubscriptionArn>{}</SubscriptionArn></ConfirmSubscriptionResult>",
                        base::markup_escaped(arn))
          : std::string();
  return xml(200, fmt::format("<{0}Response xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\">{1}<ResponseMetadata>"
                              "<RequestId>{2}</RequestId></ResponseMetadata></{0}Response>\n",
                              action, result, base::random_uuid()));
}

http::Response failed(bool browser, const aws::Fault& fault) {
  const int status = fault.status > 0 ? fault.status : 400;
  if (browser) return page(status, "That did not work", fault.message);
  return xml(status,
             fmt::format("<ErrorResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><Error><Type>{}</Type>"
                         "<Code>{}</Code><Message>{}</Message></Error><RequestId>{}</RequestId></ErrorResponse>\n",
                         status >= 500 ? "Receiver" : "Sender", base::markup_escaped(fault.code),
                         base::markup_escaped(fault.message), base::random_uuid()));
}

}  // namespace

bool Notify::Engine::recognises(const http::Request& request) const {
  const bool reads = request.method == http::Method::kGet || request.method == http::Method::kHead;
  if (request.path.starts_with(kCertificates)) return reads && request.path.ends_with(".pem");
  // The one-click POST of a mail client (RFC 8058) has the same address.
  if (request.path != "/" || (!reads && request.method != http::Method::kPost)) return false;
  if (request.headers.has("Authorization") || request.query.find("X-Amz-Signature=") != std::string_view::npos) {
    return false;
  }
  const auto asked = parameters(request.query);
  const auto action = asked.find("Action");
  return action != asked.end() && (action->second == "ConfirmSubscription" || action->second == "Unsubscribe");
}

net::Task<http::Response> Notify::Engine::answer(http::Request& request) {
  if (request.path.starts_with(kCertificates)) {
    const std::string name(request.path.substr(1));
    auto pem = co_await doors.pool.run([&] { return signer->certificate(name); });
    if (!pem || !*pem) co_return failed(false, not_found("There is no such certificate"));
    http::Response response;
    response.headers.add("Content-Type", "application/x-pem-file");
    response.headers.add("Cache-Control", "max-age=86400");
    response.body = std::move(**pem);
    co_return response;
  }
  const auto asked = parameters(request.query);
  const auto value = [&](std::string_view name) {
    const auto found = asked.find(name);
    return found == asked.end() ? std::string() : found->second;
  };
  const auto accept = request.headers.get("Accept");
  const bool browser = accept && accept->find("text/html") != std::string_view::npos;
  const auto action = value("Action");
  // Both change what is kept on disk.
  auto done = co_await doors.pool.run([&]() -> Answered<std::string> {
    if (action == "ConfirmSubscription") {
      auto confirmed = confirm(value("TopicArn"), value("Token"), value("AuthenticateOnUnsubscribe") == "true");
      if (!confirmed) return confirmed.error();
      return (*confirmed)->arn;
    }
    auto gone = unsubscribe(value("SubscriptionArn"), Caller::kAnybody);
    if (!gone) return gone.error();
    return value("SubscriptionArn");
  });
  if (!done) co_return failed(browser, aws::Fault{"Throttled", done.error().message, 429, {}});
  if (!*done) co_return failed(browser, done->error());
  co_return succeeded(browser, action, **done);
}

}  // namespace securebase::notify
