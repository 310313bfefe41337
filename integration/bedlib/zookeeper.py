"""Configuration of the zkN hosts: Debian's own ZooKeeper, one ensemble a bed."""


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
    }
