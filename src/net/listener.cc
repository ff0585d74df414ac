#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "net/address.h"
#include "net/port_owner.h"
#include "net/socket.h"

namespace securebase::net {

namespace {

constexpr int kBacklog = 4096;  // the kernel cuts it to net.core.somaxconn

void set(int descriptor, int level, int option) {
  const int on = 1;
  ::setsockopt(descriptor, level, option, &on, sizeof on);
}

class SocketListener final : public Listener, private Worker::Loop::Source, private Worker::Loop::Deferred {
 public:
  SocketListener(int descriptor, std::uint16_t port, std::string path)
      : loop_(Worker::current().loop()), descriptor_(descriptor), port_(port), path_(std::move(path)) {}
  ~SocketListener() override {
    check(!waiting_, "nobody waits for a listener that goes");
    close();
  }

  Result<Done> begin() { return loop_.add(descriptor_, *this); }

  Task<Result<std::unique_ptr<Stream>>> accept() override {
    for (;;) {
      if (descriptor_ < 0) co_return Error{Errc::kClosed, "the listener was closed"};
      SocketAddress peer;
      peer.length = sizeof peer.storage;
      const int descriptor = ::accept4(descriptor_, peer.get(), &peer.length, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (descriptor >= 0) {
        auto socket = Socket::adopt(descriptor, Socket::State::kConnected);
        if (!socket) co_return socket.error();
        (*socket)->set_peer(peer.get());
        std::unique_ptr<Stream> stream = std::move(*socket);
        co_return stream;
      }
      if (errno == EINTR || errno == ECONNABORTED) continue;
      if (errno != EAGAIN) co_return system_error(errno, "accept", fmt::format("on port {}", port_));
      auto waited = co_await Wait(*this);
      if (!waited) co_return waited.error();
    }
  }

  std::uint16_t port() const override { return port_; }

  void close() override {
    if (descriptor_ < 0) return;
    loop_.remove(descriptor_, *this);
    ::close(std::exchange(descriptor_, -1));
    if (!path_.empty()) ::unlink(path_.c_str());
    if (waiting_) loop_.defer(*this);
  }

 private:
  class Wait final : Cancellation::Hook {
   public:
    explicit Wait(SocketListener& listener) : listener_(listener) {}
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    bool await_suspend(std::coroutine_handle<Promise> awaiter) {
      Cancellation* cancellation = awaiter.promise().cancellation;
      if (cancellation && cancellation->requested()) {
        cancelled_ = true;
        return false;
      }
      check(!listener_.waiting_, "one accept waits at a time");
      awaiter_ = awaiter;
      listener_.waiting_ = this;
      if (cancellation) cancellation->add(*this);
      return true;
    }
    Result<Done> await_resume() {
      if (cancelled_) return Error{Errc::kCancelled, "the accept was cancelled"};
      return Done{};
    }
    void resume() {
      unhook();
      awaiter_.resume();
    }

   private:
    void on_cancel() override {
      cancelled_ = true;
      listener_.loop_.defer(listener_);
    }
    SocketListener& listener_;
    std::coroutine_handle<> awaiter_;
    bool cancelled_ = false;
  };

  void on_ready(std::uint32_t) override { wake(); }
  void on_turn() override { wake(); }
  void wake() {
    if (waiting_) std::exchange(waiting_, nullptr)->resume();
  }

  Worker::Loop& loop_;
  int descriptor_;
  const std::uint16_t port_;
  const std::string path_;  // of a Unix socket, removed when it closes
  Wait* waiting_ = nullptr;
};

Error taken(const Address& address, std::uint16_t port) {
  const auto owner = address.path.empty() ? owner_of_port(port) : std::nullopt;
  const std::string by = owner ? fmt::format(" by process {} ({})", owner->pid, owner->command) : "";
  return Error{Errc::kConflict, fmt::format("{} is taken{}: stop what listens there, or choose another address",
                                            address.to_string(), by)};
}

// A Unix socket left behind by a process that died takes no connections: it may go.
bool is_abandoned(const SocketAddress& address) {
  const int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const bool refused = ::connect(probe, address.get(), address.length) != 0 && errno == ECONNREFUSED;
  ::close(probe);
  return refused;
}

// SO_REUSEPORT alone would also let another process of the same user, or another server of this one, share the port
// unseen. So the first listener of a server binds without it, which fails if anybody is there, and only then opens the
// port to the server's other workers.
int bind_tcp(int descriptor, const SocketAddress& address, Listener::Sharing sharing) {
  set(descriptor, SOL_SOCKET, SO_REUSEADDR);
  set(descriptor, IPPROTO_TCP, TCP_NODELAY);  // accepted sockets inherit it
  if (address.family() == AF_INET6) set(descriptor, IPPROTO_IPV6, IPV6_V6ONLY);
  if (sharing == Listener::Sharing::kFurther) set(descriptor, SOL_SOCKET, SO_REUSEPORT);
  const int failure = ::bind(descriptor, address.get(), address.length) == 0 ? 0 : errno;
  if (sharing == Listener::Sharing::kFirst) set(descriptor, SOL_SOCKET, SO_REUSEPORT);
  return failure;
}

int bind_unix(int descriptor, const SocketAddress& address, const std::string& path) {
  if (::bind(descriptor, address.get(), address.length) == 0) return 0;
  if (errno != EADDRINUSE || !is_abandoned(address)) return errno;
  ::unlink(path.c_str());
  return ::bind(descriptor, address.get(), address.length) == 0 ? 0 : errno;
}

}  // namespace

Result<std::unique_ptr<Listener>> Listener::open(const Address& address, Sharing sharing) {
  auto addresses = known_addresses(address);
  if (addresses && addresses->empty()) addresses = look_up(address);
  if (!addresses) return addresses.error();
  SocketAddress local = addresses->front();
  const std::string name = address.to_string();

  const int descriptor = ::socket(local.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return system_error(errno, "socket", name);
  int failure =
      address.path.empty() ? bind_tcp(descriptor, local, sharing) : bind_unix(descriptor, local, address.path);
  if (failure == 0 && ::listen(descriptor, kBacklog) != 0) failure = errno;
  if (failure != 0) {
    ::close(descriptor);
    return failure == EADDRINUSE ? taken(address, local.port()) : system_error(failure, "listen on", name);
  }
  ::getsockname(descriptor, local.get(), &local.length);
  auto listener = std::make_unique<SocketListener>(descriptor, local.port(), address.path);
  auto begun = listener->begin();
  if (!begun) return begun.error();
  return std::unique_ptr<Listener>(std::move(listener));
}

}  // namespace securebase::net
