// SPDX-License-Identifier: MIT
/*
 * System V IPC (sysvipc(7)): names and rights, common to shared memory, semaphores and message queues.
 *
 * An object lives in its namespace's table until it is removed, and as long as somebody works on it. Who finds it takes a
 * reference, then its lock, and looks whether it was removed meanwhile. Lock order: ids->lock, object's lock.
 */
#include <lib/types.h>
#include <lib/err.h>
#include <lib/string.h>
#include <alloc/slab.h>
#include <ipc/mqueue.h>
#include <kernel/init.h>
#include <kernel/show.h>
#include <mm/lasting.h>
#include <proc/ns_count.h>
#include <proc/ns_ids.h>
#include <proc/upcalls.h>
#include <vfs/fs.h>
#include <vfs/seq_file.h>
#include <abi/errno.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include "sysv_priv.h"

struct ipc_namespace init_ipc_ns = { .refs = REFCOUNT_INIT(2), .user_ns = &init_user_ns, .ino = 0xefffffff };

static void init_limits(struct ipc_namespace *ns)
{
	for (int i = 0; i < SYSV_KINDS; i++) {
		mutex_init(&ns->ids[i].lock);
		xa_init_flags(&ns->ids[i].objects, XA_FLAGS_ALLOC);
		ns->ids[i].next_id = -1;
	}
	mutex_init(&ns->mq_lock);
	ns->mq_queues_max = 256;
	ns->mq_msg_max = 10;
	ns->mq_msgsize_max = 8192;
	ns->mq_msg_default = 10;
	ns->mq_msgsize_default = 8192;
	ns->shm_max = SHMMAX;
	ns->shm_all = SHMALL;
	ns->shm_mni = SHMMNI;
	ns->msg_max = MSGMAX;
	ns->msg_mnb = MSGMNB;
	ns->msg_mni = MSGMNI;
	ns->sem[0] = SEMMSL;
	ns->sem[1] = SEMMNS;
	ns->sem[2] = SEMOPM;
	ns->sem[3] = SEMMNI;
}

/* What kvmalloc() takes for SIZE bytes, at most. */
static size_t cost(size_t size)
{
	return size <= PAGE_SIZE << 3 ? roundup_pow_of_two(size) : PAGE_ALIGN(size);
}

void *sysv_alloc(size_t size, gfp_t zero)
{
	void *p;

	if (lasting_charge(cost(size)))
		return NULL;
	p = kvmalloc(size, GFP_KERNEL_ACCOUNT | zero);
	if (!p)
		lasting_uncharge(cost(size));
	return p;
}

void sysv_free(void *p, size_t size)
{
	kvfree(p);
	lasting_uncharge(cost(size));
}

/* ---- namespaces ---- */

struct ipc_namespace *get_ipc_ns(struct ipc_namespace *ns)
{
	refcount_inc(&ns->refs);
	return ns;
}

void put_ipc_ns(struct ipc_namespace *ns)
{
	if (!ns || !refcount_dec_and_test(&ns->refs))
		return;
	sem_free_all(ns);
	msg_free_all(ns);
	shm_free_all(ns);
	mqueue_free_all(ns);
	for (int i = 0; i < SYSV_KINDS; i++)
		xa_destroy(&ns->ids[i].objects);
	ns_id_remove(&ns->nsid);
	ns_uncount_one(ns->made, COUNTED_IPC);
	put_user_ns(ns->user_ns);
	kfree(ns);
}

struct ipc_namespace *copy_ipc_ns(bool fresh, struct ipc_namespace *old, struct user_namespace *user_ns)
{
	struct ipc_namespace *ns;
	struct ns_count *made;

	if (!fresh)
		return get_ipc_ns(old);
	made = ns_count_one(user_ns, current_euid(), COUNTED_IPC);
	if (!made)
		return ERR_PTR(-ENOSPC);
	ns = kzalloc(sizeof(*ns), GFP_KERNEL_ACCOUNT);
	if (!ns) {
		ns_uncount_one(made, COUNTED_IPC);
		return ERR_PTR(-ENOMEM);
	}
	ns->made = made;
	refcount_set(&ns->refs, 1);
	ns->user_ns = get_user_ns(user_ns);
	ns->ino = ns_alloc_ino();
	init_limits(ns);
	ns->mq_owner = current_fsuid();
	ns->mq_group = current_fsgid();
	ns_id_add(&ns->nsid, CLONE_NEWIPC, user_ns);
	return ns;
}

u64 ipc_ns_id(const struct ipc_namespace *ns) { return ns->nsid.id; }
unsigned int ipc_ns_ino(const struct ipc_namespace *ns) { return ns->ino; }
struct user_namespace *ipc_ns_owner(const struct ipc_namespace *ns) { return ns->user_ns; }

/* ---- the table ---- */

static bool key_less(struct rb_node *a, const struct rb_node *b)
{
	return rb_entry(a, struct sysv_object, by_key)->key < rb_entry(b, struct sysv_object, by_key)->key;
}

int sysv_add(struct ipc_namespace *ns, struct sysv_ids *ids, struct sysv_object *o, int key, int flags, unsigned int max)
{
	int wanted, e;
	u32 index;

	if (ids->count >= max)
		return -ENOSPC;
	wanted = xchg(&ids->next_id, -1);
	if (wanted >= 0)
		e = xa_alloc(&ids->objects, &index, o, XA_LIMIT((u32)wanted % SYSV_IPCMNI, SYSV_IPCMNI - 1), GFP_KERNEL);
	else
		e = xa_alloc_cyclic(&ids->objects, &index, o, XA_LIMIT(0, SYSV_IPCMNI - 1), &ids->next, GFP_KERNEL);
	if (e < 0)
		return e == -EBUSY ? -ENOSPC : e;
	if (wanted < 0 && (e == 1 || !ids->next))
		ids->seq = (ids->seq + 1) & 0xffff;
	o->id = (int)((wanted < 0 ? ids->seq : (u32)wanted / SYSV_IPCMNI) * SYSV_IPCMNI + index);
	o->key = key;
	o->mode = (umode_t)(flags & S_IRWXUGO);
	o->uid = o->cuid = current_euid();
	o->gid = o->cgid = current_egid();
	o->ns = ns;
	o->removed = false;
	if (key != IPC_PRIVATE)
		rb_add(&o->by_key, &ids->by_key, key_less);
	ids->count++;
	return o->id;
}

struct sysv_object *sysv_find_key(struct sysv_ids *ids, int key)
{
	struct rb_node *n = ids->by_key.node;

	while (n) {
		struct sysv_object *o = rb_entry(n, struct sysv_object, by_key);

		if (o->key == key)
			return o;
		n = key < o->key ? n->left : n->right;
	}
	return NULL;
}

void sysv_forget_key(struct sysv_ids *ids, struct sysv_object *o)
{
	if (o->key == IPC_PRIVATE)
		return;
	rb_erase(&o->by_key, &ids->by_key);
	o->key = IPC_PRIVATE;
}

struct sysv_object *sysv_get_index(struct sysv_ids *ids, int index)
{
	struct sysv_object *o;

	mutex_lock(&ids->lock);
	o = index >= 0 ? xa_load(&ids->objects, (unsigned long)index) : NULL;
	if (o)
		refcount_inc(&o->refs);
	mutex_unlock(&ids->lock);
	return o ? o : ERR_PTR(-EINVAL);
}

struct sysv_object *sysv_get(struct sysv_ids *ids, int id)
{
	struct sysv_object *o;

	if (id < 0)
		return ERR_PTR(-EINVAL);
	mutex_lock(&ids->lock);
	o = xa_load(&ids->objects, (unsigned long)id % SYSV_IPCMNI);
	if (o && o->id == id)
		refcount_inc(&o->refs);
	else
		o = ERR_PTR(-EINVAL);
	mutex_unlock(&ids->lock);
	return o;
}

int (sysv_lock)(struct sysv_object *o)
{
	mutex_lock(&o->lock);
	if (!o->removed) {
		__release(o->lock);	/* its prototype says when it is held */
		return 0;
	}
	mutex_unlock(&o->lock);
	return -EIDRM;
}

void sysv_remove(struct ipc_namespace *ns, const struct sysv_ops *ops, struct sysv_object *o)
{
	struct sysv_ids *ids = &ns->ids[ops->kind];

	xa_erase(&ids->objects, (unsigned long)o->id % SYSV_IPCMNI);
	ids->count--;
	o->removed = true;
	sysv_forget_key(ids, o);
	ops->removed(ns, o);
}

int sysv_max_index(struct sysv_ids *ids)
{
	struct sysv_object *o;
	unsigned long i;
	int max = 0;

	xa_for_each(&ids->objects, i, o)
		max = (int)i;
	return max;
}

/* ---- rights ---- */

bool sysv_permitted(const struct sysv_object *o, int flags)
{
	int wanted = (flags >> 6) | (flags >> 3) | flags, granted = o->mode;
	kuid_t me = current_euid();

	if (uid_eq(me, o->cuid) || uid_eq(me, o->uid))
		granted >>= 6;
	else if (in_egroup_p(o->cgid) || in_egroup_p(o->gid))
		granted >>= 3;
	return !(wanted & ~granted & 7) || ns_capable(o->ns->user_ns, CAP_IPC_OWNER);
}

bool sysv_owner(const struct sysv_object *o)
{
	kuid_t me = current_euid();

	return uid_eq(me, o->cuid) || uid_eq(me, o->uid) || ns_capable(o->ns->user_ns, CAP_SYS_ADMIN);
}

void sysv_fill(struct ipc64_perm *p, const struct sysv_object *o)
{
	struct user_namespace *ns = current_user_ns();

	p->key = o->key;
	p->uid = from_kuid_munged(ns, o->uid);
	p->gid = from_kgid_munged(ns, o->gid);
	p->cuid = from_kuid_munged(ns, o->cuid);
	p->cgid = from_kgid_munged(ns, o->cgid);
	p->mode = o->mode;
	p->seq = (unsigned short)(o->id / SYSV_IPCMNI);
}

int sysv_change(struct sysv_object *o, const struct ipc64_perm *p)
{
	kuid_t uid = make_kuid(current_user_ns(), p->uid);
	kgid_t gid = make_kgid(current_user_ns(), p->gid);

	if (!uid_valid(uid) || !gid_valid(gid))
		return -EINVAL;
	o->uid = uid;
	o->gid = gid;
	o->mode = (umode_t)((o->mode & ~S_IRWXUGO) | (p->mode & S_IRWXUGO));
	return 0;
}

/* ---- by key ---- */

long sysv_obtain(struct ipc_namespace *ns, struct sysv_maker *m, int key, int flags)
{
	struct sysv_object *o, *fresh = NULL;
	long r;

	/* Made before the table is locked: making may sleep long. Thrown away if the key is there. */
	if (key == IPC_PRIVATE || (flags & IPC_CREAT)) {
		fresh = m->make(ns, m->arg, key, flags);
		if (IS_ERR(fresh) && key == IPC_PRIVATE)
			return PTR_ERR(fresh);
	}
	mutex_lock(&m->ids->lock);
	o = key == IPC_PRIVATE ? NULL : sysv_find_key(m->ids, key);
	if (o) {
		if ((flags & IPC_CREAT) && (flags & IPC_EXCL))
			r = -EEXIST;
		else if (m->fits(o, m->arg))
			r = -EINVAL;
		else
			r = sysv_permitted(o, flags & S_IRWXUGO) ? o->id : -EACCES;
	} else if (!fresh) {
		r = -ENOENT;
	} else if (IS_ERR(fresh)) {
		r = PTR_ERR(fresh);
	} else {
		r = sysv_add(ns, m->ids, fresh, key, flags, m->max);
		if (r >= 0) {
			if (m->added)
				m->added(ns, fresh);
			fresh = NULL;
		}
	}
	mutex_unlock(&m->ids->lock);
	if (!IS_ERR_OR_NULL(fresh))
		m->free(fresh);
	return r;
}

/* ---- control ---- */

long sysv_stat(struct ipc_namespace *ns, const struct sysv_ops *ops, int id, enum sysv_stat how, struct uptr buf)
{
	struct sysv_ids *ids = &ns->ids[ops->kind];
	struct sysv_object *o = how == STAT_ID ? sysv_get(ids, id) : sysv_get_index(ids, id);
	union sysv_ds d;
	long r;

	if (IS_ERR(o))
		return PTR_ERR(o);
	memset(&d, 0, sizeof(d));
	r = sysv_lock(o);
	if (!r) {
		r = how == STAT_INDEX_ANY || sysv_permitted(o, S_IRUGO) ? 0 : -EACCES;
		sysv_fill(&d.perm, o);
		ops->fill(&d, o);
		mutex_unlock(&o->lock);
	}
	if (!r && copy_to_user(buf, &d, ops->ds_size))
		r = -EFAULT;
	if (!r && how != STAT_ID)
		r = o->id;
	ops->put(o);
	return r;
}

long sysv_modify(struct ipc_namespace *ns, const struct sysv_ops *ops, int id, int cmd, struct uptr buf)
{
	struct sysv_ids *ids = &ns->ids[ops->kind];
	struct sysv_object *o;
	union sysv_ds d;
	bool gone = false;
	long r;

	if (cmd == IPC_SET && copy_from_user(&d, buf, ops->ds_size))
		return -EFAULT;
	o = sysv_get(ids, id);
	if (IS_ERR(o))
		return PTR_ERR(o);
	mutex_lock(&ids->lock);
	r = sysv_lock(o);
	if (!r) {
		r = ops->modify(ns, o, cmd, &d);
		gone = o->removed;
		mutex_unlock(&o->lock);
	}
	mutex_unlock(&ids->lock);
	if (gone)
		ops->put(o);
	ops->put(o);
	return r;
}

void sysv_destroy(struct ipc_namespace *ns, const struct sysv_ops *ops, struct sysv_object *o)
	__releases(o->lock) __releases(ids->lock)
{
	sysv_remove(ns, ops, o);
	mutex_unlock(&o->lock);
	mutex_unlock(&ns->ids[ops->kind].lock);
	ops->put(o);
}

void sysv_destroy_all(struct ipc_namespace *ns, const struct sysv_ops *ops)
{
	struct sysv_ids *ids = &ns->ids[ops->kind];
	struct sysv_object *o;
	unsigned long i;

	xa_for_each(&ids->objects, i, o) {
		mutex_lock(&ids->lock);
		mutex_lock(&o->lock);
		sysv_destroy(ns, ops, o);
	}
}

void sysv_show(enum sysv_kind kind, struct seq_file *m)
{
	struct ipc_namespace *ns = current_ipc_ns();

	if (kind == SYSV_SEM)
		sem_show(m, ns);
	else if (kind == SYSV_MSG)
		msg_show(m, ns);
	else
		shm_show(m, ns);
}

static ssize_t show_sem(struct show_node *n, char *buf, size_t size)
{
	const int *s = current_ipc_ns()->sem;

	return scnprintf(buf, size, "%d\t%d\t%d\t%d\n", s[0], s[1], s[2], s[3]);
}

/* Up to four numbers; the last, of sets, is the table's. Those that are not given stay. */
static ssize_t store_sem(struct show_node *n, const char *text, size_t len)
{
	struct ipc_namespace *ns = current_ipc_ns();
	const char *p = skip_spaces(text);
	int v[4], k = 0;

	for (; *p && k < 4; k++) {
		char *end;
		long x = simple_strtol(p, &end, 10);

		if (end == p || (*end && !strchr(" \t\n", *end)) || x < INT_MIN || x > INT_MAX)
			return -EINVAL;
		v[k] = (int)x;
		p = skip_spaces(end);
	}
	if (k == 4 && (v[3] < 0 || v[3] > SYSV_IPCMNI))
		return -EINVAL;
	mutex_lock(&ns->ids[SYSV_SEM].lock);
	memcpy(ns->sem, v, (size_t)k * sizeof(v[0]));
	mutex_unlock(&ns->ids[SYSV_SEM].lock);
	return (ssize_t)len;
}

/* ---- settings, of each namespace its own (ipc_namespaces(7)) ---- */

static void *of_caller(void *value)
{
	return (char *)current_ipc_ns() + ((char *)value - (char *)&init_ipc_ns);
}

static unsigned int root_rights(const struct cred *cred)
{
	kuid_t root = make_kuid(current_ipc_ns()->user_ns, 0);

	return uid_eq(cred->euid, uid_valid(root) ? root : GLOBAL_ROOT_UID) ? 06 : 04;
}

/* *_next_id: for checkpoint/restore, which chooses identifiers. */
static unsigned int restorer_rights(const struct cred *cred)
{
	struct user_namespace *ns = current_ipc_ns()->user_ns;

	return cred_capable(cred, ns, CAP_CHECKPOINT_RESTORE) || cred_capable(cred, ns, CAP_SYS_ADMIN) ? 06 : 04;
}

static void namespace_setting(struct show_node *n, unsigned int (*rights)(const struct cred *cred))
{
	if (!n)
		return;
	n->of_caller = of_caller;
	n->rights = rights;
}

void ipc_ns_setting(struct show_node *n)
{
	namespace_setting(n, root_rights);
}

static int sysv_init(void)
{
	init_limits(&init_ipc_ns);
	ns_id_add(&init_ipc_ns.nsid, CLONE_NEWIPC, &init_user_ns);
	return 0;
}
INITCALL(early, sysv_init);

static int sysv_sysctls(void)
{
	static const char *const next_id[] = {
		[SYSV_SHM] = "kernel/shm_next_id", [SYSV_SEM] = "kernel/sem_next_id", [SYSV_MSG] = "kernel/msg_next_id",
	};
	struct ipc_namespace *ns = &init_ipc_ns;

	ipc_ns_setting(sysctl_ulong("kernel/shmmax", 0644, &ns->shm_max, 0, ULONG_MAX));
	ipc_ns_setting(sysctl_ulong("kernel/shmall", 0644, &ns->shm_all, 0, ULONG_MAX));
	ipc_ns_setting(sysctl_int("kernel/shmmni", 0644, &ns->shm_mni, 0, SYSV_IPCMNI));
	ipc_ns_setting(sysctl_int("kernel/msgmax", 0644, &ns->msg_max, 0, INT_MAX));
	ipc_ns_setting(sysctl_int("kernel/msgmnb", 0644, &ns->msg_mnb, 0, INT_MAX));
	ipc_ns_setting(sysctl_int("kernel/msgmni", 0644, &ns->msg_mni, 0, SYSV_IPCMNI));
	for (int i = 0; i < SYSV_KINDS; i++)
		namespace_setting(sysctl_int(next_id[i], 0444, &ns->ids[i].next_id, 0, INT_MAX), restorer_rights);
	ipc_ns_setting(show_attr(show_path(SHOW_SYSCTL, "kernel"), "sem", 0644, show_sem, store_sem, NULL));
	return 0;
}
INITCALL(fs, sysv_sysctls);
