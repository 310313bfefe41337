"""What the masters of a bed say of the cluster."""

import json
import urllib.error
import urllib.parse
import urllib.request


class StayHere(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}), StayHere)


def ask(address, path):
    """(status, Location, text); (0, None, "") when nobody answers."""
    try:
        with OPENER.open(f"http://{address}:5050{path}", timeout=2) as answer:
            return answer.status, None, answer.read().decode()
    except urllib.error.HTTPError as answer:
        return answer.code, answer.headers.get("Location"), answer.read().decode()
    except OSError:
        return 0, None, ""


class ClusterView:
    def __init__(self, bed):
        self.addresses = {host.name: host.address for host in bed.hosts()}
        self.masters = [name for name in self.addresses if name.startswith("master")]
        self.agents = [name for name in self.addresses if name.startswith("agent")]

    def told(self, master):
        """Whom this master names as the leader."""
        _, location, _ = ask(self.addresses[master], "/redirect")
        return urllib.parse.urlsplit(location).hostname if location else None

    def leader_by_any(self, among):
        return next((name for name in map(self.told, among) if name), None)

    def leader(self):
        """The one that all name, and that leads by its own word; None while there is none."""
        named = {self.told(master) for master in self.masters}
        if len(named) != 1 or named == {None}:
            return None
        one = named.pop()
        return one if ask(self.addresses[one], "/health")[2].strip() == "leading" else None

    def state(self):
        leader = self.leader()
        status, _, text = ask(self.addresses[leader], "/state") if leader else (0, None, "")
        return json.loads(text) if status == 200 else None

    def is_whole(self):
        state = self.state()
        return state is not None and state["activated_slaves"] == len(self.agents)

    def left_over(self):
        """Sentences about resources and tasks that are not free and not over."""
        state = self.state()
        if state is None:
            return ["no master leads"]
        found = [f"{agent['hostname']} has {agent['used_resources']} in use" for agent in state["slaves"]
                 if any(agent["used_resources"][name] for name in ("cpus", "mem"))]
        for framework in state["frameworks"]:
            found += [f"task {task['id']} of {framework['name']} is {task['state']}"
                      for kind in ("tasks", "unreachable_tasks") for task in framework.get(kind, [])]
        return found
