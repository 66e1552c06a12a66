// SPDX-License-Identifier: MIT
/*
 * Namespaces of control groups (cgroup_namespaces(7)). There is one group, the root of a hierarchy
 * that cannot be mounted, so that each namespace shows the same: /proc/PID/cgroup says 0::/ in all.
 * They can be made, entered and told apart.
 */
#include <lib/err.h>
#include <alloc/slab.h>
#include <proc/ns.h>
#include <proc/ns_count.h>
#include <proc/proc_priv.h>
#include <abi/errno.h>
#include <linux/sched.h>

struct cgroup_namespace init_cgroup_ns = {
	.refs = REFCOUNT_INIT(2),
	.user_ns = &init_user_ns,
	.ino = 0xEFFFFFFBU,
};

struct cgroup_namespace *get_cgroup_ns(struct cgroup_namespace *ns)
{
	if (ns != &init_cgroup_ns)
		refcount_inc(&ns->refs);
	return ns;
}

void put_cgroup_ns(struct cgroup_namespace *ns)
{
	if (!ns || ns == &init_cgroup_ns || !refcount_dec_and_test(&ns->refs))
		return;
	ns_id_remove(&ns->nsid);
	ns_uncount_one(ns->made, COUNTED_CGROUP);
	put_user_ns(ns->user_ns);
	kfree(ns);
}

struct cgroup_namespace *copy_cgroup_ns(bool fresh, struct cgroup_namespace *old,
					struct user_namespace *user_ns)
{
	struct cgroup_namespace *n;
	struct ns_count *made;

	if (!fresh)
		return get_cgroup_ns(old);
	made = ns_count_one(user_ns, current_euid(), COUNTED_CGROUP);
	if (!made)
		return ERR_PTR(-ENOSPC);
	n = kzalloc(sizeof(*n), GFP_KERNEL_ACCOUNT);
	if (!n) {
		ns_uncount_one(made, COUNTED_CGROUP);
		return ERR_PTR(-ENOMEM);
	}
	n->made = made;
	refcount_set(&n->refs, 1);
	n->user_ns = get_user_ns(user_ns);
	n->ino = ns_alloc_ino();
	ns_id_add(&n->nsid, CLONE_NEWCGROUP, user_ns);
	return n;
}
