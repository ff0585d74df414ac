// A connected socket as a Stream: TCP or Unix.
#pragma once

#include <sys/socket.h>

#include <array>

#include "net/loop.h"
#include "net/stream.h"

namespace securebase::net {

// Reads and writes try the kernel at once and wait for an edge only when it has nothing. Worker only.
class Socket final : public Stream, private Worker::Loop::Source, private Worker::Loop::Deferred {
 public:
  // kConnecting: the first write waits until the kernel says that the connection stands, or failed.
  enum class State { kConnected, kConnecting };

  // Takes `descriptor`, which does not block. On the current worker.
  static Result<std::unique_ptr<Socket>> adopt(int descriptor, State state);
  ~Socket() override;

  Task<Result<Done>> shut_down() override;
  void close() override;
  std::uint64_t written() const override { return all_written_; }
  bool hung_up() const override { return hung_up_; }
  bool is_quiet() override;
  void listen_for_hang_up(HangUpListener* listener) override { hang_up_listener_ = listener; }
  std::string_view peer_address() const override { return {address_.data(), address_length_}; }
  std::uint16_t peer_port() const override { return port_; }
  int descriptor() const override { return descriptor_; }

  void set_peer(const sockaddr* address);

 private:
  explicit Socket(int descriptor, State state);

  using Outcome = std::optional<Result<std::size_t>>;
  Outcome start(IoOperation& operation) override;
  void cancel(IoOperation& operation) override;
  void on_ready(std::uint32_t epoll_events) override;
  void on_turn() override;

  Outcome receive(std::span<char> into);
  Outcome send();
  // Whether this connection has had its share of this round, so that one busy peer does not starve the others.
  bool had_its_turn();
  void finish_what_can_be();

  Worker::Loop& loop_;
  int descriptor_;
  bool readable_ = true;  // an edge came that no read has used up yet
  bool writable_ = true;
  bool hung_up_ = false;         // nothing new will come: reads go on to the end without further edges
  IoOperation* read_ = nullptr;  // those that wait
  IoOperation* write_ = nullptr;
  HangUpListener* hang_up_listener_ = nullptr;
  bool read_cancelled_ = false;
  bool write_cancelled_ = false;
  std::span<iovec> rest_;    // of write_
  FilePlace last_in_;        // of write_: where the last of rest_ lies in a file, from its current beginning on
  std::size_t written_ = 0;  // of write_
  std::uint64_t all_written_ = 0;
  std::uint64_t round_ = 0;
  unsigned turns_ = 0;  // operations that did not wait, in round_
  std::array<char, 46> address_{};
  std::uint8_t address_length_ = 0;
  std::uint16_t port_ = 0;
};

}  // namespace securebase::net
