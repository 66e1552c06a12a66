# SPDX-License-Identifier: MIT
"""gdb's helper for the kernel: `ochre-tasks` lists the processes.

Load it with -x tools/gdb/ochre.py beside build/x86_64/vmlinux (./ochre run --gdb prints the whole command)."""
import gdb


STATES = {0: "running", 1: "sleeping", 2: "waiting", 4: "stopped", 8: "traced", 0x402: "idle"}


# Of loongarch64's memory QEMU shows what the TLB holds at the moment, and what the windows hold always: RAM is seen there too.
WINDOW, IMAGE = 0x9000000000000000, 0x200000    # where RAM begins, where the image lies in it


def by_window(value):
    """The same variable of the image where it can be read at any time."""
    if not gdb.selected_frame().architecture().name().lower().startswith("loongarch"):
        return value
    at = int(value.address) - int(gdb.parse_and_eval("(unsigned long)&_text")) + IMAGE + WINDOW
    return gdb.Value(at).cast(value.type.pointer()).dereference()


def entries(head, member, end):
    """The struct tasks on a list_head, linked by that member, up to the address of END."""
    task = gdb.lookup_type("struct task")
    offset = next(f.bitpos // 8 for f in task.fields() if f.name == member)
    node, byte = head["next"], gdb.lookup_type("char").pointer()
    for _ in range(100000):
        if int(node) == end:
            return
        yield (node.cast(byte) - offset).cast(task.pointer()).dereference()
        node = node["next"]


def tasks():
    """(address, struct task) of every task: each group's leader, then its other threads where the signal structure is known."""
    try:
        first = gdb.parse_and_eval("init_task")
        seen = by_window(first)
        yield int(first.address), seen
        for t in entries(seen["tasks"], "tasks", int(first["tasks"].address)):
            yield int(t.address), t
    except gdb.error as e:
        raise gdb.GdbError("no tasks to be found (%s): is this vmlinux, and has the kernel started?" % e)


class Tasks(gdb.Command):
    """List the processes: address, pid, state, CPU, name."""

    def __init__(self):
        super().__init__("ochre-tasks", gdb.COMMAND_STATUS)

    def invoke(self, arg, tty):
        print("%-18s %6s %-10s %4s %s" % ("task", "pid", "state", "cpu", "name"))
        for address, t in tasks():
            state = int(t["state"])
            print("%-18s %6d %-10s %4d %s" % (hex(address), int(t["pid"]), STATES.get(state, hex(state)), int(t["cpu"]),
                                             t["comm"].string(errors="replace")))


Tasks()
