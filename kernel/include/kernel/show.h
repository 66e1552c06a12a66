/* SPDX-License-Identifier: MIT */
/*
 * Named values that any room publishes: a tree of directories and attributes, presented by sysfs, debugfs and
 * /proc/sys without this room knowing of them. Entries may come and go at any time; a reader pins the entry.
 */
#pragma once

#include <lib/types.h>
#include <lib/rbtree.h>
#include <kernel/rcu.h>
#include <kernel/refcount.h>

enum show_root { SHOW_SYS, SHOW_DEBUG, SHOW_SYSCTL, SHOW_ROOTS };	/* /sys, /sys/kernel/debug, /proc/sys */

struct show_node;
struct cred;

/* Text into BUF (SIZE bytes); the length, or -errno. */
typedef ssize_t (*show_fn)(struct show_node *n, char *buf, size_t size);
/* Takes the whole of TEXT (LEN bytes, NUL after them); LEN or -errno. */
typedef ssize_t (*store_fn)(struct show_node *n, const char *text, size_t len);

/*
 * A directory with entries, besides its children, that depend on the network namespace that is looked at (/proc/sys: the caller's, and NS is NULL), and are
 * made as they are looked for (show_entry()). Both
 * functions give back a node of which the caller has the only pin, NULL: there is none, or ERR_PTR(-ENOMEM). They may sleep.
 */
struct show_within {
	struct show_node *(*find)(struct show_node *dir, void *ns, const char *name, size_t len);
	/* The entry at *AT, which begins at 0, or after it; *AT goes behind it. */
	struct show_node *(*next)(struct show_node *dir, void *ns, u64 *at);
};

/*
 * A setting belongs to a namespace of the task that opens its file. open() pins that, enter() makes it what show(), store() and rights()
 * act upon: 0, or -ENOENT: it has ended; leave() undoes that, close() undoes open().
 */
struct show_scope {
	void *(*open)(void);
	int (*enter)(void *pin);
	void (*leave)(void *pin);
	void (*close)(void *pin);
};

struct show_node {
	const char *name;
	struct show_node *parent;	/* c: of a node in a tree */
	struct rb_root by_name, by_ino;	/* show_lock: the children */
	union {
		struct rb_node in_names;	/* show_lock: of a child, in its parent's by_name */
		struct rcu_head rcu;		/* of one without a pin, which is read within RCU still */
	};
	struct rb_node in_inos;		/* show_lock: of a child, in its parent's by_ino */
	umode_t mode;			/* with S_IFDIR, S_IFREG or S_IFLNK */
	show_fn show;
	store_fn store;
	void *data;
	void (*unpin)(void *data);	/* c: called when the node is freed, in any context; or NULL */
	/* A setting of namespaces: what CRED may do to that of the caller's, as the bits of one class in a mode. NULL: by the mode, root is the owner. */
	unsigned int (*rights)(const struct cred *cred);
	void *(*of_caller)(void *value);	/* of a sysctl_*(): where it is, given where the initial namespace's is */
	const struct show_scope *scope;	/* c: of a setting of namespaces; NULL: the caller's is acted upon */
	bool (*hidden)(void);	/* c: true: it is not there for the caller, by its namespaces; does not sleep; NULL: it is */
	atomic_t *changes;		/* c: raised when the text changes by itself; NULL: poll(2) says nothing */
#ifdef CONFIG_DEBUG
	const void *fops;		/* struct file_operations, of a file that is more than its text */
#endif
	const struct show_within *within;	/* c: entries besides the children; NULL: none */
	bool (*alive)(const struct show_node *n);	/* c: of what show_entry() made; does not sleep, within RCU; NULL: until it is dead */
	void *ns;			/* c: the network namespace, of an entry; its presenter pins it */
	long id;			/* c: of an entry, its maker's */
	u32 uid, gid;			/* c: owner, as the initial namespace numbers it */
	const char *link_target;	/* S_IFLNK: a path as readlink gives it */
	refcount_t refs;
	u64 ino;			/* c: of a node in a tree, > 0; a node made later has a larger one */
	bool dead;			/* show_lock; removed, only pinned */
	bool owned;			/* c: show_dir_pinned() made it */
	bool as_opener;			/* c: SHOW acts with the opener's rights */
	bool of_module;			/* c: UNPIN is a module's: see show_enter() */
	unsigned int active;		/* show_lock: calls of SHOW and STORE, if of a module */
};

/* A directory under PARENT (NULL: the root), made if it is not there. NULL without memory. */
struct show_node *show_dir(enum show_root root, struct show_node *parent, const char *name);
/* The same below PARENT, with a pin for the caller. Each user of a directory made by this has one. */
struct show_node *show_dir_pinned(struct show_node *parent, const char *name);
/* "a/b/c" below the root, made as needed. */
struct show_node *show_path(enum show_root root, const char *path);
/* The same with a pin for the caller: a part of the path may be removed at any time. */
struct show_node *show_path_pinned(enum show_root root, const char *path);
struct show_node *show_attr(struct show_node *dir, const char *name, umode_t mode, show_fn show, store_fn store, void *data);
/*
 * The same for DATA with a limited life: UNPIN(DATA) is called when the node is freed, or at once if
 * this fails. NULL: no memory, or DIR was removed. A module's is a hold of it (kernel/owner.h), and
 * is unpinned when the node is removed, or when the last call that is under way then has returned.
 */
struct show_node *show_attr_pinned(struct show_node *dir, const char *name, umode_t mode,
				   show_fn show, store_fn store, void *data,
				   void (*unpin)(void *data));
/* The same for a binary file of mode 0444, where SHOW checks the rights of the opener, not the reader's. */
struct show_node *show_bytes_pinned(struct show_node *dir, const char *name, show_fn show, void *data, void (*unpin)(void *data));
/*
 * Around each call of SHOW or STORE of a node with UNPIN. False: it was removed. The caller has a pin.
 */
bool show_enter(struct show_node *n) __must_check;
void show_leave(struct show_node *n);
#ifdef CONFIG_DEBUG
struct show_node *show_file(struct show_node *dir, const char *name, umode_t mode, const void *fops, void *data);
#endif
struct show_node *show_link(struct show_node *dir, const char *name, const char *target);
/* A link to TARGET, which lies in the same tree as DIR and outlives the link. NAME NULL: by TARGET's. NULL without memory. */
struct show_node *show_link_to(struct show_node *dir, const char *name, const struct show_node *target);
/* Removes what DIR has under NAME, if that is there. */
void show_remove_name(struct show_node *dir, const char *name);
/* N's way from its root, without a slash in front, to BUF (SIZE bytes): its length without the NUL; -ENAMETOOLONG. */
ssize_t show_way(const struct show_node *n, char *buf, size_t size);
/* A node in no tree, pinned once: a directory, a file, or a link to TARGET. NULL without memory. */
struct show_node *show_entry(const char *name, umode_t mode, const char *target);
/* Removes the node and all below it; later additions below it fail. A second call has no effect. A pinned node keeps its parents' memory. */
void show_remove(struct show_node *n);
struct show_node *show_root_node(enum show_root root);
/* For presenters: a pinned child by name; NULL: there is none. */
struct show_node *show_lookup(struct show_node *dir, const char *name, size_t len);
/*
 * A walk over the children in the order in which they came: the first one after the one of number *AT (0: the first of all), whose number *AT becomes, pinned;
 * NULL: there is none. Children may come and go meanwhile: each that stays is seen once.
 */
struct show_node *show_next_child(struct show_node *dir, u64 *at);
#ifdef CONFIG_DEBUG
/* Of how many children look-ups, additions and walks have asked for the name or the number so far: for tests. */
u64 show_steps(void);
#endif
void show_get(struct show_node *n);
void show_put(struct show_node *n);
/* N's text changes with *CHANGES, which show_changed() raises: poll(2) tells of it as of an exception. */
void show_set_changes(struct show_node *n, atomic_t *changes);
void show_changed(atomic_t *changes);
/* Called when a node goes: presenters drop their cached names. upcall, fs/ */
void show_removed(struct show_node *n);
/* Called after a count of changes was raised: presenters wake who polls. upcall, fs/ */
void show_wake(void);

/* Sysctl helpers: an attribute over an int or unsigned long with bounds. */
struct show_int {
	int *value;
	int min, max;
};
struct show_node *sysctl_int(const char *path, umode_t mode, int *value, int min, int max);
struct show_node *sysctl_ulong(const char *path, umode_t mode, unsigned long *value, unsigned long min, unsigned long max);
struct show_node *sysctl_string(const char *path, umode_t mode, const char *value);
