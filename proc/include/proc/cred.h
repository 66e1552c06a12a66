/* SPDX-License-Identifier: MIT */
/*
 * Credentials: who a task is. A struct cred is immutable once it is installed; a change prepares a copy and commits it.
 * Readers need no lock for their own; for another task's: get_task_cred(). Ids inside the kernel are kuid_t and kgid_t
 * (as the initial user namespace numbers them); a namespace translates at the edge.
 */
#pragma once

#include <proc/ns_ids.h>
#include <alloc/ghash.h>
#include <lib/err.h>
#include <lib/idmap.h>
#include <kernel/refcount.h>
#include <sched/mutex.h>
#include <kernel/rcu.h>
#include <sched/task.h>
#include <abi/errno.h>

typedef struct { uid_t val; } kuid_t;
typedef struct { gid_t val; } kgid_t;

#define KUIDT_INIT(v) (kuid_t){ v }
#define KGIDT_INIT(v) (kgid_t){ v }
#define GLOBAL_ROOT_UID KUIDT_INIT(0)
#define GLOBAL_ROOT_GID KGIDT_INIT(0)
#define INVALID_UID KUIDT_INIT((uid_t)-1)
#define INVALID_GID KGIDT_INIT((gid_t)-1)

static inline bool uid_eq(kuid_t a, kuid_t b) { return a.val == b.val; }
static inline bool gid_eq(kgid_t a, kgid_t b) { return a.val == b.val; }
static inline bool uid_valid(kuid_t u) { return u.val != (uid_t)-1; }
static inline bool gid_valid(kgid_t g) { return g.val != (gid_t)-1; }

struct uid_gid_map {
	u32 nr;				/* written once, with release order */
	struct uid_gid_extent *extents;	/* sorted by first */
};

struct ucounts_key { u32 unused; };

enum ns_counted { COUNTED_USER, COUNTED_PID, COUNTED_UTS, COUNTED_IPC, COUNTED_MNT, COUNTED_NET, COUNTED_CGROUP, COUNTED_KINDS };	/* those that are counted */

struct user_namespace {
	refcount_t refs;
	struct user_namespace *parent;	/* c; NULL for the initial one */
	int level;			/* c */
	kuid_t owner;			/* c */
	kgid_t group;			/* c */
	struct uid_gid_map uid_map, gid_map, projid_map;	/* set once under map_lock */
	bool setgroups_allowed;
	bool parent_could_setfcap;
	unsigned int ino;		/* c: /proc/PID/ns */
	struct ns_id nsid;
	struct ns_count *made;		/* c: whom it is counted to, in its parent; NULL for the initial one */
	int max[COUNTED_KINDS];		/* atomic: of namespaces that a user owns here */
	struct rcu_head rcu;
};

extern struct user_namespace init_user_ns;
struct user_namespace *get_user_ns(struct user_namespace *ns);
void put_user_ns(struct user_namespace *ns);
bool in_userns(const struct user_namespace *ancestor, const struct user_namespace *child);

kuid_t make_kuid(struct user_namespace *ns, uid_t uid);
kgid_t make_kgid(struct user_namespace *ns, gid_t gid);
uid_t from_kuid(struct user_namespace *ns, kuid_t uid);		/* (uid_t)-1: not mapped */
gid_t from_kgid(struct user_namespace *ns, kgid_t gid);
uid_t from_kuid_munged(struct user_namespace *ns, kuid_t uid);	/* overflowuid instead */
gid_t from_kgid_munged(struct user_namespace *ns, kgid_t gid);

typedef struct { u64 val; } kernel_cap_t;
#define CAP_EMPTY_SET (kernel_cap_t){ 0 }
#define CAP_VALID_MASK ((1ULL << 41) - 1)	/* CAP_LAST_CAP is 40 */
#define CAP_FULL_SET (kernel_cap_t){ CAP_VALID_MASK }
static inline bool cap_raised(kernel_cap_t c, int cap) { return c.val >> cap & 1; }
static inline bool cap_issubset(kernel_cap_t a, kernel_cap_t set) { return !(a.val & ~set.val); }

/* Supplementary groups, sorted; shared and immutable. */
struct group_info {
	refcount_t refs;
	int ngroups;
	kgid_t gid[];
};
struct group_info *groups_alloc(int n);
void put_group_info(struct group_info *g);
static inline struct group_info *get_group_info(struct group_info *g) { refcount_inc(&g->refs); return g; }
void groups_sort(struct group_info *g);
bool groups_search(const struct group_info *g, kgid_t gid);

/* What one user has in use, for RLIMIT_NPROC and its like. */
struct user_struct {
	refcount_t refs;
	kuid_t uid;
	struct ghash_node node;
	atomic_t processes, sigpending, inotify_instances, inotify_watches;
	atomic_long_t locked_vm, pipe_bufs, unix_inflight, mq_bytes, epoll_watches;
	struct mutex everybody;		/* a signal to everybody, one at a time: all forks look at each */
};
struct user_struct *alloc_uid(kuid_t uid);	/* found or made; NULL without memory */
void free_uid(struct user_struct *u);

struct cred {
	refcount_t usage;
	kuid_t uid, euid, suid, fsuid;
	kgid_t gid, egid, sgid, fsgid;
	unsigned int securebits;
	kernel_cap_t cap_inheritable, cap_permitted, cap_effective, cap_bset, cap_ambient;
	struct group_info *group_info;
	struct user_namespace *user_ns;
	struct user_struct *user;
	struct rcu_head rcu;
};

#define current_cred() ((const struct cred *)rcu_dereference_raw(current->cred))
#define current_user_ns() (current_cred()->user_ns)
#define current_uid() (current_cred()->uid)
#define current_gid() (current_cred()->gid)
#define current_euid() (current_cred()->euid)
#define current_egid() (current_cred()->egid)
#define current_fsuid() (current_cred()->fsuid)
#define current_fsgid() (current_cred()->fsgid)
/* Of a task that nobody else changes: the running one, one that has not run yet, one that has ended. */
#define own_cred(t) rcu_dereference_protected((t)->cred, true)
#define own_real_cred(t) rcu_dereference_protected((t)->real_cred, true)
#define __task_cred(t) ((const struct cred *)rcu_dereference((t)->real_cred))	/* under RCU */
#define task_uid(t) ({ rcu_read_lock(); kuid_t __u = __task_cred(t)->uid; rcu_read_unlock(); __u; })
#define task_euid(t) ({ rcu_read_lock(); kuid_t __u = __task_cred(t)->euid; rcu_read_unlock(); __u; })

static inline const struct cred *get_cred(const struct cred *c) { refcount_inc((refcount_t *)&c->usage); return c; }
static inline const struct cred *get_current_cred(void) { return get_cred(current_cred()); }
void put_cred(const struct cred *c);
const struct cred *get_task_cred(struct task *t);

struct cred *prepare_creds(void);		/* a copy to change; NULL without memory */
int commit_creds(struct cred *n);		/* installs and takes over the reference; 0 */
void abort_creds(struct cred *n);
/* Acts as C until revert_creds(what it returned). References are the caller's. */
const struct cred *override_creds(const struct cred *c);
void revert_creds(const struct cred *old);

/* Has CRED the capability over NS? */
bool cred_capable(const struct cred *c, struct user_namespace *ns, int cap);
bool ns_capable(struct user_namespace *ns, int cap);		/* the running task; notes PF_SUPERPRIV */
bool checkpoint_restore_ns_capable(struct user_namespace *ns);	/* CAP_CHECKPOINT_RESTORE, or CAP_SYS_ADMIN as before there was that */
bool capable(int cap);						/* over the initial namespace */
int ioprio_check(int p);					/* may the running task ask for I/O priority P: 0, -EINVAL, -EPERM */
bool in_group_p(kgid_t g);					/* fsgid or supplementary */
bool in_egroup_p(kgid_t g);
static inline bool cred_in_group(const struct cred *c, kgid_t g)
{
	return gid_eq(c->fsgid, g) || groups_search(c->group_info, g);
}
/* True when a file of UID and GID is one whose ids the namespace maps. */
bool privileged_wrt_inode_ids(struct user_namespace *ns, kuid_t uid, kgid_t gid);

#define SECURE_NOROOT 0
#define SECURE_NO_SETUID_FIXUP 2
#define SECURE_KEEP_CAPS 4
#define SECURE_NO_CAP_AMBIENT_RAISE 6
#define issecure(bit) (current_cred()->securebits >> (bit) & 1)
