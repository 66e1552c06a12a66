// SPDX-License-Identifier: MIT
/* The system as a whole: uname(2), sysinfo(2), limits, resource usage, reboot(2), syslog(2), getrandom(2). */
#include <lib/types.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <lib/format.h>
#include <abi/syscalls.h>
#include <arch/elf.h>
#include <alloc/page.h>
#include <alloc/slab.h>
#include <fs/kmsg.h>
#include <arch/cpu.h>
#include <arch/power.h>
#include <arch/switch.h>
#include <block/blk.h>
#include <kernel/init.h>
#include <kernel/printk.h>
#include <kernel/random.h>
#include <kernel/time.h>
#include <mm/iter.h>
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
#include <linux/random.h>
#include <linux/reboot.h>
#include <linux/resource.h>
#include <linux/sysinfo.h>
#include <linux/times.h>
#include <linux/utsname.h>

/* What a program is told whose personality is that of a 32-bit program, or of one that fears versions after 2.6. */
static void uname_disguise(struct new_utsname *u)
{
	const char *rest = u->release;
	char release[sizeof(u->release)];
	unsigned long minor = 0;

	if ((current->personality & PER_MASK) == PER_LINUX32)
		strscpy(u->machine, ELF_MACHINE_32 ?: ELF_MACHINE, sizeof(u->machine));
	if (!(current->personality & UNAME26))
		return;
	/* VERSION.MINOR.LEVEL-more: LEVEL is left out, as on Linux. */
	for (int dots = 0; *rest && dots < 3 && ((*rest >= '0' && *rest <= '9') || *rest == '.'); rest++) {
		if (*rest == '.')
			dots++;
		else if (dots == 1)
			minor = minor * 10 + (unsigned long)(*rest - '0');
	}
	snprintf(release, sizeof(release), "2.6.%lu%s", minor + 60, rest);
	strscpy(u->release, release, sizeof(u->release));
}

static noinline long uname_slowly(struct uptr name, struct uts_namespace *ns)
{
	struct new_utsname u;

	BUILD_BUG_ON(sizeof(u) != sizeof(ns->name));
	down_read(&uts_sem);
	memcpy(&u, &ns->name, sizeof(u));
	up_read(&uts_sem);
	uname_disguise(&u);
	return copy_to_user(name, &u, sizeof(u)) ? -EFAULT : 0;
}

long sys_uname(struct uptr name)
{
	struct uts_namespace *ns = utsname_ns();
	size_t left;

	if (unlikely(current->personality & (PER_MASK | UNAME26)))
		return uname_slowly(name, ns);
	/* No fault is waited for with the lock held: a program may take as long as it likes to resolve one. */
	down_read(&uts_sem);
	left = copy_to_user_nofault(name, &ns->name, sizeof(struct new_utsname));
	up_read(&uts_sem);
	return likely(!left) ? 0 : uname_slowly(name, ns);
}

static long set_name(struct uptr name, int len, bool domain)
{
	char buf[64];
	int e = uts_may_set();

	if (e)
		return e;
	if (len < 0 || len > (int)sizeof(buf))
		return -EINVAL;
	if (copy_from_user(buf, name, (size_t)len))
		return -EFAULT;
	uts_set_name(domain, buf, (size_t)len);
	return 0;
}

long sys_sethostname(struct uptr name, int len) { return set_name(name, len, false); }
long sys_setdomainname(struct uptr name, int len) { return set_name(name, len, true); }

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

/* The leader of T's process, whose lock guards the limits, referenced; NULL: T was reaped, and its leader may have gone since. */
static struct task *get_leader(struct task *t)
{
	struct task *leader = NULL;

	rcu_read_lock();
	if (task_pid_type(t, PIDTYPE_PID)) {
		leader = READ_ONCE(t->group_leader);
		if (!refcount_inc_not_zero(&leader->usage))
			leader = NULL;
	}
	rcu_read_unlock();
	return leader;
}

static int set_limit(struct task *t, unsigned int res, const struct rlimit_k *n, struct rlimit_k *old)
{
	struct rlimit_k *r = &t->signal->rlim[res];
	struct task *leader = get_leader(t);
	int e = 0;

	if (!leader)
		return -ESRCH;
	task_lock(leader);
	*old = *r;
	if (n && n->max > r->max && !capable(CAP_SYS_RESOURCE))
		e = -EPERM;
	else if (n)
		*r = *n;
	task_unlock(leader);
	put_task_struct(leader);
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

long sys_getrlimit(unsigned int res, struct uptr rlim)
{
	long e = sys_prlimit64(0, res, UPTR_NULL, rlim);

	return !e && uptr_is_null(rlim) ? -EFAULT : e;
}

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

long sys_arch_prctl(int option, unsigned long arg2)
{
	return arch_prctl_current(option, arg2);
}

long sys_personality(unsigned int personality)
{
	unsigned int old = current->personality;

	if ((personality & PER_MASK) == PER_LINUX32 && !ELF_MACHINE_32)
		return -EINVAL;
	if (personality != 0xffffffff)
		current->personality = personality;
	return old;
}

/* ---- the end of the system ---- */

static void run_down(int state, const char *what)
{
	system_state = state;
	sys_sync();
	block_flush_all();
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

static int saved_loglevel = -1;

/* The last records that fit into LEN bytes, from FROM on. */
static long syslog_all(struct uptr buf, size_t len, u64 from)
{
	struct printk_record *r = kmalloc(sizeof(*r) + 1200, GFP_KERNEL);
	char *line;
	u64 seq, start;
	size_t total = 0, done = 0;
	long ret = 0;

	if (!r)
		return -ENOMEM;
	line = (char *)(r + 1);
	start = max(from, printk_first_seq());
	for (seq = start; printk_read(&seq, r) != -ENODATA; seq++)
		total += (size_t)kmsg_format(line, 1200, r);
	for (seq = start; total > len && printk_read(&seq, r) != -ENODATA; seq++)
		total -= (size_t)kmsg_format(line, 1200, r);
	for (; printk_read(&seq, r) != -ENODATA; seq++) {
		size_t n = (size_t)kmsg_format(line, 1200, r);

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

long sys_syslog(int type, struct uptr buf, int len)
{
	struct iter to;
	long ret;

	if (type == 3 || type == 10 ? kmsg_may_read() : kmsg_may_control())
		return -EPERM;
	switch (type) {
	case 0: case 1:
		return 0;
	case 2:
		if (uptr_is_null(buf) || len < 0)
			return -EINVAL;
		if (!len)
			return 0;
		iter_init_ubuf(&to, ITER_DEST, buf, (size_t)len);
		return kmsg_stream_read(&to, false);
	case 3: case 4:
		if (uptr_is_null(buf) || len < 0)
			return -EINVAL;
		ret = len ? syslog_all(buf, (size_t)len, READ_ONCE(kmsg_cleared)) : 0;
		if (type == 4)
			WRITE_ONCE(kmsg_cleared, printk_next_seq());
		return ret;
	case 5:
		WRITE_ONCE(kmsg_cleared, printk_next_seq());
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
	case 9: return kmsg_stream_unread();
	case 10: return 1 << 17;
	}
	return -EINVAL;
}

long sys_getrandom(struct uptr buf, size_t count, unsigned int flags)
{
	struct rng_stream stream = { 0 };
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

		if (count <= sizeof(tmp))
			get_random_bytes(tmp, n);
		else
			rng_stream_bytes(&stream, tmp, n);
		if (copy_to_user(uptr_add(buf, done), tmp, n))
			break;
		done += n;
		if (done < count && signal_pending(current))
			break;
		cond_resched();
	}
	rng_stream_end(&stream);
	memzero_explicit(tmp, sizeof(tmp));
	return done || !count ? (long)done : -EFAULT;
}
