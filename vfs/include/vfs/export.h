// SPDX-License-Identifier: MIT
#pragma once
/*
 * File handles: numbers that name a file of a filesystem, whatever its path becomes
 * (name_to_handle_at(2), open_by_handle_at(2)).
 *
 * A handle is a type and some 32-bit words, both the filesystem's. They come back from outside, so
 * that a filesystem believes nothing of them: what it finds has the generation that the handle has,
 * or the handle is stale. A filesystem without operations gives handles that nothing is found by
 * (EXPORT_FID).
 *
 * A file that is found and has no dentry gets one without a name (d_obtain_alias(),
 * DCACHE_DISCONNECTED). A directory is brought to its place below the root before anybody gets it:
 * its parents are found with get_parent(), names with get_name(), and the look-up of that name
 * moves the dentry there (d_splice_alias()). A dentry without the flag has none with it above.
 */
#include <lib/types.h>

struct dentry;
struct inode;
struct path;
struct super_block;
struct vfsmount;

/* Types of handles, as Linux numbers them. */
#define FILEID_INO32_GEN	0x01
#define FILEID_INO32_GEN_PARENT	0x02
#define FILEID_INO64_GEN	0x81
#define FILEID_INO64_GEN_PARENT	0x82
#define FILEID_INVALID		0xff

/*
 * WORDS is the length of FH: at most HANDLE_WORDS. Functions that find something give a referenced
 * dentry, NULL or ERR_PTR: the handle is stale, whatever the error, but -ENOMEM. They sleep, and
 * hold no lock of the VFS.
 */
struct export_operations {
	/*
	 * The handle of INODE, and of PARENT in it unless that is NULL. Its type; *WORDS: its
	 * length. FILEID_INVALID: *WORDS must be as it is now.
	 */
	int (*encode_fh)(struct inode *inode, u32 *fh, int *words, const struct inode *parent);
	struct dentry *(*fh_to_dentry)(struct super_block *sb, const u32 *fh, int words, int type);
	/*
	 * The parent that encode_fh() put in. May be absent: then there are no connectable handles.
	 */
	struct dentry *(*fh_to_parent)(struct super_block *sb, const u32 *fh, int words, int type);
	/*
	 * The directory that CHILD, a directory without a place, lies in. Absent where no directory
	 * is without.
	 */
	struct dentry *(*get_parent)(struct dentry *child);
	/*
	 * The name of CHILD in PARENT, which no lock keeps: NAME has NAME_MAX + 1 bytes. 0,
	 * -ENOENT. Absent, or -EOPNOTSUPP: PARENT is read.
	 */
	int (*get_name)(struct dentry *parent, char *name, struct dentry *child);
};

#define HANDLE_WORDS	32		/* MAX_HANDLE_SZ */

#define EXPORT_FID		1	/* encode: nothing need be found by it */
#define EXPORT_CONNECTABLE	2	/* encode: with the parent */
#define EXPORT_DIR_ONLY		4	/* decode: a directory or nothing */

/* The handle of D: its type, FILEID_INVALID (*WORDS: how many it takes), -EOPNOTSUPP. Sleeps. */
int export_encode(struct dentry *d, u32 *fh, int *words, unsigned int flags);
/*
 * What FH names on MNT, referenced, a directory in its place; ACCEPTABLE says of each dentry of it
 * whether that is good enough, and NULL takes any. ERR_PTR(-ESTALE, -ENOTDIR, -EACCES: not
 * acceptable, -ENOMEM, ...). Sleeps.
 */
struct dentry *export_decode(struct vfsmount *mnt, const u32 *fh, int words, int type,
			     unsigned int flags, bool (*acceptable)(void *ctx, struct dentry *d),
			     void *ctx);

/* ---- the system calls, below the edge (fhandle.c) ---- */

/* User flags in a handle's type. */
#define HANDLE_IS_CONNECTABLE	0x10000
#define HANDLE_IS_DIR		0x20000
#define HANDLE_USER_FLAGS	(~0xffff)

/*
 * The handle of PATH as the user gets it: its type in *TYPE. 0; -EOVERFLOW: *WORDS must be as it is
 * now; -EOPNOTSUPP, -EINVAL.
 */
int handle_encode(const struct path *path, u32 *fh, int *words, int *type, unsigned int flags);
struct handle_right {
	bool ids;		/* each inode on the way has ids in the caller's user namespace */
	bool subtree;		/* it lies below the directory that the caller gave */
};
/*
 * May the caller open handles below ROOT with FLAGS (O_*)? 0 and what is to be checked, -EPERM,
 * -EINVAL.
 */
int handle_may_decode(const struct path *root, int flags, struct handle_right *right);
/* The file that FH names on ROOT's mount. 0 and *PATH, referenced; -ESTALE, -ENOMEM. */
int handle_decode(const struct path *root, const u32 *fh, int words, int type,
		  const struct handle_right *right, struct path *path);
