"""Offers: from "there is room" to offer and launch, with one client and with sixteen, who must not be slower.

A real master with its own registry on the loopback of this machine; agents are simulated, so that only master and
frameworks are measured. One and sixteen take turns, each time with a master of their own.
"""

import contextlib
import json
import socket
import subprocess
import tempfile
from pathlib import Path

from benchlib import build, table
from bedlib.system import wait_until

MANY = 16
ROUNDS = 3
SET_UPS = [
    ("room for 16, clients run one task after another", ["--agents", "16"]),
    ("room for one task, clients compete for it", ["--agents", "1", "--every-offer"]),
]


def measure():
    master, offers = build.programs("fairlead-masterd", "fairlead-bench-offers")
    for title, options in SET_UPS:
        rounds = {1: [], MANY: []}
        for _ in range(ROUNDS):
            for clients, results in rounds.items():
                results.append(_one(master, offers, clients, options))
        rate = {clients: table.median([each["tasks_per_second"] for each in results]) for clients, results in rounds.items()}
        rows = []
        for clients, results in rounds.items():
            times = [f"{table.median([each[what][percentile] for each in results]):.2f} ms"
                     for what in ("to_offer", "to_launch") for percentile in ("p50_ms", "p99_ms")]
            compared = [">= 1 client", table.verdict(rate[MANY] >= rate[1])] if clients == MANY else ["", ""]
            rows.append([f"{clients} client{'s' if clients > 1 else ''}", *times, f"{rate[clients]:.0f}/s", *compared])
        table.show(f"{title}, median of {ROUNDS} rounds",
                   ["", "to offer p50", "p99", "to launch p50", "p99", "tasks", "target", ""], rows)


def _one(master, offers, clients, options):
    with _running(master) as address:
        done = subprocess.run([offers, "--master", address, "--clients", str(clients), *options], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, check=True)
        return json.loads(done.stdout)


@contextlib.contextmanager
def _running(master):
    """A master on a free port, with a registry that is gone afterwards."""
    with tempfile.TemporaryDirectory() as folder, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        file = Path(folder, "masterd.conf")
        file.write_text(f"[Master]\nListen=127.0.0.1:{port}\nHostname=127.0.0.1\nRegistry={folder}/registry.sqlite\n",
                        encoding="ascii")
        with open(Path(folder, "log"), "wb") as log:
            process = subprocess.Popen([master, "--config", file], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            wait_until("the master to listen", lambda: _listens(port), 20)
            yield f"127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait()


def _listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
