// SPDX-License-Identifier: MIT
/*
 * listns(2): the numbers of namespaces, in ascending order, behind the last one that the caller
 * had. A caller sees those that he is in; who has CAP_SYS_ADMIN in the first user namespace, and is
 * in the first pid namespace, sees all.
 */
#include <lib/types.h>
#include <abi/syscalls.h>
#include <ipc/sysv.h>
#include <mm/uaccess.h>
#include <proc/cred.h>
#include <proc/ns.h>
#include <proc/ns_ids.h>
#include <proc/signal.h>
#include <proc/upcalls.h>
#include <sched/sched.h>
#include <vfs/mount.h>
#include <abi/errno.h>
#include <linux/capability.h>
#include <linux/nsfs.h>
#include <linux/sched.h>

#define LIST_MOST 1000000
#define ALL_TYPES ((u32)(CLONE_NEWCGROUP | CLONE_NEWIPC | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWTIME | CLONE_NEWUSER | CLONE_NEWUTS))
#define KINDS 8

/* The request and the rights of its caller. */
struct listing {
	struct ns_id_req req;
	struct user_namespace *owner;	/* referenced, or NULL: anybody's */
	bool all;
	u64 mine[KINDS];
};

static void look_at_caller(struct listing *l)
{
	const struct nsproxy *p = current->nsproxy;
	struct pid_namespace *pid = task_active_pid_ns(current);

	l->all = pid == &init_pid_ns && ns_capable(init_pid_ns.user_ns, CAP_SYS_ADMIN);
	l->mine[0] = ipc_ns_id(p->ipc_ns);
	l->mine[1] = p->uts_ns->nsid.id;
	l->mine[2] = current_user_ns()->nsid.id;
	l->mine[3] = pid->nsid.id;
	l->mine[4] = mnt_ns_seq(p->mnt_ns);
	l->mine[5] = p->cgroup_ns->nsid.id;
	l->mine[6] = net_ns_id(p->net_ns);
	l->mine[7] = ns_id_of_time();
}

static int read_request(struct listing *l, struct uptr from)
{
	struct ns_id_req *r = &l->req;
	u32 size;
	int e;

	if (get_user(size, from))
		return -EFAULT;
	if (size > PAGE_SIZE)
		return -E2BIG;
	if (size < NS_ID_REQ_SIZE_VER0)
		return -EINVAL;
	e = copy_struct_from_user(r, sizeof(*r), from, size);
	if (e)
		return e;
	if (r->spare)
		return -EINVAL;
	if (r->ns_type & ~ALL_TYPES)
		return -EOPNOTSUPP;
	if (!r->user_ns_id)
		return 0;
	if (r->user_ns_id == LISTNS_CURRENT_USER)
		l->owner = get_user_ns(current_user_ns());
	else
		l->owner = user_ns_by_id(r->user_ns_id);
	return l->owner ? 0 : -EINVAL;
}

static bool is_shown(const struct listing *l, const struct ns_found *f)
{
	for (int i = 0; i < KINDS; i++)
		if (f->id == l->mine[i])
			return true;
	return l->all;
}

/* Is there anything behind the last number at all? By owner, or else by the type if it is one. */
static bool is_behind(const struct listing *l, const struct ns_found *f)
{
	u32 types = l->req.ns_type;

	if (l->owner)
		return f->owner == l->owner;
	return !types || (types & (types - 1)) || f->type == types;
}

static long list(const struct listing *l, struct uptr to, size_t most)
{
	struct ns_found f = { .id = l->req.ns_id };
	bool behind = !l->req.ns_id;
	long n = 0;

	while ((size_t)n < most && ns_id_next(f.id, &f)) {
		if (is_behind(l, &f)) {
			behind = true;
			if ((!l->req.ns_type || f.type & l->req.ns_type) && is_shown(l, &f) &&
			    put_user(f.id, uptr_add(to, 8UL * (unsigned long)n++)))
				return -EFAULT;
		}
		if (fatal_signal_pending(current))
			return -EINTR;
		cond_resched();
	}
	return behind ? n : -ENOENT;
}

long sys_listns(struct uptr req, struct uptr ns_ids, size_t nr_ns_ids, unsigned int flags)
{
	struct listing l = { .owner = NULL };
	long r;

	if (flags)
		return -EINVAL;
	if (nr_ns_ids > LIST_MOST)
		return -EOVERFLOW;
	if (!access_ok(ns_ids, nr_ns_ids * sizeof(u64)))
		return -EFAULT;
	r = read_request(&l, req);
	if (r)
		return r;
	look_at_caller(&l);
	r = list(&l, ns_ids, nr_ns_ids);
	if (l.owner)
		put_user_ns(l.owner);
	return r;
}
