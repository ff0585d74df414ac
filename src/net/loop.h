// The event loop as Asio gives it. Inside net/ only: no other room sees Asio.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include "net/worker.h"

namespace securebase::net {

struct Worker::Loop {
  // One thread runs it: Asio then takes no locks of its own, save in post().
  boost::asio::io_context io{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{io.get_executor()};
};

// `failure` as an Error of ours; `what` says what was being done to whom.
Error io_error(const boost::system::error_code& failure, std::string_view what);

}  // namespace securebase::net
