"""A framework of a few lines over the v1 scheduler API in JSON, for tests that say in full what a task is.

It takes the first offer that comes for each launch, acknowledges every update, and remembers what it heard of each task.
"""

import http.client
import json
import threading
import urllib.parse

from .system import BedError

PATH = "/api/v1/scheduler"
TERMINAL = {"TASK_FINISHED", "TASK_FAILED", "TASK_KILLED", "TASK_ERROR", "TASK_LOST", "TASK_DROPPED", "TASK_GONE",
            "TASK_GONE_BY_OPERATOR"}
CALL_DEADLINE = 120


def command_task(name, shell_line, cpus=0.1, mem=32, **more):
    """A TaskInfo as JSON, without agent; `more` are further fields of it: limits, max_completion_time ..."""
    scalars = [{"name": each, "type": "SCALAR", "scalar": {"value": value}} for each, value in (("cpus", cpus), ("mem", mem))]
    return {"name": name, "task_id": {"value": name}, "resources": scalars,
            "command": {"shell": True, "value": shell_line}, **more}


class Framework:
    """Subscribed while its `with` block runs; torn down at its end."""

    def __init__(self, url, name):
        self.address = urllib.parse.urlsplit(url).netloc
        self.info = {"name": name, "user": "root", "roles": ["*"], "failover_timeout": 3600, "checkpoint": True,
                     "capabilities": [{"type": "MULTI_ROLE"}, {"type": "PARTITION_AWARE"}]}
        self.id = None
        self._changed = threading.Condition()
        self._offers = []
        self._statuses = {}
        self._stream = None

    def __enter__(self):
        self.subscribe()
        return self

    def __exit__(self, *_):
        try:
            self._call({"type": "TEARDOWN"})
        except (OSError, BedError):
            pass  # the master may be what the test has broken

    # Calls

    def subscribe(self):
        """First, and again after the master was away."""
        call = {"type": "SUBSCRIBE", "subscribe": {"framework_info": self.info}}
        if self.id:
            call["framework_id"] = call["subscribe"]["framework_info"]["id"] = {"value": self.id}
        connection = http.client.HTTPConnection(self.address, timeout=CALL_DEADLINE)
        connection.request("POST", PATH, json.dumps(call), {"Content-Type": "application/json", "Accept": "application/json"})
        answer = connection.getresponse()
        if answer.status != 200:
            raise BedError(f"SUBSCRIBE: {answer.status} {answer.read().decode(errors='replace')}")
        self._stream = answer.headers["Mesos-Stream-Id"]
        self._offers = []
        event = _next_record(answer)
        self.id = event["subscribed"]["framework_id"]["value"]
        threading.Thread(target=self._read, args=(answer, self._stream), daemon=True).start()

    def launch(self, task, deadline=CALL_DEADLINE):
        """On the next offer; gives the agent's id."""
        with self._changed:
            self._wait(lambda: self._offers, deadline, f"an offer for {task['name']}")
            offer = self._offers.pop(0)
        task["agent_id"] = offer["agent_id"]
        self._call({"type": "ACCEPT", "accept": {
            "offer_ids": [offer["id"]], "filters": {"refuse_seconds": 0},
            "operations": [{"type": "LAUNCH", "launch": {"task_infos": [task]}}]}})
        return offer["agent_id"]["value"]

    def kill(self, name):
        self._call({"type": "KILL", "kill": {"task_id": {"value": name}}})

    def reconcile(self, name, agent):
        self._call({"type": "RECONCILE", "reconcile": {
            "tasks": [{"task_id": {"value": name}, "agent_id": {"value": agent}}]}})

    # What was heard

    def status(self, name):
        """The newest status of a task; None before the first."""
        with self._changed:
            return self._statuses.get(name)

    def wait_for(self, name, state, deadline):
        """Until the task is in `state`; ends with an error at once when it ended in another one."""
        with self._changed:
            self._wait(lambda: self._state(name) == state or self._state(name) in TERMINAL, deadline,
                       f"{name} to become {state}; it is {self._state(name)}")
            status = self._statuses[name]
        if status["state"] != state:
            raise BedError(f"{name} became {status['state']} instead of {state}: {status.get('message', '')}")
        return status

    def wait_for_end(self, name, deadline):
        with self._changed:
            self._wait(lambda: self._state(name) in TERMINAL, deadline, f"the end of {name}; it is {self._state(name)}")
            return self._statuses[name]

    # Below: the wire

    def _state(self, name):
        return self._statuses.get(name, {}).get("state")

    def _wait(self, condition, deadline, what):
        if not self._changed.wait_for(condition, deadline):
            raise BedError(f"{what}: not within {deadline} s")

    def _call(self, call):
        connection = http.client.HTTPConnection(self.address, timeout=CALL_DEADLINE)
        call["framework_id"] = {"value": self.id}
        connection.request("POST", PATH, json.dumps(call), {"Content-Type": "application/json",
                                                            "Mesos-Stream-Id": self._stream})
        answer = connection.getresponse()
        text = answer.read().decode(errors="replace")
        connection.close()
        if answer.status != 202:
            raise BedError(f"{call['type']}: {answer.status} {text}")

    def _read(self, answer, stream):
        try:
            while event := _next_record(answer):
                self._take(event)
        except (OSError, ValueError, http.client.HTTPException):
            pass  # the stream broke; who needs it subscribes again
        with self._changed:
            if self._stream == stream:
                self._offers = []

    def _take(self, event):
        with self._changed:
            if event["type"] == "OFFERS":
                self._offers += event["offers"]["offers"]
            elif event["type"] == "RESCIND":
                gone = event["rescind"]["offer_id"]["value"]
                self._offers = [offer for offer in self._offers if offer["id"]["value"] != gone]
            elif event["type"] == "UPDATE":
                status = event["update"]["status"]
                self._statuses[status["task_id"]["value"]] = status
            self._changed.notify_all()
        if event["type"] == "UPDATE" and event["update"]["status"].get("uuid"):
            status = event["update"]["status"]
            self._call({"type": "ACKNOWLEDGE", "acknowledge": {
                "agent_id": status["agent_id"], "task_id": status["task_id"], "uuid": status["uuid"]}})


def _next_record(stream):
    """RecordIO: the length as text, a newline, so many bytes. None at the end of the stream."""
    head = stream.readline()
    if not head:
        return None
    length = int(head)
    body = b""
    while len(body) < length:
        part = stream.read(length - len(body))
        if not part:
            return None
        body += part
    return json.loads(body)
