// SPDX-License-Identifier: MIT
/*
 * The tree of published names. One lock orders changes and look-ups (they are rare and short); a node lives while it is in
 * the tree or pinned.
 */
#include <lib/types.h>
#include <lib/format.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <kernel/bug.h>
#include <kernel/owner.h>
#include <kernel/show.h>
#include <kernel/spinlock.h>
#include <kernel/upcalls.h>
#include <abi/errno.h>
#include <linux/stat.h>

#define NODE_INIT(n) { .name = "", .children = LIST_HEAD_INIT(roots[n].children), .sibling = LIST_HEAD_INIT(roots[n].sibling), \
	.mode = S_IFDIR | 0755, .refs = REFCOUNT_INIT(1), .ino = (n) + 1 }

static struct show_node roots[SHOW_ROOTS] = { NODE_INIT(0), NODE_INIT(1), NODE_INIT(2) };
static DEFINE_SPINLOCK(show_lock);
static u64 next_ino = SHOW_ROOTS + 1;		/* show_lock */

struct show_node *show_root_node(enum show_root root)
{
	return &roots[root];
}

void show_get(struct show_node *n)
{
	refcount_inc(&n->refs);
}

/* Once. */
static void unpin_data(struct show_node *n)
{
	void (*unpin)(void *data) = n->unpin;

	n->unpin = NULL;
	unpin(n->data);
	owner_unhold((const void *)unpin);
}

static void node_free(struct show_node *n)
{
	if (n->unpin)
		unpin_data(n);
	kernel_free(n->name);
	kernel_free(n->link_target);
	kernel_free(n);
}

/* A node holds a pin of its parent, which is dropped with the node. */
void show_put(struct show_node *n)
{
	while (n && refcount_dec_and_test(&n->refs)) {
		struct show_node *parent = n->parent;

		node_free(n);
		n = parent;
	}
}

static struct show_node *find_child(struct show_node *dir, const char *name, size_t len)
{
	struct show_node *c;

	list_for_each_entry(c, &dir->children, sibling)
		if (!strncmp(c->name, name, len) && !c->name[len])
			return c;
	return NULL;
}

static char *name_dup(const char *s, size_t len)
{
	char *n = kernel_zalloc(len + 1);

	if (n)
		memcpy(n, s, len);
	return n;
}

static struct show_node *node_new(const char *name, size_t len, umode_t mode)
{
	struct show_node *n = kernel_zalloc(sizeof(*n));

	if (!n)
		return NULL;
	n->name = name_dup(name, len);
	if (!n->name) {
		kernel_free(n);
		return NULL;
	}
	INIT_LIST_HEAD(&n->children);
	INIT_LIST_HEAD(&n->sibling);
	n->mode = mode;
	refcount_set(&n->refs, 1);
	return n;
}

/*
 * Links N below DIR; gives back N, or what was there under that name (N is freed then), with a pin
 * where PIN says so. NULL: DIR was removed; N is freed.
 */
static struct show_node *node_link(struct show_node *dir, struct show_node *n, bool pin)
{
	struct show_node *got;

	spin_lock(&show_lock);
	got = dir->dead ? NULL : find_child(dir, n->name, strlen(n->name));
	if (!dir->dead && !got) {
		show_get(dir);
		n->parent = dir;
		n->ino = next_ino++;
		list_add_tail(&n->sibling, &dir->children);
		got = n;
	}
	if (got && pin)
		show_get(got);
	spin_unlock(&show_lock);
	if (got != n)
		node_free(n);
	return got;
}

static struct show_node *dir_n(struct show_node *parent, const char *name, size_t len)
{
	struct show_node *n;

	spin_lock(&show_lock);
	n = find_child(parent, name, len);
	spin_unlock(&show_lock);
	if (n)
		return n;
	n = node_new(name, len, S_IFDIR | 0755);
	return n ? node_link(parent, n, false) : NULL;
}

struct show_node *show_dir_pinned(struct show_node *parent, const char *name)
{
	size_t len = strlen(name);
	struct show_node *n = show_lookup(parent, name, len);

	if (n)
		return n;
	n = node_new(name, len, S_IFDIR | 0755);
	if (n)
		n->owned = true;
	return n ? node_link(parent, n, true) : NULL;
}

struct show_node *show_dir(enum show_root root, struct show_node *parent, const char *name)
{
	return dir_n(parent ? parent : &roots[root], name, strlen(name));
}

struct show_node *show_path(enum show_root root, const char *path)
{
	struct show_node *n = &roots[root];

	while (n && *path) {
		size_t len = strcspn(path, "/");

		if (len)
			n = dir_n(n, path, len);
		path += len + (path[len] == '/');
	}
	return n;
}

struct show_node *show_attr(struct show_node *dir, const char *name, umode_t mode, show_fn show, store_fn store, void *data)
{
	struct show_node *n = dir ? node_new(name, strlen(name), S_IFREG | (mode & 07777)) : NULL;

	if (!n)
		return NULL;
	n->show = show;
	n->store = store;
	n->data = data;
	return node_link(dir, n, false);
}

struct show_node *show_attr_pinned(struct show_node *dir, const char *name, umode_t mode,
				   show_fn show, store_fn store, void *data,
				   void (*unpin)(void *data))
{
	struct show_node *n = dir ? node_new(name, strlen(name), S_IFREG | (mode & 07777)) : NULL;

	if (!n) {
		unpin(data);
		return NULL;
	}
	n->show = show;
	n->store = store;
	n->data = data;
	n->unpin = unpin;
	n->of_module = owned_by_module((const void *)unpin);
	owner_hold((const void *)unpin);
	return node_link(dir, n, false);
}

/* Cached names pin a node for long; a module's functions and data are needed only until it is removed. */
bool show_enter(struct show_node *n)
{
	bool there;

	if (likely(!n->of_module))
		return true;
	spin_lock(&show_lock);
	there = !n->dead;
	n->active += there;
	spin_unlock(&show_lock);
	return there;
}

void show_leave(struct show_node *n)
{
	bool last;

	if (likely(!n->of_module))
		return;
	spin_lock(&show_lock);
	last = !--n->active && n->dead;
	spin_unlock(&show_lock);
	if (last)
		unpin_data(n);
}

#ifdef CONFIG_DEBUG
struct show_node *show_file(struct show_node *dir, const char *name, umode_t mode, const void *fops, void *data)
{
	struct show_node *n = dir ? node_new(name, strlen(name), S_IFREG | (mode & 07777)) : NULL;

	if (!n)
		return NULL;
	n->fops = fops;
	n->data = data;
	return node_link(dir, n, false);
}
#endif

struct show_node *show_link(struct show_node *dir, const char *name, const char *target)
{
	struct show_node *n = dir ? node_new(name, strlen(name), S_IFLNK | 0777) : NULL;

	if (!n)
		return NULL;
	n->link_target = name_dup(target, strlen(target));
	if (!n->link_target) {
		node_free(n);
		return NULL;
	}
	return node_link(dir, n, false);
}

static unsigned int depth_of(const struct show_node *n)
{
	unsigned int depth = 0;

	for (; n->parent; n = n->parent)
		depth++;
	return depth;
}

static const struct show_node *ancestor(const struct show_node *n, unsigned int depth)
{
	for (unsigned int i = depth_of(n); i > depth; i--)
		n = n->parent;
	return n;
}

/* The names from below BASE to N, as show_way() gives them. Parents never change. */
static ssize_t way_from(const struct show_node *base, const struct show_node *n, char *buf, size_t size)
{
	size_t len = 0, end;

	for (const struct show_node *at = n; at != base; at = at->parent)
		len += strlen(at->name) + (len != 0);
	if (len >= size)
		return -ENAMETOOLONG;
	buf[len] = 0;
	end = len;
	for (const struct show_node *at = n; at != base; at = at->parent) {
		size_t name = strlen(at->name);

		end -= name;
		memcpy(buf + end, at->name, name);
		if (end)
			buf[--end] = '/';
	}
	return (ssize_t)len;
}

ssize_t show_way(const struct show_node *n, char *buf, size_t size)
{
	return way_from(ancestor(n, 0), n, buf, size);
}

struct show_node *show_link_to(struct show_node *dir, const char *name, const struct show_node *target)
{
	char text[256];
	size_t len = 0;
	unsigned int up, common;

	if (!dir || !target || !target->parent)
		return NULL;
	up = depth_of(dir);
	common = min(up, depth_of(target) - 1);		/* the target is named, also where it lies above */
	while (ancestor(dir, common) != ancestor(target, common))
		common--;
	for (; up > common && len + 3 < sizeof(text); up--, len += 3)
		memcpy(text + len, "../", 3);
	if (up > common || way_from(ancestor(dir, common), target, text + len, sizeof(text) - len) < 0)
		return NULL;
	return show_link(dir, name ?: target->name, text);
}

struct show_node *show_entry(const char *name, umode_t mode, const char *target)
{
	struct show_node *n = node_new(name, strlen(name), mode);

	if (!n || !target)
		return n;
	n->link_target = name_dup(target, strlen(target));
	if (n->link_target)
		return n;
	node_free(n);
	return NULL;
}

void show_set_changes(struct show_node *n, atomic_t *changes)
{
	if (n)
		n->changes = changes;
}

void show_changed(atomic_t *changes)
{
	atomic_inc(changes);
	show_wake();
}

void show_remove(struct show_node *n)
{
	bool first = false, idle = false;

	for (;;) {
		struct show_node *c;

		spin_lock(&show_lock);
		c = list_first_entry_or_null(&n->children, struct show_node, sibling);
		if (c)
			show_get(c);
		else if (!n->dead) {
			n->dead = first = true;
			idle = !n->active;
			list_del_init(&n->sibling);
		}
		spin_unlock(&show_lock);
		if (!c)
			break;
		show_remove(c);
		show_put(c);
	}
	if (!first)
		return;
	show_removed(n);
	if (n->of_module && idle)
		unpin_data(n);
	show_put(n);
}

struct show_node *show_lookup(struct show_node *dir, const char *name, size_t len)
{
	struct show_node *n;

	spin_lock(&show_lock);
	n = find_child(dir, name, len);
	if (n)
		show_get(n);
	spin_unlock(&show_lock);
	return n;
}

void show_remove_name(struct show_node *dir, const char *name)
{
	struct show_node *n = dir ? show_lookup(dir, name, strlen(name)) : NULL;

	if (n) {
		show_remove(n);
		show_put(n);
	}
}

struct show_node *show_next_child(struct show_node *dir, struct show_node *cursor)
{
	struct show_node *n = NULL;
	struct list_head *next;

	spin_lock(&show_lock);
	next = cursor && !cursor->dead ? cursor->sibling.next : cursor ? &dir->children : dir->children.next;
	if (next != &dir->children) {
		n = list_entry(next, struct show_node, sibling);
		show_get(n);
	}
	spin_unlock(&show_lock);
	show_put(cursor);
	return n;
}

static void *value_of(const struct show_node *n, void *value)
{
	return n->of_caller ? n->of_caller(value) : value;
}

static ssize_t int_show(struct show_node *n, char *buf, size_t size)
{
	struct show_int *i = n->data;

	return scnprintf(buf, size, "%d\n", READ_ONCE(*(int *)value_of(n, i->value)));
}

static ssize_t int_store(struct show_node *n, const char *text, size_t len)
{
	struct show_int *i = n->data;
	int v, e = kstrtoint(skip_spaces(text), 10, &v);

	if (e)
		return e;
	if (v < i->min || v > i->max)
		return -EINVAL;
	WRITE_ONCE(*(int *)value_of(n, i->value), v);
	return (ssize_t)len;
}

/* The directory of PATH below /proc/sys; *NAME is its last part. */
static struct show_node *sysctl_dir(const char *path, const char **name)
{
	const char *slash = strrchr(path, '/');
	char dir[128];

	*name = slash ? slash + 1 : path;
	if (!slash)
		return &roots[SHOW_SYSCTL];
	if (strscpy(dir, path, min((size_t)(slash - path) + 1, sizeof(dir))) == -E2BIG && (size_t)(slash - path) >= sizeof(dir))
		return NULL;
	return show_path(SHOW_SYSCTL, dir);
}

struct show_node *sysctl_int(const char *path, umode_t mode, int *value, int min_v, int max_v)
{
	struct show_int *i = kernel_zalloc(sizeof(*i));
	const char *name;
	struct show_node *dir = sysctl_dir(path, &name);

	if (!i || !dir)
		return NULL;
	*i = (struct show_int){ value, min_v, max_v };
	return show_attr(dir, name, mode, int_show, int_store, i);
}

struct show_ulong {
	unsigned long *value;
	unsigned long min, max;
};

static ssize_t ulong_show(struct show_node *n, char *buf, size_t size)
{
	struct show_ulong *i = n->data;

	return scnprintf(buf, size, "%lu\n", READ_ONCE(*(unsigned long *)value_of(n, i->value)));
}

static ssize_t ulong_store(struct show_node *n, const char *text, size_t len)
{
	struct show_ulong *i = n->data;
	unsigned long v;
	int e = kstrtoul(skip_spaces(text), 10, &v);

	if (e)
		return e;
	if (v < i->min || v > i->max)
		return -EINVAL;
	WRITE_ONCE(*(unsigned long *)value_of(n, i->value), v);
	return (ssize_t)len;
}

struct show_node *sysctl_ulong(const char *path, umode_t mode, unsigned long *value, unsigned long min_v, unsigned long max_v)
{
	struct show_ulong *i = kernel_zalloc(sizeof(*i));
	const char *name;
	struct show_node *dir = sysctl_dir(path, &name);

	if (!i || !dir)
		return NULL;
	*i = (struct show_ulong){ value, min_v, max_v };
	return show_attr(dir, name, mode, ulong_show, ulong_store, i);
}

static ssize_t string_show(struct show_node *n, char *buf, size_t size)
{
	return scnprintf(buf, size, "%s\n", (const char *)n->data);
}

struct show_node *sysctl_string(const char *path, umode_t mode, const char *value)
{
	const char *name;
	struct show_node *dir = sysctl_dir(path, &name);

	return dir ? show_attr(dir, name, mode, string_show, NULL, (void *)value) : NULL;
}
