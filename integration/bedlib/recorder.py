"""A pymesos scheduler that writes down what it is told, for a test to wait on."""

import threading
import time

from pymesos import MesosSchedulerDriver, Scheduler

TERMINAL = {"TASK_FINISHED", "TASK_FAILED", "TASK_KILLED", "TASK_ERROR", "TASK_LOST"}


class Recorder(Scheduler):
    """Callbacks come on pymesos' thread, the test's questions on the main one; everything is under one condition."""

    def __init__(self):
        self.changed = threading.Condition()
        self.framework_id = None
        self.offers = {}
        self.statuses = []
        self.heartbeats = self.disconnections = self.reregistrations = 0
        self.errors = []

    def wait(self, what, condition, deadline=30):
        """Waits until `condition()` is true and returns what it returned."""
        end = time.monotonic() + deadline
        with self.changed:
            while not (answer := condition()):
                if not self.changed.wait(end - time.monotonic()) and time.monotonic() > end:
                    raise SystemExit(f"{what}: not within {deadline} s; heard so far: {self.summary()}")
            return answer

    def of(self, task_id):
        """The statuses of one task, oldest first."""
        with self.changed:
            return [status for status in self.statuses if status["task_id"]["value"] == task_id]

    def states(self, task_id):
        """What became of a task; an update that was sent again, which an agent may do, counts once."""
        news = {status.get("uuid", number): status["state"] for number, status in enumerate(self.of(task_id))}
        return list(news.values())

    def has_ended(self, task_id):
        return bool(TERMINAL & set(self.states(task_id)))

    def take_offer(self, predicate=lambda offer: True):
        """The next offer that fits, which is the test's from now on; those that do not fit stay."""
        def fitting():
            return next((offer for offer in self.offers.values() if predicate(offer)), None)
        offer = self.wait("an offer", fitting)
        with self.changed:
            return self.offers.pop(offer["id"]["value"])

    def summary(self):
        seen = [(status["task_id"]["value"], status["state"], status.get("message", "")) for status in self.statuses]
        return f"{len(self.offers)} offers, {self.heartbeats} heartbeats, statuses {seen}, errors {self.errors}"

    # pymesos calls these

    def registered(self, driver, framework_id, master_info):
        with self.changed:
            self.framework_id = framework_id["value"]
            self.changed.notify_all()

    def reregistered(self, driver, master_info):
        with self.changed:
            self.reregistrations += 1
            self.changed.notify_all()

    def disconnected(self, driver):
        with self.changed:
            self.disconnections += 1
            self.offers.clear()
            self.changed.notify_all()

    def processHeartBeat(self, driver):
        with self.changed:
            self.heartbeats += 1
            self.changed.notify_all()

    def resourceOffers(self, driver, offers):
        with self.changed:
            self.offers.update({offer["id"]["value"]: offer for offer in offers})
            self.changed.notify_all()

    def offerRescinded(self, driver, offer_id):
        with self.changed:
            self.offers.pop(offer_id["value"], None)
            self.changed.notify_all()

    def statusUpdate(self, driver, status):
        with self.changed:
            self.statuses.append(status)
            self.changed.notify_all()

    def error(self, driver, message):
        with self.changed:
            self.errors.append(message)
            self.changed.notify_all()


def start(address, name, **options):
    """(recorder, driver) of a framework that is subscribed. Options are pymesos' own."""
    recorder = Recorder()
    framework = {"user": "root", "name": name, "hostname": "test", "failover_timeout": 300}
    driver = MesosSchedulerDriver(recorder, framework, address, **options)
    driver.start()
    recorder.wait("the subscription", lambda: recorder.framework_id)
    return recorder, driver


def scalar(name, value):
    return {"name": name, "type": "SCALAR", "scalar": {"value": value}}


def amount(offer, name):
    return sum(each["scalar"]["value"] for each in offer["resources"] if each["name"] == name)


def task(task_id, offer, script, cpus=0.1, mem=32):
    return {"name": task_id, "task_id": {"value": task_id}, "agent_id": offer["agent_id"],
            "resources": [scalar("cpus", cpus), scalar("mem", mem)], "command": {"value": script}}
