// SPDX-License-Identifier: MIT
/* The namespace proxy: shared by clone, copied whole when any part changes (namespaces(7)). */
#include <lib/types.h>
#include <lib/err.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <alloc/slab.h>
#include <arch/elf.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <kernel/show.h>
#include <proc/ns.h>
#include <proc/ns_count.h>
#include <proc/proc_priv.h>
#include <proc/upcalls.h>
#include <sched/mutex.h>
#include <abi/errno.h>
#include <abi/version.h>
#include <linux/capability.h>
#include <linux/sched.h>

DECLARE_RWSEM(uts_sem);
atomic_t hostname_changes, domainname_changes;	/* in all namespaces */

int uts_may_set(void)
{
	return ns_capable(utsname_ns()->user_ns, CAP_SYS_ADMIN) ? 0 : -EPERM;
}

void uts_set_name(bool domain, const char *text, size_t len)
{
	struct uts_namespace *ns = utsname_ns();
	char *field = domain ? ns->name.domainname : ns->name.nodename;

	down_write(&uts_sem);
	memset(field, 0, sizeof(ns->name.nodename));
	memcpy(field, text, min(len, sizeof(ns->name.nodename) - 1));
	up_write(&uts_sem);
	show_changed(domain ? &domainname_changes : &hostname_changes);
}
struct uts_namespace init_uts_ns = {
	.refs = REFCOUNT_INIT(2), .user_ns = &init_user_ns, .ino = 0xEFFFFFFEU,
	.name = {
		.sysname = "Linux", .nodename = "(none)", .release = OCHRE_RELEASE, .version = OCHRE_VERSION,
		.machine = ELF_MACHINE, .domainname = "(none)",
	},
};
struct nsproxy init_nsproxy = {
	.ipc_ns = &init_ipc_ns, .cgroup_ns = &init_cgroup_ns,
	.count = REFCOUNT_INIT(2), .uts_ns = &init_uts_ns, .pid_ns_for_children = &init_pid_ns,
};
static atomic_t next_ns_ino = ATOMIC_INIT((int)0xF0000000U);

unsigned int ns_alloc_ino(void)
{
	return (unsigned int)atomic_inc_return(&next_ns_ino);
}

struct uts_namespace *get_uts_ns(struct uts_namespace *ns)
{
	if (ns != &init_uts_ns)
		refcount_inc(&ns->refs);
	return ns;
}

void put_uts_ns(struct uts_namespace *ns)
{
	if (ns && ns != &init_uts_ns && refcount_dec_and_test(&ns->refs)) {
		ns_id_remove(&ns->nsid);
		ns_uncount_one(ns->made, COUNTED_UTS);
		put_user_ns(ns->user_ns);
		kfree(ns);
	}
}

static struct uts_namespace *copy_uts(bool fresh, struct uts_namespace *old, struct user_namespace *user_ns)
{
	struct ns_count *made;
	struct uts_namespace *n;

	if (!fresh)
		return get_uts_ns(old);
	made = ns_count_one(user_ns, current_euid(), COUNTED_UTS);
	if (!made)
		return ERR_PTR(-ENOSPC);
	n = kzalloc(sizeof(*n), GFP_KERNEL_ACCOUNT);
	if (!n) {
		ns_uncount_one(made, COUNTED_UTS);
		return ERR_PTR(-ENOMEM);
	}
	n->made = made;
	refcount_set(&n->refs, 1);
	n->user_ns = get_user_ns(user_ns);
	n->ino = ns_alloc_ino();
	ns_id_add(&n->nsid, CLONE_NEWUTS, user_ns);
	down_read(&uts_sem);
	n->name = old->name;
	up_read(&uts_sem);
	return n;
}

void get_nsproxy(struct nsproxy *n)
{
	refcount_inc(&n->count);
}

static void nsproxy_free(struct nsproxy *n)
{
	if (n->mnt_ns)
		put_mnt_ns(n->mnt_ns);
	put_uts_ns(n->uts_ns);
	put_ipc_ns(n->ipc_ns);
	put_net(n->net_ns);
	put_cgroup_ns(n->cgroup_ns);
	put_pid_ns(n->pid_ns_for_children);
	kfree(n);
}

void put_nsproxy(struct nsproxy *n)
{
	if (n && refcount_dec_and_test(&n->count))
		nsproxy_free(n);
}

/* A new proxy with what FLAGS names made anew; FS, nobody else's, follows the mounts. */
struct nsproxy *nsproxy_create(unsigned long flags, struct fs_struct *fs, struct user_namespace *user_ns)
{
	struct nsproxy *old = current->nsproxy, *n = kzalloc(sizeof(*n), GFP_KERNEL);
	void *p;

	if (!n)
		return ERR_PTR(-ENOMEM);
	refcount_set(&n->count, 1);
	p = copy_uts(flags & CLONE_NEWUTS, old->uts_ns, user_ns);
	if (IS_ERR(p))
		goto fail;
	n->uts_ns = p;
	p = copy_ipc_ns(flags & CLONE_NEWIPC, old->ipc_ns, user_ns);
	if (IS_ERR(p))
		goto fail;
	n->ipc_ns = p;
	p = flags & CLONE_NEWPID ? copy_pid_ns(user_ns, old->pid_ns_for_children) : get_pid_ns(old->pid_ns_for_children);
	if (IS_ERR(p))
		goto fail;
	n->pid_ns_for_children = p;
	p = copy_net_ns(flags & CLONE_NEWNET, old->net_ns, user_ns);
	if (IS_ERR(p))
		goto fail;
	n->net_ns = p;
	p = copy_cgroup_ns(flags & CLONE_NEWCGROUP, old->cgroup_ns, user_ns);
	if (IS_ERR(p))
		goto fail;
	n->cgroup_ns = p;
	/* Last: the fs_struct is in the new tree after it, and nothing can fail any more. */
	p = copy_mnt_ns(flags, old->mnt_ns, user_ns, fs);
	if (IS_ERR(p))
		goto fail;
	n->mnt_ns = p;
	return n;
fail:
	nsproxy_free(n);
	return ERR_CAST(p);
}

#define NS_FLAGS (CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWCGROUP)

/* A time namespace cannot be made; who may not make any hears that first. */
int ns_time_check(unsigned long flags)
{
	return flags & CLONE_NEWUSER || ns_capable(current_user_ns(), CAP_SYS_ADMIN) ? -EINVAL : -EPERM;
}

int copy_namespaces(unsigned long flags, struct task *child)
{
	struct user_namespace *user_ns = own_cred(child)->user_ns;
	struct nsproxy *n;

	if (!(flags & NS_FLAGS)) {
		get_nsproxy(child->nsproxy);
		return 0;
	}
	if (!cred_capable(own_cred(child), user_ns, CAP_SYS_ADMIN))
		return -EPERM;
	n = nsproxy_create(flags, child->fs, user_ns);
	if (IS_ERR(n))
		return (int)PTR_ERR(n);
	child->nsproxy = n;
	return 0;
}

void switch_task_namespaces(struct task *t, struct nsproxy *n)
{
	struct nsproxy *old;

	task_lock(t);
	old = t->nsproxy;
	t->nsproxy = n;
	task_unlock(t);
	put_nsproxy(old);
}

void exit_task_namespaces(struct task *t)
{
	switch_task_namespaces(t, NULL);
}

static int ns_init(void)
{
	init_task.nsproxy = &init_nsproxy;
	return 0;
}
INITCALL(early, ns_init);
