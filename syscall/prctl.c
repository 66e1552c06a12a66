// SPDX-License-Identifier: MIT
/* prctl(2): what a process may set and ask about itself. Options with a number of their own kind (memory layout) stand first. */
#include <lib/types.h>
#include <lib/err.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <abi/syscalls.h>
#include <alloc/slab.h>
#include <arch/switch.h>
#include <mm/mm.h>
#include <mm/mman.h>
#include <mm/uaccess.h>
#include <proc/cred.h>
#include <proc/proc_priv.h>
#include <proc/rseq.h>
#include <proc/seccomp.h>
#include <proc/signal.h>
#include <sched/sched.h>
#include <sched/task_life.h>
#include <vfs/fs.h>
#include <abi/errno.h>
#include <linux/capability.h>
#include <linux/prctl.h>
#include <linux/resource.h>
#include <linux/sched.h>
#include <linux/seccomp.h>

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

/* ---- memory ---- */

#define ANON_NAME_MAX 80	/* with the NUL */

static long set_anon_name(unsigned long start, unsigned long len, struct uptr uname)
{
	char *name = NULL;
	long r;

	if (!uptr_is_null(uname)) {
		name = strndup_user(uname, ANON_NAME_MAX);
		if (IS_ERR(name))
			return PTR_ERR(name);
		for (const char *c = name; *c; c++) {
			if (*c < ' ' || *c > '~' || strchr("\\`$[]", *c)) {
				kfree(name);
				return -EINVAL;
			}
		}
	}
	r = mm_set_anon_name(current->mm, start, len, name);
	kfree(name);
	return r;
}

/* What the man page asks of a new layout: addresses of user space, in order, and brk within its limit. */
static int check_layout(const struct prctl_mm_map *m)
{
	const u64 all[] = { m->start_code, m->end_code, m->start_data, m->end_data, m->start_brk, m->brk, m->start_stack,
			    m->arg_start, m->arg_end, m->env_start, m->env_end };
	u64 data = rlimit(RLIMIT_DATA);

	for (unsigned int i = 0; i < ARRAY_SIZE(all); i++)
		if (all[i] < sysctl_mmap_min_addr || all[i] >= current->mm->task_size)
			return -EINVAL;
	if (m->start_code >= m->end_code || m->start_data > m->end_data || m->start_brk > m->brk || m->arg_start > m->arg_end ||
	    m->env_start > m->env_end)
		return -EINVAL;
	if (data != RLIM_INFINITY && m->brk - m->start_brk + (m->end_data - m->start_data) > data)
		return -EINVAL;
	return 0;
}

static void layout_of(struct mm *mm, struct prctl_mm_map *m)
{
	*m = (struct prctl_mm_map){
		.start_code = mm->start_code, .end_code = mm->end_code, .start_data = mm->start_data, .end_data = mm->end_data,
		.start_brk = mm->start_brk, .brk = mm->brk, .start_stack = mm->start_stack, .arg_start = mm->arg_start,
		.arg_end = mm->arg_end, .env_start = mm->env_start, .env_end = mm->env_end, .exe_fd = (u32)-1,
	};
}

static long set_layout(const struct prctl_mm_map *m)
{
	struct mm *mm = current->mm;
	int e = mmap_write_lock_killable(mm);

	if (e)
		return e;
	e = check_layout(m);
	if (!e) {
		spin_lock(&mm->arg_lock);
		mm->start_code = m->start_code;
		mm->end_code = m->end_code;
		mm->start_data = m->start_data;
		mm->end_data = m->end_data;
		mm->start_brk = m->start_brk;
		mm->brk = m->brk;
		mm->start_stack = m->start_stack;
		mm->arg_start = m->arg_start;
		mm->arg_end = m->arg_end;
		mm->env_start = m->env_start;
		mm->env_end = m->env_end;
		spin_unlock(&mm->arg_lock);
	}
	mmap_write_unlock(mm);
	return e;
}

static long set_auxv(struct uptr from, unsigned long len)
{
	unsigned long v[AT_VECTOR_SIZE] = { 0 };

	if (len > sizeof(v))
		return -EINVAL;
	if (copy_from_user(v, from, len))
		return -EFAULT;
	v[AT_VECTOR_SIZE - 2] = v[AT_VECTOR_SIZE - 1] = 0;	/* AT_NULL ends it, whatever was given */
	task_lock(current);
	memcpy(current->mm->saved_auxv, v, sizeof(v));
	task_unlock(current);
	return 0;
}

static long set_whole_layout(struct uptr from, unsigned long size)
{
	struct prctl_mm_map m;
	long e;

	if (size != sizeof(m))
		return -EINVAL;
	if (copy_from_user(&m, from, sizeof(m)))
		return -EFAULT;
	if (m.exe_fd != (u32)-1)
		return -EINVAL;
	if (m.auxv_size && (!m.auxv || m.auxv_size > AT_VECTOR_SIZE * sizeof(long)))
		return -EINVAL;
	e = set_layout(&m);
	return e || !m.auxv_size ? e : set_auxv(UPTR((unsigned long)m.auxv), m.auxv_size);
}

static long set_mm_field(unsigned long what, unsigned long addr, unsigned long a4)
{
	struct prctl_mm_map m;
	struct vma *vma;

	if (a4 && what != PR_SET_MM_AUXV)
		return -EINVAL;
	if (what == PR_SET_MM_AUXV)
		return set_auxv(UPTR(addr), a4);
	if (addr >= current->mm->task_size || addr < sysctl_mmap_min_addr)
		return -EINVAL;
	layout_of(current->mm, &m);
	switch (what) {
	case PR_SET_MM_START_CODE: m.start_code = addr; break;
	case PR_SET_MM_END_CODE: m.end_code = addr; break;
	case PR_SET_MM_START_DATA: m.start_data = addr; break;
	case PR_SET_MM_END_DATA: m.end_data = addr; break;
	case PR_SET_MM_START_STACK: m.start_stack = addr; break;
	case PR_SET_MM_START_BRK: m.start_brk = addr; break;
	case PR_SET_MM_BRK: m.brk = addr; break;
	case PR_SET_MM_ARG_START: m.arg_start = addr; break;
	case PR_SET_MM_ARG_END: m.arg_end = addr; break;
	case PR_SET_MM_ENV_START: m.env_start = addr; break;
	case PR_SET_MM_ENV_END: m.env_end = addr; break;
	default: return -EINVAL;
	}
	if (what == PR_SET_MM_START_STACK || (what >= PR_SET_MM_ARG_START && what <= PR_SET_MM_ENV_END)) {
		mmap_read_lock(current->mm);
		vma = find_vma(current->mm, addr);
		mmap_read_unlock(current->mm);
		if (!vma)
			return -EFAULT;
	}
	return set_layout(&m);
}

static long set_mm(unsigned long what, unsigned long addr, unsigned long a4, unsigned long a5)
{
	if (a5 || (a4 && what != PR_SET_MM_AUXV && what != PR_SET_MM_MAP && what != PR_SET_MM_MAP_SIZE))
		return -EINVAL;
	if (what == PR_SET_MM_MAP_SIZE)
		return put_user((u32)sizeof(struct prctl_mm_map), UPTR(addr)) ? -EFAULT : 0;
	if (what == PR_SET_MM_MAP)
		return set_whole_layout(UPTR(addr), a4);
	if (!capable(CAP_SYS_RESOURCE))
		return -EPERM;
	return set_mm_field(what, addr, a4);
}

static long get_auxv(struct uptr to, unsigned long len)
{
	unsigned long n = min(len, sizeof(current->mm->saved_auxv));

	return copy_to_user(to, current->mm->saved_auxv, n) ? -EFAULT : (long)sizeof(current->mm->saved_auxv);
}

static long get_mdwe(void)
{
	unsigned long f = READ_ONCE(current->mm->flags);

	return (f >> MMF_MDWE & 1 ? PR_MDWE_REFUSE_EXEC_GAIN : 0) | (f >> MMF_MDWE_NO_INHERIT & 1 ? PR_MDWE_NO_INHERIT : 0);
}

static long set_mdwe(unsigned long bits)
{
	long old = get_mdwe();

	if (bits & ~(unsigned long)(PR_MDWE_REFUSE_EXEC_GAIN | PR_MDWE_NO_INHERIT))
		return -EINVAL;
	if ((bits & PR_MDWE_NO_INHERIT) && !(bits & PR_MDWE_REFUSE_EXEC_GAIN))
		return -EINVAL;
	if (old && old != (long)bits)
		return -EPERM;		/* there is no way back */
	if (bits & PR_MDWE_NO_INHERIT)
		set_bit(MMF_MDWE_NO_INHERIT, &current->mm->flags);
	if (bits & PR_MDWE_REFUSE_EXEC_GAIN)
		set_bit(MMF_MDWE, &current->mm->flags);
	return 0;
}

static long set_thp_disable(unsigned long on, unsigned long flags)
{
	struct mm *mm = current->mm;

	if ((flags & ~(unsigned long)PR_THP_DISABLE_EXCEPT_ADVISED) || (!on && flags))
		return -EINVAL;
	if (flags)
		set_bit(MMF_THP_EXCEPT_ADVISED, &mm->flags);
	else
		clear_bit(MMF_THP_EXCEPT_ADVISED, &mm->flags);
	if (on)
		set_bit(MMF_DISABLE_THP, &mm->flags);
	else
		clear_bit(MMF_DISABLE_THP, &mm->flags);
	return 0;
}

static long get_thp_disable(void)
{
	unsigned long f = READ_ONCE(current->mm->flags);

	if (!(f >> MMF_DISABLE_THP & 1))
		return 0;
	return 1 | (f >> MMF_THP_EXCEPT_ADVISED & 1 ? PR_THP_DISABLE_EXCEPT_ADVISED : 0);
}

/* ---- the rest ---- */

static long set_timerslack(unsigned long ns)
{
	struct task *t = current;

	if (t->policy == SCHED_FIFO || t->policy == SCHED_RR)
		return 0;		/* these never wait longer than asked */
	t->timer_slack_ns = ns ? ns : t->default_timer_slack_ns;
	return 0;
}

static long set_io_flusher(unsigned long on)
{
	if (on > 1)
		return -EINVAL;
	if (!capable(CAP_SYS_RESOURCE))
		return -EPERM;
	current->flags = on ? current->flags | PF_NOIO : current->flags & ~(unsigned int)PF_NOIO;
	return 0;
}

/* When the process is to learn of memory that fails: at once, or when it touches it. Memory that fails stops the machine here. */
static long set_mce_kill(unsigned long what, unsigned long policy)
{
	unsigned int f = current->flags & ~(unsigned int)(PF_MCE_PROCESS | PF_MCE_EARLY);

	if (what == PR_MCE_KILL_CLEAR ? policy : what != PR_MCE_KILL_SET || policy > PR_MCE_KILL_DEFAULT)
		return -EINVAL;
	if (what == PR_MCE_KILL_SET && policy != PR_MCE_KILL_DEFAULT)
		f |= policy == PR_MCE_KILL_EARLY ? PF_MCE_PROCESS | PF_MCE_EARLY : PF_MCE_PROCESS;
	current->flags = f;
	return 0;
}

static long get_mce_kill(void)
{
	if (!(current->flags & PF_MCE_PROCESS))
		return PR_MCE_KILL_DEFAULT;
	return current->flags & PF_MCE_EARLY ? PR_MCE_KILL_EARLY : PR_MCE_KILL_LATE;
}

/* partial: prctl: PR_SET_MM_EXE_FILE, PR_SCHED_CORE, PR_SET_SYSCALL_USER_DISPATCH and the controls of CPU features */
static long slice_extension(unsigned long op, unsigned long how)
{
	switch (op) {
	case PR_RSEQ_SLICE_EXTENSION_GET: return how ? -EINVAL : rseq_slice_get();
	case PR_RSEQ_SLICE_EXTENSION_SET: return how & ~(unsigned long)PR_RSEQ_SLICE_EXT_ENABLE ? -EINVAL : rseq_slice_set(how);
	}
	return -EINVAL;
}

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
		mm_set_dumpable(t->mm, a2);
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
	case PR_SET_TIMERSLACK: return set_timerslack(a2);
	case PR_GET_TIMERSLACK: return (long)min(t->timer_slack_ns, (u64)LONG_MAX);
	case PR_SET_CHILD_SUBREAPER:
		t->signal->is_child_subreaper = !!a2;
		if (a2)
			proc_mark_subreaper();
		return 0;
	case PR_GET_CHILD_SUBREAPER: return put_user((u32)t->signal->is_child_subreaper, UPTR(a2)) ? -EFAULT : 0;
	case PR_SET_NO_NEW_PRIVS:
		if (a2 != 1 || a3 || a4 || a5)
			return -EINVAL;
		t->no_new_privs = true;
		return 0;
	case PR_GET_NO_NEW_PRIVS: return a2 || a3 || a4 || a5 ? -EINVAL : t->no_new_privs;
	case PR_GET_TID_ADDRESS: return put_user(t->clear_child_tid.addr, UPTR(a2)) ? -EFAULT : 0;
	case PR_SET_THP_DISABLE: return a4 || a5 ? -EINVAL : set_thp_disable(a2, a3);
	case PR_GET_THP_DISABLE: return a2 || a3 || a4 || a5 ? -EINVAL : get_thp_disable();
	case PR_SET_VMA: return a2 == PR_SET_VMA_ANON_NAME ? set_anon_name(a3, a4, UPTR(a5)) : -EINVAL;
	case PR_SET_MM: return set_mm(a2, a3, a4, a5);
	case PR_GET_AUXV: return a4 || a5 ? -EINVAL : get_auxv(UPTR(a2), a3);
	case PR_GET_SECCOMP: return (long)t->seccomp_mode;
	case PR_SET_SECCOMP:
		return a2 == SECCOMP_MODE_STRICT ? seccomp_set_strict() : a2 == SECCOMP_MODE_FILTER ? seccomp_set_filter(0, UPTR(a3)) : -EINVAL;
	case PR_RSEQ_SLICE_EXTENSION: return a4 || a5 ? -EINVAL : slice_extension(a2, a3);
	case PR_SET_MDWE: return a3 || a4 || a5 ? -EINVAL : set_mdwe(a2);
	case PR_GET_MDWE: return a2 || a3 || a4 || a5 ? -EINVAL : get_mdwe();
	case PR_SET_TSC:
		return a2 != PR_TSC_ENABLE && a2 != PR_TSC_SIGSEGV ? -EINVAL : arch_refuse_tsc(a2 == PR_TSC_SIGSEGV);
	case PR_GET_TSC: return put_user((u32)(arch_tsc_refused() ? PR_TSC_SIGSEGV : PR_TSC_ENABLE), UPTR(a2)) ? -EFAULT : 0;
	case PR_MCE_KILL: return a4 || a5 ? -EINVAL : set_mce_kill(a2, a3);
	case PR_MCE_KILL_GET: return a2 || a3 || a4 || a5 ? -EINVAL : get_mce_kill();
	case PR_SET_IO_FLUSHER: return a3 || a4 || a5 ? -EINVAL : set_io_flusher(a2);
	case PR_GET_IO_FLUSHER:
		if (!capable(CAP_SYS_RESOURCE))
			return -EPERM;
		return a2 || a3 || a4 || a5 ? -EINVAL : !!(t->flags & PF_NOIO);
	}
	return arch_prctl(option, a2, a3, a4, a5);
}
