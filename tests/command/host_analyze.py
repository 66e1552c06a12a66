#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# slow: each tool looks at a copy of the tree, several times
"""./ochre analyze finds what is planted in a copy of the tree, each with its tool, file and line; what is not planted it leaves alone."""
import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.realpath(os.path.join(os.path.dirname(os.path.realpath(__file__)), "../.."))


def tools_llvm():
    with open(ROOT + "/build/host/tools.json") as f:
        return json.load(f)["llvm"]


# What may be used only by its accessors: user memory, device registers, what RCU publishes, other CPUs' byte orders; locks on all ways out; and
# memory that is lost or used after its end.
# File, what is added at its end, and what must be seen: tool, line (from the first one added), check.
PLANTS = [
    ("tty/job.c", """
static DEFINE_SPINLOCK(planted_lock);
int planted(int v);
int planted(int v)
{
	spin_lock(&planted_lock);
	if (v < 0)
		return -1;
	spin_unlock(&planted_lock);
	return 0;
}
""", [("sparse", 4, "context")]),
    ("kernel/cpufiles.c", """
u32 planted(u32 __iomem *p);
u32 planted(u32 __iomem *p)
{
	return *p;
}
""", [("sparse", 4, "address-space")]),
    ("ipc/eventfd.c", """
int planted(struct uptr p);
int planted(struct uptr p)
{
	return *(int *)p.addr;
}
""", [("tidy", 4, "custom-user-pointer")]),
    ("proc/cred.c", """
int planted(struct task *t);
int planted(struct task *t)
{
	const struct cred *c = t->real_cred;

	return c->uid.val == 0;
}
int planted_plain(struct cred **p);
int planted_plain(struct cred **p)
{
	return rcu_dereference(*p)->uid.val == 0;
}
""", [("sparse", 4, "address-space"), ("sparse", 11, "address-space")]),
    ("lib/partition.c", """
u32 planted(le32 sectors);
u32 planted(le32 sectors)
{
	return sectors + 1;
}
""", [("clang", 4, "error")]),
    ("syscall/sched.c", """
int planted(void);
int planted(void)
{
	return ns_capable(current_user_ns(), CAP_SYS_NICE) ? 0 : -EPERM;
}
""", [("capabilities", 4, "unlisted")]),
    ("net/unix/name.c", """
struct planted {
	long a, b;
};
long planted(long v);
long planted(long v)
{
	struct planted *p = kmalloc(sizeof(*p), GFP_KERNEL);

	if (!p)
		return -ENOMEM;
	p->a = v;
	if (v < 0)
		return -EINVAL;
	v = p->a + 1;
	kfree(p);
	return v;
}
long planted_later(long v);
long planted_later(long v)
{
	struct planted *p = kmalloc(sizeof(*p), GFP_KERNEL);

	if (!p)
		return -ENOMEM;
	p->a = v;
	kfree(p);
	return p->a;
}
""", [("clang", 13, "unix.Malloc"), ("clang", 28, "unix.Malloc")]),
]
# What the tools beside the gate must see.
BESIDE = [
    ("ipc/timerfd.c", """
long planted(struct uptr from);
long planted(struct uptr from)
{
	char *p = kmalloc(64, GFP_KERNEL);

	if (!p)
		return -ENOMEM;
	if (copy_from_user(p, from, 64))
		return -EFAULT;
	kfree(p);
	return 0;
}
""", [("cocci", 8, "leak")]),
    ("lib/zstd.c", """
int planted(int v);
int planted(int v)
{
	int table[4] = { v, v, v, v }, *p = v > 9 ? NULL : &v, i;

	for (i = 0; i <= 4; i++)
		v += table[i];
	return v + *p;
}
""", [("cppcheck", 6, "arrayIndexOutOfBounds"), ("gcc", 7, "null-dereference")]),
]
# Rows of capabilities.toml that must not be: changed field, from, to, and the check that says so.
ROWS = [
    ('asks = "__task_cred(t)->user_ns"\nobject = "the task"\nowner = "task"', 'asks = "caller"\nobject = "the task"\nowner = "task"', "row"),
    ('object = "own root directory"', 'object = "the root directory"', "row"),
    ('"set_securebits"', '"set_securebits", "is_gone"', "stale"),
    ('test = "guest/capabilities scheduling"', 'test = "guest/capabilities nowhere"', "row"),
    ('man = "prlimit(2)"', 'man = "setrlimit(2)"', "document"),
]
if tools_llvm() < 22:       # which has no checks of ours
    PLANTS = [p for p in PLANTS if p[2][0][0] != "tidy"]


def lines_of(d, path):
    with open(os.path.join(d, path)) as f:
        return f.read().count("\n")


def plant(d, plants):
    """Adds them to their files; what is to be seen as (tool, check, file, line)."""
    wanted = set()
    for path, added, seen in plants:
        lines = lines_of(d, path)
        with open(os.path.join(d, path), "a") as f:
            f.write(added)
        wanted |= {(tool, check, path, lines + line + 1) for tool, line, check in seen}
    return wanted


def new_ones(d):
    with open(d + "/build/analyze/findings.json") as f:
        return {(f["tool"], f["check"], f["file"], f["line"]) for f in json.load(f)["findings"] if not f["accepted"]}


def seen_of(wanted, new):
    return {w for w in wanted if any(w[:3] == n[:3] and abs(w[3] - n[3]) <= 3 for n in new)}


def copy_tree(d):
    files = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, stdout=subprocess.PIPE).stdout
    for name in files.decode().split("\0")[:-1]:
        if os.path.exists(os.path.join(ROOT, name)):
            os.makedirs(os.path.dirname(os.path.join(d, name)), exist_ok=True)
            shutil.copy2(os.path.join(ROOT, name), os.path.join(d, name))
    os.makedirs(d + "/build")
    os.symlink(ROOT + "/build/host", d + "/build/host")
    subprocess.run(["git", "init", "-q", d], check=True)
    subprocess.run(["git", "-C", d, "add", "-A"], check=True)
    subprocess.run(["git", "-C", d, "-c", "user.name=t", "-c", "user.email=t@localhost", "commit", "-qm", "as it is"], check=True)


def analyze(*argv):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = module.cmd_analyze(main.parser().parse_args(["analyze"] + list(argv)))
        except util.Fail as e:
            status = e.status
            print(e)
    return status, out.getvalue() + err.getvalue()


with tempfile.TemporaryDirectory() as d:
    copy_tree(d)
    sys.path.insert(0, d + "/tools")
    sys.dont_write_bytecode = True
    from ochre import analyze as module, main, setup, util  # noqa: E402
    assert module.ROOT == os.path.realpath(d)
    with open(d + "/build/host/tools.json") as f:
        tools = json.load(f)
    setup.ensure = lambda arches=(): tools      # as set up for the tree that was copied

    table = d + "/tools/analyze/capabilities.toml"
    with open(table) as f:
        rows = f.read()
    for was, now, check in ROWS:
        assert was in rows, was
        with open(table, "w") as f:
            f.write(rows.replace(was, now, 1))
        status, text = analyze("--tool", "capabilities")
        assert status == 1 and "[capabilities %s]" % check in text, (now, text)
    with open(table, "w") as f:
        f.write(rows)

    files = sorted({p for p, _, _ in PLANTS})
    # Those that read the linked kernel have tests of their own: there is none with the errors that are planted here.
    gate = [a for n in module.GATE if n not in ("atomic", "stack") for a in ("--tool", n)]
    status, text = analyze(*gate, *files)
    assert status == 0 and "nothing new" in text, text
    wanted = plant(d, PLANTS)
    status, text = analyze(*gate, "--changed", "HEAD")
    assert status == 1, text
    new = new_ones(d)
    near = seen_of(wanted, new)
    assert near == wanted, "not found: %s\n%s" % (sorted(wanted - near), text)
    for tool, check, path, line in new:
        assert "%s:%d: " % (path, line) in text, text
    assert {n[2] for n in new} == set(files), text

    # Those beside the gate find theirs, in a tree in which they found nothing, and fail nothing.
    subprocess.run(["git", "-C", d, "stash", "-q"], check=True)
    beside = [a for n in ("cocci", "cppcheck", "gcc") for a in ("--tool", n)]
    status, text = analyze(*beside, *[p for p, _, _ in BESIDE])
    assert status == 0 and not new_ones(d), text
    wanted = plant(d, BESIDE)
    status, text = analyze(*beside, *[p for p, _, _ in BESIDE])
    assert status == 0 and seen_of(wanted, new_ones(d)) == wanted, "not found: %s\n%s" % (sorted(wanted - seen_of(wanted, new_ones(d))), text)
    subprocess.run(["git", "-C", d, "checkout", "-q", "."], check=True)
    subprocess.run(["git", "-C", d, "stash", "pop", "-q"], check=True)

    # Accepted with a reason they are no failure; without the plants the rows are stale, and said to be.
    status, rows = analyze(*gate, "--changed", "HEAD", "--rows")
    rows = rows[rows.index("[[finding]]"):]
    rows = "\n".join(l for l in rows.splitlines() if l.startswith(("[[finding]]", "tool =", "check =", "file =", "function =", "message =", "reason =")))
    with open(module.ACCEPTED, "a") as f:
        f.write("\n" + rows.replace('reason = ""', 'reason = "planted"') + "\n")
    status, text = analyze(*gate, "--changed", "HEAD")
    assert status == 0 and "nothing new" in text, text
    subprocess.run(["git", "-C", d, "checkout", "-q"] + files, check=True)
    status, text = analyze(*gate, files[0])
    assert status == 0 and "stale: " in text and files[0] in text, text
    with open(module.ACCEPTED, "a") as f:
        f.write('\n[[finding]]\ntool = "sparse"\nmessage = "x"\n')
    status, text = analyze("--tool", "sparse", files[0])
    assert status == 2 and "has no check" in text, text
print("ok")
