// Lambda's operations, judged by what they do to traffic: real sandboxes, a real registry, and calls made by hand.
#include "functions/api/lambda_api.h"

#include <archive.h>
#include <archive_entry.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "base/encoding.h"
#include "base/file.h"
#include "base/json.h"
#include "base/random.h"

namespace securebase::functions {
namespace {

using namespace std::chrono_literals;
using aws::Value;
using testing::HasSubstr;
namespace fs = std::filesystem;

// The platform in small: files, registry, and the functions that follow them.
class SmallPlatform final : public stack::Changes {
 public:
  SmallPlatform(fs::path directory, Functions& functions) : directory_(std::move(directory)), functions_(functions) {
    declare(catalogue_);
  }
  // As `up` and `apply` do.
  void apply(const std::string& files) {
    fs::create_directories(directory_);
    std::ofstream(directory_ / "main.tf") << files;
    stack::Inputs inputs;
    inputs.directory = directory_;
    auto loaded = stack::load(inputs, catalogue_);
    ASSERT_TRUE(loaded) << stack::render(loaded.error());
    files_ = *loaded;
    auto recorded = stack::Registry::open(file());
    ASSERT_TRUE(recorded);
    auto done = go_to(recorded->without_drift());
    ASSERT_TRUE(done) << done.error().message;
  }
  std::shared_ptr<const stack::Stack> current() const override { return current_; }
  Result<std::shared_ptr<const stack::Stack>> change(const Decide& decide) override {
    auto edits = decide(*current_);
    if (!edits) return edits.error();
    if (edits->empty()) return current_;
    auto next = recorded_.with(*edits, *current_);
    if (!next) return next.error();
    if (auto done = go_to(std::move(*next)); !done) return done.error();
    return current_;
  }

 private:
  fs::path file() const { return directory_ / "registry" / "resources.json"; }
  Result<Done> go_to(stack::Registry next) {
    auto all = next.over(files_, catalogue_, {});
    if (!all) return Error{Errc::kMalformed, stack::render(all.error())};
    auto config = configure(all->stack);
    if (!config) return Error{Errc::kMalformed, stack::render(config.error())};
    if (auto applied = functions_.apply(*config); !applied) return applied;
    recorded_ = next.without(all->superseded);
    current_ = std::make_shared<const stack::Stack>(std::move(all->stack));
    return recorded_.save(file());
  }

  const fs::path directory_;
  Functions& functions_;
  stack::Catalogue catalogue_;
  stack::Stack files_;
  stack::Registry recorded_;
  std::shared_ptr<const stack::Stack> current_;
};

std::string zip(const std::vector<std::pair<std::string, std::string>>& files) {
  std::string bytes(1 << 20, '\0');
  std::size_t used = 0;
  archive* writer = archive_write_new();
  archive_write_set_format_zip(writer);
  archive_write_open_memory(writer, bytes.data(), bytes.size(), &used);
  for (const auto& [name, content] : files) {
    archive_entry* made = archive_entry_new();
    archive_entry_set_pathname(made, name.c_str());
    archive_entry_set_perm(made, 0755);
    archive_entry_set_filetype(made, AE_IFREG);
    archive_entry_set_size(made, static_cast<la_int64_t>(content.size()));
    archive_write_header(writer, made);
    archive_write_data(writer, content.data(), content.size());
    archive_entry_free(made);
  }
  archive_write_close(writer);
  archive_write_free(writer);
  bytes.resize(used);
  return bytes;
}

std::string handler(const std::string& body) {
  return zip({{"app.py", "def handler(event, context):\n    " + body + "\n"}});
}

class LambdaApiTest : public testing::Test {
 protected:
  using Method = aws::Outcome (LambdaApi::*)(const aws::Call&);

  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "sandboxes with users of their own need root";
    state_ = fs::temp_directory_path() / ("lambda-api-" + base::random_hex(12));
    fs::create_directories(state_);
    start();
  }
  void TearDown() override {
    stop();
    std::error_code ignored;
    if (!state_.empty()) fs::remove_all(state_, ignored);
  }
  void start(const std::string& files = "") {
    workers_ = std::make_unique<net::Workers>(2);
    Settings settings;
    settings.state_directory = state_;
    settings.sandbox_program = SECUREBASE_SANDBOX_PROGRAM;
    settings.retry_after = 50ms;
    settings.registry = &registry_;
    functions_ = std::make_unique<Functions>(settings, *workers_);
    auto started = functions_->start();
    ASSERT_TRUE(started) << started.error().message;
    platform_ = std::make_unique<SmallPlatform>(state_ / "stack", *functions_);
    platform_->apply(files);
    const auto object = [this](const std::string& bucket, const std::string& key) -> Result<std::string> {
      if (bucket != "code" || key != "f.zip") return Error{Errc::kNotFound, "no such object"};
      return object_;
    };
    api_ = std::make_unique<LambdaApi>(
        ApiDoors{.functions = *functions_, .changes = *platform_, .pool = pool_, .fetch_object = object});
  }
  void stop() {
    api_.reset();
    if (functions_) functions_->stop();
    if (workers_) workers_->stop();
    functions_.reset();
  }

  aws::Outcome call(Method method, Value input) {
    const aws::Call made{
        "lambda",         "",      identity_, "us-east-1", "123456789012", "", base::system_clock().now(),
        std::move(input), request_};
    return ((*api_).*method)(made);
  }
  // The output, or a failed test.
  Value done(Method method, Value input) {
    auto outcome = call(method, std::move(input));
    if (!outcome) ADD_FAILURE() << outcome.error().code << ": " << outcome.error().message;
    return outcome ? outcome->output : Value();
  }
  std::string fault(Method method, Value input) {
    auto outcome = call(method, std::move(input));
    return outcome ? "no fault" : outcome.error().code;
  }
  aws::Outcome invoke(Value input) {
    aws::Call made{"lambda",         "Invoke", identity_, "us-east-1", "123456789012", "", base::system_clock().now(),
                   std::move(input), request_};
    net::Reply<std::shared_ptr<aws::Outcome>> reply;
    std::shared_ptr<aws::Outcome> outcome;
    std::mutex mutex;
    std::condition_variable came;
    (*workers_)[0].post([&] { net::Worker::current().tasks().spawn(waiting(made, outcome, mutex, came)); });
    std::unique_lock lock(mutex);
    came.wait(lock, [&] { return outcome != nullptr; });
    return std::move(*outcome);
  }
  net::Task<void> waiting(aws::Call& made, std::shared_ptr<aws::Outcome>& outcome, std::mutex& mutex,
                          std::condition_variable& came) {
    auto got = std::make_shared<aws::Outcome>(co_await api_->invoke(made));
    const std::lock_guard lock(mutex);
    outcome = std::move(got);
    came.notify_all();
  }
  // What the function answers, or the fault's code.
  std::string answer(const std::string& function, const std::string& event = "{}") {
    auto outcome = invoke(Value::structure({{"FunctionName", function}, {"Payload", aws::Blob{event}}}));
    if (!outcome) return outcome.error().code;
    return outcome->output["Payload"].as_blob()->bytes;
  }
  Value create(const std::string& name, const std::string& code, Value more = Value::structure()) {
    more.set("FunctionName", name);
    more.set("Runtime", "python3.11");
    more.set("Role", "arn:aws:iam::123456789012:role/r");
    more.set("Handler", "app.handler");
    more.set("Code", Value::structure({{"ZipFile", aws::Blob{code}}}));
    return done(&LambdaApi::create_function, std::move(more));
  }
  static Value of(const std::string& name) { return Value::structure({{"FunctionName", name}}); }

  fs::path state_;
  telemetry::Registry registry_;
  net::Pool pool_{2, 100};
  std::unique_ptr<net::Workers> workers_;
  std::unique_ptr<Functions> functions_;
  std::unique_ptr<SmallPlatform> platform_;
  std::unique_ptr<LambdaApi> api_;
  const aws::Identity identity_;
  const http::Request request_;
  std::string object_ = handler("return 'from S3'");
};

TEST_F(LambdaApiTest, AFunctionAnswersFromItsCreationToItsDeletion) {
  EXPECT_EQ(answer("f"), "ResourceNotFoundException");
  const auto made = create("f", handler("return event['n'] + 1"), Value::structure({{"Timeout", 7}}));
  EXPECT_EQ(made["FunctionArn"].string_or(""), "arn:aws:lambda:us-east-1:123456789012:function:f");
  EXPECT_EQ(made["Timeout"].integer_or(0), 7);
  EXPECT_EQ(made["MemorySize"].integer_or(0), 128);
  EXPECT_EQ(made["Version"].string_or(""), "$LATEST");
  EXPECT_EQ(answer("f", R"({"n":41})"), "42");
  EXPECT_EQ(answer("arn:aws:lambda:us-east-1:123456789012:function:f:$LATEST", R"({"n":1})"), "2");
  EXPECT_EQ(fault(&LambdaApi::create_function,
                  Value::structure({{"FunctionName", "f"},
                                    {"Runtime", "python3.11"},
                                    {"Handler", "app.handler"},
                                    {"Role", "r"},
                                    {"Code", Value::structure({{"ZipFile", aws::Blob{handler("return 0")}}})}})),
            "ResourceConflictException");
  done(&LambdaApi::delete_function, of("f"));
  EXPECT_EQ(answer("f"), "ResourceNotFoundException");
  EXPECT_EQ(fault(&LambdaApi::get_function, of("f")), "ResourceNotFoundException");
  EXPECT_TRUE(fs::is_empty(state_ / "functions" / "code"));  // nothing refers to the code any more
  create("g", handler("return 1"));
  // Nor to the package, once the last instance has ended; the next change sees that.
  const auto packages = [this] {
    const fs::directory_iterator all(state_ / "functions" / "packages");
    return std::distance(begin(all), end(all));
  };
  for (int i = 0; i < 100 && packages() != 1; ++i) {
    std::this_thread::sleep_for(10ms);
    done(&LambdaApi::update_function_configuration, Value::structure({{"FunctionName", "g"}, {"Timeout", 4 + i % 2}}));
  }
  EXPECT_EQ(packages(), 1);
}

TEST_F(LambdaApiTest, StaysAcrossARestart) {
  create("f", handler("return 'still here'"));
  stop();
  start();
  EXPECT_EQ(answer("f"), "\"still here\"");
  EXPECT_EQ(done(&LambdaApi::get_function_configuration, of("f"))["Handler"].string_or(""), "app.handler");
}

TEST_F(LambdaApiTest, RefusesWhatCannotRunAndKeepsWhatDoes) {
  create("f", handler("return 1"));
  EXPECT_EQ(fault(&LambdaApi::create_function,
                  Value::structure({{"FunctionName", "g"},
                                    {"Runtime", "nodejs20.x"},
                                    {"Code", Value::structure({{"ZipFile", aws::Blob{"PK"}}})}})),
            "InvalidParameterValueException");
  Value input = of("f");
  input.set("ZipFile", aws::Blob{"PK but no zip"});
  EXPECT_EQ(fault(&LambdaApi::update_function_code, input), "InvalidParameterValueException");
  EXPECT_EQ(answer("f"), "1");
  EXPECT_EQ(fault(&LambdaApi::update_function_configuration,
                  Value::structure({{"FunctionName", "f"}, {"MemorySize", 100'000}})),
            "InvalidParameterValueException");
  EXPECT_EQ(fault(&LambdaApi::update_function_configuration,
                  Value::structure({{"FunctionName", "f"}, {"Layers", Value::list({"arn:aws:lambda:none"})}})),
            "InvalidParameterValueException");
  const auto variables = Value::structure({{"LONG", std::string(4093, 'x')}});  // with its name a byte more than 4 KB
  EXPECT_EQ(
      fault(&LambdaApi::update_function_configuration,
            Value::structure({{"FunctionName", "f"}, {"Environment", Value::structure({{"Variables", variables}})}})),
      "InvalidParameterValueException");
  EXPECT_EQ(answer("f"), "1");
}

TEST_F(LambdaApiTest, TakesCodeFromAnObject) {
  done(&LambdaApi::create_function,
       Value::structure({{"FunctionName", "f"},
                         {"Runtime", "python3.11"},
                         {"Handler", "app.handler"},
                         {"Role", "r"},
                         {"Code", Value::structure({{"S3Bucket", "code"}, {"S3Key", "f.zip"}})}}));
  EXPECT_EQ(answer("f"), "\"from S3\"");
}

TEST_F(LambdaApiTest, NewCodeAnswersTheNextCallAndRevisionsGuardIt) {
  const auto made = create("f", handler("return 'old'"));
  EXPECT_EQ(answer("f"), "\"old\"");
  Value input = of("f");
  input.set("ZipFile", aws::Blob{handler("return 'new'")});
  input.set("RevisionId", "00000000-0000-0000-0000-000000000000");
  EXPECT_EQ(fault(&LambdaApi::update_function_code, input), "PreconditionFailedException");
  input.set("RevisionId", std::string(made["RevisionId"].string_or("")));
  const auto changed = done(&LambdaApi::update_function_code, input);
  EXPECT_NE(changed["CodeSha256"], made["CodeSha256"]);
  EXPECT_NE(changed["RevisionId"], made["RevisionId"]);
  EXPECT_EQ(answer("f"), "\"new\"");
  EXPECT_EQ(fault(&LambdaApi::update_function_code, input), "PreconditionFailedException");
}

TEST_F(LambdaApiTest, AConfigurationIsInForceForTheNextCall) {
  create("f", handler("import os; return os.environ.get('WORD', '') + os.environ['AWS_LAMBDA_FUNCTION_MEMORY_SIZE']"));
  EXPECT_EQ(answer("f"), "\"128\"");
  done(&LambdaApi::update_function_configuration,
       Value::structure({{"FunctionName", "f"},
                         {"MemorySize", 256},
                         {"Environment", Value::structure({{"Variables", Value::structure({{"WORD", "w"}})}})}}));
  EXPECT_EQ(answer("f"), "\"w256\"");
  const auto told = done(&LambdaApi::get_function, of("f"))["Configuration"];
  EXPECT_EQ(told["Environment"]["Variables"]["WORD"].string_or(""), "w");
}

TEST_F(LambdaApiTest, ALayerIsImportedAsSoonAsTheFunctionHasIt) {
  create("f", handler("import extra; return extra.word"));
  EXPECT_THAT(answer("f"), HasSubstr("ModuleNotFoundError"));
  const auto publish = [this](const std::string& word) {
    return done(&LambdaApi::publish_layer_version,
                Value::structure(
                    {{"LayerName", "deps"},
                     {"Content", Value::structure(
                                     {{"ZipFile", aws::Blob{zip({{"python/extra.py", "word = '" + word + "'\n"}})}}})},
                     {"CompatibleRuntimes", Value::list({"python3.11"})}}));
  };
  const auto first = publish("one");
  EXPECT_EQ(first["Version"].integer_or(0), 1);
  const std::string arn(first["LayerVersionArn"].string_or(""));
  EXPECT_EQ(arn, "arn:aws:lambda:us-east-1:123456789012:layer:deps:1");
  const auto use = [this](const std::string& layer) {
    done(&LambdaApi::update_function_configuration,
         Value::structure({{"FunctionName", "f"}, {"Layers", Value::list({layer})}}));
  };
  use(arn);
  EXPECT_EQ(answer("f"), "\"one\"");
  EXPECT_EQ(publish("two")["Version"].integer_or(0), 2);
  EXPECT_EQ(answer("f"), "\"one\"");
  use("arn:aws:lambda:us-east-1:123456789012:layer:deps:2");
  EXPECT_EQ(answer("f"), "\"two\"");
  const auto number = [](int version) { return Value::structure({{"LayerName", "deps"}, {"VersionNumber", version}}); };
  EXPECT_EQ(fault(&LambdaApi::delete_layer_version, number(2)), "ResourceConflictException");
  done(&LambdaApi::delete_layer_version, number(1));
  EXPECT_EQ(fault(&LambdaApi::get_layer_version, number(1)), "ResourceNotFoundException");
  EXPECT_EQ(done(&LambdaApi::list_layer_versions, number(0))["LayerVersions"].elements().size(), 1u);
  EXPECT_EQ(done(&LambdaApi::list_layers, Value::structure())["Layers"].elements().size(), 1u);
}

TEST_F(LambdaApiTest, VersionsRunSideBySideAndAliasesLeadToThem) {
  create("f", handler("return context.function_version + ' one'"), Value::structure({{"Publish", true}}));
  EXPECT_EQ(answer("f:1"), "\"1 one\"");
  Value input = of("f");
  input.set("ZipFile", aws::Blob{handler("return context.function_version + ' two'")});
  done(&LambdaApi::update_function_code, input);
  EXPECT_EQ(answer("f"), "\"$LATEST two\"");
  EXPECT_EQ(answer("f:1"), "\"1 one\"");
  EXPECT_EQ(done(&LambdaApi::publish_version, of("f"))["Version"].string_or(""), "2");
  EXPECT_EQ(done(&LambdaApi::publish_version, of("f"))["Version"].string_or(""), "2");  // nothing changed since
  EXPECT_EQ(answer("f:2"), "\"2 two\"");
  EXPECT_EQ(done(&LambdaApi::list_versions_by_function, of("f"))["Versions"].elements().size(), 3u);

  const auto alias = [](const std::string& version) {
    return Value::structure({{"FunctionName", "f"}, {"Name", "prod"}, {"FunctionVersion", version}});
  };
  EXPECT_EQ(answer("f:prod"), "ResourceNotFoundException");
  EXPECT_EQ(fault(&LambdaApi::create_alias, alias("9")), "ResourceNotFoundException");
  done(&LambdaApi::create_alias, alias("1"));
  EXPECT_EQ(answer("f:prod"), "\"1 one\"");
  done(&LambdaApi::update_alias, alias("2"));
  EXPECT_EQ(answer("f:prod"), "\"2 two\"");
  // All of the calls go to the second version, by its share.
  Value shared = alias("2");
  shared.set("RoutingConfig", Value::structure({{"AdditionalVersionWeights", Value::structure({{"1", 1.0}})}}));
  done(&LambdaApi::update_alias, shared);
  EXPECT_EQ(answer("f:prod"), "\"1 one\"");
  Value version = of("f");
  version.set("Qualifier", "1");
  EXPECT_EQ(fault(&LambdaApi::delete_function, version), "ResourceConflictException");
  done(&LambdaApi::delete_alias, alias("1"));
  EXPECT_EQ(answer("f:prod"), "ResourceNotFoundException");
  done(&LambdaApi::delete_function, version);
  EXPECT_EQ(answer("f:1"), "ResourceNotFoundException");
  EXPECT_EQ(answer("f:2"), "\"2 two\"");
}

TEST_F(LambdaApiTest, ReservedConcurrencyOfZeroStopsTheNextCallAndKeepsInstances) {
  create("f", handler("import os; return os.environ['AWS_LAMBDA_LOG_STREAM_NAME']"));
  const auto before = answer("f");
  Value input = of("f");
  input.set("ReservedConcurrentExecutions", 0);
  done(&LambdaApi::put_function_concurrency, input);
  const auto refused = invoke(of("f"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "TooManyRequestsException");
  EXPECT_EQ(refused.error().status, 429);
  EXPECT_EQ(refused.error().members["Reason"].string_or(""), "ReservedFunctionConcurrentInvocationLimitExceeded");
  EXPECT_EQ(done(&LambdaApi::get_function_concurrency, of("f"))["ReservedConcurrentExecutions"].integer_or(-1), 0);
  input.set("ReservedConcurrentExecutions", 950);
  EXPECT_EQ(fault(&LambdaApi::put_function_concurrency, input), "InvalidParameterValueException");
  done(&LambdaApi::delete_function_concurrency, of("f"));
  EXPECT_EQ(answer("f"), before);
}

TEST_F(LambdaApiTest, ProvisionedInstancesAreWarmBeforeTheFirstCall) {
  create("f", handler("import os; return os.environ['AWS_LAMBDA_INITIALIZATION_TYPE']"),
         Value::structure({{"Publish", true}}));
  Value input = of("f");
  input.set("Qualifier", "$LATEST");
  input.set("ProvisionedConcurrentExecutions", 2);
  EXPECT_EQ(fault(&LambdaApi::put_provisioned_concurrency, input), "InvalidParameterValueException");
  input.set("Qualifier", "1");
  EXPECT_EQ(fault(&LambdaApi::get_provisioned_concurrency, input), "ProvisionedConcurrencyConfigNotFoundException");
  done(&LambdaApi::put_provisioned_concurrency, input);
  for (int i = 0; i < 500; ++i) {
    if (done(&LambdaApi::get_provisioned_concurrency, input)["Status"].string_or("") == "READY") break;
    std::this_thread::sleep_for(10ms);
  }
  EXPECT_EQ(
      done(&LambdaApi::get_provisioned_concurrency, input)["AvailableProvisionedConcurrentExecutions"].integer_or(0),
      2);
  EXPECT_EQ(answer("f:1"), "\"provisioned-concurrency\"");
  EXPECT_EQ(answer("f"), "\"on-demand\"");
  done(&LambdaApi::delete_provisioned_concurrency, input);
  EXPECT_EQ(fault(&LambdaApi::get_provisioned_concurrency, input), "ProvisionedConcurrencyConfigNotFoundException");
}

TEST_F(LambdaApiTest, InvokeTellsErrorsVersionAndTheEndOfTheLog) {
  create("f", handler("print('a word'); return 1 / event['by']"));
  Value input = of("f");
  input.set("LogType", "Tail");
  input.set("Payload", aws::Blob{R"({"by":1})"});
  const auto good = invoke(input);
  ASSERT_TRUE(good);
  EXPECT_EQ(good->output["ExecutedVersion"].string_or(""), "$LATEST");
  EXPECT_TRUE(good->output["FunctionError"].is_null());
  const std::string log = base::from_base64(good->output["LogResult"].string_or("")).value_or("");
  EXPECT_THAT(
      log, testing::MatchesRegex("START RequestId: (.|\n)*\na word\nEND RequestId: (.|\n)*REPORT RequestId: (.|\n)*"));
  input.set("Payload", aws::Blob{R"({"by":0})"});
  const auto bad = invoke(input);
  ASSERT_TRUE(bad);
  EXPECT_EQ(bad->output["FunctionError"].string_or(""), "Unhandled");
  EXPECT_THAT(bad->output["Payload"].as_blob()->bytes, HasSubstr("ZeroDivisionError"));
  input.set("Payload", aws::Blob{"no json"});
  EXPECT_EQ(invoke(input).error().code, "InvalidRequestContentException");
  Value dry = of("f");
  dry.set("InvocationType", "DryRun");
  EXPECT_EQ(invoke(dry)->status, 204);
}

TEST_F(LambdaApiTest, AnEventThatNobodyWaitsForIsRetriedAndThenGivenUp) {
  create("f", handler("open('/tmp/tries', 'a').write('x'); n = len(open('/tmp/tries').read()); "
                      "assert n >= event['until'], n; return n"));
  const auto dropped = [this] {
    return registry_.counter({"AWS/Lambda", "AsyncEventsDropped", telemetry::Unit::kCount, ""}, {{"FunctionName", "f"}})
        .total();
  };
  const auto send = [this](const char* event) {
    Value input = of("f");
    input.set("InvocationType", "Event");
    input.set("Payload", aws::Blob{event});
    const auto taken = invoke(input);
    ASSERT_TRUE(taken);
    EXPECT_EQ(taken->status, 202);
  };
  const auto queue_is_empty = [this] {
    for (int i = 0; i < 1000 && !fs::is_empty(state_ / "functions" / "queue"); ++i) std::this_thread::sleep_for(10ms);
    return fs::is_empty(state_ / "functions" / "queue");
  };
  send(R"({"until":3})");  // fails twice, succeeds at the second retry
  EXPECT_TRUE(queue_is_empty());
  EXPECT_EQ(dropped(), 0u);
  done(&LambdaApi::put_event_invoke, Value::structure({{"FunctionName", "f"}, {"MaximumRetryAttempts", 0}}));
  EXPECT_EQ(done(&LambdaApi::get_event_invoke, of("f"))["MaximumRetryAttempts"].integer_or(-1), 0);
  send(R"({"until":100})");
  EXPECT_TRUE(queue_is_empty());
  EXPECT_EQ(dropped(), 1u);
}

TEST_F(LambdaApiTest, AnEventThatWasTakenOutlivesTheProcess) {
  create("f", handler("open('/tmp/x', 'w'); print('got', event['n'])"));
  Value stopped = of("f");
  stopped.set("ReservedConcurrentExecutions", 0);
  done(&LambdaApi::put_function_concurrency, stopped);
  Value input = of("f");
  input.set("InvocationType", "Event");
  input.set("Payload", aws::Blob{R"({"n":7})"});
  ASSERT_TRUE(invoke(input));
  stop();
  EXPECT_FALSE(fs::is_empty(state_ / "functions" / "queue"));
  start();
  done(&LambdaApi::delete_function_concurrency, of("f"));
  for (int i = 0; i < 1000 && !fs::is_empty(state_ / "functions" / "queue"); ++i) std::this_thread::sleep_for(10ms);
  EXPECT_TRUE(fs::is_empty(state_ / "functions" / "queue"));
}

TEST_F(LambdaApiTest, AFunctionOfTheFilesChangesAndIsPutBack) {
  std::ofstream(state_ / "f.zip") << handler("return context.function_version + ' files'");
  const std::string files = R"(
resource "aws_lambda_function" "f" {
  function_name = "f"
  runtime       = "python3.11"
  handler       = "app.handler"
  filename      = ")" + (state_ / "f.zip").native() +
                            R"("
  publish       = true
}
resource "aws_lambda_alias" "prod" {
  name             = "prod"
  function_name    = aws_lambda_function.f.function_name
  function_version = aws_lambda_function.f.version
}
)";
  platform_->apply(files);
  EXPECT_EQ(answer("f:prod"), "\"1 files\"");
  EXPECT_EQ(answer("f"), "\"1 files\"");
  Value input = of("f");
  input.set("ZipFile", aws::Blob{handler("return context.function_version + ' api'")});
  done(&LambdaApi::update_function_code, input);
  EXPECT_EQ(answer("f"), "\"$LATEST api\"");
  EXPECT_EQ(answer("f:prod"), "\"1 files\"");  // a version does not change
  create("g", handler("return 'beside'"));
  platform_->apply(files);
  EXPECT_EQ(answer("f"), "\"1 files\"");
  EXPECT_EQ(answer("g"), "\"beside\"");
  done(&LambdaApi::delete_function, of("f"));
  EXPECT_EQ(answer("f:prod"), "ResourceNotFoundException");
  platform_->apply(files);
  EXPECT_EQ(answer("f:prod"), "\"1 files\"");
}

TEST_F(LambdaApiTest, PermissionsAndTagsAreKept) {
  create("f", handler("return 1"));
  EXPECT_EQ(fault(&LambdaApi::get_policy, of("f")), "ResourceNotFoundException");
  Value input = Value::structure({{"FunctionName", "f"},
                                  {"StatementId", "api"},
                                  {"Action", "lambda:InvokeFunction"},
                                  {"Principal", "apigateway.amazonaws.com"},
                                  {"SourceArn", "arn:aws:execute-api:us-east-1:123456789012:x/*"}});
  done(&LambdaApi::add_permission, input);
  EXPECT_EQ(fault(&LambdaApi::add_permission, input), "ResourceConflictException");
  const auto policy = *base::Json::parse(done(&LambdaApi::get_policy, of("f"))["Policy"].string_or(""));
  const auto& statement = (*policy["Statement"].as_array())[0];
  EXPECT_EQ(statement["Sid"].string_or(""), "api");
  EXPECT_EQ(statement["Principal"]["Service"].string_or(""), "apigateway.amazonaws.com");
  done(&LambdaApi::remove_permission, input);
  EXPECT_EQ(fault(&LambdaApi::remove_permission, input), "ResourceNotFoundException");

  const std::string arn = "arn:aws:lambda:us-east-1:123456789012:function:f";
  done(&LambdaApi::tag_resource,
       Value::structure({{"Resource", arn}, {"Tags", Value::structure({{"a", "1"}, {"b", "2"}})}}));
  done(&LambdaApi::untag_resource, Value::structure({{"Resource", arn}, {"TagKeys", Value::list({"a"})}}));
  EXPECT_EQ(done(&LambdaApi::list_tags, Value::structure({{"Resource", arn}}))["Tags"], Value::structure({{"b", "2"}}));
}

}  // namespace
}  // namespace securebase::functions
