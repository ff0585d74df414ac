// All topics and subscriptions, on disk in one file that is replaced whole, in memory as a snapshot.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/snapshot.h"
#include "notify/registered.h"

namespace securebase::notify {

struct Registered {
  std::map<std::string, TopicPointer, std::less<>> topics;                // by ARN
  std::map<std::string, SubscriptionPointer, std::less<>> subscriptions;  // by ARN
  std::map<std::string, std::vector<SubscriptionPointer>, std::less<>> by_topic;

  TopicPointer topic(std::string_view arn) const;                // null: none
  SubscriptionPointer subscription(std::string_view arn) const;  // null: none; also those removed
  const std::vector<SubscriptionPointer>& of_topic(std::string_view arn) const;

  void put(Topic topic);
  void put(Subscription subscription);
  void remove_topic(const std::string& arn);  // with its subscriptions
  void remove_subscription(const std::string& arn);
};

// Any thread. Changes block on the disk, one at a time.
class Registry {
 public:
  static Result<std::unique_ptr<Registry>> open(std::filesystem::path file);

  std::shared_ptr<const Registered> get() const { return registered_.get(); }
  // What `work` made of a copy counts once it is on disk. A fault changes nothing.
  Result<Done, aws::Fault> change(const std::function<Result<Done, aws::Fault>(Registered&)>& work);

 private:
  explicit Registry(std::filesystem::path file);
  Result<Done> load();

  const std::filesystem::path file_;
  std::mutex changing_;
  base::Snapshot<Registered> registered_;
};

}  // namespace securebase::notify
