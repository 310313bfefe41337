"""pymesos_framework.py ZK_URL FOLDER: a framework on pymesos, which finds its master by pymesos' own detector.

Works off items until FOLDER/drain is there, and then until all that it has begun is done. Its ledger is FOLDER/pymesos; a
process that is started again goes on from it under the same framework id. pymesos calls back on threads of its own; they
put what they hear into a queue, and everything is decided on the main thread.
"""

import queue
import sys
import time
from pathlib import Path

sys.dont_write_bytecode = True
sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parent.parent)]

from bedlib import clients  # noqa: E402

clients.run_inside("pymesos", "pymesos==0.3.15", "addict==2.4.0", "six==1.16.0", "kazoo==2.9.0")

from pymesos import MesosSchedulerDriver, Scheduler  # noqa: E402

import work  # noqa: E402
from bedlib.recorder import amount, task as task_info  # noqa: E402
from ledger import Book, Ledger, read  # noqa: E402

OPEN_MAX = 12
ASK_PAUSE = 3
CPUS, MEM = 0.1, 32
# A task that the master does not know of may be on an agent that has not found it yet: longer than any fault lasts.
UNKNOWN_PATIENCE = 45
FIELDS = ("state", "uuid", "reason", "source", "message")


class Events(Scheduler):
    """Everything that pymesos tells, into one queue."""

    def __init__(self, heard):
        self.heard = heard

    def registered(self, driver, framework_id, master_info):
        self.heard.put(("subscribed", dict(master_info)))

    def reregistered(self, driver, master_info):
        self.heard.put(("subscribed", dict(master_info)))

    def disconnected(self, driver):
        self.heard.put(("disconnected", None))

    def resourceOffers(self, driver, offers):
        self.heard.put(("offers", offers))

    def offerRescinded(self, driver, offer_id):
        self.heard.put(("rescinded", offer_id["value"]))

    def statusUpdate(self, driver, status):
        self.heard.put(("update", status))

    def error(self, driver, message):
        self.heard.put(("error", message))


class Framework:
    def __init__(self, url, folder):
        path = folder / "pymesos"
        self.book, self.ledger = Book(read(path)), Ledger(path)
        self.note("started")
        self.drain, self.heard, self.offers = folder / "drain", queue.Queue(), {}
        self.subscriptions, self.asked_at, self.launched, self.told_drained = 0, 0.0, 0, False
        self.last_told = None
        info = {"user": "root", "name": "chaos-pymesos", "hostname": "bed", "failover_timeout": 3600, "checkpoint": True,
                "id": {"value": "chaos-pymesos"}, "capabilities": [{"type": "PARTITION_AWARE"}]}
        self.driver = MesosSchedulerDriver(Events(self.heard), info, url, implicit_acknowledgements=False)

    def note(self, what, **fields):
        self.book.take(self.ledger.write(what, **fields))

    def run(self):
        self.driver.start()
        while not self.driver.aborted:
            try:
                self.hear(*self.heard.get(timeout=0.5))
            except queue.Empty:
                pass
            self.launch_what_fits()
            self.ask_about_open_tasks()
            if self.drain.exists() and self.book.is_done() and not self.told_drained:
                self.told_drained = True
                self.note("drained")

    def call(self, function, *args):
        """Whether the master took it: accepted, refused, or unsure when nobody knows."""
        if not self.driver.connected:
            return "refused"
        try:
            function(*args)
            return "accepted"
        except RuntimeError as error:  # how pymesos tells another status than 2xx
            return "refused" if str(error).startswith(("Failed to send request", "Not connected")) else "unsure"
        except Exception:  # whatever its HTTP client has to say  # pylint: disable=broad-except
            return "unsure"

    def hear(self, what, told):
        if what in ("subscribed", "disconnected"):
            self.subscriptions += what == "subscribed"
            self.offers.clear()
            self.asked_at = 0
            # pymesos tells a disconnection for each attempt to connect that comes to nothing, without a pause.
            if (what, told) != self.last_told:
                self.note(what, master=told)
            self.last_told = (what, told)
        elif what == "error":
            self.note("error", message=told)
            sys.exit(f"pymesos was told an error: {told}")
        elif what == "offers":
            self.offers.update({offer["id"]["value"]: offer for offer in told})
        elif what == "rescinded":
            self.offers.pop(told, None)
        elif what == "update":
            self.hear_update(told)

    def hear_update(self, status):
        task_id = status["task_id"]["value"]
        known = self.book.tasks.get(task_id)
        self.note("update", task=task_id, agent=status.get("agent_id", {}).get("value"),
                  **{field: status.get(field) for field in FIELDS})
        if "uuid" in status:
            self.call(self.driver.acknowledgeStatusUpdate, status)
        if known is None:
            return
        if status["state"] != "TASK_UNKNOWN":
            known.pop("unknown_since", None)
        if status["state"] == "TASK_RUNNING" and work.kind_of(known["item"]) == work.KILLED:
            self.note("kill", task=task_id)
            self.call(self.driver.killTask, {"value": task_id})
        elif status["state"] == "TASK_UNKNOWN" and self.is_nowhere_under_way(known):
            if time.monotonic() - known.setdefault("unknown_since", time.monotonic()) >= UNKNOWN_PATIENCE:
                self.note("gave_up", task=task_id)

    def is_nowhere_under_way(self, task):
        """A launch that nobody answered may still arrive, but not after the subscription that it was sent under."""
        return task["sure"] or self.subscriptions > task.get("subscription", 0)

    def launch_what_fits(self):
        for offer_id, offer in list(self.offers.items()):
            del self.offers[offer_id]
            item = self.book.item_to_do(self.drain.exists())
            has_room = amount(offer, "cpus") >= CPUS and amount(offer, "mem") >= MEM
            if item is None or not has_room or len(self.book.tasks) >= OPEN_MAX:
                self.call(self.driver.declineOffer, offer["id"], {"refuse_seconds": 1})
            else:
                self.launch(offer, item)

    def launch(self, offer, item):
        self.launched += 1
        task_id = f"p-{self.book.starts}-{self.launched}"
        self.note("launch", task=task_id, item=item, agent=offer["agent_id"]["value"], host=offer["hostname"])
        self.book.tasks[task_id]["subscription"] = self.subscriptions
        task = task_info(task_id, offer, work.script(item), cpus=CPUS, mem=MEM)
        self.note(self.call(self.driver.launchTasks, offer["id"], [task], {"refuse_seconds": 0}), task=task_id)

    def ask_about_open_tasks(self):
        now = time.monotonic()
        if not self.driver.connected or not self.book.tasks or now < self.asked_at + ASK_PAUSE:
            return
        self.asked_at = now
        self.call(self.driver.reconcileTasks, [{"task_id": {"value": task}} for task in self.book.tasks])


if __name__ == "__main__":
    Framework(sys.argv[1], Path(sys.argv[2])).run()
    sys.exit("pymesos gave up")
