/* SPDX-License-Identifier: MIT */
/*
 * POSIX access control lists (acl(5), POSIX.1e draft 17). An inode has one for access, a directory another one for what is made in it.
 * An ACL is never changed once an inode has it: it is replaced, and readers under RCU go on with the old one.
 */
#pragma once

#include <lib/types.h>
#include <kernel/rcu.h>
#include <proc/cred.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>

struct inode;
struct dentry;
struct mnt_idmap;

struct posix_acl_entry {
	u16 tag;		/* ACL_USER_OBJ ... */
	u16 perm;		/* ACL_READ, ACL_WRITE, ACL_EXECUTE: as a mode's lowest three bits */
	union {
		kuid_t uid;	/* ACL_USER */
		kgid_t gid;	/* ACL_GROUP */
	};
};

struct posix_acl {
	struct rcu_head rcu;
	unsigned int count;
	struct posix_acl_entry entry[];
};

/* Is it the name of an ACL's attribute? TYPE: ACL_TYPE_ACCESS or ACL_TYPE_DEFAULT. */
bool posix_acl_name(const char *name, int *type);
/* The attributes' calls: values as setxattr(2) and getxattr(2) have them, ids of the caller's namespace. */
ssize_t posix_acl_getxattr(struct inode *inode, int type, void *value, size_t size);
int posix_acl_setxattr(struct mnt_idmap *idmap, struct dentry *d, int type, const void *value, size_t size);
/* Their names for listxattr(2): how many bytes, -ERANGE. */
ssize_t posix_acl_listxattr(struct inode *inode, char *list, size_t size);

/* What the inode's ACL says to this caller: 0, -EACCES; -EAGAIN: it has none, ask the mode. Does not sleep. */
int posix_acl_permission(const struct inode *inode, int mask);

/*
 * For a filesystem with SB_POSIXACL: INODE is new in DIR and nobody sees it. Sets its mode and ACLs from the directory's default ACL, or
 * from the umask. 0, -ENOMEM.
 */
int posix_acl_init_inode(const struct inode *dir, struct inode *inode);
/* INODE was read from a disk and nobody sees it: it gets the ACL that VALUE, as setxattr(2) would have it, says in the filesystem's ids. 0, -EINVAL, -ENOMEM. */
int posix_acl_load(struct inode *inode, int type, const void *value, size_t size);
/* After its mode was changed, inode locked. 0, -ENOMEM. */
int posix_acl_chmod(struct inode *inode);
/* The inode goes. */
void posix_acl_forget(struct inode *inode);
