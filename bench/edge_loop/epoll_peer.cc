// epoll_peer PORT [BYTES]: the floor under edge_loop: epoll, recv, sendmsg, and nothing else. No parsing, no
// coroutines, no clock, no error that it would survive.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: epoll_peer PORT [BYTES]\n");
    return 2;
  }
  const std::string body(argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 1024, 'x');
  const std::string head =
      "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: " + std::to_string(body.size()) +
      "\r\nDate: Thu, 26 Nov 2026 00:00:00 GMT\r\nAge: 10\r\n\r\n";
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  const int on = 1;
  ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(std::atoi(argv[1])));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || ::listen(listener, 1024) != 0) {
    std::perror("epoll_peer");
    return 1;
  }
  const int loop = ::epoll_create1(0);
  epoll_event interest{};
  interest.events = EPOLLIN;
  interest.data.fd = listener;
  ::epoll_ctl(loop, EPOLL_CTL_ADD, listener, &interest);
  std::array<epoll_event, 128> events;
  std::array<char, 4096> input;
  for (;;) {
    const int count = ::epoll_wait(loop, events.data(), events.size(), -1);
    for (int i = 0; i < count; ++i) {
      const int socket = events[static_cast<std::size_t>(i)].data.fd;
      if (socket == listener) {
        interest.data.fd = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK);
        interest.events = EPOLLIN | EPOLLOUT | EPOLLET;
        ::setsockopt(interest.data.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        ::epoll_ctl(loop, EPOLL_CTL_ADD, interest.data.fd, &interest);
        continue;
      }
      const auto got = ::recv(socket, input.data(), input.size(), 0);
      if (got == 0) ::close(socket);
      if (got <= 0 || !std::string_view(input.data(), static_cast<std::size_t>(got)).ends_with("\r\n\r\n")) continue;
      std::array<iovec, 2> pieces = {iovec{const_cast<char*>(head.data()), head.size()},
                                     iovec{const_cast<char*>(body.data()), body.size()}};
      msghdr message{};
      message.msg_iov = pieces.data();
      message.msg_iovlen = pieces.size();
      if (::sendmsg(socket, &message, MSG_NOSIGNAL) < 0)
        ::close(socket);  // a full socket: this one is for small bodies
    }
  }
}
