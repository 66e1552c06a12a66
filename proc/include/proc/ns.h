/* SPDX-License-Identifier: MIT */
/* Namespaces: what a task sees of the system, in one shared structure that unshare, clone and setns replace whole. */
#pragma once

#include <lib/types.h>
#include <kernel/refcount.h>
#include <proc/cred.h>
#include <proc/ns_ids.h>
#include <sched/mutex.h>

struct mnt_namespace;			/* vfs/ */
struct ipc_namespace;			/* ipc/ */
struct net;				/* net/ */
struct xarray;

struct uts_namespace {
	refcount_t refs;
	struct ns_count *made;
	struct user_namespace *user_ns;
	unsigned int ino;
	struct ns_id nsid;
	struct {
		char sysname[65], nodename[65], release[65], version[65], machine[65], domainname[65];
	} name __aligned(8);			/* uts_sem; copied by words */
};

struct cgroup_namespace {
	refcount_t refs;
	struct ns_count *made;		/* c: as all below */
	struct user_namespace *user_ns;
	unsigned int ino;
	struct ns_id nsid;
};

struct pid_namespace {
	refcount_t refs;
	struct pid_namespace *parent;	/* c */
	unsigned int level;		/* c */
	struct user_namespace *user_ns;	/* c */
	struct ns_count *made;		/* c */
	struct task __rcu *child_reaper;	/* T, R */
	unsigned int ino;
	struct ns_id nsid;
	int pid_max;
	unsigned int pid_allocated;	/* pid lock */
	bool dying;			/* pid lock: its init is going, no new pids */
	struct pid_index *index;	/* number -> struct pid */
	int last_pid;			/* pid lock */
	int reboot;
	struct rcu_head rcu;
};

struct nsproxy {
	refcount_t count;
	struct uts_namespace *uts_ns;
	struct ipc_namespace *ipc_ns;
	struct mnt_namespace *mnt_ns;
	struct pid_namespace *pid_ns_for_children;
	struct net *net_ns;
	struct cgroup_namespace *cgroup_ns;
	struct rcu_head rcu;
};

extern struct uts_namespace init_uts_ns;
extern struct cgroup_namespace init_cgroup_ns;
extern struct pid_namespace init_pid_ns;
extern struct nsproxy init_nsproxy;
extern struct rw_semaphore uts_sem;
extern atomic_t hostname_changes, domainname_changes;
/* TEXT's first LEN bytes (64 at most) are the current namespace's host or domain name. Who may is asked before. */
void uts_set_name(bool domain, const char *text, size_t len);
/* sethostname(2), setdomainname(2): -EPERM where the caller may not set the current namespace's names. */
int uts_may_set(void);

struct pid_namespace *task_active_pid_ns(struct task *t);
struct pid_namespace *get_pid_ns(struct pid_namespace *ns);
void put_pid_ns(struct pid_namespace *ns);
void get_nsproxy(struct nsproxy *n);
void put_nsproxy(struct nsproxy *n);
struct uts_namespace *get_uts_ns(struct uts_namespace *ns);
void put_uts_ns(struct uts_namespace *ns);
struct cgroup_namespace *get_cgroup_ns(struct cgroup_namespace *ns);
void put_cgroup_ns(struct cgroup_namespace *ns);	/* NULL: nothing */
/* A reference to OLD, or where FRESH a new one of USER_NS. ERR_PTR(-ENOSPC, -ENOMEM). Sleeps. */
struct cgroup_namespace *copy_cgroup_ns(bool fresh, struct cgroup_namespace *old,
					struct user_namespace *user_ns);
static inline struct uts_namespace *utsname_ns(void) { return current->nsproxy->uts_ns; }
/* Numbers for /proc/PID/ns links, above the well-known ones. */
unsigned int ns_alloc_ino(void);
