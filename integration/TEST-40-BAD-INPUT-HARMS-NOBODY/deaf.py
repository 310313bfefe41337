"""Subscribers that ask for more and more and read nothing of it: each is cut off, and its neighbours do not wait for it.

Of each the journal says why.
"""

import contextlib
import re
import socket

from bedlib.scheduler import JSON, PATH, post
from bedlib.testing import wait_until
from wrong_requests import SUBSCRIBE

CALLS_MAX = 200  # each is answered by more than a MiB of events; a queue has 64
ASKED_AT_ONCE = 5000
MIB = 1024 * 1024


class Deaf:
    """A framework that hears that it is subscribed, and then no more."""

    def __init__(self, address):
        self.address = address
        host, port = address.split(":")
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.settimeout(30)
        self.socket.connect((host, int(port)))
        self.socket.sendall((f"POST {PATH} HTTP/1.1\r\nHost: m\r\nContent-Type: application/json\r\n"
                             f"Content-Length: {len(SUBSCRIBE)}\r\n\r\n{SUBSCRIBE}").encode())
        heard = ""
        while not (found := re.search(r'"framework_id":\{"value":"([^"]+)"\}', heard)):
            heard += self.socket.recv(1024).decode()
        self.id = found[1]
        self.stream_id = re.search(r"(?i)mesos-stream-id: (\S+)", heard)[1]

    def ask(self):
        """The status of a call that is answered by very many events."""
        tasks = [{"task_id": {"value": f"{number}-{'x' * 200}"}} for number in range(ASKED_AT_ONCE)]
        call = {"type": "RECONCILE", "framework_id": {"value": self.id}, "reconcile": {"tasks": tasks}}
        return post(self.address, call, JSON | {"Mesos-Stream-Id": self.stream_id})[0]

    def bytes_until_the_end(self):
        """What the kernel still had of the stream; an error when it goes on."""
        size = 0
        with contextlib.suppress(ConnectionResetError):
            while part := self.socket.recv(65536):
                size += len(part)
        return size


def failures(address, neighbour, cut_off_in_journal, number=4):
    """Sentences about those that were not cut off; while they go on, the neighbour's tasks have to come through.

    `cut_off_in_journal` gives what the journal says of the frameworks that were too slow.
    """
    with contextlib.ExitStack() as stack:
        asking = [Deaf(address) for _ in range(number)]
        for one in asking:
            stack.callback(one.socket.close)
        for calls in range(CALLS_MAX):
            for one in list(asking):
                if one.ask() == 202:
                    continue
                asking.remove(one)
                size = one.bytes_until_the_end()
                if calls < 5 or size > calls * MIB:
                    yield f"framework {one.id} was not cut off for what it did not read: {calls} calls, {size} bytes"
                wait_until(f"the journal to say that framework {one.id} read too slowly",
                           lambda wanted=one.id: wanted in cut_off_in_journal(), 20)
            if calls % 10 == 0:
                neighbour.wait_for_progress()
            if not asking:
                return
        for one in asking:
            yield f"framework {one.id} reads nothing and was sent {CALLS_MAX} MiB"
