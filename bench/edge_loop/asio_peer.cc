// asio_peer PORT [BYTES]: the least work that edge_loop does, on Asio's event loop and coroutines: reads a request up
// to its empty line, writes a prepared head, a field that differs, and a body of BYTES in one gathered write. It parses
// and checks nothing, keeps no time and no limits: what it costs is a lower bound of what our server would cost on
// Asio.
#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>  // Boost 1.74's awaitable.hpp uses std::exchange without it

#include <boost/asio.hpp>  // NOLINT: after <utility>

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

// As net/listener.cc sets it: without it, a small answer waits for the acknowledgement of the one before.
asio::awaitable<void> serve(tcp::socket socket, const std::string& head, const std::string& body) {
  boost::system::error_code failure;
  socket.set_option(tcp::no_delay(true), failure);
  std::array<char, 4096> input;
  std::size_t held = 0;
  for (;;) {
    held += co_await socket.async_read_some(asio::buffer(input.data() + held, input.size() - held),
                                            asio::redirect_error(asio::use_awaitable, failure));
    if (failure || held == input.size()) co_return;
    const auto end = std::string_view(input.data(), held).find("\r\n\r\n");
    if (end == std::string_view::npos) continue;
    held = 0;  // no pipelining
    const std::string varying = "Age: 10\r\n\r\n";
    const std::array<asio::const_buffer, 3> pieces = {asio::buffer(head), asio::buffer(varying), asio::buffer(body)};
    co_await asio::async_write(socket, pieces, asio::redirect_error(asio::use_awaitable, failure));
    if (failure) co_return;
  }
}

asio::awaitable<void> listen(tcp::acceptor& acceptor, const std::string& head, const std::string& body) {
  for (;;) {
    boost::system::error_code failure;
    auto socket = co_await acceptor.async_accept(asio::redirect_error(asio::use_awaitable, failure));
    if (failure) co_return;
    asio::co_spawn(acceptor.get_executor(), serve(std::move(socket), head, body), asio::detached);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: asio_peer PORT [BYTES]\n");
    return 2;
  }
  const std::string body(argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 1024, 'x');
  const std::string head =
      "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: " + std::to_string(body.size()) +
      "\r\nDate: Thu, 26 Nov 2026 00:00:00 GMT\r\n";
  asio::io_context loop(1);  // one thread: Asio then leaves out most of its locking
  tcp::acceptor acceptor(loop, {asio::ip::make_address("127.0.0.1"), static_cast<unsigned short>(std::atoi(argv[1]))});
  asio::co_spawn(loop, listen(acceptor, head, body), asio::detached);
  loop.run();
  return 0;
}
