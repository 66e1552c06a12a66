/* SPDX-License-Identifier: MIT */
/* What the three kinds of System V objects have in common. */
#pragma once

#include <lib/types.h>
#include <lib/rbtree.h>
#include <lib/list.h>
#include <alloc/xarray.h>
#include <ipc/sysv.h>
#include <kernel/refcount.h>
#include <proc/cred.h>
#include <proc/ns.h>
#include <kernel/time.h>
#include <mm/uaccess.h>
#include <sched/mutex.h>
#include <linux/ipc.h>
#include <linux/msg.h>
#include <linux/sem.h>
#include <linux/shm.h>

#define SYSV_IPCMNI 32768

/* The head of each object. An identifier is seq * SYSV_IPCMNI + index, so that an old one does not name a new object. */
struct sysv_object {
	refcount_t refs;
	int id, key;			/* ids->lock; key IPC_PRIVATE when removed */
	struct rb_node by_key;		/* ids->lock: in ids->by_key unless the key is IPC_PRIVATE */
	kuid_t uid, cuid;		/* lock; cuid, cgid: c */
	kgid_t gid, cgid;
	umode_t mode;			/* lock */
	bool removed;			/* lock */
	struct mutex lock;
	struct ipc_namespace *ns;	/* c: not referenced, the namespace empties itself first */
};

struct sysv_ids {
	struct mutex lock;		/* making, removing, finding by key */
	struct xarray objects;		/* index -> object */
	struct rb_root by_key;		/* lock */
	u32 next;			/* lock */
	unsigned int count, seq;	/* lock */
	int next_id;			/* atomic: wanted for the next one, -1: any */
};

struct show_node;

struct ipc_namespace {
	refcount_t refs;
	struct ns_id nsid;
	struct user_namespace *user_ns;	/* c */
	struct ns_count *made;		/* c */
	unsigned int ino;		/* c */
	struct sysv_ids ids[SYSV_KINDS];
	unsigned long shm_max, shm_all, shm_tot;	/* shm ids lock; pages but the first */
	int shm_mni, msg_max, msg_mnb, msg_mni;
	int sem[4];			/* SEMMSL, SEMMNS, SEMOPM, SEMMNI */
	int sem_total;			/* sem ids lock */
	struct mutex mq_lock;
	struct vfsmount *mq_mnt;	/* mq_lock to set: of the POSIX queues; NULL until it is needed (mqueue_fs.c) */
	int mq_count;			/* mqueue_fs.c's link_lock */
	kuid_t mq_owner;		/* c: of the directory of queues */
	kgid_t mq_group;		/* c */
	int mq_queues_max, mq_msg_max, mq_msgsize_max, mq_msg_default, mq_msgsize_default;
};

extern struct ipc_namespace init_ipc_ns;
/* Makes N, whose value is in init_ipc_ns, the setting of the caller's namespace, and of the root of the user namespace that owns it. */
void ipc_ns_setting(struct show_node *n);
static inline struct ipc_namespace *current_ipc_ns(void) { return current->nsproxy->ipc_ns; }
struct ipc_namespace *get_ipc_ns(struct ipc_namespace *ns);
void put_ipc_ns(struct ipc_namespace *ns);

struct sysv_ops;

/* Memory that may outlive its maker (mm/lasting.h), and so is limited. ZERO: __GFP_ZERO or 0. NULL: there is none. */
void *sysv_alloc(size_t size, gfp_t zero);
void sysv_free(void *p, size_t size);

/* ids->lock held. -ENOSPC over MAX, -ENOMEM. The caller's reference becomes the table's. */
int sysv_add(struct ipc_namespace *ns, struct sysv_ids *ids, struct sysv_object *o, int key, int flags, unsigned int max);
struct sysv_object *sysv_find_key(struct sysv_ids *ids, int key);
/* Nobody finds O by its key any more. ids->lock held. */
void sysv_forget_key(struct sysv_ids *ids, struct sysv_object *o);
/* A reference, or ERR_PTR(-EINVAL; -EIDRM for one that was removed meanwhile). */
struct sysv_object *sysv_get(struct sysv_ids *ids, int id);
struct sysv_object *sysv_get_index(struct sysv_ids *ids, int index);
/* The object locked; -EIDRM when it was removed. */
int sysv_lock(struct sysv_object *o);
#ifdef __CHECKER__
#define sysv_lock(o) __acquires_if_zero((o)->lock, sysv_lock(o))
#endif
/* From the table. ids->lock and the object's held. */
void sysv_remove(struct ipc_namespace *ns, const struct sysv_ops *ops, struct sysv_object *o);
/* May the caller do what FLAGS (mode bits, anywhere in the nine) ask? */
bool sysv_permitted(const struct sysv_object *o, int flags);
/* IPC_SET, IPC_RMID. */
bool sysv_owner(const struct sysv_object *o);
void sysv_fill(struct ipc64_perm *p, const struct sysv_object *o);
int sysv_change(struct sysv_object *o, const struct ipc64_perm *p);
static inline s64 sysv_now(void) { return (s64)ktime_get_real_seconds(); }

/* What a control call moves; all begin with the rights. */
union sysv_ds {
	struct ipc64_perm perm;
	struct shmid64_ds shm;
	struct semid64_ds sem;
	struct msqid64_ds msg;
};

/* What a kind adds to the control calls. The object's lock is held; by modify and removed also ids->lock. */
struct sysv_ops {
	enum sysv_kind kind;
	size_t ds_size;
	void (*put)(struct sysv_object *o);	/* a reference; no lock held */
	void (*fill)(union sysv_ds *d, const struct sysv_object *o);	/* all but the rights */
	/* IPC_SET, IPC_RMID and the kind's own, rights included. */
	long (*modify)(struct ipc_namespace *ns, struct sysv_object *o, int cmd, const union sysv_ds *d);
	void (*removed)(struct ipc_namespace *ns, struct sysv_object *o);	/* it left the table */
};

/* IPC_STAT by identifier, the kind's _STAT and _STAT_ANY by index. */
enum sysv_stat { STAT_ID, STAT_INDEX, STAT_INDEX_ANY };
long sysv_stat(struct ipc_namespace *ns, const struct sysv_ops *ops, int id, enum sysv_stat how, struct uptr buf);
long sysv_modify(struct ipc_namespace *ns, const struct sysv_ops *ops, int id, int cmd, struct uptr buf);
/* ids->lock and the object's held, both released, and the table's reference dropped. */
void sysv_destroy(struct ipc_namespace *ns, const struct sysv_ops *ops, struct sysv_object *o)
	__releases(o->lock) __releases(ids->lock);
/* The namespace goes: nobody works on its objects any more. */
void sysv_destroy_all(struct ipc_namespace *ns, const struct sysv_ops *ops);

/* An object by key: found (checked by the caller's flags) or made. See sysvipc(7). */
struct sysv_maker {
	struct sysv_ids *ids;
	/* A new object, not yet in the table; ERR_PTR. */
	struct sysv_object *(*make)(struct ipc_namespace *ns, unsigned long arg, int key, int flags);
	/* The one that is there does for ARG: 0 or -EINVAL. */
	int (*fits)(struct sysv_object *o, unsigned long arg);
	void (*free)(struct sysv_object *o);
	void (*added)(struct ipc_namespace *ns, struct sysv_object *o);	/* ids->lock held; may be NULL */
	unsigned int max;
	unsigned long arg;
};
long sysv_obtain(struct ipc_namespace *ns, struct sysv_maker *m, int key, int flags);
int sysv_max_index(struct sysv_ids *ids);

void sem_free_all(struct ipc_namespace *ns);
void msg_free_all(struct ipc_namespace *ns);
void shm_free_all(struct ipc_namespace *ns);
void sem_show(struct seq_file *m, struct ipc_namespace *ns);
void msg_show(struct seq_file *m, struct ipc_namespace *ns);
void shm_show(struct seq_file *m, struct ipc_namespace *ns);
