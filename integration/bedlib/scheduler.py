"""A scheduler of the v1 API in Python's own HTTP and JSON: what tests use where no foreign client is under test."""

import collections
import http.client
import json
import threading
import time

PATH = "/api/v1/scheduler"
JSON = {"Content-Type": "application/json", "Accept": "application/json"}


class Scheduler:
    """One framework. Events are read by a thread of its own; everything is under `changed`."""

    def __init__(self, address, name, **info):
        self.address = address
        self.info = {"user": "root", "name": name, "capabilities": [{"type": "PARTITION_AWARE"}]} | info
        self.changed = threading.Condition()
        self.events = []
        self.offers = {}
        self._statuses = collections.defaultdict(list)  # by task
        self.closed = False
        self._subscribe()

    def call(self, kind, stream_id=None, **fields):
        """(status, text) of a call; `fields` are the call's own, such as accept={...}."""
        headers = JSON | {"Mesos-Stream-Id": stream_id or self.stream_id}
        return post(self.address, {"type": kind, "framework_id": {"value": self.id}} | fields, headers)

    def wait(self, what, condition, deadline=30):
        end = time.monotonic() + deadline
        with self.changed:
            while not (answer := condition()):
                left = end - time.monotonic()
                if left <= 0:
                    raise SystemExit(f"{what}: not within {deadline} s; last events: {self.events[-5:]}")
                self.changed.wait(left)
            return answer

    def take_offer(self):
        with self.changed:
            self.wait("an offer", lambda: self.offers)
            return self.offers.pop(next(iter(self.offers)))

    def launch(self, offers, tasks, refuse_seconds=0):
        launch = {"type": "LAUNCH", "launch": {"task_infos": tasks}}
        return self.call("ACCEPT", accept={"offer_ids": [offer["id"] for offer in offers], "operations": [launch],
                                           "filters": {"refuse_seconds": refuse_seconds}})

    def statuses(self, task_id):
        with self.changed:
            return list(self._statuses.get(task_id, ()))

    def last_status(self, task_id, states):
        """Waits for a status of this task in one of these states."""
        return self.wait(f"{task_id!r} to be one of {states}", lambda: next(
            (status for status in self.statuses(task_id) if status["state"] in states), None))

    def close(self):
        """Leaves without a word, as a crashed scheduler does."""
        self._connection.sock.shutdown(2)
        self._reader.join()

    def tear_down(self):
        self.call("TEARDOWN")
        self._reader.join()

    def _subscribe(self):
        host, port = self.address.split(":")
        self._connection = http.client.HTTPConnection(host, int(port), timeout=60)
        call = {"type": "SUBSCRIBE", "subscribe": {"framework_info": self.info}}
        if "id" in self.info:
            call["framework_id"] = self.info["id"]
        self._connection.request("POST", PATH, json.dumps(call), JSON)
        self._answer = self._connection.getresponse()
        self.stream_id = self._answer.headers["Mesos-Stream-Id"]
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        first = self.wait("an answer to SUBSCRIBE", lambda: self.events or self.closed)
        self.refusal = first[0]["error"]["message"] if first and first[0]["type"] == "ERROR" else None
        self.id = None if self.refusal else first[0]["subscribed"]["framework_id"]["value"]

    def _read(self):
        try:
            while length := self._answer.readline():
                self._take(json.loads(self._answer.read(int(length))))
        except (OSError, ValueError, http.client.HTTPException):
            pass
        with self.changed:
            self.closed = True
            self.changed.notify_all()

    def _take(self, event):
        event["heard"] = time.monotonic()
        with self.changed:
            self.events.append(event)
            if event["type"] == "SUBSCRIBED":  # updates may follow at once, and are acknowledged by this thread
                self.id = event["subscribed"]["framework_id"]["value"]
            elif event["type"] == "OFFERS":
                self.offers.update({offer["id"]["value"]: offer for offer in event["offers"]["offers"]})
            elif event["type"] == "RESCIND":
                self.offers.pop(event["rescind"]["offer_id"]["value"], None)
            elif event["type"] == "UPDATE":
                status = event["update"]["status"]
                self._statuses[status["task_id"]["value"]].append(status)
            self.changed.notify_all()
        status = event.get("update", {}).get("status", {})
        if "uuid" in status:
            self.call("ACKNOWLEDGE", acknowledge={key: status[key] for key in ("agent_id", "task_id", "uuid")})


def post(address, call, headers=None):
    host, port = address.split(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=30)
    try:
        connection.request("POST", PATH, call if isinstance(call, (str, bytes)) else json.dumps(call), headers or JSON)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors="replace")
    finally:
        connection.close()


def task(task_id, offer, script="true", cpus=0.1, mem=32):
    amounts = {"cpus": cpus, "mem": mem}
    return {"name": "test", "task_id": {"value": task_id}, "agent_id": offer["agent_id"], "command": {"value": script},
            "resources": [{"name": name, "type": "SCALAR", "scalar": {"value": value}}
                          for name, value in amounts.items()]}
