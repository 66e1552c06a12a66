// SPDX-License-Identifier: MIT
/*
 * Rings: how they are made, mapped, polled, shown and ended.
 *
 * A ring's file has a reference of the ring, and stands for its requests. When the file is closed,
 * by the last of the processes that share it, every request that can be stopped is, and what cannot
 * be (a disk has it) ends in its task: these have a reference from then on, together.
 */
#include <lib/bits.h>
#include <lib/err.h>
#include <lib/string.h>
#include <alloc/slab.h>
#include <alloc/vmalloc.h>
#include <io_uring/uring.h>
#include <ipc/eventfd.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <kernel/show.h>
#include <mm/fault.h>
#include <mm/mm.h>
#include <proc/cred.h>
#include <vfs/file.h>
#include <vfs/poll.h>
#include <vfs/seq_file.h>
#include <abi/errno.h>
#include <linux/capability.h>
#include "io_uring/flags.h"
#include "io_uring/ring_priv.h"

static int disabled;			/* kernel.io_uring_disabled */
static int group = -1;			/* kernel.io_uring_group */
static const struct file_operations ring_fops;

struct uring *uring_of(struct file *f)
{
	return f->f_op == &ring_fops ? f->private_data : NULL;
}

/* ---- life ---- */

static void ring_free(struct rcu_head *h)
{
	kfree(container_of(h, struct uring, rcu));
}

static void end_ring(struct work_struct *w)
{
	struct uring *u = container_of(w, struct uring, tell);
	struct uring_late_cqe *c, *next;

	list_for_each_entry_safe(c, next, &u->late, list)
		kfree(c);
	if (u->eventfd)
		eventfd_put(u->eventfd);
	uring_rules_put(u->rules);
	vfree(u->shared);
	vfree(u->sqes);
	if (u->user)
		free_uid(u->user);
	if (u->submitter)
		put_task_struct(u->submitter);
	kvfree(u->later);
	call_rcu(&u->rcu, ring_free);
}

void uring_put(struct uring *u)
{
	if (!refcount_dec_and_test(&u->refs))
		return;
	/* The work has a reference while it is queued: it is not, or it has come here. */
	u->tell.func = end_ring;
	schedule_work(&u->tell);
}

/* Work came that the program has to ask for. */
static void tell_work(struct work_struct *w)
{
	struct uring *u = container_of(w, struct uring, tell);

	if (waitqueue_active(&u->poll_wait))
		wake_up_poll(&u->poll_wait, EPOLLIN | EPOLL_URING_WAKE);
	mutex_lock(&u->lock);
	if (test_and_clear_bit(0, &u->tell_eventfd) && u->eventfd)
		eventfd_signal(u->eventfd, 1, EPOLL_URING_WAKE);
	mutex_unlock(&u->lock);
	uring_put(u);
}

static void *pages(size_t bytes)
{
	return __vmalloc(bytes, GFP_KERNEL_ACCOUNT | __GFP_ZERO | __GFP_NOWARN);
}

static int alloc_shared(struct uring *u)
{
	size_t cqes = (size_t)u->cq_entries * sizeof(struct io_uring_cqe);
	size_t sqes = (size_t)u->sq_entries * sizeof(struct io_uring_sqe), array;

	if (u->flags & IORING_SETUP_CQE32)
		cqes *= 2;
	if (u->flags & IORING_SETUP_SQE128)
		sqes *= 2;
	array = sizeof(struct uring_shared) + cqes;
	u->shared_bytes = PAGE_ALIGN(array + (u->flags & IORING_SETUP_NO_SQARRAY ?
						      0 :
						      (size_t)u->sq_entries * sizeof(u32)));
	u->sqe_bytes = PAGE_ALIGN(sqes);
	u->shared = pages(u->shared_bytes);
	u->sqes = pages(u->sqe_bytes);
	if (!u->shared || !u->sqes)
		return -ENOMEM;
	if (!(u->flags & IORING_SETUP_NO_SQARRAY))
		u->array = (u32 *)((char *)u->shared + array);
	u->shared->sq_entries = u->sq_entries;
	u->shared->cq_entries = u->cq_entries;
	u->shared->sq_mask = u->sq_entries - 1;
	u->shared->cq_mask = u->cq_entries - 1;
	u->cq_room_to = u->cq_entries;
	return 0;
}

static struct uring *ring_alloc(const struct io_uring_params *p)
{
	struct uring *u = kzalloc(sizeof(*u), GFP_KERNEL_ACCOUNT);
	int e;

	if (!u)
		return ERR_PTR(-ENOMEM);
	refcount_set(&u->refs, 1);
	u->flags = p->flags;
	u->sq_entries = p->sq_entries;
	u->cq_entries = p->cq_entries;
	u->sqe_shift = p->flags & IORING_SETUP_SQE128 ? 7 : 6;
	u->cqe_shift = p->flags & IORING_SETUP_CQE32 ? 5 : 4;
	u->disabled = p->flags & IORING_SETUP_R_DISABLED;
	u->clock = CLOCK_MONOTONIC;
	u->rules = uring_rules_get(current->uring_rules);
	u->born_ruled = u->rules;
	if (!capable(CAP_IPC_LOCK)) {
		u->user = current_cred()->user;
		refcount_inc(&u->user->refs);
	}
	mutex_init(&u->lock);
	INIT_LIST_HEAD(&u->late);
	INIT_LIST_HEAD(&u->ready);
	INIT_LIST_HEAD(&u->drain);
	INIT_LIST_HEAD(&u->counted);
	INIT_LIST_HEAD(&u->tasks);
	xa_init(&u->personalities);
	init_waitqueue_head(&u->cq_wait);
	init_waitqueue_head(&u->poll_wait);
	INIT_WORK(&u->tell, tell_work);
	INIT_WORK(&u->msg_work, uring_deliver_msgs);
	u->later_mask = max(u->cq_entries / 4, 16u) - 1;
	u->later = kvcalloc(u->later_mask + 1, sizeof(u->later[0]), GFP_KERNEL_ACCOUNT);
	e = u->later ? alloc_shared(u) : -ENOMEM;
	if (e) {
		uring_put(u);
		return ERR_PTR(e);
	}
	return u;
}

/* ---- setup ---- */

/* FROM entries to *OUT, a power of two: 0, -EINVAL. */
static int size_of(u32 from, u32 most, bool clamp, u32 *out)
{
	if (!from || (from > most && !clamp))
		return -EINVAL;
	*out = (u32)roundup_pow_of_two(min(from, most));
	return 0;
}

static int check_flags(u32 f)
{
	if (f & ~URING_SETUP_KNOWN)
		return -EINVAL;
	if (f & IORING_SETUP_DEFER_TASKRUN && !(f & IORING_SETUP_SINGLE_ISSUER))
		return -EINVAL;
	if (f & IORING_SETUP_TASKRUN_FLAG &&
	    !(f & (IORING_SETUP_COOP_TASKRUN | IORING_SETUP_DEFER_TASKRUN)))
		return -EINVAL;
	return 0;
}

/*
 * ATTACH_WQ without a thread that polls shares nothing; its descriptor is looked at all the same.
 */
static int check_attach(const struct io_uring_params *p)
{
	struct file *f;
	int e;

	if (!(p->flags & IORING_SETUP_ATTACH_WQ))
		return 0;
	f = fget(p->wq_fd);
	if (!f)
		return -ENXIO;
	e = uring_of(f) ? 0 : -EINVAL;
	fput(f);
	return e;
}

static int may_setup(void)
{
	int how = READ_ONCE(disabled), g = READ_ONCE(group);

	if (how == 0 || (how == 1 && capable(CAP_SYS_ADMIN)))
		return 0;
	if (how == 1 && g >= 0 && in_egroup_p(make_kgid(&init_user_ns, (gid_t)g)))
		return 0;
	return -EPERM;
}

static void fill_offsets(const struct uring *u, struct io_uring_params *p)
{
	p->sq_off = (struct io_sqring_offsets){
		.head = offsetof(struct uring_shared, sq_head),
		.tail = offsetof(struct uring_shared, sq_tail),
		.ring_mask = offsetof(struct uring_shared, sq_mask),
		.ring_entries = offsetof(struct uring_shared, sq_entries),
		.flags = offsetof(struct uring_shared, sq_flags),
		.dropped = offsetof(struct uring_shared, sq_dropped),
		.array = u->array ? (u32)((char *)u->array - (char *)u->shared) : 0,
	};
	p->cq_off = (struct io_cqring_offsets){
		.head = offsetof(struct uring_shared, cq_head),
		.tail = offsetof(struct uring_shared, cq_tail),
		.ring_mask = offsetof(struct uring_shared, cq_mask),
		.ring_entries = offsetof(struct uring_shared, cq_entries),
		.overflow = offsetof(struct uring_shared, cq_overflow),
		.cqes = offsetof(struct uring_shared, cqes),
		.flags = offsetof(struct uring_shared, cq_flags),
	};
	p->features = URING_FEATURES;
}

static int sizes(u32 entries, struct io_uring_params *p)
{
	bool clamp = p->flags & IORING_SETUP_CLAMP;
	int e = size_of(entries, URING_MOST_SQ, clamp, &p->sq_entries);

	if (e)
		return e;
	if (!(p->flags & IORING_SETUP_CQSIZE)) {
		p->cq_entries = 2 * p->sq_entries;
		return 0;
	}
	e = size_of(p->cq_entries, URING_MOST_CQ, clamp, &p->cq_entries);
	return e ?: p->cq_entries < p->sq_entries ? -EINVAL : 0;
}

int uring_setup(u32 entries, struct io_uring_params *p, struct file **file)
{
	struct uring *u;
	struct file *f;
	int e, fd;

	if (memchr_inv(p->resv, 0, sizeof(p->resv)))
		return -EINVAL;
	e = may_setup() ?: check_flags(p->flags) ?: sizes(entries, p) ?: check_attach(p);
	if (e)
		return e;
	u = ring_alloc(p);
	if (IS_ERR(u))
		return (int)PTR_ERR(u);
	fill_offsets(u, p);
	if (u->flags & IORING_SETUP_SINGLE_ISSUER && !u->disabled)
		uring_set_submitter(u);
	f = anon_inode_getfile("[io_uring]", &ring_fops, u, O_RDWR | O_CLOEXEC);
	if (IS_ERR(f)) {
		uring_put(u);
		return (int)PTR_ERR(f);
	}
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0) {
		fput(f);
		return fd;
	}
	*file = f;
	return fd;
}

/* ---- the file ---- */

static int ring_mmap(struct file *file, struct vma *vma)
{
	struct uring *u = file->private_data;
	u64 at = (u64)vma->vm_pgoff << PAGE_SHIFT;
	size_t bytes;
	char *from;
	int e = 0;

	switch (at) {
	case IORING_OFF_SQ_RING:
	case IORING_OFF_CQ_RING:
		from = (char *)u->shared;
		bytes = u->shared_bytes;
		break;
	case IORING_OFF_SQES:
		from = u->sqes;
		bytes = u->sqe_bytes;
		break;
	default:
		return -EINVAL;
	}
	if (vma->vm_end - vma->vm_start > bytes)
		return -EINVAL;
	vma->vm_flags |= VM_DONTEXPAND;
	bytes = vma->vm_end - vma->vm_start;
	for (size_t off = 0; off < bytes && !e; off += PAGE_SIZE)
		e = vm_insert_page(vma, vma->vm_start + off, vmalloc_to_page(from + off));
	return e;
}

static __poll_t ring_poll(struct file *file, struct poll_table_struct *pt)
{
	struct uring *u = file->private_data;
	__poll_t mask = 0;

	poll_wait(file, &u->poll_wait, pt);
	if (READ_ONCE(u->shared->sq_tail) - READ_ONCE(u->sq_head) < u->sq_entries)
		mask |= EPOLLOUT | EPOLLWRNORM;
	if (uring_cq_events(u) || !list_empty(&u->late) || !llist_empty(&u->work))
		mask |= EPOLLIN | EPOLLRDNORM;
	return mask;
}

static int ring_release(struct inode *inode, struct file *file)
{
	struct uring *u = file->private_data;

	(void)inode;
	mutex_lock(&u->lock);
	uring_tasks_close(u);
	uring_cancel_all(u, NULL);
	uring_tables_drop(u);
	uring_drop_personalities(u);
	uring_settle(u);
	mutex_unlock(&u->lock);
	uring_put(u);
	return 0;
}

/* Without the lock: it may be the ring itself that reads this. */
static void ring_fdinfo(struct seq_file *m, struct file *file)
{
	struct uring *u = file->private_data;
	u32 sq_head = READ_ONCE(u->sq_head);

	seq_printf(m, "SqMask:\t0x%x\nSqHead:\t%u\nSqTail:\t%u\nCachedSqHead:\t%u\n",
		   u->sq_entries - 1, READ_ONCE(u->shared->sq_head), READ_ONCE(u->shared->sq_tail),
		   sq_head);
	seq_printf(m, "CqMask:\t0x%x\nCqHead:\t%u\nCqTail:\t%u\nCachedCqTail:\t%u\n",
		   u->cq_entries - 1, READ_ONCE(u->shared->cq_head), READ_ONCE(u->shared->cq_tail),
		   READ_ONCE(u->cq_tail));
	seq_printf(m, "SQEs:\t%u\nCQEs:\t%u\nSqThread:\t-1\nSqThreadCpu:\t-1\n",
		   READ_ONCE(u->shared->sq_tail) - sq_head, uring_cq_events(u));
	seq_printf(m, "UserFiles:\t%u\nUserBufs:\t%u\nPollList:\nCqOverflowList:\n",
		   READ_ONCE(u->files.nr), READ_ONCE(u->buffers.nr));
}

static const struct file_operations ring_fops = {
	.fop_flags = FOP_NOT_SENT,
	.mmap = ring_mmap,
	.poll = ring_poll,
	.release = ring_release,
	.show_fdinfo = ring_fdinfo,
	.llseek = noop_llseek,
};

static int ring_init(void)
{
	sysctl_int("kernel/io_uring_disabled", 0644, &disabled, 0, 2);
	sysctl_int("kernel/io_uring_group", 0644, &group, -1, INT_MAX);
	return 0;
}
INITCALL(subsys, ring_init);
