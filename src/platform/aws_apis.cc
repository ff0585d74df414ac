// What every room answers of the AWS APIs, and the port on which all of them do.
#include <fmt/format.h>

#include "base/log.h"
#include "platform/await.h"
#include "platform/rooms.h"

namespace securebase::platform {

namespace {

constexpr std::size_t kOperationThreads = 4;
constexpr std::size_t kOperationQueue = 1024;               // beyond, the caller is told to come again
constexpr std::size_t kCodeBytes = std::size_t{250} << 20;  // a function's package, unzipped even (Lambda quotas)

net::Task<Result<std::string>> read_object(objects::Objects& objects, std::string bucket, std::string key) {
  auto object = co_await objects.get(std::move(bucket), std::move(key));
  if (!object) co_return object.error();
  if (!object->body.is_stream()) co_return std::string(object->body.bytes());
  const auto pieces = object->body.take_stream();
  co_return co_await http::read_all(*pieces, kCodeBytes);
}

}  // namespace

Result<std::string> Rooms::object(const std::string& bucket, const std::string& key) const {
  return await_on((*workers_)[0], read_object(*objects_, bucket, key));
}

void Rooms::make_aws_port() {
  secrets_->add_operations(operations_);
  code_links_ = std::make_unique<functions::CodeLinks>(
      functions::CodeLinks::Settings{settings_.url("http", settings_.aws_port),
                                     secrets_->derive("links to code", 64, "0123456789abcdef")},
      *this, *pool_);
  functions::add_operations(
      operations_,
      {.functions = *functions_,
       .changes = *this,
       .pool = *pool_,
       .fetch_object = [this](const std::string& bucket, const std::string& key) { return object(bucket, key); },
       .links = code_links_.get()});
  database::add_operations(operations_, *database_);
  objects::add_operations(operations_, *objects_, *pool_);
  edge::add_operations(operations_, *edge_, [this](const std::vector<std::string>& tags) {
    auto receipt = cache_->invalidate(tags);
    if (!receipt) base::log(base::Level::kWarning, "platform", "Redis keeps what it has: {}", receipt.error().message);
  });
  gateway::add_operations(operations_, *gateway_);
  notify::add_operations(operations_, *notify_);
  logs_->add_operations(operations_);
  traces_->add_operations(operations_);
  synthetics::add_operations(operations_, *synthetics_);
  rum::add_operations(operations_, *rum_);
  insights_->add_operations(operations_);
  metrics_->add_operations(operations_);
  monitoring::add_alarm_operations(operations_, *alarms_, *dashboards_, metrics_->series());
  operations_pool_ = std::make_unique<net::Pool>(kOperationThreads, kOperationQueue);
  front_ = std::make_unique<aws::Front>(aws::Settings{}, operations_, secrets_->identities(), *operations_pool_);
  aws_ = std::make_unique<AwsPort>(*gateway_, *notify_, *code_links_, *front_);
}

}  // namespace securebase::platform
