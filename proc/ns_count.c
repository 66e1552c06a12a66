// SPDX-License-Identifier: MIT
/* Counts of namespaces, by user namespace and user, and /proc/sys/user. */
#include <lib/types.h>
#include <lib/format.h>
#include <lib/string.h>
#include <alloc/ghash.h>
#include <alloc/slab.h>
#include <kernel/init.h>
#include <kernel/show.h>
#include <proc/ns_count.h>
#include <proc/proc_priv.h>
#include <abi/errno.h>
#include <linux/capability.h>

struct ns_count {
	struct ghash_node node;
	struct user_namespace *ns;	/* c: what counts here holds it */
	kuid_t uid;			/* c */
	refcount_t refs;
	atomic_t number[COUNTED_KINDS];
};

DEFINE_GHASH(counts, 5);

static u32 count_hash(const struct user_namespace *ns, kuid_t uid)
{
	return (u32)((unsigned long)ns >> 6) * 0x85EBCA6Bu ^ uid.val * 0x9E3779B1u;
}

static struct ns_count *get_count(struct user_namespace *ns, kuid_t uid)
{
	u32 hash = count_hash(ns, uid);
	struct ns_count *c, *n = NULL;
	unsigned long *b;

	for (;;) {
		bool found = false;

		b = ghash_lock(&counts, hash);
		ghash_for_each(c, b, hash, node) {
			found = c->ns == ns && uid_eq(c->uid, uid) && refcount_inc_not_zero(&c->refs);
			if (found)
				break;
		}
		if (!found && n) {
			ghash_add(&counts, b, &n->node, hash);
			c = n;
			n = NULL;
			found = true;
		}
		ghash_unlock(b);
		if (found) {
			kfree(n);
			return c;
		}
		ghash_reserve(&counts);
		n = kzalloc(sizeof(*n), GFP_KERNEL_ACCOUNT);
		if (!n)
			return NULL;
		refcount_set(&n->refs, 1);
		n->ns = ns;
		n->uid = uid;
	}
}

static void put_count(struct ns_count *c)
{
	if (refcount_dec_and_test(&c->refs)) {
		ghash_del(&counts, &c->node);
		kfree(c);
	}
}

static bool inc_below(atomic_t *v, int max)
{
	int n = atomic_read(v);

	do {
		if (n >= max)
			return false;
	} while (!atomic_try_cmpxchg(v, &n, n + 1));
	return true;
}

/* From C up to what END is counted to. */
static void take_back(struct ns_count *c, const struct ns_count *end, enum ns_counted kind)
{
	for (; c != end; c = c->ns->made)
		atomic_dec(&c->number[kind]);
}

struct ns_count *ns_count_one(struct user_namespace *ns, kuid_t uid, enum ns_counted kind)
{
	struct ns_count *c = get_count(ns, uid), *i;

	if (!c)
		return NULL;
	for (i = c; i; i = i->ns->made)
		if (!inc_below(&i->number[kind], READ_ONCE(i->ns->max[kind])))
			break;
	if (!i)
		return c;
	take_back(c, i, kind);
	put_count(c);
	return NULL;
}

void ns_uncount_one(struct ns_count *c, enum ns_counted kind)
{
	if (!c)
		return;
	take_back(c, NULL, kind);
	put_count(c);
}

/* ---- /proc/sys/user: the reader's namespace's ---- */

static ssize_t show_max(struct show_node *n, char *buf, size_t size)
{
	return scnprintf(buf, size, "%d\n", READ_ONCE(current_user_ns()->max[(unsigned long)n->data]));
}

static ssize_t store_max(struct show_node *n, const char *text, size_t len)
{
	int max;

	if (kstrtoint(text, 10, &max) || max < 0)
		return -EINVAL;
	WRITE_ONCE(current_user_ns()->max[(unsigned long)n->data], max);
	return (ssize_t)len;
}

static unsigned int rights(const struct cred *cred)
{
	return cred_capable(cred, current_user_ns(), CAP_SYS_RESOURCE) ? 06 : 04;
}

static int ns_count_sysctls(void)
{
	static const char *const name[COUNTED_KINDS] = {
		[COUNTED_USER] = "max_user_namespaces", [COUNTED_PID] = "max_pid_namespaces", [COUNTED_UTS] = "max_uts_namespaces", [COUNTED_IPC] = "max_ipc_namespaces", [COUNTED_CGROUP] = "max_cgroup_namespaces",
		[COUNTED_MNT] = "max_mnt_namespaces", [COUNTED_NET] = "max_net_namespaces",
	};

	for (unsigned long i = 0; i < COUNTED_KINDS; i++) {
		struct show_node *n = show_attr(show_path(SHOW_SYSCTL, "user"), name[i], 0644, show_max, store_max, (void *)i);

		if (n)
			n->rights = rights;
		init_user_ns.max[i] = max_threads / 2;
	}
	return 0;
}
INITCALL(fs, ns_count_sysctls);
