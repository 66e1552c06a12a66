// SPDX-License-Identifier: MIT
/*
 * POSIX ACLs as attributes hold them (acl(5), <linux/posix_acl_xattr.h>): a version, then entries in their order: owner, users, owning
 * group, groups, mask, others.
 */
#include <lib/acl.h>
#include <lib/byteorder.h>
#include <lib/string.h>
#include <abi/errno.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>

#define RWX 7u

void acl_entry(const u8 *value, unsigned int i, struct acl_raw_entry *out)
{
	struct posix_acl_xattr_entry x;

	memcpy(&x, value + sizeof(struct posix_acl_xattr_header) + i * sizeof(x), sizeof(x));
	*out = (struct acl_raw_entry){ le16_raw(x.e_tag), le16_raw(x.e_perm), le32_raw(x.e_id) };
}

/* 0 when the entries stand in their order, each of those that must be there once. */
static int check_order(const u8 *value, unsigned int count)
{
	enum { OWNER, USERS, GROUPS, OTHERS, END } next = OWNER;
	bool named = false;

	for (unsigned int i = 0; i < count; i++) {
		struct acl_raw_entry e;
		bool ok;

		acl_entry(value, i, &e);
		ok = !(e.perm & ~RWX);
		switch (e.tag) {
		case ACL_USER_OBJ:
			ok &= next == OWNER;
			next = USERS;
			break;
		case ACL_USER:
			ok &= next == USERS;
			named = true;
			break;
		case ACL_GROUP_OBJ:
			ok &= next == USERS;
			next = GROUPS;
			break;
		case ACL_GROUP:
			ok &= next == GROUPS;
			named = true;
			break;
		case ACL_MASK:
			ok &= next == GROUPS;
			next = OTHERS;
			break;
		case ACL_OTHER:
			ok &= next == OTHERS || (next == GROUPS && !named);
			next = END;
			break;
		default:
			ok = false;
		}
		if (!ok)
			return -EINVAL;
	}
	return next == END ? 0 : -EINVAL;
}

int acl_check(const u8 *value, size_t size)
{
	struct posix_acl_xattr_header h;
	size_t n;
	int err;

	if (!size)
		return 0;
	if (size < sizeof(h))
		return -EINVAL;
	memcpy(&h, value, sizeof(h));
	if (le32_raw(h.a_version) != POSIX_ACL_XATTR_VERSION)
		return -EOPNOTSUPP;
	n = (size - sizeof(h)) / sizeof(struct posix_acl_xattr_entry);
	if (n * sizeof(struct posix_acl_xattr_entry) != size - sizeof(h))
		return -EINVAL;
	if (!n)
		return 0;
	err = check_order(value, (unsigned int)n);
	return err ?: (int)n;
}
