"""The framework that must not notice anything: it launches small tasks all the time and counts what it hears."""

import itertools
import threading
import time

from bedlib.scheduler import Scheduler, task


class Neighbour:
    def __init__(self, address):
        self.scheduler = Scheduler(address, "neighbour")
        self.launched = []
        self._stopping = threading.Event()
        self._worker = threading.Thread(target=self._work, daemon=True)
        self._worker.start()

    def wait_for_progress(self):
        """Waits until a task has ended well that was launched after this call."""
        known = len(self.launched)
        self.scheduler.wait("the neighbour's next task to finish", lambda: any(
            status["state"] == "TASK_FINISHED" for name in self.launched[known:] for status in self.scheduler.statuses(name)))

    def stop(self):
        """Ends its work; gives a sentence for everything that it noticed of the others."""
        self._stopping.set()
        self._worker.join()
        for name in self.launched:
            self.scheduler.last_status(name, {"TASK_FINISHED"})
        with self.scheduler.changed:
            events, closed = list(self.scheduler.events), self.scheduler.closed
        interval = events[0]["subscribed"]["heartbeat_interval_seconds"]
        heard = [event["heard"] for event in events if event["type"] == "HEARTBEAT"] + [time.monotonic()]
        gap = max(after - before for before, after in itertools.pairwise(heard))
        if gap > 2 * interval:
            yield f"{gap:.1f} s without a heartbeat, which comes every {interval} s"
        if closed:
            yield "its stream was closed"
        for event in events:
            if event["type"] in ("ERROR", "FAILURE"):
                yield f"it got {event}"
            state = event.get("update", {}).get("status", {}).get("state", "TASK_FINISHED")
            if state not in ("TASK_STARTING", "TASK_RUNNING", "TASK_FINISHED"):
                yield f"a task of it is {event['update']['status']}"

    def _work(self):
        for number in itertools.count():
            with self.scheduler.changed:
                while not self.scheduler.offers and not self._stopping.is_set():
                    self.scheduler.changed.wait(0.2)
            if self._stopping.is_set():
                return
            offer = self.scheduler.take_offer()
            name = f"neighbour-{number}"
            self.launched.append(name)
            self.scheduler.launch([offer], [task(name, offer)], refuse_seconds=0.5)
