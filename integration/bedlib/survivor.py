"""A task that must come through whatever a test breaks, and its framework, which comes back to whoever leads."""

from .scheduler import Scheduler, task
from .system import wait_until
from .testing import expect

ENDED = ["TASK_FINISHED", "TASK_FAILED", "TASK_KILLED", "TASK_DROPPED", "TASK_LOST", "TASK_ERROR", "TASK_GONE"]


class Survivors:
    """Tasks that run until /tmp/go-NAME is there; each has written its process id once to /tmp/NAME.pid."""

    def __init__(self, b, address, name):
        self.b, self.name = b, name
        self.scheduler = Scheduler(address, name, failover_timeout=3600)
        self.id = self.scheduler.id
        self.agent = {}
        self.host = {}

    def launch(self, name, code=3, last=":"):
        self.ask_for(name, code, last)
        self.scheduler.last_status(name, ["TASK_RUNNING"])
        return self

    def ask_for(self, name, code=3, last=":"):
        """Taken by the master; whether it runs is another thing. `last` is what it does when it may end."""
        offer = self.scheduler.take_offer()
        self.agent[name], self.host[name] = offer["agent_id"], offer["hostname"]
        script = f"echo $$ >>/tmp/{name}.pid; until test -e /tmp/go-{name}; do sleep 0.1; done; {last}; exit {code}"
        status, text = self.scheduler.launch([offer], [task(name, offer, script)])
        expect(status == 202, f"{name} is taken: {status} {text}")

    def leave(self):
        """The scheduler is gone for a while: nothing is acknowledged."""
        if not self.scheduler.closed:
            self.scheduler.close()

    def come_back(self, address, deadline=60):
        self.leave()

        def subscribed():
            try:
                again = Scheduler(address, self.name, failover_timeout=3600, id={"value": self.id})
            except (OSError, ValueError, AttributeError):
                return None
            expect(not again.refusal, f"the framework is taken back: {again.refusal}")
            return again
        self.scheduler = wait_until("the framework to be taken back", subscribed, deadline, pause=0.2)
        return self.scheduler

    def state(self, name, deadline=60):
        """What the master says of it when it is asked."""
        def told():
            heard = len(self.scheduler.statuses(name))
            self.scheduler.call("RECONCILE", reconcile={"tasks": [{"task_id": {"value": name}, "agent_id": self.agent[name]}]})
            try:
                self.scheduler.wait("an answer", lambda: len(self.scheduler.statuses(name)) > heard, 2)
            except SystemExit:
                return None  # an agent that is not back yet: no answer is the right one
            return self.scheduler.statuses(name)[-1]["state"]
        return wait_until(f"an answer about {name}", told, deadline)

    def processes(self, name):
        """Those that ever ran it; a living one is marked."""
        return self.b.on(self.host[name], f"for p in $(cat /tmp/{name}.pid); do kill -0 $p 2>/dev/null && echo $p alive || "
                                          "echo $p gone; done").splitlines()

    def must_run(self, name, when):
        """One process has run it, and it still does; and the master says so."""
        found = self.processes(name)
        expect(len(found) == 1 and found[0].endswith("alive"), f"{name} goes on {when}: {found}")

    def must_be_known(self, name, when):
        self.must_run(name, when)
        state = self.state(name)
        expect(state == "TASK_RUNNING", f"{name} is known as running {when}: {state}")

    def let_end(self, name):
        self.b.on(self.host[name], f"touch /tmp/go-{name}")

    def must_end(self, name, state="TASK_FAILED"):
        """As it ends of itself; told once."""
        self.let_end(name)
        return self.must_have_ended(name, state)

    def must_have_ended(self, name, state="TASK_FAILED"):
        ended = self.scheduler.last_status(name, ENDED)
        expect(ended["state"] == state, f"{name} ends as {state}: {ended}")
        self.told_once(name)
        return ended

    def told_once(self, name):
        ends = {status["uuid"] for status in self.scheduler.statuses(name) if status["state"] in ENDED and "uuid" in status}
        expect(len(ends) == 1, f"the end of {name} is told once: {self.scheduler.statuses(name)}")
