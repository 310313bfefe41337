"""What both frameworks are given to do, and how a task leaves a trace of what really happened.

A framework works off items, numbered from 0. Each attempt at an item is a task of its own; another attempt is made when
one has ended otherwise than it was meant to. What an item does follows from its number, so both frameworks agree on it
without a word (sdk_framework.cpp has the same table).
"""

RAN_FOLDER = "/var/lib/chaos"
RAN = RAN_FOLDER + "/ran"
KILLED, FAILING = "killed", "failing"


def kind_of(item):
    """Every tenth task ends with status 3, every tenth is killed by its framework."""
    return {3: FAILING, 7: KILLED}.get(item % 10)


def seconds_of(item):
    if kind_of(item) == KILLED:
        return 60
    return (0, 1, 4, 0.5, 2, 10, 0, 60, 3, 6)[item % 10]


def exit_status_of(item):
    return 3 if kind_of(item) == FAILING else 0


def script(item):
    """Appends `start` and `end STATUS`, each with the task's id and the time; a line is one write.

    Power cuts end containers, not this machine: what was written is in its page cache and needs no fsync.
    """
    status = exit_status_of(item)
    return (f'say() {{ echo "$MESOS_TASK_ID $(date +%s.%N) $1" >>{RAN}; }}; '
            f"say start; sleep {seconds_of(item)}; say 'end {status}'; exit {status}")


def as_meant(item, status):
    """Whether a terminal status is the one that the item was to have; anything else is tried again."""
    kind, state = kind_of(item), status["state"]
    if kind == KILLED:
        return state == "TASK_KILLED"
    if kind == FAILING:
        return state == "TASK_FAILED" and status.get("source") != "SOURCE_AGENT"  # which lost it
    return state == "TASK_FINISHED"
