#include <fcntl.h>
#include <sys/socket.h>

#include <cerrno>

#include "lambda/socket.h"
#include "lambda/stream.h"

namespace securebase::lambda {

namespace {

class TcpStream final : public Stream {
 public:
  explicit TcpStream(Socket socket) : socket_(std::move(socket)) {}

  Result<Done> read_some(std::string& into, base::SteadyPoint deadline) override {
    char buffer[16 << 10];
    while (true) {
      const ssize_t count = ::recv(socket_.fd(), buffer, sizeof buffer, 0);
      if (count > 0) {
        into.append(buffer, static_cast<std::size_t>(count));
        return Done{};
      }
      if (count == 0) return Error{Errc::kClosed, "the server closed the connection"};
      if (errno == EINTR) continue;
      if (errno == ECONNRESET) return Error{Errc::kClosed, "the server reset the connection"};
      if (errno != EAGAIN) return system_error(errno, "recv", "a connection");
      if (auto ready = socket_.wait(Socket::For::kReading, deadline); !ready) return ready;
    }
  }

  Result<Done> write_all(std::string_view bytes, base::SteadyPoint deadline) override {
    while (!bytes.empty()) {
      const ssize_t count = ::send(socket_.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count >= 0) {
        bytes.remove_prefix(static_cast<std::size_t>(count));
        continue;
      }
      if (errno == EINTR) continue;
      if (errno == EPIPE || errno == ECONNRESET) return Error{Errc::kClosed, "the server closed the connection"};
      if (errno != EAGAIN) return system_error(errno, "send", "a connection");
      if (auto ready = socket_.wait(Socket::For::kWriting, deadline); !ready) return ready;
    }
    return Done{};
  }

 private:
  Socket socket_;
};

}  // namespace

Result<std::unique_ptr<Stream>> connect_tcp(const std::string& host, std::uint16_t port, base::SteadyPoint deadline,
                                            Waits waits) {
  auto socket = Socket::connect(host, port, deadline);
  if (!socket) return socket.error();
  if (waits == Waits::kForever && ::fcntl(socket->fd(), F_SETFL, 0) != 0) {
    return system_error(errno, "fcntl", "a connection");
  }
  return std::unique_ptr<Stream>(std::make_unique<TcpStream>(std::move(*socket)));
}

}  // namespace securebase::lambda
