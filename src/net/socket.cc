#include "net/socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace securebase::net {

namespace {

constexpr unsigned kTurnsInARound = 64;

// Takes `count` bytes from the front of `pieces`.
void take_from_front(std::span<iovec>& pieces, std::size_t count) {
  while (!pieces.empty() && count >= pieces.front().iov_len) {
    count -= pieces.front().iov_len;
    pieces = pieces.subspan(1);
  }
  if (count == 0) return;
  auto& piece = pieces.front();
  piece.iov_base = static_cast<char*>(piece.iov_base) + count;
  piece.iov_len -= count;
}

}  // namespace

Result<std::unique_ptr<Socket>> Socket::adopt(int descriptor, State state) {
  std::unique_ptr<Socket> socket(new Socket(descriptor, state));
  auto added = socket->loop_.add(descriptor, *socket);
  if (!added) return added.error();
  return socket;
}

Socket::Socket(int descriptor, State state)
    : loop_(Worker::current().loop()), descriptor_(descriptor), writable_(state == State::kConnected) {}

Socket::~Socket() {
  check(!read_ && !write_, "nobody waits for a socket that goes");
  close();
}

void Socket::set_peer(const sockaddr* address) {
  const auto write_address = [this](int family, const void* bytes, std::uint16_t port) {
    if (::inet_ntop(family, bytes, address_.data(), address_.size())) {
      address_length_ = static_cast<std::uint8_t>(std::strlen(address_.data()));
    }
    port_ = ntohs(port);
  };
  if (address->sa_family == AF_INET) {
    const auto& v4 = *reinterpret_cast<const sockaddr_in*>(address);
    write_address(AF_INET, &v4.sin_addr, v4.sin_port);
  } else if (address->sa_family == AF_INET6) {
    const auto& v6 = *reinterpret_cast<const sockaddr_in6*>(address);
    if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
      write_address(AF_INET, &v6.sin6_addr.s6_addr[12], v6.sin6_port);
    } else {
      write_address(AF_INET6, &v6.sin6_addr, v6.sin6_port);
    }
  }
}

Task<Result<Done>> Socket::shut_down() {
  if (descriptor_ < 0) co_return Error{Errc::kClosed, "the connection was closed"};
  if (::shutdown(descriptor_, SHUT_WR) != 0) co_return system_error(errno, "shutdown", "the connection");
  co_return Done{};
}

void Socket::close() {
  if (descriptor_ < 0) return;
  loop_.remove(descriptor_, *this);
  ::close(std::exchange(descriptor_, -1));
  read_cancelled_ = read_ != nullptr;
  write_cancelled_ = write_ != nullptr;
  if (read_ || write_) loop_.defer(*this);
}

bool Socket::is_quiet() {
  if (descriptor_ < 0 || hung_up_) return false;
  char byte = 0;
  return ::recv(descriptor_, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

bool Socket::had_its_turn() {
  if (round_ != loop_.round()) {
    round_ = loop_.round();
    turns_ = 0;
  }
  return ++turns_ > kTurnsInARound;
}

Socket::Outcome Socket::start(IoOperation& operation) {
  if (descriptor_ < 0) return Error{Errc::kClosed, "the connection was closed"};
  const bool later = had_its_turn();
  if (operation.kind() == IoOperation::Kind::kRead) {
    check(!read_, "one read waits at a time");
    if (readable_ && !later) {
      if (auto outcome = receive(operation.into())) return outcome;
    }
    read_ = &operation;
  } else {
    check(!write_, "one write waits at a time");
    rest_ = operation.pieces();
    last_in_ = operation.last_in();
    written_ = 0;
    if (writable_ && !later) {
      if (auto outcome = send()) return outcome;
    }
    write_ = &operation;
  }
  if (later) loop_.defer(*this);
  return std::nullopt;
}

// nullopt: nothing there, wait for the next edge.
Socket::Outcome Socket::receive(std::span<char> into) {
  for (;;) {
    const auto got = ::recv(descriptor_, into.data(), into.size(), 0);
    if (got >= 0) {
      // Short: the socket is empty, and the kernel tells when more comes (epoll(7), question 9).
      if (static_cast<std::size_t>(got) < into.size() && !hung_up_) readable_ = false;
      return static_cast<std::size_t>(got);
    }
    if (errno == EINTR) continue;
    if (errno == EAGAIN) {
      readable_ = false;
      return std::nullopt;
    }
    return system_error(errno, "recv", "from the peer");
  }
}

Socket::Outcome Socket::send() {
  constexpr std::size_t kMostPieces = 1024;  // IOV_MAX
  for (;;) {
    take_from_front(rest_, 0);
    if (rest_.empty()) return written_;
    ssize_t sent = 0;
    if (last_in_ && rest_.size() == 1) {
      auto offset = static_cast<off_t>(last_in_.offset);
      sent = ::sendfile(descriptor_, last_in_.descriptor, &offset, rest_.front().iov_len);
      check(sent != 0, "a file that is sent is as long as was said");
      if (sent > 0) last_in_.offset += static_cast<std::uint64_t>(sent);
    } else {
      msghdr message{};
      message.msg_iov = rest_.data();
      message.msg_iovlen = std::min(rest_.size() - (last_in_ ? 1 : 0), kMostPieces);
      // What the file brings goes into the same segments.
      sent = ::sendmsg(descriptor_, &message, MSG_NOSIGNAL | (last_in_ ? MSG_MORE : 0));
    }
    if (sent < 0) {
      if (errno == EINTR) continue;
      if (errno != EAGAIN) return system_error(errno, "send", "to the peer");
      writable_ = false;
      return std::nullopt;
    }
    written_ += static_cast<std::size_t>(sent);
    all_written_ += static_cast<std::size_t>(sent);
    take_from_front(rest_, static_cast<std::size_t>(sent));
  }
}

void Socket::cancel(IoOperation& operation) {
  if (read_ == &operation) {
    read_cancelled_ = true;
  } else if (write_ == &operation) {
    write_cancelled_ = true;
  } else {
    return;  // done already: it resumes with what it got
  }
  loop_.defer(*this);
}

void Socket::on_ready(std::uint32_t epoll_events) {
  const bool hang_up = !hung_up_ && (epoll_events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR));
  if (hang_up) hung_up_ = true;
  if (epoll_events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) readable_ = true;
  if (epoll_events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) writable_ = true;
  if (hang_up && hang_up_listener_) hang_up_listener_->on_hang_up();
  finish_what_can_be();
}

void Socket::on_turn() { finish_what_can_be(); }

// Whoever resumes may destroy this socket: everything is settled before the first of them does.
void Socket::finish_what_can_be() {
  Outcome read_outcome;
  Outcome write_outcome;
  const Error cancelled{Errc::kCancelled, "cancelled"};
  if (read_ && read_cancelled_) {
    read_outcome = cancelled;
  } else if (read_ && readable_) {
    read_outcome = receive(read_->into());
  }
  if (write_ && write_cancelled_) {
    write_outcome = cancelled;
  } else if (write_ && writable_) {
    write_outcome = send();
  }
  IoOperation* read = read_outcome ? std::exchange(read_, nullptr) : nullptr;
  IoOperation* write = write_outcome ? std::exchange(write_, nullptr) : nullptr;
  if (read) read_cancelled_ = false;
  if (write) write_cancelled_ = false;
  if (write) write->complete(std::move(*write_outcome));
  if (read) read->complete(std::move(*read_outcome));
}

}  // namespace securebase::net
