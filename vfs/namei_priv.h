// SPDX-License-Identifier: MIT
#pragma once
/* The state of one walk; between namei.c (walking), namei_open.c and namei_ops.c. */
#include <vfs/fs.h>
#include <vfs/namei.h>
#include "mount_priv.h"
#include "file_priv.h"

enum last_type { LAST_NORM, LAST_ROOT, LAST_DOT, LAST_DOTDOT };
#define EMBEDDED_LEVELS 2

/* A symlink being followed: what is left of the name after it. */
struct saved_link {
	struct path		link;
	struct delayed_call	done;
	const char		*name;
	unsigned int		seq;
};

#define ND_ROOT_PRESET	1	/* the caller gave the root */
#define ND_ROOT_GRABBED	2	/* root holds references */
#define ND_JUMPED	4	/* path may be of any filesystem: weak revalidation */

struct nameidata {
	struct path		path;		/* where we are */
	struct qstr		last;
	u64			last_tail;	/* its last, partial word, as dname_equals() wants it */
	struct path		root;
	struct inode		*inode;		/* path.dentry's */
	unsigned int		flags;		/* LOOKUP_* */
	unsigned int		state;		/* ND_* */
	unsigned int		seq, next_seq;	/* path.dentry's, and of what we step on */
	u32			m_seq, r_seq;	/* mount_lock, rename_lock */
	u32			root_seq;
	enum last_type		last_type;
	unsigned int		depth;
	int			total_link_count;
	struct saved_link	*stack;
	struct saved_link	internal[EMBEDDED_LEVELS];
	struct filename		*name;
	const char		*pathname;
	struct nameidata	*saved;		/* walk that this one runs inside of */
	int			dfd;
	umode_t			dir_mode;	/* parent of the last component */
	kuid_t			dir_uid;
};

void set_nameidata(struct nameidata *nd, int dfd, struct filename *name, const struct path *root);
void restore_nameidata(struct nameidata *nd);
const char *path_init(struct nameidata *nd, unsigned int flags);
int link_path_walk(const char *name, struct nameidata *nd);
void terminate_walk(struct nameidata *nd);
int complete_walk(struct nameidata *nd);
int handle_lookup_down(struct nameidata *nd);
const char *handle_dots(struct nameidata *nd, enum last_type type);
bool try_to_unlazy(struct nameidata *nd);
struct dentry *lookup_fast(struct nameidata *nd);
bool step_last_cached(struct nameidata *nd);
#define WALK_TRAILING	1
#define WALK_MORE	2
#define WALK_NOFOLLOW	4
const char *step_into(struct nameidata *nd, unsigned int flags, struct dentry *dentry);
void put_link_top(struct nameidata *nd);
int path_lookupat(struct nameidata *nd, unsigned int flags, struct path *path);
int filename_parentat(int dfd, struct filename *name, unsigned int flags, struct path *parent,
		      struct qstr *last, enum last_type *type, const struct path *root);
int may_open_mode(struct mnt_idmap *idmap, const struct path *path, int acc_mode, int flag);
int may_create(struct mnt_idmap *idmap, struct inode *dir, struct dentry *child);
int may_delete(struct mnt_idmap *idmap, struct inode *dir, struct dentry *victim, bool isdir);
struct dentry *lookup_dcache_revalidated(const struct qstr *name, struct dentry *dir, unsigned int flags);
bool path_is_under(const struct path *path, const struct path *root);
