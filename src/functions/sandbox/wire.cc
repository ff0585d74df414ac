#include "functions/sandbox/wire.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace securebase::functions {
namespace {

using base::Json;

Json list(const std::vector<std::string>& texts) {
  Json::Array array;
  for (const auto& text : texts) array.emplace_back(text);
  return array;
}

std::vector<std::string> texts(const Json& json) {
  std::vector<std::string> all;
  if (const auto* array = json.as_array()) {
    for (const auto& one : *array) all.emplace_back(one.string_or(""));
  }
  return all;
}

std::string text(const Json& json, std::string_view name) { return std::string(json[name].string_or("")); }

std::uint64_t number(const Json& json, std::string_view name) {
  return static_cast<std::uint64_t>(json[name].integer_or(0));
}

}  // namespace

Json to_json(const Command& command) {
  if (command.kind == Command::Kind::kKill) return Json::object({{"kill", command.id}});
  if (command.kind == Command::Kind::kSettle) return Json::object({{"settle", command.id}});
  const auto& start = command.start;
  return Json::object({{"start", start.id},
                       {"uid", std::uint64_t{start.uid}},
                       {"argv", list(start.argv)},
                       {"environment", list(start.environment)},
                       {"task", start.task},
                       {"layers", start.layers},
                       {"runtime", start.runtime},
                       {"writable_task", start.writable_task},
                       {"memory_mb", std::uint64_t{start.memory_mb}},
                       {"ephemeral_mb", std::uint64_t{start.ephemeral_mb}}});
}

Json to_json(const Report& report) {
  switch (report.kind) {
    case Report::Kind::kHello:
      return Json::object({{"hello", true},
                           {"holds", list(report.holds)},
                           {"missing", list(report.missing)},
                           {"own_users", report.own_users},
                           {"refused", report.refused}});
    case Report::Kind::kStarted:
      return Json::object(
          {{"started", report.id}, {"pid", std::int64_t{report.pid}}, {"memory_peak", report.memory_peak}});
    case Report::Kind::kEnded:
      break;
  }
  const auto& ending = report.ending;
  return Json::object({{"ended", ending.id},
                       {"started_well", ending.started},
                       {"failure", ending.failure},
                       {"status", ending.status},
                       {"out_of_memory", ending.out_of_memory}});
}

Result<Command> command_from(std::string_view message) {
  auto json = Json::parse(message);
  if (!json) return json.error().within("reading a command to the warden");
  Command command;
  if (json->find("kill") || json->find("settle")) {
    command.kind = json->find("kill") ? Command::Kind::kKill : Command::Kind::kSettle;
    command.id = number(*json, json->find("kill") ? "kill" : "settle");
    return command;
  }
  if (!json->find("start")) return Error{Errc::kMalformed, "a command to the warden is start, settle or kill"};
  auto& start = command.start;
  start.id = number(*json, "start");
  start.uid = static_cast<std::uint32_t>(number(*json, "uid"));
  start.argv = texts((*json)["argv"]);
  start.environment = texts((*json)["environment"]);
  start.task = text(*json, "task");
  start.layers = text(*json, "layers");
  start.runtime = text(*json, "runtime");
  start.writable_task = (*json)["writable_task"].bool_or(false);
  start.memory_mb = number(*json, "memory_mb");
  start.ephemeral_mb = number(*json, "ephemeral_mb");
  if (start.argv.empty()) return Error{Errc::kMalformed, "a start names the program to run"};
  return command;
}

Result<Report> report_from(std::string_view message) {
  auto json = Json::parse(message);
  if (!json) return json.error().within("reading a report of the warden");
  Report report;
  if (json->find("hello")) {
    report.holds = texts((*json)["holds"]);
    report.missing = texts((*json)["missing"]);
    report.own_users = (*json)["own_users"].bool_or(false);
    report.refused = (*json)["refused"].bool_or(false);
  } else if (json->find("started")) {
    report.kind = Report::Kind::kStarted;
    report.id = number(*json, "started");
    report.pid = static_cast<pid_t>((*json)["pid"].integer_or(0));
    report.memory_peak = text(*json, "memory_peak");
  } else if (json->find("ended")) {
    report.kind = Report::Kind::kEnded;
    report.ending.id = number(*json, "ended");
    report.ending.started = (*json)["started_well"].bool_or(true);
    report.ending.failure = text(*json, "failure");
    report.ending.status = static_cast<int>((*json)["status"].integer_or(0));
    report.ending.out_of_memory = (*json)["out_of_memory"].bool_or(false);
  } else {
    return Error{Errc::kMalformed, "a report of the warden is hello, started or ended"};
  }
  return report;
}

Result<Done> send_message(int socket, const Json& message, int descriptor) {
  std::string bytes = message.dump();
  if (bytes.size() > kMessageBytes) {
    return Error{Errc::kLimit,
                 "a message to the warden is longer than 160 KiB; is the function's environment too large?"};
  }
  iovec piece{bytes.data(), bytes.size()};
  msghdr header{};
  header.msg_iov = &piece;
  header.msg_iovlen = 1;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  if (descriptor >= 0) {
    header.msg_control = control;
    header.msg_controllen = sizeof control;
    cmsghdr* rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(rights), &descriptor, sizeof(int));
  }
  while (sendmsg(socket, &header, MSG_NOSIGNAL) < 0) {
    if (errno != EINTR) return system_error(errno, "sendmsg", "the sandbox warden's socket");
  }
  return Done{};
}

Result<Received> receive_message(int socket) {
  Received received;
  received.text.resize(kMessageBytes);
  iovec piece{received.text.data(), received.text.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr header{};
  header.msg_iov = &piece;
  header.msg_iovlen = 1;
  header.msg_control = control;
  header.msg_controllen = sizeof control;
  ssize_t count = 0;
  while ((count = recvmsg(socket, &header, MSG_CMSG_CLOEXEC)) < 0) {
    if (errno == ECONNRESET) break;
    if (errno != EINTR) return system_error(errno, "recvmsg", "the sandbox warden's socket");
  }
  received.text.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  for (cmsghdr* each = CMSG_FIRSTHDR(&header); each; each = CMSG_NXTHDR(&header, each)) {
    if (each->cmsg_level == SOL_SOCKET && each->cmsg_type == SCM_RIGHTS) {
      std::memcpy(&received.descriptor, CMSG_DATA(each), sizeof(int));
    }
  }
  return received;
}

}  // namespace securebase::functions
