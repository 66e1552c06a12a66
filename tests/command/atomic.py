#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tools/check-atomic: no sleep in atomic context in the kernel, by its call graph; and it finds what is planted in C and in Rust, and nothing in code
beside it that does the same rightly."""
import os
import re
import shlex
import subprocess
import sys
import tempfile

from expect import check

ROOT = os.path.realpath(os.path.join(os.path.dirname(os.path.realpath(__file__)), "../.."))
sys.path.insert(0, os.path.join(ROOT, "tools"))
sys.dont_write_bytecode = True
from ochre import atomic, build, setup  # noqa: E402

C = """
#include <kernel/rcu.h>
#include <kernel/irq.h>
#include <kernel/spinlock.h>
#include <kernel/time.h>
#include <alloc/slab.h>
#include <sched/mutex.h>
#include <sched/wait.h>
#include <mm/uaccess.h>
static DEFINE_SPINLOCK(spin);
static DEFINE_MUTEX(sleeping);
struct planted_ops { int flags; void (*first)(void); void (*second)(void); };
void planted_sleeps(void); void planted_in_lock(void); void planted_memory(void); void planted_user(struct uptr p); void planted_irq(void);
void planted_timer(void); void planted_ops(struct planted_ops *o); void planted_wait(void); void planted_good(struct planted_ops *o); void planted_below(void);
void planted_irqs_off(void); void planted_guarded(void); void planted_cached(void); void planted_handed(void (*f)(void)); void planted_hands(void);
int planted_one_way(int n);
noinline void planted_sleeps(void) { mutex_lock(&sleeping); mutex_unlock(&sleeping); }
noinline void planted_below(void) { planted_sleeps(); }
void planted_in_lock(void) { spin_lock(&spin); planted_below(); spin_unlock(&spin); }
void planted_memory(void) { rcu_read_lock(); kfree(kmalloc(100000, GFP_KERNEL)); rcu_read_unlock(); }
void planted_user(struct uptr p) { char c; preempt_disable(); if (copy_from_user(&c, p, 1)) planted_good(NULL); preempt_enable(); }
void planted_irqs_off(void) { unsigned long f; local_irq_save(f); schedule(); local_irq_restore(f); }
int planted_one_way(int n) { spin_lock(&spin); if (n) { spin_unlock(&spin); planted_sleeps(); return 0; } planted_sleeps(); spin_unlock(&spin); return 1; }
noinline static void guard_begin(void) { spin_lock(&spin); }
void planted_guarded(void) { guard_begin(); planted_sleeps(); spin_unlock(&spin); }
static irqreturn_t handler(int irq, void *dev) { planted_below(); return IRQ_HANDLED; }
void planted_irq(void) { if (request_irq(4, handler, 0, "x", NULL)) planted_good(NULL); }
static enum hrtimer_restart fires(struct hrtimer *t) { planted_below(); return HRTIMER_NORESTART; }
static struct hrtimer timer;
void planted_timer(void) { hrtimer_init(&timer, 1, fires); }
static void second(void) { planted_below(); }
static void first(void) { }
static const struct planted_ops planted = { .first = first, .second = second };
void planted_ops(struct planted_ops *o) { spin_lock(&spin); o->second(); spin_unlock(&spin); }
void planted_good(struct planted_ops *o) {
	spin_lock(&spin); o->first(); kfree(kmalloc(10000, GFP_ATOMIC)); spin_unlock(&spin); o->second(); kfree(kmalloc(100000, GFP_KERNEL));
	if (spin_trylock(&spin)) { spin_unlock(&spin); } planted_sleeps(); if (o == &planted) planted_wait(); }
static wait_queue_head_t queue;
void planted_wait(void) { wait_event(queue, READ_ONCE(spin.val)); }
static noinline void runs(void (*f)(void)) { rcu_read_lock(); f(); f(); rcu_read_unlock(); }
void planted_hands(void) { runs(planted_below); }
struct planted_unknown { void (*nobody)(void); };
void planted_unknown(struct planted_unknown *u);
void planted_unknown(struct planted_unknown *u) { u->nobody(); }
"""
C_WRONG = ["planted_in_lock: calls planted_below", "planted_memory: calls __kmalloc", "planted_user: calls arch_copy_from_user", "planted_irqs_off: calls schedule",
           "planted_one_way: calls planted_sleeps", "planted_guarded: calls planted_sleeps", "irq_handle: calls handler",
           "planted_ops: calls second", "planted_c:runs: calls planted_below"]
RUST = """
use kernel::rcu::{self, Rcu};
use kernel::sync::{Mutex, SpinLock, SpinLockIrq};
use kernel::alloc::{KBox, ATOMIC, KERNEL};
static ROUTE: Rcu<u32> = Rcu::empty();
static COUNT: SpinLock<u32> = SpinLock::new(0);
static EVENTS: SpinLockIrq<u32> = SpinLockIrq::new(0);
#[inline(never)] pub fn rust_sleeps() { kernel::time::sleep_ms(1); }
#[inline(never)] pub fn rust_section(m: &Mutex<u32>) -> u32 { let s = rcu::read(); let n = *m.lock(); ROUTE.get(&s).copied().unwrap_or(n) }
#[inline(never)] pub fn rust_lock() { let _g = COUNT.lock(); rust_sleeps(); }
#[inline(never)] pub fn rust_irqs() { let _g = EVENTS.lock(); rust_sleeps(); }
#[inline(never)] pub fn rust_memory() -> bool { let g = COUNT.lock(); KBox::new([*g; 64], KERNEL).is_ok() }
pub trait Does { fn does(&self); }
pub struct A(pub u32); impl Does for A { #[inline(never)] fn does(&self) { rust_sleeps() } }
pub struct B(pub u32); impl Does for B { #[inline(never)] fn does(&self) { core::hint::black_box(self.0); } }
#[inline(never)] pub fn rust_method(d: &dyn Does) { let _g = COUNT.lock(); d.does(); }
pub fn user(n: u32) { if n > 1 { rust_method(core::hint::black_box(&A(n))) } else { rust_method(core::hint::black_box(&B(n))) } }
#[inline(never)] pub fn rust_good(m: &Mutex<u32>) -> u32 {
    let n = { let g = COUNT.lock(); *g }; rust_sleeps(); let b = { let _g = EVENTS.lock(); KBox::new(n, ATOMIC) }; drop(rcu::read()); *m.lock() + b.map_or(0, |b| *b) }
struct Answers; impl kernel::irq::Handler for Answers { fn handle(&self) -> bool { rust_sleeps(); true } }
static ANSWERS: Answers = Answers;
pub fn asks(l: kernel::irq::Line) -> kernel::Result { kernel::irq::request(l, &ANSWERS, c"x", true)?.keep(); Ok(()) }
"""
RUST_WRONG = ["12rust_section: calls mutex_lock", "9rust_lock: calls .*rust_sleeps", "9rust_irqs: calls .*rust_sleeps", "11rust_memory: calls rust_kmalloc",
              "11rust_method: calls .*4Does4does", "irq_handle: calls .*trampoline.*7Answers"]


def planted(tools, d):
    """LLVM's code of what is planted."""
    with open(d + "/planted.c", "w") as f:
        f.write(C)
    with open(d + "/planted.rs", "w") as f:
        f.write(RUST)
    with open(ROOT + "/build/x86_64/flags") as f:
        argv = [a for a in shlex.split(f.read()) if a not in ("-g1", "-Werror")]
    subprocess.run(argv + ["-w", "-fstrict-aliasing", "-DCHECK_ATOMIC", "-S", "-emit-llvm", d + "/planted.c", "-o", d + "/planted_c.ll"], cwd=ROOT, check=True)
    line = subprocess.run(build.make_argv(tools, "x86_64", False, False, False, ["-s", "rust-command"]), cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout
    line = next(x for x in line.splitlines() if x.startswith("RUSTC_BOOTSTRAP"))
    with open(d + "/lib.rs", "w") as f:
        f.write("#![no_std]\n" + RUST)
    subprocess.run(line + " -Cdebuginfo=0 --crate-type=rlib --crate-name planted --emit=llvm-ir=%s/planted_rust.ll %s/lib.rs" % (d, d), shell=True, cwd=ROOT, check=True)


tools = setup.load() or setup.ensure()
subprocess.run([os.path.join(ROOT, "ochre"), "build"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
r = subprocess.run([os.path.join(ROOT, "tools/check-atomic")], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
check(r.returncode == 0, r.stdout)
listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, stdout=subprocess.PIPE, text=True).stdout.split("\0")[:-1]
program = atomic.read_tree(ROOT, ROOT + "/build/x86_64/ir", listed)
with tempfile.TemporaryDirectory() as d:
    planted(tools, d)
    program.read(d + "/planted_c.ll", "planted_c", C)
    program.read(d + "/planted_rust.ll", "planted_rust")
table = atomic.load(os.path.join(ROOT, atomic.TABLE))
table["accept"].append({"from": "nobody", "to": "nothing", "why": "x"})
found = atomic.verify(program, table)
text = "\n".join("%s: %s" % (p.function, p.message) for p in found)
for wrong in C_WRONG + RUST_WRONG:
    check(re.search(r"(?m)^(_\w*)?%s\w* in atomic context" % wrong, text), "%s: %s" % (wrong, text))
# A compiler may take the function that runs what is due into the interrupt's, which holds a lock that it drops for each, or that into others.
check(re.search(r"(?m)^(timer_interrupt: calls fires in atomic context: |kernel/timer:run_\w+: is called in atomic context \(.*\), and calls fires: "
                r"|kernel/timer:\w+: calls run_due in atomic context: run_due > fires > )", text), text)
for good in ("planted_good", "planted_wait", "planted_sleeps", "planted_below", "rust_good", "rust_sleeps", "second"):
    check(not re.search(r"(?m)^\S*%s\S*: calls" % good, text), "%s: %s" % (good, text))
check("planted_in_lock: calls planted_below in atomic context: planted_below > planted_sleeps > mutex_lock > " in text, text)
check([(p.function, p.message) for p in found if p.check == "unfollowed"] == [("planted_unknown", "calls through planted_unknown+0, of which nothing is known")], text)
check([p.function for p in found if p.check == "stale"] == ["nobody"], text)
print("ok")
