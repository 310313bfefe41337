#!/usr/bin/python3
"""One host opens connections to the master until it gets no more, and keeps them. That is its own trouble: frameworks and
agents of other hosts come and go as ever. Started as a program, on that host, this file is who opens them."""

import contextlib
import select
import socket
import subprocess
import sys
import time

SHARE = 10_000  # connections of one address
MORE = 500  # that it tries on top
PROGRAM = "/tmp/greedy.py"


def hoard(address):
    """Tells how many of them the master has closed, as soon as it is enough, and keeps the others until its standard input
    ends."""
    host, port = address.split(":")
    held = [socket.create_connection((host, int(port)), timeout=30) for _ in range(SHARE + MORE)]
    poll, closed = select.poll(), set()
    for connection in held:
        poll.register(connection, select.POLLIN)
    end = time.monotonic() + 20
    while len(closed) < MORE and time.monotonic() < end:
        for descriptor, _ in poll.poll(100):  # nothing is said but by who closes
            poll.unregister(descriptor)
            closed.add(descriptor)
    print(len(closed), flush=True)
    sys.stdin.read()


@contextlib.contextmanager
def hoarder(b, host, address):
    """While it holds all that it gets; gives how many were closed."""
    b.copy(__file__, host, PROGRAM)
    process = subprocess.Popen([BED, "exec", "--name", b.name, host, "--", "python3", "-B", PROGRAM, address],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield int(process.stdout.readline() or 0)
    finally:
        process.stdin.close()
        process.wait(60)


def runs_a_task(framework, name):
    """And leaves the rest of that agent to others."""
    offer = framework.take_offer()
    framework.launch([offer], [task(name, offer)], refuse_seconds=3600)
    framework.last_status(name, {"TASK_FINISHED"})


def failures(b, address, agents_there):
    """`agents_there` gives how many agents are with the master; one that is away comes while the other's host hoards."""
    ask = f"python3 -c 'import urllib.request; print(urllib.request.urlopen(\"http://{address}/health\", timeout=5).status)'"
    with mischief.framework(address, "was there") as old:
        b.on("agent1", "systemctl stop fairlead-nodeagentd")
        with hoarder(b, "agent2", address) as closed:
            if closed != MORE:
                yield f"of {SHARE + MORE} connections of one host {MORE} are closed, but: {closed}"
            runs_a_task(old, "of who was there")
            with mischief.framework(address, "comes now") as new:
                runs_a_task(new, "of who comes now")
            b.on("agent1", "systemctl start fairlead-nodeagentd")
            wait_until("the agent of another host to register", lambda: agents_there() == 2, 20)
            # What its host hoards gives way to what it asks for.
            wait_until("the greedy host to be heard", lambda: b.on("agent2", ask, check=False) == "200", 20)
            runs_a_task(old, "on either host")
        greedy = b.on("master1", "getent hosts agent2").split()[0]
        told = b.on("master1", "journalctl -q -b -o cat -u fairlead-masterd | grep 'connections from' || true")
        if f"connections from {greedy} are closed: it has {SHARE} open" not in told:
            yield f"the journal names who has too many: {told}"


if __name__ == "__main__":
    hoard(sys.argv[1])
else:
    import mischief
    from bedlib.scheduler import task
    from bedlib.testing import BED, wait_until
