"""Configuration of the zkN hosts: Debian's own ZooKeeper, one ensemble a bed."""

import socket

# Debian's package has an init script only; a unit of our own tells when the server ends, and why.
UNIT = """\
[Unit]
Description=ZooKeeper
After=network.target

[Service]
User=zookeeper
LogsDirectory=zookeeper
Environment=ZOO_LOG_DIR=/var/log/zookeeper JVMFLAGS=-Xmx128m
ExecStart=/usr/share/zookeeper/bin/zkServer.sh start-foreground /etc/zookeeper/conf/zoo.cfg
SuccessExitStatus=143

[Install]
WantedBy=multi-user.target
"""


def configuration(host_name, host_names):
    """Files for one host, by path; empty for hosts that are no ZooKeeper."""
    if not host_name.startswith("zk"):
        return {}
    ensemble = [name for name in host_names if name.startswith("zk")]
    servers = "".join(f"server.{name[2:]}={name}:2888:3888\n" for name in ensemble) if len(ensemble) > 1 else ""
    return {
        "etc/zookeeper/conf/zoo.cfg":
            "tickTime=500\ninitLimit=20\nsyncLimit=10\ndataDir=/var/lib/zookeeper\nclientPort=2181\n"
            "admin.enableServer=false\n4lw.commands.whitelist=*\n" + servers,
        "etc/zookeeper/conf/myid": host_name[2:] + "\n",
        "etc/systemd/system/zookeeper.service": UNIT,
    }


def election(host_names):
    """The URL by which the bed's masters and agents find each other; None in a bed without ZooKeeper."""
    ensemble = [f"{name}:2181" for name in host_names if name.startswith("zk")]
    return f"zk://{','.join(ensemble)}/fairlead" if ensemble else None


def serves(address):
    """Whether the server has found its ensemble and answers clients."""
    try:
        with socket.create_connection((address, 2181), timeout=1) as connection:
            connection.sendall(b"srvr")
            return b"Mode: " in connection.makefile("rb").read()
    except OSError:
        return False
