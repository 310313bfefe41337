"""Chaos: a plan of faults that is drawn from a seed, and how it is carried out.

The plan is the same for the same seed and length. Who leads is found out when a fault's time has come, so a run can be
repeated in what is done to whom by role, in which order and for how long; not to the millisecond.
"""

import random
import time

from bedlib.system import BedError, wait_until
from faults import CLASSES, KINDS, Planned, inflict

WHOLE_DEADLINE = 120


def plan(seed, count):
    """Kinds come in shuffled rounds, so that none is missing in a long run; the first ones of every run are one of each
    class."""
    chance = random.Random(f"chaos {seed}")
    kinds = [chance.choice(each) for each in CLASSES]
    chance.shuffle(kinds)
    while len(kinds) < count:
        everything = list(KINDS)
        chance.shuffle(everything)
        kinds += everything
    return [_planned(kind, chance) for kind in kinds[:count]]


def _planned(kind, chance):
    least, most = KINDS[kind].seconds
    return Planned(kind, round(chance.uniform(least, most), 1), chance.random(), chance.random() < 0.25,
                   chance.random() < 0.4, round(chance.uniform(0.2, 3), 1))


class Chaos:
    """Carries out a plan; `records` is what was done, for the judge."""

    def __init__(self, world, say):
        self.world, self.say = world, say
        self.records, self.under_way = [], []

    def run(self, planned_faults):
        for number, planned in enumerate(planned_faults, 1):
            inflicted = inflict(self.world, planned)
            self.say(f"{number:3} {planned.kind:<18} {inflicted.host_name if inflicted else 'nobody':<8} "
                     f"{planned.seconds:4} s{' and on' if planned.overlaps else ''}")
            if inflicted:
                self.under_way.append(inflicted)
                self.records.append(inflicted.record)
            if not planned.overlaps:
                self.heal_all()
                if planned.settle:
                    self.wait_whole()
            self._pass_time(planned.pause)
        self.heal_all()
        self.wait_whole()

    def heal_all(self):
        while self.under_way:
            first = min(self.under_way, key=lambda each: each.due)
            self._pass_time(first.due - time.monotonic())
            first.heal()
            self.under_way.remove(first)
            self.world.broken.discard(first.host_name)

    def wait_whole(self):
        began = time.monotonic()
        wait_until("the cluster to be whole again", self.world.cluster.is_whole, WHOLE_DEADLINE, pause=0.1)
        self.say(f"    whole again after {time.monotonic() - began:.1f} s")

    def _pass_time(self, seconds):
        """A fault lasts as long as it lasts: this is no wait for anything."""
        if seconds > 0:
            time.sleep(seconds)
        dead = self.world.schedulers.complaints()
        if dead:
            raise BedError(dead)
