// SPDX-License-Identifier: MIT
/* The tree of all namespaces by number: see <proc/ns_ids.h>. */
#include <lib/types.h>
#include <kernel/init.h>
#include <kernel/spinlock.h>
#include <proc/cred.h>
#include <proc/ns.h>
#include <proc/ns_ids.h>
#include <linux/nsfs.h>
#include <linux/sched.h>

static DEFINE_SPINLOCK(ns_tree_lock);
static struct rb_root tree = RB_ROOT;		/* ns_tree_lock */
static u64 last_id = MNT_NS_INIT_ID;		/* ns_tree_lock */

static struct ns_id only_time;			/* there is one */

static bool id_less(struct rb_node *a, const struct rb_node *b)
{
	return rb_entry(a, struct ns_id, node)->id <
	       rb_entry((struct rb_node *)b, struct ns_id, node)->id;
}

/* ns_tree_lock held. 0: the first of its type was given that already. */
static u64 first_id(u32 type)
{
	static struct {
		u32 type;
		u64 id;
	} first[] = {
		{ CLONE_NEWIPC, IPC_NS_INIT_ID },	{ CLONE_NEWUTS, UTS_NS_INIT_ID },
		{ CLONE_NEWUSER, USER_NS_INIT_ID },	{ CLONE_NEWPID, PID_NS_INIT_ID },
		{ CLONE_NEWCGROUP, CGROUP_NS_INIT_ID }, { CLONE_NEWTIME, TIME_NS_INIT_ID },
		{ CLONE_NEWNET, NET_NS_INIT_ID },	{ CLONE_NEWNS, MNT_NS_INIT_ID },
	};
	u64 id = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(first); i++) {
		if (first[i].type != type)
			continue;
		id = first[i].id;
		first[i].id = 0;
	}
	return id;
}

void ns_id_add(struct ns_id *n, u32 type, struct user_namespace *owner)
{
	n->type = type;
	n->owner = owner;
	spin_lock(&ns_tree_lock);
	n->id = first_id(type);
	if (!n->id)
		n->id = ++last_id;
	rb_add(&n->node, &tree, id_less);
	spin_unlock(&ns_tree_lock);
}

void ns_id_remove(struct ns_id *n)
{
	spin_lock(&ns_tree_lock);
	rb_erase(&n->node, &tree);
	spin_unlock(&ns_tree_lock);
}

/* ns_tree_lock held. */
static struct ns_id *next(u64 after)
{
	struct ns_id *found = NULL, *x;

	for (struct rb_node *n = tree.node; n;) {
		x = rb_entry(n, struct ns_id, node);
		if (x->id > after) {
			found = x;
			n = n->left;
		} else {
			n = n->right;
		}
	}
	return found;
}

bool ns_id_next(u64 after, struct ns_found *found)
{
	struct ns_id *n;

	spin_lock(&ns_tree_lock);
	n = next(after);
	if (n)
		*found = (struct ns_found){ .id = n->id, .type = n->type, .owner = n->owner };
	spin_unlock(&ns_tree_lock);
	return n;
}

struct user_namespace *user_ns_by_id(u64 id)
{
	struct user_namespace *ns = NULL;
	struct ns_id *n;

	spin_lock(&ns_tree_lock);
	n = id ? next(id - 1) : NULL;
	if (n && n->id == id && n->type == CLONE_NEWUSER)
		ns = container_of(n, struct user_namespace, nsid);
	if (ns && !refcount_inc_not_zero(&ns->refs))
		ns = NULL;
	spin_unlock(&ns_tree_lock);
	return ns;
}

u64 ns_id_of_time(void)
{
	return only_time.id;
}

static int ns_ids_init(void)
{
	ns_id_add(&only_time, CLONE_NEWTIME, &init_user_ns);
	ns_id_add(&init_cgroup_ns.nsid, CLONE_NEWCGROUP, &init_user_ns);
	ns_id_add(&init_user_ns.nsid, CLONE_NEWUSER, NULL);
	ns_id_add(&init_uts_ns.nsid, CLONE_NEWUTS, &init_user_ns);
	ns_id_add(&init_pid_ns.nsid, CLONE_NEWPID, &init_user_ns);
	return 0;
}
INITCALL(early, ns_ids_init);
