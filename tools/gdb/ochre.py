# SPDX-License-Identifier: MIT
"""gdb's helper for the kernel: `ochre-tasks` lists the processes.

Load it with -x tools/gdb/ochre.py beside build/x86_64/vmlinux (./ochre run --gdb prints the whole command)."""
import gdb


STATES = {0: "running", 1: "sleeping", 2: "waiting", 4: "stopped", 8: "traced", 0x402: "idle"}


def entries(head, member):
    """The struct tasks on a list_head, linked by that member."""
    task = gdb.lookup_type("struct task")
    offset = next(f.bitpos // 8 for f in task.fields() if f.name == member)
    node, byte = head["next"], gdb.lookup_type("char").pointer()
    for _ in range(100000):
        if int(node) == int(head.address):
            return
        yield (node.cast(byte) - offset).cast(task.pointer()).dereference()
        node = node["next"]


def tasks():
    """Every task: each group's leader, then its other threads where the signal structure is known."""
    try:
        first = gdb.parse_and_eval("init_task")
        yield first
        yield from entries(first["tasks"], "tasks")
    except gdb.error as e:
        raise gdb.GdbError("no tasks to be found (%s): is this vmlinux, and has the kernel started?" % e)


class Tasks(gdb.Command):
    """List the processes: address, pid, state, CPU, name."""

    def __init__(self):
        super().__init__("ochre-tasks", gdb.COMMAND_STATUS)

    def invoke(self, arg, tty):
        print("%-18s %6s %-10s %4s %s" % ("task", "pid", "state", "cpu", "name"))
        for t in tasks():
            state = int(t["state"])
            print("%-18s %6d %-10s %4d %s" % (hex(int(t.address)), int(t["pid"]), STATES.get(state, hex(state)), int(t["cpu"]),
                                             t["comm"].string(errors="replace")))


Tasks()
