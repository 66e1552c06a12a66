// SPDX-License-Identifier: MIT
/* Several checks by one call: XFS_IOC_SCRUBV_METADATA. */
#include "fs/xfs/scrub/scrub.h"
#include <alloc/slab.h>
#include <kernel/time.h>
#include <mm/uaccess.h>
#include <sched/task.h>
#include <linux/capability.h>
#include <linux/time.h>

struct vec {
	u32 type, flags;
	s32 ret;
	u32 reserved;
};
struct head {
	u64 ino;
	u32 gen, agno, flags;
	u16 rest_us, nr;
	u64 reserved, vectors;
};
_Static_assert(sizeof(struct vec) == 16 && sizeof(struct head) == 40, "XFS_IOC_SCRUBV_METADATA");

#define ROOM (4096u / sizeof(struct vec))

/* What asks to be tried again, or leaves nothing to check, is no failure. */
static bool failed(const struct vec *v)
{
	return v->ret && v->ret != -EBUSY && v->ret != -ENOENT && v->ret != -EUSERS;
}

/* A barrier: is all before it as its flags allow? */
static int at_barrier(const struct vec *v, u32 n)
{
	for (u32 i = 0; i < n; i++)
		if (v[i].type != XFS_SCRUB_BARRIER &&
		    (failed(&v[i]) || v[i].flags & v[n].flags & XFS_SCRUB_OUT))
			return -ECANCELED;
	return 0;
}

static void one(struct file *file, const struct head *h, struct vec *v, xfs_repair_fn repair)
{
	struct xfs_scrub_req req = {
		.type = v->type, .flags = v->flags, .ino = h->ino, .gen = h->gen, .agno = h->agno
	};

	v->ret = xfs_scrub_one(file, &req, repair);
	v->flags = req.flags;
}

static int rest(u32 us)
{
	ktime_t until = ktime_get() + (ktime_t)us * 1000;

	if (us) {
		set_current_state(TASK_KILLABLE);
		schedule_hrtimeout_until(&until, CLOCK_MONOTONIC);
	}
	return fatal_signal_pending(current) ? -EINTR : 0;
}

static int run(struct file *file, const struct head *h, struct vec *v, xfs_repair_fn repair)
{
	int e = 0;

	for (u32 i = 0; !e && i < h->nr; i++) {
		if (v[i].type == XFS_SCRUB_BARRIER) {
			v[i].ret = at_barrier(v, i);
			if (v[i].ret)
				break;
		} else {
			one(file, h, &v[i], repair);
		}
		e = rest(h->rest_us);
	}
	return e;
}

static int check(const struct head *h, const struct vec *v)
{
	for (u32 i = 0; i < h->nr; i++)
		if (v[i].reserved ||
		    (v[i].type == XFS_SCRUB_BARRIER && v[i].flags & ~XFS_SCRUB_OUT))
			return -EINVAL;
	return 0;
}

long xfs_scrub_vector(struct file *file, struct uptr arg, xfs_repair_fn repair)
{
	struct vec *v;
	struct head h;
	size_t len;
	long e = 0;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (copy_from_user(&h, arg, sizeof(h)))
		return -EFAULT;
	if (h.reserved || h.flags)
		return -EINVAL;
	if (!h.nr)
		return 0;
	if (h.nr > ROOM)
		return -ENOMEM;
	len = h.nr * sizeof(*v);
	v = kmalloc(len, GFP_KERNEL_ACCOUNT);
	if (!v)
		return -ENOMEM;
	if (copy_from_user(v, UPTR(h.vectors), len))
		e = -EFAULT;
	e = e ?: check(&h, v) ?: run(file, &h, v, repair);
	if (!e && (copy_to_user(arg, &h, sizeof(h)) || copy_to_user(UPTR(h.vectors), v, len)))
		e = -EFAULT;
	kfree(v);
	return e;
}
