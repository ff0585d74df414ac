// up, plan and apply.
#include <fmt/format.h>

#include <cmath>
#include <memory>

#include "cli/commands.h"
#include "cli/options.h"
#include "cli/terminal.h"

namespace securebase::cli {

namespace {

struct PlanOptions {
  platform::StackSource source;
  std::filesystem::path state;
  bool detailed_exitcode = false;
};

struct ApplyOptions {
  platform::StackSource source;
  std::filesystem::path state;
  bool auto_approve = false;
};

int plan(const PlanOptions& options) {
  auto made = platform::plan(options.source, options.state);
  if (!made) return fail(made.error());
  fmt::print("{}", made->text);
  return options.detailed_exitcode && made->changes ? kChanges : kDone;
}

int apply(const ApplyOptions& options) {
  const platform::Control control(options.state);
  auto question = platform::question_of(options.source);
  auto planned = control.ask("/plan", question);
  if (!planned) return fail(planned.error());
  fmt::print("{}", (*planned)["text"].string_or(""));
  if (!(*planned)["changes"].bool_or(false)) return kDone;
  if (!options.auto_approve && !approved("Apply these changes?")) return kFailed;
  // What is applied is what was shown, or nothing.
  question.set("fingerprint", (*planned)["fingerprint"]);
  auto applied = control.ask("/apply", question);
  if (!applied) return fail(applied.error());
  fmt::print("\n{}\n", (*applied)["text"].string_or(""));
  return kDone;
}

// -var name=value, as Terraform has it.
void add_stack_options(CLI::App& command, platform::StackSource& source, std::vector<std::string>& variables) {
  command.add_option("directory", source.directory, "The stack: a directory of .tf files")
      ->required()
      ->type_name("DIR");
  command.add_option("--var,-v", variables, "A variable's value: name=value; may be repeated")->type_name("NAME=VALUE");
  command.add_option("--var-file", source.variable_files, "A .tfvars file; may be repeated")->type_name("FILE");
  command
      .add_option("--allow-files", source.file_roots,
                  "A folder beside the stack's own whose files file(), fileset() and others may read; may be repeated")
      ->type_name("DIR");
  command.add_flag("--allow-programs", source.programs,
                   "The stack's data \"external\" may run programs, with the rights of the platform");
}

// Credentials are in files: a command line is seen by every user of the machine.
void add_export_options(CLI::App& command, platform::Exports& exports, double& seconds) {
  command.add_option("--remote-write", exports.remote_write_url, "Push metrics there by Prometheus' remote write")
      ->type_name("URL");
  command
      .add_option("--remote-write-headers", exports.remote_write_headers,
                  "A file of \"Name: value\" lines that go with each request, like Authorization: Bearer ...")
      ->type_name("FILE");
  command
      .add_option("--otlp-metrics", exports.otlp_metrics_url,
                  "Push metrics there by OTLP/HTTP: http://host:4318/v1/metrics")
      ->type_name("URL");
  command.add_option("--otlp-metrics-headers", exports.otlp_metrics_headers, "The same for OTLP")->type_name("FILE");
  command.add_option("--export-interval", seconds, "Seconds between two pushes")
      ->check(CLI::Range(0.1, 3600.0))
      ->capture_default_str();
}

Result<Done> split_variables(const std::vector<std::string>& texts, platform::StackSource& source) {
  for (const auto& text : texts) {
    const auto at = text.find('=');
    if (at == std::string::npos || at == 0) {
      return Error{Errc::kMalformed, fmt::format("--var takes name=value, not \"{}\"", text)};
    }
    source.variables.emplace_back(text.substr(0, at), text.substr(at + 1));
  }
  return Done{};
}

// Runs `command` once the variables that were given are split.
Chosen with_variables(std::shared_ptr<std::vector<std::string>> variables, platform::StackSource& source,
                      Chosen command) {
  return [variables = std::move(variables), &source, command = std::move(command)] {
    if (auto split = split_variables(*variables, source); !split) {
      fail(split.error());
      return kUsage;
    }
    return command();
  };
}

void add_up(CLI::App& app, std::filesystem::path& state, Chosen& chosen) {
  auto settings = std::make_shared<platform::Settings>();
  auto variables = std::make_shared<std::vector<std::string>>();
  auto export_seconds = std::make_shared<double>(15);
  auto* command = app.add_subcommand("up", "Start the platform on a stack; Ctrl-C stops it");
  add_stack_options(*command, settings->stack, *variables);
  add_state_option(*command, state);
  command->add_option("--bind", settings->bind, "The address to listen on; anything but loopback is open to others")
      ->capture_default_str();
  command->add_option("--http-port", settings->http_port, "The edge")->capture_default_str();
  command->add_option("--https-port", settings->https_port, "The edge, TLS")->capture_default_str();
  command->add_option("--aws-port", settings->aws_port, "The AWS APIs")->capture_default_str();
  command->add_option("--operator-port", settings->operator_port, "/metrics and /healthz")->capture_default_str();
  command->add_option("--xray-port", settings->xray_port, "The X-Ray daemon, UDP and TCP; 0 is none")
      ->capture_default_str();
  command->add_option("--postgres-port", settings->postgres_port, "PostgreSQL, over the stack's port; else 5432");
  command->add_option("--redis-port", settings->redis_port, "Redis, over the stack's port; else 6379");
  command
      ->add_option("--otlp-traces", settings->otlp_traces,
                   "Send kept traces to a collector as well, by OTLP/HTTP: http://127.0.0.1:4318/v1/traces")
      ->type_name("URL");
  command->add_option("--workers", settings->workers, "Event loops; 0 is one to a core")->capture_default_str();
  command->add_option("--edge-cache-bytes", settings->edge_cache_bytes, "What the edge keeps in memory")
      ->capture_default_str()
      ->transform(CLI::AsSizeValue(false));

  add_export_options(*command, settings->exports, *export_seconds);
  teach(*command,
        "It stays in the foreground and says \"Ready after\" when it answers. Ctrl-C, SIGTERM or a hang-up ends it in "
        "order,\n"
        "also while it starts; a second Ctrl-C ends it at once. What was acknowledged is on disk in either case.\n\n"
        "  securebase up service/infra\n"
        "  securebase up STACK --state ~/try -var stage=dev --var-file dev.tfvars\n"
        "  securebase up STACK --http-port 9080 --postgres-port 6432      where others have the ports",
        "0 it ended as it was asked to; 1 it could not start, the reason is on standard error and nothing is left "
        "running;\n130 and 143 a second SIGINT or SIGTERM ended it at once");
  command->callback([settings, variables, export_seconds, &state, &chosen] {
    settings->exports.interval = std::chrono::milliseconds(std::llround(*export_seconds * 1000));
    settings->state = state;
    chosen = with_variables(variables, settings->stack, [settings] { return up(*settings); });
  });
}

}  // namespace

void add_stack_commands(CLI::App& app, std::filesystem::path& state, Chosen& chosen) {
  add_up(app, state, chosen);

  auto planned = std::make_shared<PlanOptions>();
  auto plan_variables = std::make_shared<std::vector<std::string>>();
  auto* plan_command = app.add_subcommand("plan", "What a stack asks for, and what would change");
  add_stack_options(*plan_command, planned->source, *plan_variables);
  add_state_option(*plan_command, state);
  plan_command->add_flag("--detailed-exitcode", planned->detailed_exitcode, "Exit with 2 when something would change");
  teach(*plan_command,
        "With a platform on the state directory it shows what would change there, else all that the stack asks for.\n\n"
        "  securebase plan service/infra\n"
        "  securebase plan STACK -var stage=dev --detailed-exitcode || echo \"something changes, or is wrong\"",
        "0 done; 1 the files are wrong, or rooms refuse them; 2 with --detailed-exitcode: something would change");
  plan_command->callback([planned, plan_variables, &state, &chosen] {
    planned->state = state;
    chosen = with_variables(plan_variables, planned->source, [planned] { return plan(*planned); });
  });

  auto wanted = std::make_shared<ApplyOptions>();
  auto apply_variables = std::make_shared<std::vector<std::string>>();
  auto* apply_command =
      app.add_subcommand("apply", "Change the running platform to a stack, without dropping a connection");
  add_stack_options(*apply_command, wanted->source, *apply_variables);
  add_state_option(*apply_command, state);
  apply_command->add_flag("--auto-approve", wanted->auto_approve, "Do not ask");
  teach(
      *apply_command,
      "It shows the plan and asks. What is applied is what was shown, whole or not at all; migrations that were "
      "applied\n"
      "before one that failed stay. A bucket that holds more than the stack's objects is not removed without\n"
      "force_destroy, a cluster with deletion_protection not at all; a cluster's data stays in the state directory.\n\n"
      "  securebase apply service/infra\n"
      "  securebase apply STACK -var stage=dev --auto-approve           for pipelines\n"
      "  securebase rollback                                            back to what was in force before",
      "0 applied, or nothing to do; 1 nothing was applied, the reason is on standard error");
  apply_command->callback([wanted, apply_variables, &state, &chosen] {
    wanted->state = state;
    chosen = with_variables(apply_variables, wanted->source, [wanted] { return apply(*wanted); });
  });
}

}  // namespace securebase::cli
