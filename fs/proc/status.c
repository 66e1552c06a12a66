// SPDX-License-Identifier: MIT
/* What a task is and has used: status, stat, statm, limits, io, sched, schedstat. Formats: proc(5). */
#include "proc_priv.h"
#include <kernel/cpumask.h>
#include <mm/mm.h>
#include <proc/cred.h>
#include <proc/signal.h>
#include <proc/threads.h>
#include <proc/wait.h>
#include <sched/sched.h>
#include <tty/tty.h>
#include <linux/resource.h>
#include <proc/seccomp.h>
#include <linux/sched.h>

static const struct {
	char c;
	const char *text;
} states[] = {
	{ 'R', "R (running)" }, { 'S', "S (sleeping)" }, { 'D', "D (disk sleep)" }, { 'T', "T (stopped)" },
	{ 't', "t (tracing stop)" }, { 'X', "X (dead)" }, { 'Z', "Z (zombie)" }, { 'P', "P (parked)" },
	{ 'I', "I (idle)" },
};

static unsigned int state_index(struct task *t)
{
	unsigned int s = READ_ONCE(t->state);

	if (t->exit_state & EXIT_ZOMBIE)
		return 6;
	if (t->exit_state & EXIT_DEAD)
		return 5;
	if (s & TASK_TRACED_)
		return 4;
	if (s & TASK_STOPPED_)
		return 3;
	if ((s & TASK_IDLE) == TASK_IDLE)
		return 8;
	if (s & TASK_UNINTERRUPTIBLE)
		return 2;
	if (s & TASK_INTERRUPTIBLE)
		return 1;
	return 0;
}

char proc_state_char(struct task *t)
{
	return states[state_index(t)].c;
}

/* status */

/* A number as each namespace has it, from the reader's down to that of PID, the task's own. */
static void show_numbers(struct seq_file *m, const struct pid_namespace *ns, const struct pid *pid, struct task *task,
			 enum pid_type type)
{
	for (unsigned int i = ns->level; i <= pid->level; i++)
		seq_printf(m, "\t%d", task_pid_nr_type(task, type, pid->numbers[i].ns));
}

static void show_ids(struct seq_file *m, struct pid_namespace *ns, struct pid *pid, struct task *task)
{
	struct user_namespace *uns = current_user_ns();
	const struct cred *c = get_task_cred(task);
	unsigned int fds = 0;
	int umask = -1;
	pid_t tracer;

	rcu_read_lock();
	tracer = task->ptrace ? task_tgid_nr_ns(rcu_dereference(task->parent), ns) : 0;
	rcu_read_unlock();
	task_lock(task);
	if (task->fs)
		umask = task->fs->umask;
	if (task->files) {
		rcu_read_lock();
		fds = rcu_dereference(task->files->fdt)->max_fds;
		rcu_read_unlock();
	}
	task_unlock(task);
	if (umask >= 0)
		seq_printf(m, "Umask:\t%#04o\n", (unsigned int)umask);
	seq_printf(m, "State:\t%s\nTgid:\t%d\nNgid:\t0\nPid:\t%d\nPPid:\t%d\nTracerPid:\t%d\n",
		   states[state_index(task)].text, task_tgid_nr_ns(task, ns), pid_nr_ns(pid, ns),
		   task_ppid_nr_ns(task, ns), tracer);
	seq_printf(m, "Uid:\t%u\t%u\t%u\t%u\n", from_kuid_munged(uns, c->uid), from_kuid_munged(uns, c->euid),
		   from_kuid_munged(uns, c->suid), from_kuid_munged(uns, c->fsuid));
	seq_printf(m, "Gid:\t%u\t%u\t%u\t%u\n", from_kgid_munged(uns, c->gid), from_kgid_munged(uns, c->egid),
		   from_kgid_munged(uns, c->sgid), from_kgid_munged(uns, c->fsgid));
	seq_printf(m, "FDSize:\t%u\nGroups:\t", fds);
	for (int i = 0; c->group_info && i < c->group_info->ngroups; i++)
		seq_printf(m, "%u ", from_kgid_munged(uns, c->group_info->gid[i]));
	put_cred(c);
	seq_puts(m, "\nNStgid:");
	show_numbers(m, ns, pid, task, PIDTYPE_TGID);
	seq_puts(m, "\nNSpid:");
	show_numbers(m, ns, pid, task, PIDTYPE_PID);
	seq_puts(m, "\nNSpgid:");
	show_numbers(m, ns, pid, task, PIDTYPE_PGID);
	seq_puts(m, "\nNSsid:");
	show_numbers(m, ns, pid, task, PIDTYPE_SID);
	seq_printf(m, "\nKthread:\t%d\n", is_kthread(task) ? 1 : 0);
}

static void kb(struct seq_file *m, const char *label, unsigned long pages)
{
	seq_printf(m, "%s%8lu kB\n", label, pages << (PAGE_SHIFT - 10));
}

static void show_mem(struct seq_file *m, struct mm *mm)
{
	unsigned long anon = get_mm_counter(mm, MM_ANONPAGES), file = get_mm_counter(mm, MM_FILEPAGES);
	unsigned long shmem = get_mm_counter(mm, MM_SHMEMPAGES);
	unsigned long text = (PAGE_ALIGN(mm->end_code) - (mm->start_code & PAGE_MASK)) >> PAGE_SHIFT;
	unsigned long lib = mm->exec_vm > text ? mm->exec_vm - text : 0;
	unsigned long peak = max(mm->hiwater_vm, mm->total_vm);

	kb(m, "VmPeak:\t", peak);
	kb(m, "VmSize:\t", mm->total_vm);
	kb(m, "VmLck:\t", mm->locked_vm);
	kb(m, "VmPin:\t", (unsigned long)atomic64_read(&mm->pinned_vm));
	kb(m, "VmHWM:\t", mm_hiwater_rss(mm));
	kb(m, "VmRSS:\t", anon + file + shmem);
	kb(m, "RssAnon:\t", anon);
	kb(m, "RssFile:\t", file);
	kb(m, "RssShmem:\t", shmem);
	kb(m, "VmData:\t", mm->data_vm);
	kb(m, "VmStk:\t", mm->stack_vm);
	kb(m, "VmExe:\t", min(text, mm->exec_vm));
	kb(m, "VmLib:\t", lib);
	seq_printf(m, "VmPTE:\t%8lu kB\n", (unsigned long)atomic64_read(&mm->pgtables_bytes) >> 10);
	seq_puts(m, "VmSwap:\t       0 kB\nHugetlbPages:\t       0 kB\nCoreDumping:\t0\nTHP_enabled:\t0\n"
		    "untag_mask:\t0xffffffffffffffff\n");
}

struct signals {
	u64 pending, shared, blocked, ignored, caught;
	unsigned int threads, queued;
};

static void collect_signals(struct task *task, struct signals *s)
{
	unsigned long flags;

	memset(s, 0, sizeof(*s));
	if (!lock_task_sighand(task, &flags))
		return;
	settle_signals(task);
	s->pending = task->pending.signal;
	s->shared = task->signal->shared_pending.signal;
	s->blocked = task->blocked;
	for (int i = 0; i < _NSIG; i++) {
		if (task_sighand(task)->action[i].handler == SIG_KERNEL_IGN)
			s->ignored |= 1ull << i;
		else if (task_sighand(task)->action[i].handler != SIG_KERNEL_DFL)
			s->caught |= 1ull << i;
	}
	s->threads = (unsigned int)task->signal->nr_threads;
	rcu_read_lock();
	s->queued = (unsigned int)atomic_read(&__task_cred(task)->user->sigpending);
	rcu_read_unlock();
	unlock_task_sighand(task, &flags);
}

static void show_signals(struct seq_file *m, struct task *task)
{
	struct signals s;

	collect_signals(task, &s);
	seq_printf(m, "Threads:\t%u\nSigQ:\t%u/%llu\n", s.threads, s.queued, task_rlimit(task, RLIMIT_SIGPENDING));
	seq_printf(m, "SigPnd:\t%016llx\nShdPnd:\t%016llx\nSigBlk:\t%016llx\nSigIgn:\t%016llx\nSigCgt:\t%016llx\n",
		   s.pending, s.shared, s.blocked, s.ignored, s.caught);
}

static void show_caps(struct seq_file *m, struct task *task)
{
	const struct cred *c = get_task_cred(task);

	seq_printf(m, "CapInh:\t%016llx\nCapPrm:\t%016llx\nCapEff:\t%016llx\nCapBnd:\t%016llx\nCapAmb:\t%016llx\n",
		   c->cap_inheritable.val, c->cap_permitted.val, c->cap_effective.val, c->cap_bset.val,
		   c->cap_ambient.val);
	put_cred(c);
}

static void show_cpus(struct seq_file *m, const struct cpumask *mask)
{
	char text[NR_CPUS / 32 * 9 + 1];	/* eight digits and a comma for 32 CPUs */
	unsigned long first, end = 0;
	const char *comma = "";

	bitmap_print_mask(text, sizeof(text), mask->bits, nr_cpu_ids);
	seq_printf(m, "Cpus_allowed:\t%s\nCpus_allowed_list:\t", text);
	while ((first = find_next_bit(mask->bits, nr_cpu_ids, end)) < nr_cpu_ids) {
		end = find_next_zero_bit(mask->bits, nr_cpu_ids, first);
		seq_printf(m, "%s%lu", comma, first);
		if (end - 1 > first)
			seq_printf(m, "-%lu", end - 1);
		comma = ",";
	}
}

int proc_show_status(struct seq_file *m, struct pid_namespace *ns, struct pid *pid, struct task *task)
{
	struct mm *mm = get_task_mm(task);
	char comm[TASK_COMM_LEN];

	get_task_comm(comm, task);
	seq_puts(m, "Name:\t");
	seq_escape(m, comm, "\n\\");
	seq_putc(m, '\n');
	show_ids(m, ns, pid, task);
	if (mm) {
		show_mem(m, mm);
		mmput(mm);
	}
	show_signals(m, task);
	show_caps(m, task);
	seq_printf(m, "NoNewPrivs:\t%d\nSeccomp:\t%u\nSeccomp_filters:\t%u\n", task->no_new_privs ? 1 : 0,
		   task->seccomp_mode, seccomp_count(task));
	seq_puts(m, "Speculation_Store_Bypass:\tvulnerable\nSpeculationIndirectBranch:\tunknown\n");
	show_cpus(m, &task->cpus_mask);
	seq_printf(m, "\nMems_allowed:\t1\nMems_allowed_list:\t0\nvoluntary_ctxt_switches:\t%llu\n"
		      "nonvoluntary_ctxt_switches:\t%llu\n", task->nvcsw, task->nivcsw);
	return 0;
}

/* stat */

struct tty_ids {
	u32 nr;
	int pgrp;
};

static struct tty_ids task_tty(struct task *task, struct pid_namespace *ns)
{
	struct tty_ids ids = { 0, -1 };
	unsigned long flags;
	struct tty *tty;

	if (!lock_task_sighand(task, &flags))
		return ids;
	tty = (struct tty *)task->signal->tty;
	if (tty) {
		struct pid *pgrp = READ_ONCE(tty->pgrp);

		ids.nr = new_encode_dev(tty->dev);
		if (pgrp)
			ids.pgrp = pid_nr_ns(pgrp, ns);
	}
	unlock_task_sighand(task, &flags);
	return ids;
}

static int show_stat(struct seq_file *m, struct pid_namespace *ns, struct pid *pid, struct task *task, bool whole)
{
	struct tty_ids tty = task_tty(task, ns);
	bool see = !proc_begin_access(task, PTRACE_MODE_READ);
	struct mm *mm = get_task_mm(task);
	int exit_code = see ? task->exit_code : 0;
	struct signal_struct *sig = task->signal;
	u64 utime, stime, gtime, minflt, majflt, rsslim;
	char comm[TASK_COMM_LEN];
	struct signals s;

	if (see)		/* of the space that it may see: from here on it is only counted or printed */
		proc_end_access(task);
	get_task_comm(comm, task);
	collect_signals(task, &s);
	if (whole) {
		struct rusage_k ru;

		proc_getrusage(task, PROC_RUSAGE_SELF, &ru);
		utime = ru.utime_ns;
		stime = ru.stime_ns;
		gtime = process_guest_time(sig);
		minflt = ru.minflt;
		majflt = ru.majflt;
	} else {
		task_cputime(task, &utime, &stime);
		gtime = task_guest_time(task);
		minflt = task->min_flt;
		majflt = task->maj_flt;
	}
	rsslim = task_rlimit(task, RLIMIT_RSS);
	seq_printf(m, "%d (", pid_nr_ns(pid, ns));
	seq_escape(m, comm, "\n\\");
	seq_printf(m, ") %c %d %d %d %u %d %u", proc_state_char(task), task_ppid_nr_ns(task, ns),
		   task_pgrp_nr_ns(task, ns), task_session_nr_ns(task, ns), tty.nr, tty.pgrp, task->flags);
	seq_printf(m, " %llu %lu %llu %lu %llu %llu %lld %lld", minflt, sig->cmin_flt, majflt, sig->cmaj_flt,
		   nsec_to_clock_t(utime), nsec_to_clock_t(stime), (s64)nsec_to_clock_t(sig->cutime_ns),
		   (s64)nsec_to_clock_t(sig->cstime_ns));
	seq_printf(m, " %d %d %u 0 %llu %lu %ld %llu", task->rt_priority ? -1 - task->rt_priority : 20 + task->nice,
		   task->nice, s.threads, nsec_to_clock_t(task->start_boottime_ns),
		   mm ? mm->total_vm << PAGE_SHIFT : 0ul, mm ? (long)get_mm_rss(mm) : 0l, rsslim);
	seq_printf(m, " %lu %lu %lu %lu %lu", mm ? (see ? mm->start_code : 1) : 0ul,
		   mm ? (see ? mm->end_code : 1) : 0ul, see && mm ? mm->start_stack : 0ul, 0ul, 0ul);
	/* Only the first 31 signals fit here, as ever. */
	seq_printf(m, " %llu %llu %llu %llu", s.pending & 0x7fffffff, s.blocked & 0x7fffffff,
		   s.ignored & 0x7fffffff, s.caught & 0x7fffffff);
	seq_printf(m, " %d 0 0 %d %d %d %u 0 %llu %lld", see && READ_ONCE(task->state) ? 1 : 0, task->exit_signal,
		   task_cpu(task), task->rt_priority, task->policy, nsec_to_clock_t(gtime),
		   (s64)nsec_to_clock_t(sig->cgtime_ns));
	if (mm && see)
		seq_printf(m, " %lu %lu %lu %lu %lu %lu %lu", mm->start_data, mm->end_data, mm->start_brk,
			   mm->arg_start, mm->arg_end, mm->env_start, mm->env_end);
	else
		seq_puts(m, " 0 0 0 0 0 0 0");
	seq_printf(m, " %d\n", exit_code);
	if (mm)
		mmput(mm);
	return 0;
}

int proc_show_stat(struct seq_file *m, struct pid_namespace *ns, struct pid *pid, struct task *task)
{
	return show_stat(m, ns, pid, task, true);
}

int proc_show_thread_stat(struct seq_file *m, struct pid_namespace *ns, struct pid *pid, struct task *task)
{
	return show_stat(m, ns, pid, task, false);
}

int proc_show_statm(struct seq_file *m, struct pid_namespace *ns, struct pid *pid, struct task *task)
{
	struct mm *mm = get_task_mm(task);

	(void)ns;
	(void)pid;
	if (!mm) {
		seq_puts(m, "0 0 0 0 0 0 0\n");
		return 0;
	}
	seq_printf(m, "%lu %lu %lu %lu 0 %lu 0\n", mm->total_vm, get_mm_rss(mm),
		   get_mm_counter(mm, MM_FILEPAGES) + get_mm_counter(mm, MM_SHMEMPAGES),
		   (PAGE_ALIGN(mm->end_code) - (mm->start_code & PAGE_MASK)) >> PAGE_SHIFT,
		   mm->data_vm + mm->stack_vm);
	mmput(mm);
	return 0;
}

/* limits */

int proc_show_limits(struct seq_file *m, struct pid_namespace *ns, struct pid *pid, struct task *task)
{
	static const struct {
		const char *name, *unit;
	} lim[RLIM_NLIMITS] = {
		[RLIMIT_CPU] = { "Max cpu time", "seconds" },
		[RLIMIT_FSIZE] = { "Max file size", "bytes" },
		[RLIMIT_DATA] = { "Max data size", "bytes" },
		[RLIMIT_STACK] = { "Max stack size", "bytes" },
		[RLIMIT_CORE] = { "Max core file size", "bytes" },
		[RLIMIT_RSS] = { "Max resident set", "bytes" },
		[RLIMIT_NPROC] = { "Max processes", "processes" },
		[RLIMIT_NOFILE] = { "Max open files", "files" },
		[RLIMIT_MEMLOCK] = { "Max locked memory", "bytes" },
		[RLIMIT_AS] = { "Max address space", "bytes" },
		[RLIMIT_LOCKS] = { "Max file locks", "locks" },
		[RLIMIT_SIGPENDING] = { "Max pending signals", "signals" },
		[RLIMIT_MSGQUEUE] = { "Max msgqueue size", "bytes" },
		[RLIMIT_NICE] = { "Max nice priority", "" },
		[RLIMIT_RTPRIO] = { "Max realtime priority", "" },
		[RLIMIT_RTTIME] = { "Max realtime timeout", "us" },
	};

	(void)ns;
	(void)pid;
	seq_puts(m, "Limit                     Soft Limit           Hard Limit           Units     \n");
	for (unsigned int i = 0; i < RLIM_NLIMITS; i++) {
		u64 v[2] = { task->signal->rlim[i].cur, task->signal->rlim[i].max };

		seq_printf(m, "%-25s ", lim[i].name);
		for (int k = 0; k < 2; k++) {
			if (v[k] == RLIM_INFINITY)
				seq_printf(m, "%-20s ", "unlimited");
			else
				seq_printf(m, "%-20llu ", v[k]);
		}
		seq_printf(m, "%-10s\n", lim[i].unit);
	}
	return 0;
}

/* io, sched */

static unsigned int add_io(struct task *t, void *to)
{
	unsigned long *sum = to;

	for (int i = 0; i < 6; i++)
		sum[i] += t->io_bytes[i];
	return 1;
}

int proc_show_io(struct seq_file *m, struct pid_namespace *ns, struct pid *pid, struct task *task)
{
	static const char *const names[] = { "rchar", "wchar", "syscr", "syscw", "read_bytes", "write_bytes" };
	unsigned long sum[6];
	int err = proc_begin_access(task, PTRACE_MODE_READ);
	bool all;

	(void)ns;
	(void)pid;
	if (err)
		return err;
	memcpy(sum, task->signal->io_bytes, sizeof(sum));
	all = walk_threads(task->signal, add_io, sum);
	proc_end_access(task);
	if (!all)
		return -EINTR;
	for (int i = 0; i < 6; i++)
		seq_printf(m, "%s: %lu\n", names[i], sum[i]);
	seq_puts(m, "cancelled_write_bytes: 0\n");
	return 0;
}

static void ms_line(struct seq_file *m, const char *name, u64 ns)
{
	seq_printf(m, "%-45s:%14llu.%06llu\n", name, ns / NSEC_PER_MSEC, ns % NSEC_PER_MSEC);
}

int proc_show_sched(struct seq_file *m, struct pid_namespace *ns, struct pid *pid, struct task *task)
{
	char comm[TASK_COMM_LEN];
	struct signals s;

	get_task_comm(comm, task);
	collect_signals(task, &s);
	seq_printf(m, "%s (%d, #threads: %u)\n", comm, pid_nr_ns(pid, ns), s.threads);
	seq_puts(m, "-------------------------------------------------------------------\n");
	ms_line(m, "se.exec_start", task->se.exec_start);
	ms_line(m, "se.vruntime", task->se.vruntime);
	ms_line(m, "se.sum_exec_runtime", task->se.sum_exec_ns);
	seq_printf(m, "%-45s:%21llu\n", "nr_switches", task->nvcsw + task->nivcsw);
	seq_printf(m, "%-45s:%21llu\n", "nr_voluntary_switches", task->nvcsw);
	seq_printf(m, "%-45s:%21llu\n", "nr_involuntary_switches", task->nivcsw);
	seq_printf(m, "%-45s:%21u\n", "se.load.weight", task->se.weight);
	seq_printf(m, "%-45s:%21u\n", "policy", task->policy);
	seq_printf(m, "%-45s:%21d\n", "prio", task->rt_priority ? 99 - task->rt_priority : 120 + task->nice);
	return 0;
}

int proc_show_schedstat(struct seq_file *m, struct pid_namespace *ns, struct pid *pid, struct task *task)
{
	(void)ns;
	(void)pid;
	seq_printf(m, "%llu %llu %llu\n", task->se.sum_exec_ns, task->run_delay_ns, task->pcount);
	return 0;
}
