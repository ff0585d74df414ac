// `securebase notify`: who is told of what, what waits, and what could not be delivered.
#include <fmt/format.h>

#include <memory>
#include <optional>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/terminal.h"

namespace securebase::cli {

namespace {

using base::Json;

constexpr const char* kNotifyExamples =
    "  securebase notify                              topics and subscriptions, those not confirmed too\n"
    "  securebase notify send securebase-prod-alerts  a test message, to see that it arrives\n"
    "  securebase notify log                          the newest attempts, and what the other end answered\n"
    "  securebase notify queue                        what waits, and when it is tried next\n"
    "  securebase notify dead-letters                 what was given up, and why\n"
    "  securebase notify redrive                      tries that again, now that the receiver is back\n"
    "  securebase notify confirm SUBSCRIPTION         in place of a receiver that cannot open the link";

std::string last_part(std::string_view arn) { return std::string(arn.substr(arn.rfind(':') + 1)); }

Result<Json> ask_notify(const std::filesystem::path& state, std::string_view what, Json question = Json::object()) {
  question.set("what", what);
  return platform::Control(state).ask("/notify", question);
}

int overview(const std::filesystem::path& state, bool as_json) {
  auto answer = ask_notify(state, "status");
  if (!answer) return fail(answer.error());
  if (as_json) {
    fmt::print("{}\n", answer->dump(2));
    return kDone;
  }
  const auto& subscriptions = *(*answer)["subscriptions"].as_array();
  for (const auto& topic : *(*answer)["topics"].as_array()) {
    const auto arn = text_of(topic, "arn");
    fmt::print("{}  {}\n", styled(last_part(arn), Style::kBold), styled(arn, Style::kDim));
    Table table({"  STATE", "PROTOCOL", "RECEIVER", "WAITING", "DEAD", "SUBSCRIPTION", "TROUBLE"});
    bool any = false;
    for (const auto& one : subscriptions) {
      if (text_of(one, "topic_arn") != arn) continue;
      any = true;
      const bool confirmed = one["confirmed"].bool_or(false);
      const auto format = text_of(one, "format");
      table.add({{confirmed ? "  confirmed" : "  pending", confirmed ? Style::kGreen : Style::kYellow},
                 {text_of(one, "protocol") + (format == "sns" ? "" : " (" + format + ")"), Style::kPlain},
                 {text_of(one, "endpoint"), Style::kPlain},
                 {std::to_string(one["waiting"].integer_or(0)), Style::kPlain},
                 {std::to_string(one["dead_letters"].integer_or(0)), Style::kPlain},
                 {last_part(text_of(one, "arn")), Style::kDim},
                 {text_of(one, "trouble"), Style::kRed}});
    }
    fmt::print("{}\n", any ? table.text() : "  nobody is subscribed\n");
  }
  fmt::print("{} deliveries wait, {} are dead letters\n", (*answer)["waiting"].integer_or(0),
             (*answer)["dead_letters"].integer_or(0));
  for (const auto& trouble : *(*answer)["troubles"].as_array()) {
    fmt::print("{} {}\n", styled("!", Style::kYellow), trouble.string_or(""));
  }
  return kDone;
}

// A subscription may be named by the last part of its ARN, as the table has it; a topic by its name.
Result<std::string> whole_arn(const std::filesystem::path& state, std::string_view list, const std::string& given) {
  if (given.empty() || given.starts_with("arn:")) return given;
  auto answer = ask_notify(state, "status");
  if (!answer) return answer.error();
  if (const auto* all = (*answer)[list].as_array()) {
    for (const auto& one : *all) {
      if (last_part(text_of(one, "arn")) == given) return text_of(one, "arn");
    }
  }
  return Error{Errc::kNotFound,
               fmt::format("nothing among the {} is called \"{}\"; `securebase notify` lists them", list, given)};
}

int queue(const std::filesystem::path& state, std::int64_t most, bool as_json) {
  auto answer = ask_notify(state, "queue", Json::object({{"most", most}}));
  if (!answer) return fail(answer.error());
  if (as_json) {
    fmt::print("{}\n", answer->dump(2));
    return kDone;
  }
  Table table({"NEXT TRY", "TRIED", "PUBLISHED", "TOPIC", "SUBSCRIPTION", "SUBJECT"});
  for (const auto& one : *(*answer)["waiting"].as_array()) {
    table.add({{one["under_way"].bool_or(false) ? "now" : text_of(one, "due"), Style::kPlain},
               {std::to_string(one["attempts"].integer_or(0)), Style::kPlain},
               {text_of(one, "published"), Style::kPlain},
               {last_part(text_of(one, "topic_arn")), Style::kPlain},
               {last_part(text_of(one, "subscription_arn")), Style::kDim},
               {text_of(one, "subject"), Style::kPlain}});
  }
  fmt::print("{}", table.text());
  return kDone;
}

int dead_letters(const std::filesystem::path& state, const std::string& subscription, bool as_json) {
  auto arn = whole_arn(state, "subscriptions", subscription);
  if (!arn) return fail(arn.error());
  auto answer = ask_notify(state, "dead-letters", Json::object({{"subscription", *arn}}));
  if (!answer) return fail(answer.error());
  if (as_json) {
    fmt::print("{}\n", answer->dump(2));
    return kDone;
  }
  Table table({"ID", "GIVEN UP", "TOPIC", "SUBSCRIPTION", "SUBJECT", "WHY"});
  for (const auto& one : *(*answer)["dead_letters"].as_array()) {
    table.add({{std::to_string(one["id"].integer_or(0)), Style::kPlain},
               {text_of(one, "died"), Style::kPlain},
               {last_part(text_of(one, "topic_arn")), Style::kPlain},
               {last_part(text_of(one, "subscription_arn")), Style::kDim},
               {text_of(one, "subject"), Style::kPlain},
               {text_of(one, "reason"), Style::kPlain}});
  }
  fmt::print("{}", table.text());
  return kDone;
}

// `what`: redrive or purge.
int again(const std::filesystem::path& state, std::string_view what, std::optional<std::int64_t> id,
          const std::string& subscription) {
  auto arn = whole_arn(state, "subscriptions", subscription);
  if (!arn) return fail(arn.error());
  auto question = Json::object({{"subscription", *arn}});
  if (id) question.set("id", *id);
  auto answer = ask_notify(state, what, std::move(question));
  if (!answer) return fail(answer.error());
  const auto count = (*answer)["count"].integer_or(0);
  fmt::print("{} dead letter{} {}\n", count, count == 1 ? "" : "s",
             what == "redrive" ? "will be tried again now" : "deleted");
  return kDone;
}

int log(const std::filesystem::path& state, const std::string& of, std::int64_t most, bool as_json) {
  auto question = Json::object({{"most", most}});
  if (!of.empty()) {
    auto arn = whole_arn(state, "subscriptions", of);
    if (!arn) arn = whole_arn(state, "topics", of);
    if (!arn) return fail(arn.error());
    question.set("arn", *arn);
  }
  auto answer = ask_notify(state, "log", std::move(question));
  if (!answer) return fail(answer.error());
  const auto& lines = *(*answer)["deliveries"].as_array();
  if (as_json) {
    for (const auto& line : lines) fmt::print("{}\n", line.dump());
    return kDone;
  }
  Table table({"TIME", "STATUS", "CODE", "TRY", "TOPIC", "TO", "ANSWER"});
  for (const auto& line : lines) {
    const auto& delivery = line["delivery"];
    const auto status = text_of(line, "status");
    table.add({{text_of(line, "at"), Style::kPlain},
               {status, status == "SUCCESS" ? Style::kGreen : Style::kRed},
               {std::to_string(delivery["statusCode"].integer_or(0)), Style::kPlain},
               {std::to_string(delivery["attempts"].integer_or(0)), Style::kPlain},
               {last_part(text_of(line["notification"], "topicArn")), Style::kPlain},
               {text_of(delivery, "destination"), Style::kPlain},
               {text_of(delivery, "providerResponse"), Style::kPlain}});
  }
  fmt::print("{}", table.text());
  return kDone;
}

int send(const std::filesystem::path& state, const std::string& topic, const std::string& subject,
         const std::string& message) {
  auto answer = ask_notify(state, "send", Json::object({{"topic", topic}, {"subject", subject}, {"message", message}}));
  if (!answer) return fail(answer.error());
  const auto receivers = (*answer)["receivers"].integer_or(0);
  fmt::print("{}\n", text_of(*answer, "message_id"));
  fmt::print(stderr, "Queued for {} confirmed subscription{}; `securebase notify log` shows what became of it.\n",
             receivers, receivers == 1 ? "" : "s");
  return kDone;
}

int confirm(const std::filesystem::path& state, const std::string& subscription) {
  auto arn = whole_arn(state, "subscriptions", subscription);
  if (!arn) return fail(arn.error());
  auto answer = ask_notify(state, "confirm", Json::object({{"subscription", *arn}}));
  if (!answer) return fail(answer.error());
  fmt::print("{} is confirmed\n", *arn);
  return kDone;
}

}  // namespace

void add_notify_commands(CLI::App& app, std::filesystem::path& state, Chosen& chosen) {
  struct Options {
    std::string subscription, topic, subject = "A test of SecureBase", message, of;
    std::optional<std::int64_t> id;
    std::int64_t most = 20;
    bool json = false;
  };
  auto options = std::make_shared<Options>();
  options->message = "This is a test message, sent by `securebase notify send`. Nothing is wrong.";

  auto* all =
      app.add_subcommand("notify", "Notifications: topics, subscribers, what waits, what could not be delivered");
  all->footer(kNotifyExamples);
  all->require_subcommand(0, 1);
  all->add_flag("--json", options->json, "For programs");
  add_state_option(*all, state);
  all->callback([=, &state, &chosen] {
    if (all->get_subcommands().empty()) chosen = [=, &state] { return overview(state, options->json); };
  });

  const auto add = [&](const char* name, const char* about, std::function<int(const Options&)> run) {
    auto* command = all->add_subcommand(name, about);
    add_state_option(*command, state);
    command->callback([=, &chosen] { chosen = [=] { return run(*options); }; });
    return command;
  };
  const auto add_choice = [&](CLI::App* command) {
    command->add_option("id", options->id, "One of them, by its number; else all")->type_name("ID");
    command->add_option("--subscription", options->subscription, "Those of one subscription");
  };

  auto* waiting = add("queue", "What waits, by when it is tried next",
                      [&state](const Options& o) { return queue(state, o.most, o.json); });
  waiting->add_option("--most,-n", options->most, "At most so many")->capture_default_str();
  waiting->add_flag("--json", options->json, "For programs");

  auto* letters = add("dead-letters", "What was given up, oldest first, and why",
                      [&state](const Options& o) { return dead_letters(state, o.subscription, o.json); });
  letters->add_option("--subscription", options->subscription, "Those of one subscription");
  letters->add_flag("--json", options->json, "For programs");

  add_choice(add("redrive", "Try dead letters again, by their whole schedule",
                 [&state](const Options& o) { return again(state, "redrive", o.id, o.subscription); }));
  add_choice(add("purge", "Delete dead letters",
                 [&state](const Options& o) { return again(state, "purge", o.id, o.subscription); }));

  auto* lines = add("log", "The newest attempts to deliver, oldest first",
                    [&state](const Options& o) { return log(state, o.of, o.most, o.json); });
  lines->add_option("of", options->of, "Of a topic (by name) or a subscription; else of all")->type_name("NAME");
  lines->add_option("--most,-n", options->most, "At most so many, the newest")->capture_default_str();
  lines->add_flag("--json", options->json, "The log's own lines, one each");

  auto* test = add("send", "Publish a message, to see that it arrives; prints its id",
                   [&state](const Options& o) { return send(state, o.topic, o.subject, o.message); });
  test->add_option("topic", options->topic, "Its name or ARN")->required()->type_name("TOPIC");
  test->add_option("message", options->message, "The text")->type_name("TEXT");
  test->add_option("--subject", options->subject, "At most 100 characters")->capture_default_str();

  add("confirm", "Confirm a subscription in place of its receiver",
      [&state](const Options& o) { return confirm(state, o.subscription); })
      ->add_option("subscription", options->subscription, "Its ARN, or the last part of it")
      ->required();
}

}  // namespace securebase::cli
