"""Clients that are slow, silent or half gone, many at a time: the server ends each within its deadline."""

import contextlib
import selectors
import socket
import time

from wrong_requests import JSON, SCHEDULER, SUBSCRIBE

HEAD = f"POST {SCHEDULER} HTTP/1.1\r\nHost: m\r\n{JSON}\r\nContent-Length: 1000\r\n\r\n".encode()
LONGEST = 45  # seconds: what the server gives a body, and some more

# what is sent at once, what then drips out byte by byte, whether our half is closed, what the answer starts with
MANNERS = {
    "drips a head": (b"GET /health HTTP/1.1\r\nX: ", b"x", False, "HTTP/1.1 408 "),
    "drips a body": (HEAD, b" ", False, "HTTP/1.1 408 "),
    "sends half a head and waits": (b"POST /api/v1/sch", b"", False, "HTTP/1.1 408 "),
    "closes its half within the head": (b"GET /heal", b"", True, "HTTP/1.1 400 "),
    "closes its half within the body": (HEAD + b"{", b"", True, "HTTP/1.1 400 "),
    "closes its half at once": (b"", b"", True, ""),
}


class Client:
    def __init__(self, address, manner):
        self.manner = manner
        first, self.drip, half_closed, self.wanted = MANNERS[manner]
        host, port = address.split(":")
        self.socket = socket.create_connection((host, int(port)))
        self.socket.sendall(first)
        if half_closed:
            self.socket.shutdown(socket.SHUT_WR)
        self.answer, self.ended = b"", False

    def read(self):
        with contextlib.suppress(ConnectionError):
            if more := self.socket.recv(65536):
                self.answer += more
                return
        self.ended = True
        self.socket.close()


def failures(address, of_each=40):
    """Opens all of them at once and waits for their ends; a sentence for each manner that was not ended rightly."""
    clients = [Client(address, manner) for manner in MANNERS for _ in range(of_each)]
    selector = selectors.DefaultSelector()
    for client in clients:
        selector.register(client.socket, selectors.EVENT_READ, client)
    deadline = time.monotonic() + LONGEST
    while selector.get_map() and time.monotonic() < deadline:
        for key, _ in selector.select(timeout=0.5):
            key.data.read()
            if key.data.ended:
                selector.unregister(key.fileobj)
        for key in list(selector.get_map().values()):
            with contextlib.suppress(OSError):
                key.fileobj.send(key.data.drip)
    for manner in MANNERS:
        these = [client for client in clients if client.manner == manner]
        if not all(client.ended for client in these):
            yield f"a client that {manner} is not ended within {LONGEST} s"
        wrong = [client.answer for client in these if not client.answer.decode(errors="replace").startswith(client.wanted)]
        if wrong:
            yield f"a client that {manner}: expected '{these[0].wanted}', got {wrong[0][:100]!r}"


def vanish(address, number=50):
    """Subscribers that leave in the middle of their stream, with a reset and without a word."""
    host, port = address.split(":")
    body = SUBSCRIBE.encode()
    for _ in range(number):
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(HEAD.replace(b"1000", str(len(body)).encode()) + body)
            connection.recv(100)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
