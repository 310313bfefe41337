"""A real ZooKeeper on this machine's loopback, for what is measured with one."""

import contextlib
import socket
import subprocess
from pathlib import Path

from bedlib.system import BedError, wait_until


@contextlib.contextmanager
def zookeeper_server(folder):
    """One real server; gives the zk:// URL."""
    port = _free_port()
    file = Path(folder, "zoo.cfg")
    file.write_text(f"tickTime=100\ninitLimit=20\nsyncLimit=20\nmaxSessionTimeout=60000\ndataDir={folder}/zookeeper\n"
                    f"clientPortAddress=127.0.0.1\nclientPort={port}\nadmin.enableServer=false\n"
                    "4lw.commands.whitelist=ruok\nmaxClientCnxns=0\n", encoding="ascii")
    with open(Path(folder, "zookeeper.log"), "wb") as log:
        process = subprocess.Popen(["java", "-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
                                    "-Dzookeeper.jmx.log4j.disable=true", "-cp", "/usr/share/java/zookeeper.jar",
                                    "org.apache.zookeeper.server.ZooKeeperServerMain", file],
                                   stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def serves():
        if process.poll() is not None:
            raise BedError("ZooKeeper has ended at its start; are zookeeper and default-jre-headless installed?")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1) as probe:
            probe.sendall(b"ruok")
            return probe.recv(4) == b"imok"
        return False

    try:
        wait_until("ZooKeeper to serve", serves, 60)
        yield f"zk://127.0.0.1:{port}/fairlead"
    finally:
        process.kill()
        process.wait()


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
