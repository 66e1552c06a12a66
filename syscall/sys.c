// SPDX-License-Identifier: MIT
/* The system as a whole: uname(2), sysinfo(2), limits, resource usage, prctl(2), reboot(2), syslog(2), getrandom(2). */
#include <lib/types.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <lib/format.h>
#include <abi/syscalls.h>
#include <alloc/page.h>
#include <alloc/slab.h>
#include <arch/cpu.h>
#include <arch/power.h>
#include <arch/switch.h>
#include <kernel/init.h>
#include <kernel/printk.h>
#include <kernel/random.h>
#include <kernel/time.h>
#include <mm/mm.h>
#include <mm/uaccess.h>
#include <proc/cred.h>
#include <proc/ns.h>
#include <proc/pid.h>
#include <proc/proc_priv.h>
#include <proc/signal.h>
#include <proc/wait.h>
#include <sched/sched.h>
#include <sched/task_life.h>
#include <syscall/rusage_user.h>
#include <syscall/time_user.h>
#include <vfs/fs.h>
#include <abi/errno.h>
#include <linux/capability.h>
#include <linux/personality.h>
#include <linux/prctl.h>
#include <linux/random.h>
#include <linux/reboot.h>
#include <linux/resource.h>
#include <linux/sysinfo.h>
#include <linux/times.h>
#include <linux/utsname.h>

long sys_uname(struct uptr name)
{
	struct uts_namespace *ns = utsname_ns();
	struct new_utsname u;

	BUILD_BUG_ON(sizeof(u) != sizeof(ns->name));
	down_read(&uts_sem);
	memcpy(&u, &ns->name, sizeof(u));
	up_read(&uts_sem);
	return copy_to_user(name, &u, sizeof(u)) ? -EFAULT : 0;
}

static long set_name(struct uptr name, int len, char *field)
{
	char buf[65] = { 0 };

	if (!ns_capable(utsname_ns()->user_ns, CAP_SYS_ADMIN))
		return -EPERM;
	if (len < 0 || len > 64)
		return -EINVAL;
	if (copy_from_user(buf, name, (size_t)len))
		return -EFAULT;
	down_write(&uts_sem);
	memcpy(field, buf, sizeof(buf));
	up_write(&uts_sem);
	return 0;
}

long sys_sethostname(struct uptr name, int len) { return set_name(name, len, utsname_ns()->name.nodename); }
long sys_setdomainname(struct uptr name, int len) { return set_name(name, len, utsname_ns()->name.domainname); }

long sys_sysinfo(struct uptr info)
{
	struct sysinfo s = { 0 };
	unsigned long avg[3];
	struct meminfo mi;

	mm_meminfo(&mi);
	get_avenrun(avg);
	s.uptime = (long)(ktime_get_boottime_ns() / NSEC_PER_SEC);
	for (int i = 0; i < 3; i++)
		s.loads[i] = avg[i] << (SI_LOAD_SHIFT - 11);
	s.totalram = mi.total;
	s.freeram = mi.free;
	s.sharedram = mi.shmem;
	s.bufferram = 0;
	s.procs = (u16)min(nr_tasks_alive(), 65535);
	s.mem_unit = PAGE_SIZE;
	return copy_to_user(info, &s, sizeof(s)) ? -EFAULT : 0;
}

long sys_getcpu(struct uptr cpup, struct uptr nodep, struct uptr unused)
{
	u32 cpu = raw_smp_processor_id(), node = 0;

	if (!uptr_is_null(cpup) && put_user(cpu, cpup))
		return -EFAULT;
	return !uptr_is_null(nodep) && put_user(node, nodep) ? -EFAULT : 0;
}

/* ---- limits ---- */

static int set_limit(struct task *t, unsigned int res, const struct rlimit_k *n, struct rlimit_k *old)
{
	struct rlimit_k *r = &t->signal->rlim[res];
	int e = 0;

	task_lock(t->group_leader);
	*old = *r;
	if (n && n->max > r->max && !capable(CAP_SYS_RESOURCE))
		e = -EPERM;
	else if (n)
		*r = *n;
	task_unlock(t->group_leader);
	return e;
}

static int check_limit(unsigned int res, struct rlimit_k *n)
{
	if (n->cur > n->max)
		return -EINVAL;
	if (res == RLIMIT_NOFILE && n->max > sysctl_nr_open)
		return -EPERM;
	if (res == RLIMIT_CPU && !n->cur)
		n->cur = 1;		/* 0 would be "no limit" to what checks it */
	return 0;
}

long sys_prlimit64(pid_t pid, unsigned int res, struct uptr newp, struct uptr oldp)
{
	struct rlimit_k n, old;
	const struct cred *c = current_cred(), *tc;
	struct task *t;
	bool ok;
	int e = 0;

	if (res >= RLIM_NLIMITS)
		return -EINVAL;
	if (!uptr_is_null(newp)) {
		if (copy_from_user(&n, newp, sizeof(n)))
			return -EFAULT;
		e = check_limit(res, &n);
		if (e)
			return e;
	}
	if (pid) {
		t = find_get_task_by_vpid(pid);
	} else {
		t = current;
		get_task_struct(t);
	}
	if (!t)
		return -ESRCH;
	rcu_read_lock();
	tc = __task_cred(t);
	ok = t == current || (uid_eq(c->uid, tc->euid) && uid_eq(c->uid, tc->suid) && uid_eq(c->uid, tc->uid) &&
			      gid_eq(c->gid, tc->egid) && gid_eq(c->gid, tc->sgid) && gid_eq(c->gid, tc->gid)) ||
	     ns_capable(tc->user_ns, CAP_SYS_RESOURCE);
	rcu_read_unlock();
	e = ok ? set_limit(t, res, uptr_is_null(newp) ? NULL : &n, &old) : -EPERM;
	put_task_struct(t);
	if (!e && !uptr_is_null(oldp) && copy_to_user(oldp, &old, sizeof(old)))
		e = -EFAULT;
	return e;
}

long sys_getrlimit(unsigned int res, struct uptr rlim) { return sys_prlimit64(0, res, UPTR_NULL, rlim); }

long sys_setrlimit(unsigned int res, struct uptr rlim)
{
	return uptr_is_null(rlim) ? -EFAULT : sys_prlimit64(0, res, rlim, UPTR_NULL);
}

long sys_getrusage(int who, struct uptr ru)
{
	struct rusage_k k;

	switch (who) {
	case RUSAGE_SELF: proc_getrusage(current, PROC_RUSAGE_SELF, &k); break;
	case RUSAGE_CHILDREN: proc_getrusage(current, PROC_RUSAGE_CHILDREN, &k); break;
	case RUSAGE_THREAD: proc_getrusage(current, PROC_RUSAGE_THREAD, &k); break;
	default: return -EINVAL;
	}
	return put_rusage(&k, ru);
}

long sys_times(struct uptr tbuf)
{
	struct tms t;
	u64 u, s;

	thread_group_cputime(current, &u, &s);
	t.tms_utime = (__kernel_clock_t)nsec_to_clock_t(u);
	t.tms_stime = (__kernel_clock_t)nsec_to_clock_t(s);
	t.tms_cutime = (__kernel_clock_t)nsec_to_clock_t(current->signal->cutime_ns);
	t.tms_cstime = (__kernel_clock_t)nsec_to_clock_t(current->signal->cstime_ns);
	if (!uptr_is_null(tbuf) && copy_to_user(tbuf, &t, sizeof(t)))
		return -EFAULT;
	return (long)nsec_to_clock_t(ktime_get_boottime_ns());
}

/* ---- prctl ---- */

static long set_securebits(unsigned long bits)
{
	struct cred *n;
	u32 old = current_cred()->securebits;

	/* Locked bits stay; only known ones; CAP_SETPCAP. */
	if (((old >> 1) & 0x55 & (old ^ bits)) || (old & 0xaa & ~bits) || (bits & ~0xffUL))
		return -EPERM;
	if (!ns_capable(current_user_ns(), CAP_SETPCAP))
		return -EPERM;
	n = prepare_creds();
	if (!n)
		return -ENOMEM;
	n->securebits = (u32)bits;
	return commit_creds(n);
}

static long cap_ambient(unsigned long op, unsigned long cap, unsigned long a4, unsigned long a5)
{
	const struct cred *c = current_cred();
	struct cred *n;

	if (op == PR_CAP_AMBIENT_CLEAR_ALL ? cap || a4 || a5 : a4 || a5 || cap > CAP_LAST_CAP)
		return -EINVAL;
	if (op == PR_CAP_AMBIENT_IS_SET)
		return cap_raised(c->cap_ambient, (int)cap);
	if (op != PR_CAP_AMBIENT_RAISE && op != PR_CAP_AMBIENT_LOWER && op != PR_CAP_AMBIENT_CLEAR_ALL)
		return -EINVAL;
	if (op == PR_CAP_AMBIENT_RAISE && (!cap_raised(c->cap_permitted, (int)cap) || !cap_raised(c->cap_inheritable, (int)cap) ||
					   issecure(SECURE_NO_CAP_AMBIENT_RAISE)))
		return -EPERM;
	n = prepare_creds();
	if (!n)
		return -ENOMEM;
	if (op == PR_CAP_AMBIENT_CLEAR_ALL)
		n->cap_ambient = CAP_EMPTY_SET;
	else if (op == PR_CAP_AMBIENT_RAISE)
		n->cap_ambient.val |= 1ULL << cap;
	else
		n->cap_ambient.val &= ~(1ULL << cap);
	return commit_creds(n);
}

static long drop_bset(unsigned long cap)
{
	struct cred *n;

	if (!ns_capable(current_user_ns(), CAP_SETPCAP))
		return -EPERM;
	if (cap > CAP_LAST_CAP)
		return -EINVAL;
	n = prepare_creds();
	if (!n)
		return -ENOMEM;
	n->cap_bset.val &= ~(1ULL << cap);
	return commit_creds(n);
}

static long set_keepcaps(unsigned long on)
{
	struct cred *n;

	if (on > 1)
		return -EINVAL;
	if (issecure(5 /* keep-caps locked */))
		return -EPERM;
	n = prepare_creds();
	if (!n)
		return -ENOMEM;
	n->securebits = on ? n->securebits | 1U << SECURE_KEEP_CAPS : n->securebits & ~(1U << SECURE_KEEP_CAPS);
	return commit_creds(n);
}

static long get_comm(struct uptr p)
{
	char comm[TASK_COMM_LEN];

	get_task_comm(comm, current);
	return copy_to_user(p, comm, sizeof(comm)) ? -EFAULT : 0;
}

static long set_comm(struct uptr p)
{
	char comm[TASK_COMM_LEN] = { 0 };

	if (strncpy_from_user(comm, p, sizeof(comm) - 1) < 0)
		return -EFAULT;
	set_task_comm(current, comm);
	return 0;
}

/* partial: prctl: PR_SET_MM, PR_SET_SECCOMP, PR_SCHED_CORE, PR_SET_SYSCALL_USER_DISPATCH, timer and CPU-feature controls */
long sys_prctl(int option, unsigned long a2, unsigned long a3, unsigned long a4, unsigned long a5)
{
	struct task *t = current;

	switch (option) {
	case PR_SET_PDEATHSIG:
		if (a2 > _NSIG)
			return -EINVAL;
		t->pdeath_signal = (int)a2;
		return 0;
	case PR_GET_PDEATHSIG: return put_user((u32)t->pdeath_signal, UPTR(a2)) ? -EFAULT : 0;
	case PR_GET_DUMPABLE: return (long)(t->mm->flags & MMF_DUMPABLE_MASK);
	case PR_SET_DUMPABLE:
		if (a2 > 1)
			return -EINVAL;
		WRITE_ONCE(t->mm->flags, (t->mm->flags & ~MMF_DUMPABLE_MASK) | a2);
		return 0;
	case PR_GET_KEEPCAPS: return issecure(SECURE_KEEP_CAPS);
	case PR_SET_KEEPCAPS: return set_keepcaps(a2);
	case PR_GET_TIMING: return PR_TIMING_STATISTICAL;
	case PR_SET_TIMING: return a2 == PR_TIMING_STATISTICAL ? 0 : -EINVAL;
	case PR_SET_NAME: return set_comm(UPTR(a2));
	case PR_GET_NAME: return get_comm(UPTR(a2));
	case PR_CAPBSET_READ: return a2 > CAP_LAST_CAP ? -EINVAL : cap_raised(current_cred()->cap_bset, (int)a2);
	case PR_CAPBSET_DROP: return drop_bset(a2);
	case PR_GET_SECUREBITS: return (long)current_cred()->securebits;
	case PR_SET_SECUREBITS: return set_securebits(a2);
	case PR_CAP_AMBIENT: return cap_ambient(a2, a3, a4, a5);
	case PR_SET_TIMERSLACK:
		t->timer_slack_ns = a2 ? a2 : 50000;
		return 0;
	case PR_GET_TIMERSLACK: return (long)min(t->timer_slack_ns, (u64)LONG_MAX);
	case PR_SET_CHILD_SUBREAPER:
		t->signal->is_child_subreaper = !!a2;
		if (a2)
			proc_mark_subreaper(t);
		return 0;
	case PR_GET_CHILD_SUBREAPER: return put_user((u32)t->signal->is_child_subreaper, UPTR(a2)) ? -EFAULT : 0;
	case PR_SET_NO_NEW_PRIVS:
		if (a2 != 1 || a3 || a4 || a5)
			return -EINVAL;
		t->no_new_privs = true;
		return 0;
	case PR_GET_NO_NEW_PRIVS: return a2 || a3 || a4 || a5 ? -EINVAL : t->no_new_privs;
	case PR_GET_TID_ADDRESS: return put_user(t->clear_child_tid.addr, UPTR(a2)) ? -EFAULT : 0;
	case PR_SET_THP_DISABLE:
		if (a3 || a4 || a5)
			return -EINVAL;
		if (a2)
			set_bit(MMF_DISABLE_THP, &t->mm->flags);
		else
			clear_bit(MMF_DISABLE_THP, &t->mm->flags);
		return 0;
	case PR_GET_THP_DISABLE: return a2 || a3 || a4 || a5 ? -EINVAL : test_bit(MMF_DISABLE_THP, &t->mm->flags);
	}
	return -EINVAL;
}

long sys_arch_prctl(int option, unsigned long arg2)
{
	return arch_prctl_current(option, arg2);
}

long sys_personality(unsigned int personality)
{
	unsigned int old = current->personality;

	if (personality != 0xffffffff)
		current->personality = personality;
	return old;
}

/* ---- the end of the system ---- */

static void run_down(int state, const char *what)
{
	system_state = state;
	sys_sync();
	pr_emerg("reboot: %s\n", what);
	console_settle();
}

long sys_reboot(int magic1, int magic2, unsigned int cmd, struct uptr arg)
{
	char text[256];

	if (!ns_capable(task_active_pid_ns(current)->user_ns, CAP_SYS_BOOT))
		return -EPERM;
	if ((u32)magic1 != LINUX_REBOOT_MAGIC1 || (magic2 != LINUX_REBOOT_MAGIC2 && magic2 != LINUX_REBOOT_MAGIC2A &&
						   magic2 != LINUX_REBOOT_MAGIC2B && magic2 != LINUX_REBOOT_MAGIC2C))
		return -EINVAL;
	if (task_active_pid_ns(current) != &init_pid_ns)
		return proc_reboot_pid_ns(task_active_pid_ns(current), cmd);
	switch (cmd) {
	case LINUX_REBOOT_CMD_RESTART2:
		if (strncpy_from_user(text, arg, sizeof(text) - 1) < 0)
			return -EFAULT;
		fallthrough;
	case LINUX_REBOOT_CMD_RESTART:
		run_down(SYSTEM_RESTART, "Restarting system");
		arch_reset();
		return -EIO;
	case LINUX_REBOOT_CMD_HALT:
		run_down(SYSTEM_HALT, "System halted");
		do_exit(0);
	case LINUX_REBOOT_CMD_POWER_OFF:
		run_down(SYSTEM_POWER_OFF, "Power down");
		arch_power_off();
		return -EIO;
	case LINUX_REBOOT_CMD_CAD_ON: case LINUX_REBOOT_CMD_CAD_OFF:
		return 0;	/* there is no keyboard whose Ctrl-Alt-Del could come */
	}
	return -EINVAL;
}

/* ---- the kernel's log and randomness ---- */

static u64 syslog_seq, syslog_clear_seq;
static int saved_loglevel = -1;
static DEFINE_MUTEX(syslog_lock);

static int format_record(char *buf, size_t size, const struct printk_record *r)
{
	return scnprintf(buf, size, "<%u>[%5llu.%06llu] %s\n", r->facility << 3 | r->level, r->ts_ns / NSEC_PER_SEC,
			 r->ts_ns % NSEC_PER_SEC / NSEC_PER_USEC, r->text);
}

/* The last records that fit into LEN bytes, from FROM on. */
static long syslog_all(struct uptr buf, size_t len, u64 from, bool size_only)
{
	struct printk_record *r = kmalloc(sizeof(*r) + 1200, GFP_KERNEL);
	char *line = (char *)(r + 1);
	u64 seq, start;
	size_t total = 0, done = 0;
	long ret = 0;

	if (!r)
		return -ENOMEM;
	start = max(from, printk_first_seq());
	for (seq = start; printk_read(&seq, r) != -ENODATA; seq++)
		total += (size_t)format_record(line, 1200, r);
	if (size_only) {
		kfree(r);
		return (long)total;
	}
	for (seq = start; total > len && printk_read(&seq, r) != -ENODATA; seq++)
		total -= (size_t)format_record(line, 1200, r);
	for (; printk_read(&seq, r) != -ENODATA; seq++) {
		size_t n = (size_t)format_record(line, 1200, r);

		if (done + n > len)
			break;
		if (copy_to_user(uptr_add(buf, done), line, n)) {
			ret = -EFAULT;
			break;
		}
		done += n;
	}
	kfree(r);
	return ret ?: (long)done;
}

/* partial: syslog: SYSLOG_ACTION_READ does not wait for records */
long sys_syslog(int type, struct uptr buf, int len)
{
	long ret;

	if (type != 3 && type != 10 && !capable(CAP_SYSLOG) && !capable(CAP_SYS_ADMIN))
		return -EPERM;
	switch (type) {
	case 0: case 1:
		return 0;
	case 2:
		if (uptr_is_null(buf) || len < 0)
			return -EINVAL;
		mutex_lock(&syslog_lock);
		ret = syslog_all(buf, (size_t)len, syslog_seq, false);
		if (ret > 0)
			syslog_seq = printk_next_seq();
		mutex_unlock(&syslog_lock);
		return ret;
	case 3: case 4:
		if (uptr_is_null(buf) || len < 0)
			return -EINVAL;
		ret = len ? syslog_all(buf, (size_t)len, syslog_clear_seq, false) : 0;
		if (type == 4)
			syslog_clear_seq = printk_next_seq();
		return ret;
	case 5:
		syslog_clear_seq = printk_next_seq();
		return 0;
	case 6:
		if (saved_loglevel < 0)
			saved_loglevel = console_loglevel;
		console_loglevel = 1;
		return 0;
	case 7:
		if (saved_loglevel >= 0)
			console_loglevel = saved_loglevel;
		saved_loglevel = -1;
		return 0;
	case 8:
		if (len < 1 || len > 8)
			return -EINVAL;
		console_loglevel = len;
		saved_loglevel = -1;
		return 0;
	case 9: return syslog_all(UPTR_NULL, 0, syslog_seq, true);
	case 10: return 1 << 17;
	}
	return -EINVAL;
}

long sys_getrandom(struct uptr buf, size_t count, unsigned int flags)
{
	size_t done = 0;
	u8 tmp[256];

	if (flags & ~(GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE))
		return -EINVAL;
	if ((flags & (GRND_INSECURE | GRND_RANDOM)) == (GRND_INSECURE | GRND_RANDOM))
		return -EINVAL;
	if (!rng_is_seeded() && !(flags & GRND_INSECURE)) {
		int e = flags & GRND_NONBLOCK ? -EAGAIN : wait_for_random();

		if (e)
			return e;
	}
	count = min(count, (size_t)(INT_MAX >> 6));
	while (done < count) {
		size_t n = min(count - done, sizeof(tmp));

		get_random_bytes(tmp, n);
		if (copy_to_user(uptr_add(buf, done), tmp, n))
			return done ? (long)done : -EFAULT;
		done += n;
		if (done < count && signal_pending(current))
			break;
		cond_resched();
	}
	memzero_explicit(tmp, sizeof(tmp));
	return (long)done;
}
