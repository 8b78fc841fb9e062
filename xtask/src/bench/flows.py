"""Flows of steps that do next to nothing, in LibreLane, for `cargo xtask bench flow`.

  pdk DIR              makes a PDK in DIR that gives each variable that a flow must have
  steps DIR COUNT      runs COUNT steps, one after the other, in DIR/runs/default
  chains DIR WORKERS   three chains of two steps that sleep; how many seconds the flow took is in DIR/seconds.json

It is run with the interpreter of the environment that LibreLane is in.
"""

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from librelane.common import get_tpe, set_tpe
from librelane.config import universal_flow_config_variables
from librelane.flows import Flow, SequentialFlow
from librelane.steps import Step

PDK = "bench"


def make_pdk(folder):
    """Values are looked at for their types only; all paths are the PDK's own file."""
    tech = folder / "pdk" / PDK / "libs.tech" / "librelane"
    (tech / "cells").mkdir(parents=True, exist_ok=True)
    file = tech / "config.tcl"
    lines = ["set ::env(STD_CELL_LIBRARY) cells\n"]
    for variable in universal_flow_config_variables:
        required = variable.pdk and not variable.optional and variable.default is None
        if required and variable.name != "STD_CELL_LIBRARY":
            lines.append(f"set ::env({variable.name}) {{{value_of(str(variable.type), file)}}}\n")
    file.write_text("".join(lines))
    (tech / "cells" / "config.tcl").write_text("")


def value_of(kind, file):
    """A value of a type, as Tcl writes it."""
    item = file if "Path" in kind else 1 if "Decimal" in kind or "int" in kind else "nothing"
    return f"* {item}" if "Dict" in kind else item


class Count(Step):
    """Adds one to a metric."""

    id = "Bench.Count"
    name = "Count"
    inputs = []
    outputs = []

    def run(self, state_in, **kwargs):
        return {}, {"bench__count": state_in.metrics.get("bench__count", 0) + 1}


class Sleep(Count):
    """Sleeps for 0.2 s and adds one to a metric."""

    id = "Bench.Sleep"
    name = "Sleep"

    def run(self, state_in, **kwargs):
        time.sleep(0.2)
        return super().run(state_in, **kwargs)


class Chains(Flow):
    """Three chains of two steps, side by side."""

    Steps = [Sleep]

    def run(self, initial_state, **kwargs):
        self.progress_bar.set_max_stage_count(1)
        self.progress_bar.start_stage("Chains")
        steps, ends = [], []
        for chain in range(3):
            state = initial_state
            for half in range(2):
                step = Sleep(self.config, id=f"Bench.Sleep{chain}{half}", state_in=state)
                state = self.start_step_async(step)
                steps.append(step)
            ends.append(state)
        last = [end.result() for end in ends][0]
        self.progress_bar.end_stage()
        return last, steps


def begun(flow, folder):
    """The flow in a folder, ready to start."""
    return flow({"DESIGN_NAME": "bench"}, pdk=PDK, pdk_root=str(folder / "pdk"), design_dir=str(folder))


def main(what, folder, number=0):
    folder = Path(folder).absolute()
    if what == "pdk":
        make_pdk(folder)
    elif what == "steps":
        flow = begun(type("Sequential", (SequentialFlow,), {"Steps": [Count] * number}), folder)
        state = flow.start(tag="default")
        if len(list((folder / "runs" / "default").glob("*-bench-count*"))) < number:
            sys.exit("LibreLane has not run all steps")
    else:
        get_tpe().shutdown()
        set_tpe(ThreadPoolExecutor(max_workers=number))
        flow = begun(Chains, folder)
        begin = time.monotonic()
        flow.start(tag="default")
        (folder / "seconds.json").write_text(f"{time.monotonic() - begin:.4f}")


main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:]))
