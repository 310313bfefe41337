"""A framework's ledger: what it did and what it was told, a line of JSON each, written before it goes on.

    {"at": 1700000000.1, "what": "launch", "task": "p-1-4", "item": 3, "agent": "...-S1"}   about to be sent
    {"what": "accepted" | "refused" | "unsure", "task": ...}     what the master answered to the launch; unsure: nothing
    {"what": "kill", "task": ...}                                about to be sent
    {"what": "update", "task": ..., "state": ..., "uuid": ..., "reason": ..., "source": ..., "agent": ..., "message": ...}
    {"what": "gave_up", "task": ...}                             the master does not know of the task
    {"what": "subscribed" | "disconnected" | "started" | "drained", ...}

A framework that is started again reads it and goes on from there. A process that is killed loses nothing that it wrote.
"""

import json
import os
import time

from work import as_meant

TERMINAL = {"TASK_FINISHED", "TASK_FAILED", "TASK_KILLED", "TASK_ERROR", "TASK_LOST", "TASK_DROPPED", "TASK_GONE",
            "TASK_GONE_BY_OPERATOR"}


def read(path):
    """All whole lines; the last one of a killed process may be cut short."""
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    return [json.loads(line) for line in lines[:-1] if line]


class Ledger:
    def __init__(self, path):
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def write(self, what, **fields):
        record = {"at": time.time(), "what": what} | fields
        os.write(self._file, (json.dumps(record) + "\n").encode())
        return record


class Book:
    """Which items and tasks are open, by the records of a ledger."""

    def __init__(self, records=()):
        self.tasks = {}      # open ones: id -> its launch record, with `sure` and the latest `state`
        self.to_do = []      # items to be tried again
        self.next_item = 0
        self.starts = 0
        for record in records:
            self.take(record)

    def take(self, record):
        what, task = record["what"], self.tasks.get(record.get("task"))
        if what == "started":
            self.starts += 1
        elif what == "launch":
            self.tasks[record["task"]] = dict(record, sure=False, state=None)
            self.next_item = max(self.next_item, record["item"] + 1)
            if record["item"] in self.to_do:
                self.to_do.remove(record["item"])
        elif task is None:
            return
        elif what == "accepted":
            task["sure"] = True
        elif what in ("refused", "gave_up"):
            self._close(record["task"], done=False)
        elif what == "update":
            task["state"] = record["state"]
            if record["state"] in TERMINAL:
                self._close(record["task"], done=as_meant(task["item"], record))

    def item_to_do(self, draining):
        """The next item to be launched; None when there is nothing left to do."""
        if self.to_do:
            return self.to_do[0]
        return None if draining else self.next_item

    def is_done(self):
        return not self.tasks and not self.to_do

    def _close(self, task_id, done):
        item = self.tasks.pop(task_id)["item"]
        if not done:
            self.to_do.append(item)
