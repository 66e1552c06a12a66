// SPDX-License-Identifier: MIT
/*
 * Where every system call comes in: one table look-up in the usual case; tracing and filters when a flag of the
 * task asks for them.
 */
#include <lib/types.h>
#include <lib/format.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <abi/syscalls.h>
#include <arch/syscall.h>
#include <arch/upcalls.h>
#include <kernel/init.h>
#include <kernel/lockdep.h>
#include <kernel/printk.h>
#include <kernel/static_key.h>
#include <mm/uaccess.h>
#include <proc/ptrace.h>
#include <proc/rseq.h>
#include <proc/seccomp.h>
#include <proc/signal.h>
#include <sched/task.h>
#include <abi/errno.h>

static DEFINE_STATIC_KEY_FALSE(trace_all);

static int show_string(char *buf, size_t size, struct uptr p)
{
	char s[33];
	long n = strncpy_from_user(s, p, sizeof(s) - 1);
	int out;

	if (n < 0)
		return scnprintf(buf, size, "%#lx", p.addr);
	s[min(n, (long)sizeof(s) - 1)] = '\0';
	out = scnprintf(buf, size, "\"");
	for (char *c = s; *c; c++)
		out += scnprintf(buf + out, size - (size_t)out, *c == '\n' ? "\\n" : *c < ' ' ? "." : "%c", *c);
	return out + scnprintf(buf + out, size - (size_t)out, "\"%s", n >= (long)sizeof(s) - 1 ? "..." : "");
}

static int show_arg(char *buf, size_t size, const struct syscall_arg_desc *a, unsigned long v)
{
	switch (a->kind) {
	case ARG_INT: case ARG_FD: case ARG_AT: case ARG_SIG:
		return (int)v == -100 && a->kind == ARG_AT ? scnprintf(buf, size, "AT_FDCWD") : scnprintf(buf, size, "%d", (int)v);
	case ARG_UINT: return scnprintf(buf, size, "%u", (unsigned int)v);
	case ARG_LONG: return scnprintf(buf, size, "%ld", (long)v);
	case ARG_ULONG: return scnprintf(buf, size, "%lu", v);
	case ARG_MODE: return scnprintf(buf, size, "%#o", (unsigned int)v);
	case ARG_PTR_IN:
		if (v && a->what && (!strcmp(a->what, "path") || !strcmp(a->what, "str")))
			return show_string(buf, size, UPTR(v));
		fallthrough;
	default: return v ? scnprintf(buf, size, "%#lx", v) : scnprintf(buf, size, "0");
	}
}

static void trace_call(const struct pt_regs *regs, long nr, long ret, bool returned)
{
	const struct syscall_desc *d = syscall_describe((unsigned long)nr);
	char buf[256];
	int n = 0;

	for (unsigned int i = 0; d && i < d->nargs; i++) {
		n += scnprintf(buf + n, sizeof(buf) - (size_t)n, i ? ", " : "");
		n += show_arg(buf + n, sizeof(buf) - (size_t)n, &d->arg[i], syscall_arg_value((unsigned long)nr, regs, i));
	}
	buf[n] = '\0';
	if (returned)
		pr_info("%s[%d] %s(%s) = %ld\n", current->comm, current->pid, d ? d->name : "?", buf, ret);
	else
		pr_info("%s[%d] %s(%s)\n", current->comm, current->pid, d ? d->name : "?", buf);
}

static bool never_returns(const struct syscall_desc *d)
{
	return d && (!strcmp(d->name, "exit") || !strcmp(d->name, "exit_group") || (d->flags & SYSCALL_F_REGS));
}

#define SLOW_ENTRY (_TIF(TIF_SYSCALL_TRACE) | _TIF(TIF_SYSCALL_EMU) | _TIF(TIF_SECCOMP) | _TIF(TIF_RSEQ_SLICE))
#define SLOW_EXIT (_TIF(TIF_SYSCALL_TRACE) | _TIF(TIF_SINGLESTEP))

static noinline void dispatch_slow(struct pt_regs *regs, long nr)
{
	bool log = static_branch_unlikely(&trace_all), early;
	long ret;

	if (READ_ONCE(current->work_flags) & SLOW_ENTRY) {
		bool go_on;

		if (test_thread_flag(TIF_RSEQ_SLICE))
			rseq_slice_syscall(nr);
		arch_syscall_set_ret(regs, -ENOSYS);	/* what a tracer sees, and what an unmade call answers */
		go_on = ptrace_syscall_entry(regs);
		nr = arch_syscall_nr(regs);
		if (!go_on || nr == -1)
			return;
		if (test_thread_flag(TIF_SECCOMP)) {
			go_on = seccomp_allows(regs);
			nr = arch_syscall_nr(regs);
			if (!go_on || nr == -1)
				return;
		}
	}
	early = log && never_returns(syscall_describe((unsigned long)nr));

	if (early)
		trace_call(regs, nr, 0, false);
	ret = syscall_call((unsigned long)nr, regs);
	arch_syscall_set_ret(regs, ret);
	if (log && !early)
		trace_call(regs, nr, ret, true);
}

void syscall_dispatch(struct pt_regs *regs)
{
	long nr = arch_syscall_nr(regs);

	if (static_branch_unlikely(&trace_all) || unlikely(READ_ONCE(current->work_flags) & SLOW_ENTRY))
		dispatch_slow(regs, nr);
	else
		arch_syscall_set_ret(regs, syscall_call((unsigned long)nr, regs));
	if (unlikely(READ_ONCE(current->work_flags) & SLOW_EXIT))
		ptrace_syscall_exit(regs);
}

static int trace_init(void)
{
	const char *v = command_line_get("trace");

	if (v && strstr(v, "syscalls"))
		static_key_enable(&trace_all);
	return 0;
}
INITCALL(late, trace_init);
