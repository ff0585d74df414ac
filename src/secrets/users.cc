#include "secrets/users.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>

#include "base/encoding.h"
#include "base/json.h"
#include "base/random.h"

namespace securebase::secrets {

namespace {

constexpr std::size_t kMaxUsers = 5000;       // IAM's own quota
constexpr std::size_t kMaxTokenBytes = 4096;  // ours have some 600
constexpr std::string_view kIdAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
constexpr std::string_view kKeyAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::string new_key_id(std::string_view prefix) { return std::string(prefix) + base::random_text(16, kIdAlphabet); }
Secret new_secret_key() { return Secret(base::random_text(40, kKeyAlphabet)); }

// IAM's: 1 to 64 letters, digits and +=,.@_-
bool is_user_name(std::string_view name) {
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || std::string_view("+=,.@_-").find(c) != std::string_view::npos;
  });
}

// What seals a session token is also what it is for.
std::string sealed_as(std::string_view access_key_id) { return fmt::format("session of {}", access_key_id); }

std::vector<User>::iterator place_of(std::vector<User>& users, std::string_view name) {
  return std::lower_bound(users.begin(), users.end(), name,
                          [](const User& user, std::string_view wanted) { return user.name < wanted; });
}

Error no_such_user(std::string_view name) {
  return {Errc::kNotFound, fmt::format("there is no user \"{}\": `securebase credentials list` has them all", name)};
}

}  // namespace

Users::Users(RootCredentials root, std::string account, const Sealer& sealer, const base::Clock& clock, Keep keep)
    : root_(std::move(root)), account_(std::move(account)), sealer_(sealer), clock_(clock), keep_(std::move(keep)) {}

Result<Done> Users::load(const Secret& text) {
  auto json = base::Json::parse(text.reveal());
  const auto* array = json ? (*json)["users"].as_array() : nullptr;
  if (!array) return Error{Errc::kMalformed, "the stored users cannot be read"};
  const std::unique_lock lock(mutex_);
  for (const auto& one : *array) {
    users_.push_back({std::string(one["name"].string_or("")), std::string(one["id"].string_or("")),
                      std::string(one["access_key_id"].string_or("")),
                      Secret(std::string(one["secret_access_key"].string_or(""))),
                      base::TimePoint{std::chrono::seconds{one["created"].integer_or(0)}}});
  }
  return Done{};
}

std::vector<User> Users::copy() const {
  const std::shared_lock lock(mutex_);
  return users_;
}

Result<Done> Users::replace(std::vector<User> users) {
  auto array = base::Json::array();
  for (const auto& user : users) {
    const auto created = std::chrono::floor<std::chrono::seconds>(user.created).time_since_epoch().count();
    array.push_back(base::Json::object({{"name", user.name},
                                        {"id", user.id},
                                        {"access_key_id", user.access_key_id},
                                        {"secret_access_key", user.secret_access_key.reveal()},
                                        {"created", std::int64_t{created}}}));
  }
  if (auto kept = keep_(Secret(base::Json::object({{"users", array}}).dump())); !kept) return kept;
  const std::unique_lock lock(mutex_);
  users_ = std::move(users);
  return Done{};
}

std::optional<aws::Identities::Found> Users::find(std::string_view access_key_id) const {
  if (access_key_id == root_.access_key_id) {
    return Found{{root_.access_key_id, account_, fmt::format("arn:aws:iam::{}:root", account_), account_},
                 root_.secret_access_key.reveal(),
                 "",
                 std::nullopt};
  }
  const std::shared_lock lock(mutex_);
  for (const auto& user : users_) {
    if (user.access_key_id != access_key_id) continue;
    return Found{
        {user.access_key_id, account_, arn_of(user), user.id}, user.secret_access_key.reveal(), "", std::nullopt};
  }
  return std::nullopt;
}

std::optional<aws::Identities::Found> Users::find_session(std::string_view access_key_id,
                                                          std::string_view session_token) const {
  if (session_token.size() > kMaxTokenBytes) return std::nullopt;
  const auto sealed = base::from_base64(session_token);
  if (!sealed) return std::nullopt;
  auto text = sealer_.open(*sealed, sealed_as(access_key_id));
  if (!text) return std::nullopt;
  auto json = base::Json::parse(text->reveal());
  // The session of a user who is gone, or has another key, is over.
  if (!json || !find((*json)["parent"].string_or(""))) return std::nullopt;
  return Found{{std::string(access_key_id), account_, std::string((*json)["arn"].string_or("")),
                std::string((*json)["user_id"].string_or(""))},
               std::string((*json)["secret_access_key"].string_or("")),
               std::string(session_token),
               base::TimePoint{std::chrono::seconds{(*json)["expires"].integer_or(0)}}};
}

std::string Users::parent_of(const aws::Identity& caller, std::string_view session_token) const {
  if (session_token.empty()) return caller.access_key_id;
  const auto sealed = base::from_base64(session_token);
  if (!sealed) return {};
  auto text = sealer_.open(*sealed, sealed_as(caller.access_key_id));
  if (!text) return {};
  auto json = base::Json::parse(text->reveal());
  return json ? std::string((*json)["parent"].string_or("")) : std::string();
}

TemporaryCredentials Users::make_session(const aws::Identity& identity, std::string_view parent,
                                         std::chrono::seconds duration) const {
  TemporaryCredentials made;
  made.access_key_id = new_key_id("ASIA");
  made.secret_access_key = new_secret_key();
  const auto expires = std::chrono::floor<std::chrono::seconds>(clock_.now()) + duration;
  made.expires = expires;
  const Secret text(base::Json::object({{"secret_access_key", made.secret_access_key.reveal()},
                                        {"arn", identity.arn},
                                        {"user_id", identity.user_id},
                                        {"parent", parent},
                                        {"expires", std::int64_t{expires.time_since_epoch().count()}}})
                        .dump());
  made.session_token = base::base64(sealer_.seal(text.reveal(), sealed_as(made.access_key_id)));
  return made;
}

Result<User> Users::create(std::string_view name) {
  if (!is_user_name(name)) {
    return Error{Errc::kMalformed,
                 fmt::format("\"{}\" is no name of a user: 1 to 64 letters, digits and +=,.@_-", name)};
  }
  const std::lock_guard changing(changing_);
  auto users = copy();
  const auto place = place_of(users, name);
  if (name == "root" || (place != users.end() && place->name == name)) {
    return Error{Errc::kConflict,
                 fmt::format("there is a user \"{}\" already; `securebase credentials rotate {}` gives "
                             "them another key",
                             name, name)};
  }
  if (users.size() >= kMaxUsers) return Error{Errc::kLimit, fmt::format("there are {} users already", kMaxUsers)};
  const User made{std::string(name), new_key_id("AIDA"), new_key_id("AKIA"), new_secret_key(), clock_.now()};
  users.insert(place, made);
  if (auto replaced = replace(std::move(users)); !replaced) return replaced.error();
  return made;
}

std::vector<User> Users::list() const {
  auto users = copy();
  for (auto& user : users) user.secret_access_key = Secret();
  return users;
}

Result<Done> Users::remove(std::string_view name) {
  const std::lock_guard changing(changing_);
  auto users = copy();
  const auto place = place_of(users, name);
  if (place == users.end() || place->name != name) return no_such_user(name);
  users.erase(place);
  if (auto replaced = replace(std::move(users)); !replaced) return replaced.error();
  return Done{};
}

Result<User> Users::rotate(std::string_view name) {
  const std::lock_guard changing(changing_);
  auto users = copy();
  const auto place = place_of(users, name);
  if (place == users.end() || place->name != name) return no_such_user(name);
  place->access_key_id = new_key_id("AKIA");
  place->secret_access_key = new_secret_key();
  const User rotated = *place;
  if (auto replaced = replace(std::move(users)); !replaced) return replaced.error();
  return rotated;
}

}  // namespace securebase::secrets
