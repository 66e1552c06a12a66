// SPDX-License-Identifier: MIT
/* Which security modules there are. The rules of capabilities are the only one; it keeps no attributes of tasks. */
#include <lib/types.h>
#include <lib/err.h>
#include <lib/minmax.h>
#include <abi/errno.h>
#include <abi/syscalls.h>
#include <alloc/slab.h>
#include <mm/uaccess.h>
#include <linux/lsm.h>

long sys_lsm_list_modules(struct uptr ids, struct uptr size, unsigned int flags)
{
	u64 id = LSM_ID_CAPABILITY;
	u32 room;

	if (flags)
		return -EINVAL;
	if (get_user(room, size) || put_user((u32)sizeof(id), size))
		return -EFAULT;
	if (room < sizeof(id))
		return -E2BIG;
	return put_user(id, ids) ? -EFAULT : 1;
}

long sys_lsm_get_self_attr(unsigned int attr, struct uptr ctx, struct uptr size, unsigned int flags)
{
	struct lsm_ctx c;
	u32 room;

	if (attr == LSM_ATTR_UNDEF || uptr_is_null(size))
		return -EINVAL;
	if (get_user(room, size))
		return -EFAULT;
	if (flags) {
		if (flags != LSM_FLAG_SINGLE || uptr_is_null(ctx))
			return -EINVAL;
		if (copy_from_user(&c, ctx, sizeof(c)))
			return -EFAULT;
		if (c.id == LSM_ID_UNDEF)
			return -EINVAL;
	}
	return put_user((u32)0, size) ? -EFAULT : -EOPNOTSUPP;
}

long sys_lsm_set_self_attr(unsigned int attr, struct uptr ctx, u32 size, unsigned int flags)
{
	struct lsm_ctx *c;
	u64 need;
	long err;

	(void)attr;
	if (flags || size < sizeof(*c))
		return -EINVAL;
	if (size > PAGE_SIZE)
		return -E2BIG;
	c = vmemdup_user(ctx, size);
	if (IS_ERR(c))
		return PTR_ERR(c);
	err = size < c->len || check_add_overflow((u64)sizeof(*c), (u64)c->ctx_len, &need) || c->len < need ? -EINVAL : -EOPNOTSUPP;
	kvfree(c);
	return err;
}
