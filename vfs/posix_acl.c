// SPDX-License-Identifier: MIT
/*
 * POSIX access control lists.
 *
 * The entries stand in the order of the format: owner, users, owning group, groups, mask, others;
 * acl_check() makes sure of it, the rest relies on it. An ACL that says no more than a mode is kept
 * as the mode alone. Readers hold RCU; writers hold the inode's i_rwsem.
 */
#include <lib/types.h>
#include <vfs/fs.h>
#include <vfs/notify.h>
#include <vfs/posix_acl.h>
#include <vfs/xattr.h>
#include <lib/acl.h>
#include <lib/byteorder.h>
#include <alloc/slab.h>
#include <sched/task.h>
#include <linux/capability.h>
#include <linux/xattr.h>

#define RWX 7u

bool posix_acl_name(const char *name, int *type)
{
	if (!strcmp(name, XATTR_NAME_POSIX_ACL_ACCESS))
		*type = ACL_TYPE_ACCESS;
	else if (!strcmp(name, XATTR_NAME_POSIX_ACL_DEFAULT))
		*type = ACL_TYPE_DEFAULT;
	else
		return false;
	return true;
}

static struct posix_acl *acl_alloc(unsigned int count)
{
	struct posix_acl *acl = kmalloc(struct_size(acl, entry, count), GFP_KERNEL_ACCOUNT);

	if (acl)
		acl->count = count;
	return acl;
}

static struct posix_acl *acl_copy(const struct posix_acl *from)
{
	struct posix_acl *acl = acl_alloc(from->count);

	if (acl)
		memcpy(acl->entry, from->entry, from->count * sizeof(from->entry[0]));
	return acl;
}

static struct posix_acl __rcu **slot_of(struct inode *inode, int type)
{
	return type == ACL_TYPE_ACCESS ? &inode->i_acl : &inode->i_default_acl;
}

/*
 * The inode is locked or new. ACL is the inode's from now on; the old one is returned to the
 * caller.
 */
static struct posix_acl *exchange(struct inode *inode, int type, struct posix_acl *acl)
{
	struct posix_acl __rcu **slot = slot_of(inode, type);
	struct posix_acl *old = rcu_dereference_protected(*slot, true);

	rcu_assign_pointer(*slot, acl);
	return old;
}

static void replace(struct inode *inode, int type, struct posix_acl *acl)
{
	struct posix_acl *old = exchange(inode, type, acl);

	if (old)
		kfree_rcu(old, rcu);
}

void posix_acl_forget(struct inode *inode)
{
	replace(inode, ACL_TYPE_ACCESS, NULL);
	replace(inode, ACL_TYPE_DEFAULT, NULL);
}

/* Decoding. */

/* Ids are NS's. NULL: an empty list. -EINVAL, -EOPNOTSUPP (another version), -ENOMEM. */
static struct posix_acl *decode(struct user_namespace *ns, const u8 *value, size_t size)
{
	struct posix_acl *acl;
	int n = acl_check(value, size);

	if (n <= 0)
		return n ? ERR_PTR(n) : NULL;
	acl = acl_alloc((unsigned int)n);
	if (!acl)
		return ERR_PTR(-ENOMEM);
	for (int i = 0; i < n; i++) {
		struct posix_acl_entry *e = &acl->entry[i];
		struct acl_raw_entry x;
		bool ok = true;

		acl_entry(value, (unsigned int)i, &x);
		e->tag = x.tag;
		e->perm = x.perm;
		e->uid = INVALID_UID;
		if (e->tag == ACL_USER) {
			e->uid = make_kuid(ns, x.id);
			ok = uid_valid(e->uid);
		} else if (e->tag == ACL_GROUP) {
			e->gid = make_kgid(ns, x.id);
			ok = gid_valid(e->gid);
		}
		if (!ok) {
			kfree(acl);
			return ERR_PTR(-EINVAL);
		}
	}
	return acl;
}

static u32 id_for_caller(const struct posix_acl_entry *e)
{
	if (e->tag == ACL_USER)
		return from_kuid_munged(current_user_ns(), e->uid);
	if (e->tag == ACL_GROUP)
		return from_kgid_munged(current_user_ns(), e->gid);
	return (u32)ACL_UNDEFINED_ID;
}

ssize_t posix_acl_getxattr(struct inode *inode, int type, void *value, size_t size)
{
	struct posix_acl_xattr_header h = { .a_version = le32_raw(POSIX_ACL_XATTR_VERSION) };
	const struct posix_acl *acl;
	ssize_t ret = -ENODATA;
	u8 *out = value;

	if (!IS_POSIXACL(inode) || S_ISLNK(inode->i_mode))
		return -EOPNOTSUPP;
	rcu_read_lock();
	acl = rcu_dereference(*slot_of(inode, type));
	if (acl) {
		ret = (ssize_t)(sizeof(h) + acl->count * sizeof(struct posix_acl_xattr_entry));
		if (size && size < (size_t)ret)
			ret = -ERANGE;
	}
	if (ret > 0 && size) {
		memcpy(out, &h, sizeof(h));
		out += sizeof(h);
		for (unsigned int i = 0; i < acl->count; i++) {
			const struct posix_acl_entry *e = &acl->entry[i];
			struct posix_acl_xattr_entry x = {
				.e_tag = le16_raw(e->tag),
				.e_perm = le16_raw(e->perm),
				.e_id = le32_raw(id_for_caller(e)),
			};

			memcpy(out, &x, sizeof(x));
			out += sizeof(x);
		}
	}
	rcu_read_unlock();
	return ret;
}

ssize_t posix_acl_listxattr(struct inode *inode, char *list, size_t size)
{
	static const char *const names[] = { XATTR_NAME_POSIX_ACL_ACCESS,
					     XATTR_NAME_POSIX_ACL_DEFAULT };
	const struct posix_acl *const have[] = { rcu_access_pointer(inode->i_acl),
						 rcu_access_pointer(inode->i_default_acl) };
	size_t used = 0;

	for (int i = 0; i < 2; i++) {
		size_t n = strlen(names[i]) + 1;

		if (!have[i])
			continue;
		if (size && used + n > size)
			return -ERANGE;
		if (size)
			memcpy(list + used, names[i], n);
		used += n;
	}
	return (ssize_t)used;
}

/* Mode and ACL. */

/* The entry that the mode's group bits stand for. */
static struct posix_acl_entry *group_class(struct posix_acl *acl)
{
	struct posix_acl_entry *group = NULL;

	for (unsigned int i = 0; i < acl->count; i++) {
		if (acl->entry[i].tag == ACL_MASK)
			return &acl->entry[i];
		if (acl->entry[i].tag == ACL_GROUP_OBJ)
			group = &acl->entry[i];
	}
	return group;
}

static bool says_more_than_mode(const struct posix_acl *acl)
{
	return acl->count > 3;		/* owner, group, others stand alone */
}

static umode_t mode_of(struct posix_acl *acl)
{
	return (umode_t)(acl->entry[0].perm << 6 | group_class(acl)->perm << 3 |
			 acl->entry[acl->count - 1].perm);
}

/* Each class gets MODE's bits; or, with LESS, keeps only those of them that it had. */
static void put_mode(struct posix_acl *acl, umode_t mode, bool less)
{
	struct posix_acl_entry *e[3] = { &acl->entry[0], group_class(acl),
					 &acl->entry[acl->count - 1] };

	for (int i = 0; i < 3; i++) {
		u16 bits = mode >> (6 - 3 * i) & RWX;

		e[i]->perm = less ? e[i]->perm & bits : bits;
	}
}

/* Locked. ACL is used up. */
static int set_acl(struct mnt_idmap *idmap, struct inode *inode, int type, struct posix_acl *acl)
{
	umode_t had = inode->i_mode;
	struct posix_acl *old;
	int err = 0;

	if (type == ACL_TYPE_ACCESS) {
		umode_t mode = acl ? (inode->i_mode & (umode_t)~S_IRWXUGO) | mode_of(acl) :
				     inode->i_mode;

		if (!in_group_or_capable(idmap, inode, inode->i_gid))
			mode &= (umode_t)~S_ISGID;
		if (acl && !says_more_than_mode(acl)) {
			kfree(acl);
			acl = NULL;
		}
		WRITE_ONCE(inode->i_mode, mode);
	}
	inode_set_ctime_current(inode);
	old = exchange(inode, type, acl);
	if (inode->i_op->set_acl)
		err = inode->i_op->set_acl(inode, type);
	if (err) {
		WRITE_ONCE(inode->i_mode, had);
		old = exchange(inode, type, old);
	}
	if (old)
		kfree_rcu(old, rcu);
	return err;
}

int posix_acl_setxattr(struct mnt_idmap *idmap, struct dentry *d, int type, const void *value,
		       size_t size)
{
	struct inode *inode = d->d_inode;
	struct posix_acl *acl = decode(current_user_ns(), value, size);
	int err = 0;

	if (IS_ERR(acl))
		return (int)PTR_ERR(acl);
	inode_lock(inode);
	if (IS_IMMUTABLE(inode) || IS_APPEND(inode))
		err = -EPERM;
	else if (!IS_POSIXACL(inode) || S_ISLNK(inode->i_mode))
		err = -EOPNOTSUPP;
	else if (type == ACL_TYPE_DEFAULT && !S_ISDIR(inode->i_mode))
		err = acl ? -EACCES : 0;
	else if (!inode_owner_or_capable(idmap, inode))
		err = -EPERM;
	else
		err = set_acl(idmap, inode, type, acl), acl = NULL;
	if (!err)
		notify_dentry(d, IN_ATTRIB);
	inode_unlock(inode);
	kfree(acl);
	return err;
}

int posix_acl_load(struct inode *inode, int type, const void *value, size_t size)
{
	struct posix_acl *acl = decode(inode->i_sb->s_user_ns, value, size);

	if (IS_ERR(acl))
		return (int)PTR_ERR(acl);
	if (acl && type == ACL_TYPE_ACCESS && !says_more_than_mode(acl)) {
		kfree(acl);
		acl = NULL;
	}
	replace(inode, type, acl);
	return 0;
}

int posix_acl_chmod(struct inode *inode)
{
	struct posix_acl *acl;

	acl = rcu_dereference_protected(inode->i_acl, true);		/* the inode is locked */
	if (!acl)
		return 0;
	acl = acl_copy(acl);
	if (!acl)
		return -ENOMEM;
	put_mode(acl, inode->i_mode, false);
	replace(inode, ACL_TYPE_ACCESS, acl);
	return 0;
}

int posix_acl_init_inode(const struct inode *dir, struct inode *inode)
{
	struct posix_acl *acl, *inherited = NULL;
	const struct posix_acl *from;

	if (S_ISLNK(inode->i_mode))
		return 0;
	/* The directory is locked: its default ACL stays. */
	from = rcu_dereference_protected(dir->i_default_acl, true);
	if (!from) {
		inode->i_mode &= (umode_t)~current_umask();
		return 0;
	}
	acl = acl_copy(from);
	if (acl && S_ISDIR(inode->i_mode))
		inherited = acl_copy(from);
	if (!acl || (S_ISDIR(inode->i_mode) && !inherited)) {
		kfree(acl);
		return -ENOMEM;
	}
	put_mode(acl, inode->i_mode, true);
	inode->i_mode = (inode->i_mode & (umode_t)~S_IRWXUGO) | mode_of(acl);
	if (says_more_than_mode(acl))
		rcu_assign_pointer(inode->i_acl, acl);
	else
		kfree(acl);
	rcu_assign_pointer(inode->i_default_acl, inherited);
	return 0;
}

/* Checking. */

/* The mask, if there is one, cuts what an entry of the group class gives. */
static int masked_by(const struct posix_acl *acl, unsigned int i, u16 want)
{
	u16 perm = acl->entry[i].perm;

	for (unsigned int k = i + 1; k < acl->count; k++)
		if (acl->entry[k].tag == ACL_MASK)
			perm &= acl->entry[k].perm;
	return want & ~perm ? -EACCES : 0;
}

/* acl(5), "Access check algorithm". */
static int check(const struct inode *inode, const struct posix_acl *acl, u16 want)
{
	const struct cred *cred = current_cred();
	bool member = false;

	for (unsigned int i = 0; i < acl->count; i++) {
		const struct posix_acl_entry *e = &acl->entry[i];

		switch (e->tag) {
		case ACL_USER_OBJ:
			if (uid_eq(inode->i_uid, cred->fsuid))
				return want & ~e->perm ? -EACCES : 0;
			break;
		case ACL_USER:
			if (uid_eq(e->uid, cred->fsuid))
				return masked_by(acl, i, want);
			break;
		case ACL_GROUP_OBJ:
		case ACL_GROUP:
			if (!cred_in_group(cred, e->tag == ACL_GROUP ? e->gid : inode->i_gid))
				break;
			member = true;
			if (!(want & ~e->perm))
				return masked_by(acl, i, want);
			break;
		case ACL_OTHER:
			return member || want & ~e->perm ? -EACCES : 0;
		}
	}
	return -EACCES;
}

int posix_acl_permission(const struct inode *inode, int mask)
{
	const struct posix_acl *acl;
	int ret = -EAGAIN;

	rcu_read_lock();
	acl = rcu_dereference(inode->i_acl);
	if (acl)
		ret = check(inode, acl, (u16)(mask & (MAY_READ | MAY_WRITE | MAY_EXEC)));
	rcu_read_unlock();
	return ret;
}
