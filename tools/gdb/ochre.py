# SPDX-License-Identifier: MIT
"""gdb's helper for the kernel: `ochre-tasks` lists tasks, `ochre-log` prints the kernel's messages, `ochre-bt PID` a task's stack.

Load it with -x tools/gdb/ochre.py beside build/x86_64/vmlinux (./ochre run --gdb prints the whole command)."""
import gdb


def field(value, *names):
    """The first of these members that the structure has, or None."""
    have = {f.name for f in value.type.strip_typedefs().fields()}
    for n in names:
        if n in have:
            return value[n]
    return None


def list_entries(head, type_name, member):
    """The structures on a struct list_head."""
    t = gdb.lookup_type(type_name)
    offset = next(f.bitpos // 8 for f in t.fields() if f.name == member)
    node = head["next"]
    for _ in range(100000):
        if node == head.address:
            return
        yield node.cast(gdb.lookup_type("char").pointer()).__sub__(offset).cast(t.pointer()).dereference()
        node = node["next"]


def tasks():
    for symbol, member in (("task_list", "all_list"), ("task_list", "tasks"), ("all_tasks", "all_node"), ("init_task", "tasks")):
        try:
            head = gdb.parse_and_eval(symbol)
            if symbol == "init_task":
                yield head
                head = head[member]
            yield from list_entries(head, "struct task", member)
            return
        except (gdb.error, StopIteration, RuntimeError):
            continue
    raise gdb.GdbError("no task list found: is vmlinux built with symbols?")


class Tasks(gdb.Command):
    """List the kernel's tasks: address, pid, state, CPU, name."""

    def __init__(self):
        super().__init__("ochre-tasks", gdb.COMMAND_STATUS)

    def invoke(self, arg, tty):
        print("%-18s %6s %8s %4s %s" % ("task", "pid", "state", "cpu", "name"))
        for t in tasks():
            pid, state, cpu, comm = (field(t, *n) for n in (("pid", "tid"), ("__state", "state"), ("cpu", "on_cpu"), ("comm", "name")))
            print("%-18s %6s %8s %4s %s" % (t.address, pid, "-" if state is None else hex(int(state)), "-" if cpu is None else cpu,
                                           comm.string(errors="replace") if comm is not None else "?"))


Tasks()
