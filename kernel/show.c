// SPDX-License-Identifier: MIT
/*
 * The tree of published names. One lock orders changes and look-ups (they are rare and short); a node lives while it is in
 * the tree or pinned.
 *
 * A directory has its children in two trees: by name, for look-ups, and by number, for walks. Numbers only grow and are
 * never given twice, so that the numbers' order is that in which children came, and a walk goes on behind the last number that it
 * has seen, whatever came or went meanwhile.
 */
#include <lib/types.h>
#include <lib/format.h>
#include <lib/minmax.h>
#include <lib/rbtree.h>
#include <lib/string.h>
#include <kernel/bug.h>
#include <kernel/owner.h>
#include <kernel/show.h>
#include <kernel/spinlock.h>
#include <kernel/upcalls.h>
#include <abi/errno.h>
#include <linux/stat.h>

#define NODE_INIT(n) { .name = "", .mode = S_IFDIR | 0755, .refs = REFCOUNT_INIT(1), .ino = (n) + 1 }

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

static void node_free_rcu(struct rcu_head *head)
{
	struct show_node *n = container_of(head, struct show_node, rcu);

	kernel_free(n->name);
	kernel_free(n->link_target);
	kernel_free(n);
}

/* Walks of paths within RCU may still look at it: whether it is dead, its name, its rights, where a link leads. */
static void node_free(struct show_node *n)
{
	if (n->unpin)
		unpin_data(n);
	call_rcu(&n->rcu, node_free_rcu);
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

#ifdef CONFIG_DEBUG
static u64 steps;				/* show_lock */

static void count_step(void)
{
	steps++;
}

u64 show_steps(void)
{
	u64 n;

	spin_lock(&show_lock);
	n = steps;
	spin_unlock(&show_lock);
	return n;
}
#else
static void count_step(void)
{
}
#endif

/* The way from a directory to where a child of some name is, or would be. */
struct place {
	struct rb_node **link, *parent;
};

/* The child of that name (LEN bytes), with show_lock; NULL: there is none, and *AT is where it belongs. */
static struct show_node *find_place(struct show_node *dir, const char *name, size_t len, struct place *at)
{
	*at = (struct place){ &dir->by_name.node, NULL };
	while (*at->link) {
		struct show_node *c = rb_entry(*at->link, struct show_node, in_names);
		int way = strncmp(name, c->name, len);

		count_step();
		if (!way && !c->name[len])
			return c;
		at->parent = *at->link;
		at->link = way <= 0 ? &at->parent->left : &at->parent->right;
	}
	return NULL;
}

static struct show_node *find_child(struct show_node *dir, const char *name, size_t len)
{
	struct place at;

	return find_place(dir, name, len, &at);
}

/* Puts N, which has its number, into DIR at the place that its name has, with show_lock. */
static void insert_child(struct show_node *dir, struct show_node *n, const struct place *at)
{
	struct rb_node **link, *parent = NULL;

	rb_link_node(&n->in_names, at->parent, at->link);
	rb_insert_color(&n->in_names, &dir->by_name);
	/* The newest is the rightmost. */
	for (link = &dir->by_ino.node; *link; link = &parent->right) {
		count_step();
		parent = *link;
	}
	rb_link_node(&n->in_inos, parent, link);
	rb_insert_color(&n->in_inos, &dir->by_ino);
}

static void erase_child(struct show_node *dir, struct show_node *n)
{
	rb_erase(&n->in_names, &dir->by_name);
	rb_erase(&n->in_inos, &dir->by_ino);
}

/* The child of the least number above INO, with show_lock; NULL. */
static struct show_node *child_behind(const struct show_node *dir, u64 ino)
{
	struct show_node *found = NULL;

	for (struct rb_node *at = dir->by_ino.node; at;) {
		struct show_node *c = rb_entry(at, struct show_node, in_inos);

		count_step();
		if (c->ino > ino)
			found = c;
		at = c->ino > ino ? at->left : at->right;
	}
	return found;
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
	struct place at;

	spin_lock(&show_lock);
	got = dir->dead ? NULL : find_place(dir, n->name, strlen(n->name), &at);
	if (!dir->dead && !got) {
		show_get(dir);
		n->parent = dir;
		n->ino = next_ino++;
		insert_child(dir, n, &at);
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

/* The directory of that name that is there meanwhile, or a new one, with a pin; OWNED as the field. NULL. */
static struct show_node *node_made(struct show_node *parent, const char *name, size_t len, bool owned)
{
	struct show_node *n = node_new(name, len, S_IFDIR | 0755);

	if (n)
		n->owned = owned;
	return n ? node_link(parent, n, true) : NULL;
}

struct show_node *show_dir_pinned(struct show_node *parent, const char *name)
{
	size_t len = strlen(name);

	return show_lookup(parent, name, len) ?: node_made(parent, name, len, true);
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

struct show_node *show_path_pinned(enum show_root root, const char *path)
{
	struct show_node *n = &roots[root];

	show_get(n);
	while (n && *path) {
		size_t len = strcspn(path, "/");
		struct show_node *above = n;

		if (len) {
			n = show_lookup(above, path, len) ?: node_made(above, path, len, false);
			show_put(above);
		}
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

/* Not in the tree yet. NULL: no memory, or no directory, and DATA is unpinned. */
static struct show_node *pinned_new(struct show_node *dir, const char *name, umode_t mode, void *data,
				    void (*unpin)(void *data))
{
	struct show_node *n = dir ? node_new(name, strlen(name), S_IFREG | (mode & 07777)) : NULL;

	if (!n) {
		unpin(data);
		return NULL;
	}
	n->data = data;
	n->unpin = unpin;
	n->of_module = owned_by_module((const void *)unpin);
	owner_hold((const void *)unpin);
	return n;
}

struct show_node *show_attr_pinned(struct show_node *dir, const char *name, umode_t mode,
				   show_fn show, store_fn store, void *data,
				   void (*unpin)(void *data))
{
	struct show_node *n = pinned_new(dir, name, mode, data, unpin);

	if (!n)
		return NULL;
	n->show = show;
	n->store = store;
	return node_link(dir, n, false);
}

struct show_node *show_bytes_pinned(struct show_node *dir, const char *name, show_fn show, void *data, void (*unpin)(void *data))
{
	struct show_node *n = pinned_new(dir, name, 0444, data, unpin);

	if (!n)
		return NULL;
	n->show = show;
	n->as_opener = true;
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
		c = child_behind(n, 0);
		if (c)
			show_get(c);
		else if (!n->dead) {
			n->dead = first = true;
			idle = !n->active;
			if (n->parent)
				erase_child(n->parent, n);
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

struct show_node *show_next_child(struct show_node *dir, u64 *at)
{
	struct show_node *n;

	spin_lock(&show_lock);
	n = child_behind(dir, *at);
	if (n) {
		show_get(n);
		*at = n->ino;
	}
	spin_unlock(&show_lock);
	return n;
}
