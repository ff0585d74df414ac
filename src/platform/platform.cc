#include "platform/platform.h"

#include <fmt/format.h>

#include "base/hash.h"
#include "platform/configuration.h"
#include "platform/rooms.h"
#include "prober/prober.h"
#include "stack/plan.h"

namespace securebase::platform {

namespace {

// For a plan without a state directory: as good as the real text wherever it is not shown, and it never is.
std::string secret_to_come(std::string_view address, std::size_t length, std::string_view alphabet) {
  std::string text;
  for (std::size_t i = 0; i < length; ++i) {
    text += alphabet[base::hash64(address, i) % alphabet.size()];
  }
  return text;
}

std::string command_for_login() { return R"(curl -s -d '{"email":"demo@abc123.example","password":"demo-abc123"}' )"; }

}  // namespace

std::string Settings::url(std::string_view scheme, std::uint16_t port) const {
  const bool six = bind.find(':') != std::string::npos;
  return fmt::format("{}://{}{}{}:{}", scheme, six ? "[" : "", bind, six ? "]" : "", port);
}

struct Platform::Impl {
  std::unique_ptr<Rooms> rooms;
  Settings settings;
};

std::optional<int> helper_main(int argc, char** argv) {
  if (const auto code = process::warden_main(argc, argv)) return code;
  return prober::prober_main(argc, argv);
}

base::Json question_of(const StackSource& source) {
  const auto paths = [](const std::vector<std::filesystem::path>& all) {
    auto array = base::Json::array();
    for (const auto& path : all) array.push_back(std::filesystem::absolute(path).native());
    return array;
  };
  auto variables = base::Json::array();
  for (const auto& [name, value] : source.variables) variables.push_back(base::Json::array({name, value}));
  return base::Json::object({{"directory", std::filesystem::absolute(source.directory).lexically_normal().native()},
                             {"variables", variables},
                             {"variable_files", paths(source.variable_files)},
                             {"file_roots", paths(source.file_roots)},
                             {"programs", source.programs}});
}

Result<Plan> plan(const StackSource& source, const std::filesystem::path& state) {
  // A running platform knows what a change starts from; without one, everything is new.
  const Control control(state);
  std::error_code failure;
  if (std::filesystem::exists(control_socket(state), failure)) {
    auto answer = control.ask("/plan", question_of(source));
    if (answer) return Plan{std::string((*answer)["text"].string_or("")), (*answer)["changes"].bool_or(false)};
    if (answer.error().code != Errc::kUnavailable) return answer.error();
  }
  auto stack = read_stack(source, {}, secret_to_come);
  if (!stack) return stack.error();
  auto configuration = configure(std::move(*stack), {});
  if (!configuration) return configuration.error();
  const auto changes = stack::diff({}, *configuration->stack);
  return Plan{stack::render_plan(changes, *configuration->stack), !changes.empty()};
}

void Interruption::ask() {
  const std::lock_guard lock(mutex_);
  asked_ = true;
  if (act_) act_();
}

void Interruption::answer_with(std::function<void()> act) {
  const std::lock_guard lock(mutex_);
  act_ = std::move(act);
  if (asked_ && act_) act_();
}

Platform::Platform(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Platform::~Platform() = default;

Result<std::unique_ptr<Platform>> Platform::start(Settings settings, Progress progress, Interruption* interruption) {
  auto state = State::open(settings.state);
  if (!state) return state.error();
  auto impl = std::make_unique<Impl>();
  impl->settings = settings;
  impl->rooms = std::make_unique<Rooms>(std::move(settings), std::move(*state), std::move(progress), interruption);
  auto started = impl->rooms->start();
  if (interruption) interruption->answer_with({});
  if (!started) return started.error();
  return std::unique_ptr<Platform>(new Platform(std::move(impl)));
}

base::Json Platform::status() const {
  auto status = impl_->rooms->status();
  const std::string url(status["addresses"]["http"].string_or(""));
  auto commands = base::Json::array();
  commands.push_back(fmt::format("curl -i {}/api/v1/health", url));
  commands.push_back(command_for_login() + url + "/api/v1/auth/login");
  status.set("try", commands);
  return status;
}

void Platform::stop() { impl_->rooms->stop(); }

}  // namespace securebase::platform
