// SPDX-License-Identifier: MIT
/*
 * Credentials, capabilities and user namespaces (credentials(7), capabilities(7), user_namespaces(7)).
 */
#include <lib/types.h>
#include <lib/err.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <alloc/slab.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <kernel/show.h>
#include <mm/upcalls.h>
#include <proc/cred.h>
#include <proc/ns.h>
#include <proc/ns_count.h>
#include <proc/proc_priv.h>
#include <proc/upcalls.h>
#include <abi/errno.h>
#include <linux/ioprio.h>
#include <linux/capability.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/securebits.h>

static struct uid_gid_extent whole_range = { 0, 0, U32_MAX };
struct user_namespace init_user_ns = {
	.refs = REFCOUNT_INIT(3), .owner = { 0 }, .group = { 0 }, .ino = 0xEFFFFFFDU, .setgroups_allowed = true,
	.uid_map = { 1, &whole_range }, .gid_map = { 1, &whole_range }, .projid_map = { 1, &whole_range },
};
static struct group_info init_groups = { .refs = REFCOUNT_INIT(2) };
static struct user_struct root_user = { .refs = REFCOUNT_INIT(2), .processes = ATOMIC_INIT(1), .everybody = __MUTEX_INITIALIZER(root_user.everybody) };
static struct cred init_cred = {
	.usage = REFCOUNT_INIT(4), .group_info = &init_groups, .user_ns = &init_user_ns, .user = &root_user,
	.cap_permitted = { CAP_VALID_MASK }, .cap_effective = { CAP_VALID_MASK }, .cap_bset = { CAP_VALID_MASK },
};
static int overflow_uid = 65534, overflow_gid = 65534;
static struct kmem_cache *cred_cache;

/* ---- users ---- */

DEFINE_GHASH(users, 5);

static u32 uid_hash(kuid_t uid)
{
	return uid.val * 0x9E3779B1u;
}

struct user_struct *alloc_uid(kuid_t uid)
{
	struct user_struct *u, *n = NULL;
	unsigned long *b;

	for (;;) {
		bool found = false;

		b = ghash_lock(&users, uid_hash(uid));
		ghash_for_each(u, b, uid_hash(uid), node) {
			/* One without references is about to go and counts nothing any more. */
			found = uid_eq(u->uid, uid) && refcount_inc_not_zero(&u->refs);
			if (found)
				break;
		}
		if (!found && n) {
			ghash_add(&users, b, &n->node, uid_hash(uid));
			u = n;
			n = NULL;
			found = true;
		}
		ghash_unlock(b);
		if (found) {
			kfree(n);
			return u;
		}
		ghash_reserve(&users);
		n = kzalloc(sizeof(*n), GFP_KERNEL);
		if (!n)
			return NULL;
		refcount_set(&n->refs, 1);
		mutex_init(&n->everybody);
		n->uid = uid;
	}
}

void free_uid(struct user_struct *u)
{
	if (u && refcount_dec_and_test(&u->refs)) {
		ghash_del(&users, &u->node);
		kfree(u);
	}
}

/* ---- groups ---- */

struct group_info *groups_alloc(int n)
{
	struct group_info *g = kvmalloc(struct_size(g, gid, (size_t)n), GFP_KERNEL);

	if (g) {
		refcount_set(&g->refs, 1);
		g->ngroups = n;
	}
	return g;
}

void put_group_info(struct group_info *g)
{
	if (refcount_dec_and_test(&g->refs))
		kvfree(g);
}

static void sift(kgid_t *a, int root, int n)
{
	for (int child; (child = 2 * root + 1) < n; root = child) {
		if (child + 1 < n && a[child].val < a[child + 1].val)
			child++;
		if (a[root].val >= a[child].val)
			return;
		swap(a[root], a[child]);
	}
}

void groups_sort(struct group_info *g)
{
	for (int i = g->ngroups / 2 - 1; i >= 0; i--)
		sift(g->gid, i, g->ngroups);
	for (int i = g->ngroups - 1; i > 0; i--) {
		swap(g->gid[0], g->gid[i]);
		sift(g->gid, 0, i);
	}
}

bool groups_search(const struct group_info *g, kgid_t gid)
{
	int lo = 0, hi = g->ngroups;

	while (lo < hi) {
		int mid = (lo + hi) / 2;

		if (g->gid[mid].val == gid.val)
			return true;
		if (g->gid[mid].val < gid.val)
			lo = mid + 1;
		else
			hi = mid;
	}
	return false;
}

bool in_group_p(kgid_t g)
{
	const struct cred *c = current_cred();

	return gid_eq(c->fsgid, g) || groups_search(c->group_info, g);
}

bool in_egroup_p(kgid_t g)
{
	const struct cred *c = current_cred();

	return gid_eq(c->egid, g) || groups_search(c->group_info, g);
}

/* ---- life of credentials ---- */

static void cred_free_rcu(struct rcu_head *h)
{
	struct cred *c = container_of(h, struct cred, rcu);

	put_group_info(c->group_info);
	free_uid(c->user);
	put_user_ns(c->user_ns);
	kmem_cache_free(cred_cache, c);
}

void put_cred(const struct cred *c)
{
	struct cred *m = (struct cred *)c;

	if (c && refcount_dec_and_test(&m->usage))
		call_rcu(&m->rcu, cred_free_rcu);
}

const struct cred *get_task_cred(struct task *t)
{
	const struct cred *c;

	rcu_read_lock();
	do
		c = __task_cred(t);
	while (!refcount_inc_not_zero((refcount_t *)&c->usage));
	rcu_read_unlock();
	return c;
}

static struct cred *cred_dup(const struct cred *old)
{
	struct cred *n = kmem_cache_alloc(cred_cache, GFP_KERNEL);

	if (!n)
		return NULL;
	*n = *old;
	refcount_set(&n->usage, 1);
	get_group_info(n->group_info);
	refcount_inc(&n->user->refs);
	get_user_ns(n->user_ns);
	return n;
}

struct cred *prepare_creds(void)
{
	return cred_dup(current_cred());
}

void abort_creds(struct cred *n)
{
	put_cred(n);
}

/* Does N have no more rights than OLD? A namespace that OLD's user made gives nothing that OLD had not over it. */
static bool no_more_rights(const struct cred *n, const struct cred *old)
{
	const struct user_namespace *ns;

	if (n->user_ns == old->user_ns)
		return cap_issubset(n->cap_permitted, old->cap_permitted);
	for (ns = n->user_ns; ns && ns->parent; ns = ns->parent) {
		if (ns->parent == old->user_ns)
			return uid_eq(ns->owner, old->euid);
	}
	return false;
}

int commit_creds(struct cred *n)
{
	struct task *t = current;
	const struct cred *old = own_real_cred(t);

	WARN_ON(own_cred(t) != old);
	/* A process that changed who it is may not be dumped or traced by who it was. */
	if (!uid_eq(old->euid, n->euid) || !gid_eq(old->egid, n->egid) || !uid_eq(old->fsuid, n->fsuid) ||
	    !gid_eq(old->fsgid, n->fsgid) || !no_more_rights(n, old)) {
		if (t->mm)
			cred_changed_dumpable(t);
		t->pdeath_signal = 0;
	}
	refcount_inc(&n->usage);
	if (n->user != old->user)
		atomic_inc(&n->user->processes);
	rcu_assign_pointer(t->real_cred, n);
	rcu_assign_pointer(t->cred, n);
	if (n->user != old->user)
		atomic_dec(&old->user->processes);
	put_cred(old);
	put_cred(old);
	return 0;
}

const struct cred *override_creds(const struct cred *c)
{
	const struct cred *old = own_cred(current);

	rcu_assign_pointer(current->cred, c);
	return old;
}

void revert_creds(const struct cred *old)
{
	rcu_assign_pointer(current->cred, old);
}

/* Threads share; a process has its own, so that what its files and paths refer to is no line that its parent writes too. */
int copy_creds(struct task *child, unsigned long clone_flags)
{
	const struct cred *old = own_real_cred(current);
	struct cred *n;
	int e;

	if (clone_flags & CLONE_THREAD) {
		RCU_INIT_POINTER(child->real_cred, get_cred(old));
		RCU_INIT_POINTER(child->cred, get_cred(old));
		atomic_inc(&old->user->processes);
		return 0;
	}
	n = cred_dup(old);
	if (!n)
		return -ENOMEM;
	e = clone_flags & CLONE_NEWUSER ? create_user_ns(n) : 0;
	if (e) {
		put_cred(n);
		return e;
	}
	refcount_inc(&n->usage);
	RCU_INIT_POINTER(child->real_cred, n);
	RCU_INIT_POINTER(child->cred, n);
	atomic_inc(&n->user->processes);
	return 0;
}

/* ---- capabilities ---- */

bool cred_capable(const struct cred *c, struct user_namespace *ns, int cap)
{
	/* Over one's own namespace by one's effective set; over a descendant's also as its creator in the parent. */
	for (;; ns = ns->parent) {
		if (ns == c->user_ns)
			return cap_raised(c->cap_effective, cap);
		if (ns->level <= c->user_ns->level)
			return false;
		if (ns->parent == c->user_ns && uid_eq(ns->owner, c->euid))
			return true;
	}
}

bool ns_capable(struct user_namespace *ns, int cap)
{
	if (!cred_capable(current_cred(), ns, cap))
		return false;
	current->flags |= PF_SUPERPRIV;
	return true;
}

bool checkpoint_restore_ns_capable(struct user_namespace *ns)
{
	return ns_capable(ns, CAP_CHECKPOINT_RESTORE) || ns_capable(ns, CAP_SYS_ADMIN);
}

int ioprio_check(int p)
{
	switch (p >> IOPRIO_CLASS_SHIFT & 7) {
	case IOPRIO_CLASS_RT:
		if (!capable(CAP_SYS_ADMIN) && !capable(CAP_SYS_NICE))
			return -EPERM;
		return 0;
	case IOPRIO_CLASS_BE: case IOPRIO_CLASS_IDLE:
		return 0;
	case IOPRIO_CLASS_NONE:
		return p & ((1 << IOPRIO_CLASS_SHIFT) - 1) ? -EINVAL : 0;
	}
	return -EINVAL;
}

bool capable(int cap)
{
	return ns_capable(&init_user_ns, cap);
}

bool privileged_wrt_inode_ids(struct user_namespace *ns, kuid_t uid, kgid_t gid)
{
	return from_kuid(ns, uid) != (uid_t)-1 && from_kgid(ns, gid) != (gid_t)-1;
}

bool mm_capable(int cap)
{
	return capable(cap);
}

/* ---- id maps ---- */

static const struct uid_gid_extent *find_extent(const struct uid_gid_map *m, u32 id, bool lower)
{
	u32 nr = smp_load_acquire(&m->nr);

	for (u32 i = 0; i < nr; i++) {
		const struct uid_gid_extent *e = &m->extents[i];
		u32 first = lower ? e->lower_first : e->first;

		if (id >= first && id - first < e->count)
			return e;
	}
	return NULL;
}

static u32 map_down(const struct uid_gid_map *m, u32 id)
{
	const struct uid_gid_extent *e = find_extent(m, id, false);

	return e ? e->lower_first + (id - e->first) : U32_MAX;
}

static u32 map_up(const struct uid_gid_map *m, u32 id)
{
	const struct uid_gid_extent *e = find_extent(m, id, true);

	return e ? e->first + (id - e->lower_first) : U32_MAX;
}

kuid_t make_kuid(struct user_namespace *ns, uid_t uid) { return KUIDT_INIT(ns == &init_user_ns ? uid : map_down(&ns->uid_map, uid)); }
kgid_t make_kgid(struct user_namespace *ns, gid_t gid) { return KGIDT_INIT(ns == &init_user_ns ? gid : map_down(&ns->gid_map, gid)); }
uid_t from_kuid(struct user_namespace *ns, kuid_t u) { return ns == &init_user_ns ? u.val : map_up(&ns->uid_map, u.val); }
gid_t from_kgid(struct user_namespace *ns, kgid_t g) { return ns == &init_user_ns ? g.val : map_up(&ns->gid_map, g.val); }

uid_t from_kuid_munged(struct user_namespace *ns, kuid_t u)
{
	uid_t v = from_kuid(ns, u);

	return v == (uid_t)-1 ? (uid_t)overflow_uid : v;
}

gid_t from_kgid_munged(struct user_namespace *ns, kgid_t g)
{
	gid_t v = from_kgid(ns, g);

	return v == (gid_t)-1 ? (gid_t)overflow_gid : v;
}

/* ---- user namespaces ---- */

struct user_namespace *get_user_ns(struct user_namespace *ns)
{
	if (ns != &init_user_ns)
		refcount_inc(&ns->refs);
	return ns;
}

static void user_ns_free_rcu(struct rcu_head *h)
{
	struct user_namespace *ns = container_of(h, struct user_namespace, rcu);

	kfree(ns->uid_map.extents);
	kfree(ns->gid_map.extents);
	kfree(ns->projid_map.extents);
	kfree(ns);
}

void put_user_ns(struct user_namespace *ns)
{
	while (ns && ns != &init_user_ns && refcount_dec_and_test(&ns->refs)) {
		struct user_namespace *parent = ns->parent;

		ns_id_remove(&ns->nsid);
		ns_uncount_one(ns->made, COUNTED_USER);
		call_rcu(&ns->rcu, user_ns_free_rcu);
		ns = parent;
	}
}

bool in_userns(const struct user_namespace *ancestor, const struct user_namespace *child)
{
	while (child->level > ancestor->level)
		child = child->parent;
	return child == ancestor;
}

/* N's owner gets a namespace of its own with every capability in it. */
int create_user_ns(struct cred *n)
{
	struct user_namespace *parent = n->user_ns, *ns;

	struct ns_count *made;

	if (parent->level > 32)
		return -ENOSPC;
	made = ns_count_one(parent, n->euid, COUNTED_USER);
	if (!made)
		return -ENOSPC;
	if (proc_current_chrooted() || from_kuid(parent, n->euid) == (uid_t)-1 || from_kgid(parent, n->egid) == (gid_t)-1) {
		ns_uncount_one(made, COUNTED_USER);
		return -EPERM;
	}
	ns = kzalloc(sizeof(*ns), GFP_KERNEL_ACCOUNT);
	if (!ns) {
		ns_uncount_one(made, COUNTED_USER);
		return -ENOMEM;
	}
	ns->made = made;
	for (int i = 0; i < COUNTED_KINDS; i++)
		ns->max[i] = INT_MAX;
	refcount_set(&ns->refs, 1);
	ns->parent = parent;	/* takes over N's reference */
	ns->level = parent->level + 1;
	ns->owner = n->euid;
	ns->group = n->egid;
	ns->setgroups_allowed = parent->setgroups_allowed;
	ns->parent_could_setfcap = cap_raised(n->cap_effective, CAP_SETFCAP);
	ns->ino = ns_alloc_ino();
	ns_id_add(&ns->nsid, CLONE_NEWUSER, parent);
	n->user_ns = ns;
	n->securebits = SECUREBITS_DEFAULT;
	n->cap_inheritable = n->cap_ambient = CAP_EMPTY_SET;
	n->cap_permitted = n->cap_effective = n->cap_bset = CAP_FULL_SET;
	return 0;
}

static int cred_init(void)
{
	unsigned long *b;

	cred_cache = kmem_cache_create("cred", sizeof(struct cred), 64, 0, NULL);
	b = ghash_lock(&users, uid_hash(GLOBAL_ROOT_UID));
	ghash_add(&users, b, &root_user.node, uid_hash(GLOBAL_ROOT_UID));
	ghash_unlock(b);
	RCU_INIT_POINTER(init_task.real_cred, &init_cred);
	RCU_INIT_POINTER(init_task.cred, &init_cred);
	return cred_cache ? 0 : -ENOMEM;
}
INITCALL(early, cred_init);

static int cred_sysctl(void)
{
	sysctl_int("kernel/overflowuid", 0644, &overflow_uid, 0, 65535);
	sysctl_int("kernel/overflowgid", 0644, &overflow_gid, 0, 65535);
	return 0;
}
INITCALL(fs, cred_sysctl);
