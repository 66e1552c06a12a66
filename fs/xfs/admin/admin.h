/* SPDX-License-Identifier: MIT */
/*
 * What administrators ask of a mounted file system: its label, counters, the state of its AGs,
 * where files' blocks are, discards of free space, growth. The structures are those of Linux's
 * manual pages ioctl_xfs_*(2).
 */
#pragma once

#include "fs/xfs/attr/attr.h"
#include "fs/xfs/file/file.h"

/* struct xfs_mount, ioctl. */
long xfs_admin_ioctl(struct file *file, unsigned int cmd, unsigned long arg);

/* ---- between the files of this part ---- */

/*
 * Changes the superblock, durably; *OUT: what it is then, for xfs_copy_sb(). mp->admin is held, and
 * the mount counts as written to. -errno: nothing was changed, or the file system is shut down.
 */
int __must_check xfs_change_sb(struct xfs_mount *mp,
			       void (*change)(struct xfs_dsb *d, const void *arg), const void *arg,
			       struct xfs_dsb *out);
/*
 * The copies of the superblock, at the beginning of each AG but the first, become as D is. All are
 * tried: the first error; -EINTR: killed. The superblock itself has changed before.
 */
int __must_check xfs_copy_sb(struct xfs_mount *mp, const struct xfs_dsb *d);
/*
 * Writes the first blocks of AG AGNO, which is new, of a file system that will be SB's; COPY: the
 * superblock. *FREE: its free blocks. Not flushed.
 */
int __must_check xfs_new_ag(struct xfs_mount *mp, const struct xfs_sb *sb,
			    const struct xfs_dsb *copy, u32 agno, u32 *free);
/* XFS_IOC_FSGROWFSDATA (grow.c). */
struct xfs_growfs {
	u64 blocks;
	u32 imaxpct, pad;
};
long xfs_growfs(struct file *file, struct uptr arg);
/* XFS_IOC_BULKSTAT, or with CHUNKS XFS_IOC_INUMBERS; their common head (bulk.c). */
struct xfs_bulk {
	u64 ino;
	u32 flags, icount, ocount, agno;
	u64 reserved[5];
};
long xfs_bulk(struct xfs_mount *mp, struct uptr arg, bool chunks);
/* FS_IOC_GETFSMAP (fsmap.c). */
long xfs_getfsmap(struct xfs_mount *mp, struct uptr arg);
/* XFS_IOC_FSBULKSTAT, FSBULKSTAT_SINGLE, FSINUMBERS, as they were before. */
enum xfs_bulk_old { XFS_OLD_STAT, XFS_OLD_STAT_ONE, XFS_OLD_INUMBERS };
long xfs_bulk_old(struct xfs_mount *mp, struct uptr arg, enum xfs_bulk_old what);

/*
 * Handles as xfsprogs' libhandle has them (handle.c): of a file system, the first 8 bytes, and of a
 * file. -ENOTTY: CMD is none of these calls (all but GETPARENTS).
 */
struct xfs_handle {
	u8 fsid[8];
	u16 fid_len, pad;
	u32 gen;
	u64 ino;
};
long xfs_handle_ioctl(struct file *file, unsigned int cmd, unsigned long arg);
/* The file's handle. */
void xfs_handle_make(struct xfs_mount *mp, u64 ino, u32 gen, struct xfs_handle *h);
/* May the caller pass over the rights of directories, and of files? 0, -EPERM. */
int xfs_may_use_handles(void);
/* H leads somewhere from FILE, a directory: 0, -ENOTDIR, -EINVAL. */
int xfs_handle_check(const struct file *file, const struct xfs_handle *h);
/* A request's handle: LEN bytes at FROM. The dentry, referenced, or ERR_PTR. */
struct dentry *xfs_handle_dentry(struct file *file, struct uptr from, u32 len);
/* XFS_IOC_ATTRLIST_BY_HANDLE, ATTRMULTI_BY_HANDLE (attrs.c). */
struct xfs_handlereq {
	u32 fd, pad1;
	u64 path;
	u32 oflags, pad2;
	u64 ihandle;
	u32 ihandlen, pad3;
	u64 ohandle, ohandlen;
};
long xfs_attrlist(struct file *file, struct uptr arg);
long xfs_attrmulti(struct file *file, struct uptr arg);
struct xfs_attrlist_req {
	struct xfs_handlereq h;
	struct xfs_attr_pos pos;
	u32 flags, buflen;
	u64 buffer;
};
struct xfs_attrmulti_req {
	struct xfs_handlereq h;
	u32 opcount, pad;
	u64 ops;
};
/* XFS_IOC_GETPARENTS and GETPARENTS_BY_HANDLE (parents.c). */
struct xfs_getparents {
	struct xfs_attr_pos pos;
	u16 iflags, oflags;
	u32 bufsize;
	u64 zero, buffer;
};
struct xfs_getparents_by {
	struct xfs_handle h;
	struct xfs_getparents g;
};
long xfs_getparents(struct file *file, struct uptr arg, bool by_handle);
/* FITRIM (trim.c). */
long xfs_trim(struct super_block *s, struct uptr arg);
