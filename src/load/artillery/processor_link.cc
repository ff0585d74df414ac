#include "load/artillery/processor_link.h"

#include <fmt/format.h>

#include <unordered_map>

#include "net/event.h"
#include "net/stream.h"
#include "net/worker.h"

namespace securebase::load::artillery {

namespace {
constexpr std::size_t kMostLine = std::size_t{64} << 20;
}

// Shared by the link and the two tasks of its connection, which may live a moment longer than the link.
struct ProcessorLink::State {
  explicit State(std::function<void()> on_crash) : crashed(std::move(on_crash)) {}

  using Answer = net::Reply<base::Json>;  // null: node is gone
  enum class Phase { kNone, kConnecting, kConnected, kGone };

  Phase phase = Phase::kNone;
  std::unique_ptr<net::Stream> stream;
  std::string out;  // not yet given to the writer
  bool writing = false;
  std::uint64_t next = 1;
  std::unordered_map<std::uint64_t, Answer> waiting;
  std::function<void()> crashed;

  void fail_all() {
    phase = Phase::kGone;
    auto calls = std::move(waiting);
    waiting.clear();
    for (auto& [id, answer] : calls) answer.answer(base::Json());
    if (crashed) std::exchange(crashed, nullptr)();
  }

  void take_line(std::string_view line) {
    auto message = base::Json::parse(line);
    if (!message) return;
    const auto found = waiting.find(static_cast<std::uint64_t>((*message)["i"].integer_or(0)));
    if (found == waiting.end()) return;  // it came too late
    const Answer answer = found->second;
    waiting.erase(found);
    answer.answer(std::move(*message));
  }

  // Until the connection ends.
  static net::Task<void> serve(std::shared_ptr<State> self, net::Address address) {
    auto connected = co_await net::connect(address, std::chrono::seconds{10});
    if (!connected || self->phase == Phase::kGone) {
      self->fail_all();
      co_return;
    }
    self->stream = std::move(*connected);
    self->phase = Phase::kConnected;
    if (!self->out.empty() && !self->writing) net::Worker::current().tasks().spawn(write(self));
    const auto piece = std::make_unique<char[]>(64 << 10);
    std::string rest;
    for (;;) {
      auto got = co_await self->stream->read({piece.get(), 64 << 10});
      if (!got || *got == 0 || rest.size() > kMostLine) break;
      const std::size_t looked_at = rest.size();
      rest.append(piece.get(), *got);
      std::size_t from = 0;
      for (auto end = rest.find('\n', looked_at); end != std::string::npos; end = rest.find('\n', from)) {
        self->take_line(std::string_view(rest).substr(from, end - from));
        from = end + 1;
      }
      rest.erase(0, from);
    }
    self->fail_all();
  }

  static net::Task<void> write(std::shared_ptr<State> self) {
    self->writing = true;
    while (!self->out.empty() && self->phase == Phase::kConnected) {
      std::string bytes = std::move(self->out);
      self->out.clear();
      iovec piece{bytes.data(), bytes.size()};
      auto written = co_await self->stream->write({&piece, 1});
      if (!written) break;
    }
    self->writing = false;
  }

  // Posted, so that what comes within this turn goes along.
  static void flush_later(const std::shared_ptr<State>& self) {
    if (self->writing || self->phase != Phase::kConnected) return;
    self->writing = true;
    net::Worker::current().post([self] {
      self->writing = false;
      if (!self->out.empty()) net::Worker::current().tasks().spawn(write(self));
    });
  }
};

ProcessorLink::ProcessorLink(const Processor& processor, std::function<void()> crashed)
    : processor_(processor), state_(std::make_shared<State>(std::move(crashed))) {}

ProcessorLink::~ProcessorLink() {
  state_->crashed = nullptr;
  state_->phase = State::Phase::kGone;
  if (state_->stream) state_->stream->close();
}

net::Task<Result<base::Json>> ProcessorLink::call(base::Json message) {
  const auto state = state_;
  if (state->phase == State::Phase::kGone) co_return Error{Errc::kClosed, "the processor is gone"};
  if (state->phase == State::Phase::kNone) {
    state->phase = State::Phase::kConnecting;
    net::Address address;
    address.path = processor_.socket().native();
    net::Worker::current().tasks().spawn(State::serve(state, address));
  }
  const auto id = state->next++;
  const std::string function(message["f"].string_or(""));
  message.set("i", id);
  State::Answer answer;
  state->waiting.emplace(id, answer);
  message.dump_to(state->out);
  state->out += '\n';
  State::flush_later(state);
  auto came = co_await net::with_timeout(kPatience, answer.wait());
  state->waiting.erase(id);
  if (!came) {
    if (came.error().code != Errc::kTimeout) co_return came.error();
    co_return Error{Errc::kTimeout, fmt::format("the function {} of the processor did not call next() within {} s",
                                                function, kPatience.count())};
  }
  if (came->is_null()) co_return Error{Errc::kClosed, "the processor is gone"};
  co_return std::move(*came);
}

void ProcessorLink::forget(std::uint64_t user) {
  if (state_->phase == State::Phase::kNone || state_->phase == State::Phase::kGone) return;
  state_->out += fmt::format("{{\"k\":\"end\",\"u\":{}}}\n", user);
  State::flush_later(state_);
}

}  // namespace securebase::load::artillery
