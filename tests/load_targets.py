"""Targets for load tests that behave in a known way: latencies that were chosen, a stall, and everything that is wrong."""

import asyncio
import contextlib
import math
import socket
import struct
import threading
import time

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\nok\n"


def delay_of(number):
    """Of the request that is received as the number-th: evenly between 100 and 300 ms, in no order."""
    return 0.1 + 0.2 * math.modf(number * 0.6180339887498949)[0]


async def end_tasks():
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def end_loop(loop, thread):
    asyncio.run_coroutine_threadsafe(end_tasks(), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()


class SlowServer:
    """Answers each request after delay_of(); once, after `stall_at` seconds, does nothing at all for `stall` seconds."""

    def __init__(self, stall_at=None, stall=2.0, tls=None):
        self.tls = tls  # an ssl.SSLContext
        self.stall_at = stall_at
        self.stall = stall
        self.first = None
        self.received_at = []
        self.answered_at = []
        self.port = None
        ready = threading.Event()
        self.thread = threading.Thread(target=self._run, args=(ready,), daemon=True)
        self.thread.start()
        ready.wait()

    def _run(self, ready):
        self.loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self.loop)
        server = self.loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=1000, ssl=self.tls))
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        self.loop.run_forever()

    def _stall(self):
        time.sleep(self.stall)

    async def _serve(self, reader, writer):
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError), contextlib.closing(writer):
            while True:
                await reader.readuntil(b"\r\n\r\n")
                if self.first is None:
                    self.first = time.monotonic()
                    if self.stall_at is not None:
                        self.loop.call_later(self.stall_at, self._stall)
                number = len(self.received_at)
                self.received_at.append(time.monotonic())
                self.answered_at.append(None)
                await asyncio.sleep(delay_of(number))
                self.answered_at[number] = time.monotonic()
                writer.write(ANSWER)
                await writer.drain()

    def url(self):
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}/"

    def stop(self):
        end_loop(self.loop, self.thread)


def true_latencies(rate, server):
    """What a client sees that sends each request when it is due, by the server's own clock: in seconds, sorted.

    The server cannot know when the first was due; but no request comes before it is, and one of them came at once.
    """
    begin = min(received - number / rate for number, received in enumerate(server.received_at))
    return sorted(answered - begin - number / rate for number, answered in enumerate(server.answered_at))


def percentile(values, percent):
    return values[max(0, math.ceil(percent / 100 * len(values)) - 1)]


class BadServer:
    """Accepts, reads a request, and does what `act` does with the connection."""

    def __init__(self, act):
        self.act = act
        self.held = []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=1000)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with contextlib.suppress(OSError):
            try:
                connection.recv(4096)
                self.act(self, connection)
            finally:
                if connection not in self.held:
                    connection.close()

    def url(self):
        return f"http://127.0.0.1:{self.port}/"

    def stop(self):
        self.listener.close()
        for connection in self.held:
            connection.close()


def resets(server, connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def stalls(server, connection):
    server.held.append(connection)


def sends_garbage(server, connection):
    connection.sendall(b"\x16\x03\x01 this is not HTTP\r\n\r\n")
    server.held.append(connection)


def ends_early(server, connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nonly this")
    connection.close()


def ends_its_half(server, connection):
    connection.shutdown(socket.SHUT_WR)
    server.held.append(connection)


def sends_half_a_chunk(server, connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhal")


def sends_no_end_of_a_head(server, connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000)
    server.held.append(connection)


ODD_ANSWERS = (b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
               b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n",
               b"HTTP/1.1 204 No Content\r\n\r\n",
               b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
               b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n")


def answers_oddly(server, connection):
    """All that is allowed, in turn; and then, as nobody may, a failure that no request asked for."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else it waits for the next request's acknowledgement
    for answer in ODD_ANSWERS:
        connection.sendall(answer)
        if not connection.recv(4096):
            return
    connection.sendall(ODD_ANSWERS[0])
    time.sleep(0.005)
    connection.sendall(b"HTTP/1.1 500 Unasked\r\nContent-Length: 0\r\n\r\n")
    connection.recv(4096)


def drips(server, connection):
    """A byte now and then, for ever: each makes progress, the whole never comes."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    while True:
        connection.sendall(b"x")
        time.sleep(0.1)


def answers_500(server, connection):
    while True:
        connection.sendall(b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n")
        if not connection.recv(4096):
            return


class QueueServer:
    """One request after another, each for `seconds`: a queue of one server, which breaks where arithmetic says."""

    def __init__(self, seconds):
        self.seconds = seconds
        ready = threading.Event()
        self.thread = threading.Thread(target=self._run, args=(ready,), daemon=True)
        self.thread.start()
        ready.wait()

    def _run(self, ready):
        self.loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self.loop)
        self.turn = asyncio.Lock()
        server = self.loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=1000))
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        self.loop.run_forever()

    async def _serve(self, reader, writer):
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError), contextlib.closing(writer):
            while True:
                await reader.readuntil(b"\r\n\r\n")
                async with self.turn:
                    await asyncio.sleep(self.seconds)
                writer.write(ANSWER)
                await writer.drain()

    def url(self):
        return f"http://127.0.0.1:{self.port}/"

    def stop(self):
        end_loop(self.loop, self.thread)


class HearingServer:
    """Keeps what it is sent, a head and a body by its Content-Length, and says 200 without a body."""

    def __init__(self):
        self.heard = []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with contextlib.suppress(OSError), connection, connection.makefile("rb") as stream:
            while True:
                lines = []
                while (line := stream.readline()) not in (b"", b"\r\n"):
                    lines.append(line)
                if not lines:
                    return
                length = next((int(line.split(b":")[1]) for line in lines if line.lower().startswith(b"content-length")), 0)
                self.heard.append((b"".join(lines), stream.read(length)))
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    def url(self):
        return f"http://127.0.0.1:{self.port}/"

    def stop(self):
        self.listener.close()
