"""Targets that do next to nothing, in PyDesignFlow, for `cargo xtask bench project`.

  project.py SHAPE COUNT   runs the last target of a project in the directory that it is started in

The shapes are those of `project.rs`. It is run with the interpreter of the environment that PyDesignFlow is in.
"""

import sys

from pydesignflow import Block, Flow, Result, task


class Unit(Block):
    """A block that needs nothing."""

    @task()
    def work(self, cwd):
        result = Result()
        result.value = 1
        return result


class Link(Block):
    """A block that needs the one before it."""

    @task(requires={"before": "before.work"})
    def work(self, cwd, before):
        result = Result()
        result.value = before.value + 1
        return result


def independent(count):
    class All(Block):
        @task(requires={f"u{i}": f"=u{i}.work" for i in range(count)})
        def work(self, cwd, **units):
            result = Result()
            result.value = sum(unit.value for unit in units.values())
            return result

    flow = Flow()
    for i in range(count):
        flow[f"u{i}"] = Unit()
    flow["all"] = All()
    return flow, "all"


def chained(count):
    flow = Flow()
    flow["u0"] = Unit()
    for i in range(1, count):
        flow[f"u{i}"] = Link(dependency_map={"before": f"u{i - 1}"})
    return flow, f"u{count - 1}"


flow, last = {"independent": independent, "chained": chained}[sys.argv[1]](int(sys.argv[2]))
flow.cli_main([last, "work"], "flow")
