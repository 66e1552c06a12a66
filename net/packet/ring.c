// SPDX-License-Identifier: MIT
/*
 * The receive ring (PACKET_RX_RING, Documentation/networking/packet_mmap.rst): frames of one size
 * in blocks of pages that the program maps. A frame belongs to the kernel while its tp_status is
 * TP_STATUS_KERNEL, and to the program else. The program may write to frames at any time, so that
 * nothing but that status is read from them.
 *
 * The copy into a frame is done under ring_lock: it is of one packet, and the ring cannot go
 * meanwhile. TPACKET_V1 and V2; V3 is refused, and so are rings for sending.
 *
 * Memory: rings of sockets whose makers have no rights over the machine take an eighth of it
 * together at most.
 */
#include <lib/err.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <alloc/page.h>
#include <alloc/slab.h>
#include <alloc/vmalloc.h>
#include <kernel/time.h>
#include <mm/fault.h>
#include <mm/mm.h>
#include <mm/uaccess.h>
#include <net/gso.h>
#include <proc/cred.h>
#include <proc/signal.h>
#include <sched/task.h>
#include <vfs/file.h>
#include <abi/errno.h>
#include <linux/capability.h>
#include <linux/packet_diag.h>
#include "net/packet/psock.h"

#define BLOCKS_MOST (1u << 19)	/* their addresses take 4 MiB then */
#define SHARE_OF_MEMORY 8

struct packet_ring {
	u32 nr_blocks, block_size;	/* c */
	u32 frame_size, frames_per_block, nr_frames;	/* c */
	int version;			/* c */
	u32 reserve;			/* c */
	unsigned long charged;		/* c: pages */
	u32 head;			/* ring_lock: the frame that is filled next */
	u8 *blocks[];			/* c */
};

_Static_assert(sizeof(struct tpacket_hdr) == 32 && sizeof(struct tpacket2_hdr) == 32,
	       "the address follows both at 32");
#define HEADER TPACKET2_HDRLEN		/* with the address, of both versions */

static atomic_long_t charged_pages;

/* ---- life ---- */

static void ring_free(struct packet_ring *r)
{
	if (!r)
		return;
	for (u32 i = 0; i < r->nr_blocks; i++)
		vfree(r->blocks[i]);
	atomic_long_sub((long)r->charged, &charged_pages);
	kvfree(r);
}

static bool charge(struct packet_ring *r, unsigned long pages)
{
	if (capable(CAP_NET_ADMIN))
		return true;
	if (atomic_long_add_return((long)pages, &charged_pages) >
	    (long)(totalram_pages() / SHARE_OF_MEMORY)) {
		atomic_long_sub((long)pages, &charged_pages);
		return false;
	}
	r->charged = pages;
	return true;
}

/* What K's options and REQ say, without its blocks. ERR_PTR(-EINVAL, -ENOMEM). */
static struct packet_ring *ring_new(const struct packet_sock *k, const struct tpacket_req *q)
{
	struct packet_ring *r;
	u32 frames;

	if ((s32)q->tp_block_size <= 0 || q->tp_block_size % PAGE_SIZE ||
	    q->tp_frame_size < HEADER + k->reserve || q->tp_frame_size % TPACKET_ALIGNMENT ||
	    q->tp_frame_size > q->tp_block_size)
		return ERR_PTR(-EINVAL);
	if (check_mul_overflow(q->tp_block_size / q->tp_frame_size, q->tp_block_nr, &frames) ||
	    frames != q->tp_frame_nr)
		return ERR_PTR(-EINVAL);
	if (q->tp_block_nr > BLOCKS_MOST)
		return ERR_PTR(-ENOMEM);
	r = kvzalloc(struct_size(r, blocks, q->tp_block_nr), GFP_KERNEL_ACCOUNT);
	if (!r)
		return ERR_PTR(-ENOMEM);
	r->block_size = q->tp_block_size;
	r->frame_size = q->tp_frame_size;
	r->frames_per_block = q->tp_block_size / q->tp_frame_size;
	r->nr_frames = frames;
	r->version = k->version;
	r->reserve = k->reserve;
	return r;
}

static struct packet_ring *ring_make(const struct packet_sock *k, const struct tpacket_req *q)
{
	struct packet_ring *r = ring_new(k, q);

	if (IS_ERR(r))
		return r;
	if (!charge(r, (unsigned long)q->tp_block_nr * (q->tp_block_size / PAGE_SIZE)))
		goto none;
	for (; r->nr_blocks < q->tp_block_nr; r->nr_blocks++) {
		if (fatal_signal_pending(current))
			goto none;
		r->blocks[r->nr_blocks] =
			__vmalloc(r->block_size,
				  GFP_KERNEL_ACCOUNT | __GFP_ZERO | __GFP_NOWARN | __GFP_NORETRY);
		if (!r->blocks[r->nr_blocks])
			goto none;
	}
	return r;
none:
	ring_free(r);
	return ERR_PTR(-ENOMEM);
}

int packet_ring_set(struct packet_sock *k, struct uptr val, int len)
{
	struct packet_ring *fresh = NULL, *old;
	struct tpacket_req q;
	struct packet_list gone;
	int err = 0;

	if (len < (int)sizeof(q))
		return -EINVAL;
	if (copy_from_user(&q, val, sizeof(q)))
		return -EFAULT;
	mutex_lock(&k->ring_mutex);
	if (atomic_read(&k->mapped) || (q.tp_block_nr && k->ring))
		err = -EBUSY;
	else if (!q.tp_block_nr && q.tp_frame_nr)
		err = -EINVAL;
	if (!err && q.tp_block_nr)
		fresh = ring_make(k, &q);
	if (IS_ERR(fresh))
		err = (int)PTR_ERR(fresh);
	if (err) {
		mutex_unlock(&k->ring_mutex);
		return err;
	}
	spin_lock(&k->ring_lock);
	old = k->ring;
	WRITE_ONCE(k->ring, fresh);
	spin_unlock(&k->ring_lock);
	mutex_unlock(&k->ring_mutex);
	ring_free(old);
	/* what came before the ring is not read any more */
	spin_lock(&k->sk.queue.lock);
	packet_list_move(&gone, &k->sk.queue.rx);
	spin_unlock(&k->sk.queue.lock);
	packet_list_free(&gone, DROP_QUEUE_FLUSH);
	return 0;
}

void packet_ring_free(struct packet_sock *k)
{
	ring_free(k->ring);
	k->ring = NULL;
}

/* ---- mapping ---- */

static struct packet_sock *sock_of(const struct vma *vma)
{
	struct socket *s = vma->vm_file->private_data;

	return packet_sk(s->sk);
}

static void ring_open(struct vma *vma)
{
	atomic_inc(&sock_of(vma)->mapped);
}

static void ring_close(struct vma *vma)
{
	atomic_dec(&sock_of(vma)->mapped);
}

static const struct vm_operations ring_vm_ops = { .open = ring_open, .close = ring_close };

static int map_blocks(const struct packet_ring *r, struct vma *vma)
{
	unsigned long at = vma->vm_start;
	int err = 0;

	for (u32 i = 0; i < r->nr_blocks && !err; i++)
		for (u32 off = 0; off < r->block_size && !err; off += PAGE_SIZE, at += PAGE_SIZE)
			err = vm_insert_page(vma, at, vmalloc_to_page(r->blocks[i] + off));
	return err;
}

int packet_ring_mmap(struct socket *sock, struct vma *vma)
{
	struct packet_sock *k = packet_sk(sock->sk);
	const struct packet_ring *r;
	int err = -EINVAL;

	mutex_lock(&k->ring_mutex);
	r = k->ring;
	if (r && !vma->vm_pgoff &&
	    vma->vm_end - vma->vm_start == (unsigned long)r->nr_blocks * r->block_size) {
		vma->vm_flags |= VM_DONTEXPAND;
		err = map_blocks(r, vma);
	}
	if (!err) {
		atomic_inc(&k->mapped);
		vma->vm_ops = &ring_vm_ops;
	}
	mutex_unlock(&k->ring_mutex);
	return err;
}

/* ---- frames; ring_lock ---- */

static u8 *frame_at(const struct packet_ring *r, u32 i)
{
	return r->blocks[i / r->frames_per_block] +
	       (size_t)(i % r->frames_per_block) * r->frame_size;
}

static bool is_kernels(const struct packet_ring *r, u32 i)
{
	const u8 *f = frame_at(r, i);

	return r->version == TPACKET_V1 ?
		       READ_ONCE(((const struct tpacket_hdr *)f)->tp_status) == TP_STATUS_KERNEL :
		       READ_ONCE(((const struct tpacket2_hdr *)f)->tp_status) == TP_STATUS_KERNEL;
}

static void give(const struct packet_ring *r, u8 *frame, u32 status)
{
	/* pairs with the program's read of the status */
	if (r->version == TPACKET_V1)
		smp_store_release(&((struct tpacket_hdr *)frame)->tp_status, status);
	else
		smp_store_release(&((struct tpacket2_hdr *)frame)->tp_status, status);
}

/* Where a packet lies in its frame. */
struct place {
	u32 mac, net, len;
};

static void write_header(const struct packet_ring *r, u8 *frame, const struct place *at,
			 const struct packet_cb *cb, u64 ns)
{
	struct tpacket_hdr h1 = { .tp_len = cb->len,
				  .tp_snaplen = at->len,
				  .tp_mac = (u16)at->mac,
				  .tp_net = (u16)at->net,
				  .tp_sec = (u32)(ns / NSEC_PER_SEC),
				  .tp_usec = (u32)(ns % NSEC_PER_SEC / NSEC_PER_USEC) };
	struct tpacket2_hdr h2 = { .tp_len = cb->len,
				   .tp_snaplen = at->len,
				   .tp_mac = (u16)at->mac,
				   .tp_net = (u16)at->net,
				   .tp_sec = (u32)(ns / NSEC_PER_SEC),
				   .tp_nsec = (u32)(ns % NSEC_PER_SEC) };

	if (r->version == TPACKET_V1)
		memcpy(frame, &h1, sizeof(h1));
	else
		memcpy(frame, &h2, sizeof(h2));
	memcpy(frame + TPACKET_ALIGN(sizeof(h2)), &cb->from, sizeof(cb->from));
}

/* False: P fits into no frame. LEN of its bytes are wanted. */
static bool find_place(const struct packet_sock *k, const struct packet_ring *r,
		       const struct packet *p, u32 len, struct place *at)
{
	u32 link = 0;

	if (k->sk.type == SOCK_RAW && p->net_at != PACKET_NO_HEADER && p->net_at > p->data)
		link = p->net_at - p->data;
	at->net = k->sk.type == SOCK_RAW ?
			  (u32)TPACKET_ALIGN(HEADER + max(link, 16u)) + r->reserve :
			  (u32)TPACKET_ALIGN(HEADER) + 16 + r->reserve;
	at->net += READ_ONCE(k->vnet_size);
	at->mac = at->net - link;
	if (at->net > U16_MAX)
		return false;
	at->len = at->mac < r->frame_size ? min(len, r->frame_size - at->mac) : 0;
	return true;
}

/* ring_lock. P is in the next frame, or is lost. */
static bool fill(struct packet_sock *k, struct packet_ring *r, const struct packet *p,
		 const struct packet_cb *cb, const struct place *at, u32 status)
{
	u8 *frame = frame_at(r, r->head);

	lockdep_assert_held(&k->ring_lock);
	if (!is_kernels(r, r->head))
		return false;
	r->head = r->head + 1 == r->nr_frames ? 0 : r->head + 1;
	if (at->len && !packet_read(p, 0, frame + at->mac, at->len))
		return false;
	if (READ_ONCE(k->vnet_size) && at->mac <= r->frame_size) {
		struct vnet_wire h;

		gso_tell_vnet(p, &h);
		memcpy(frame + at->mac - sizeof(h), &h, sizeof(h));
	}
	write_header(r, frame, at, cb, p->tstamp_ns ?: ktime_get_real_ns());
	status |= TP_STATUS_USER | packet_csum_status(p);
	if (atomic_read(&k->lost))
		status |= TP_STATUS_LOSING;
	give(r, frame, status);
	return true;
}

bool packet_ring_put(struct packet_sock *k, struct packet *p, const struct packet_cb *cb, u32 len)
{
	struct packet_ring *r;
	struct place at;
	u32 status = 0;
	bool ok;

	if (likely(!READ_ONCE(k->ring)))
		return false;
	spin_lock(&k->ring_lock);
	r = k->ring;
	if (!r) {
		spin_unlock(&k->ring_lock);
		return false;
	}
	ok = find_place(k, r, p, len, &at);
	if (ok && at.len < len && READ_ONCE(k->copy_thresh) && packet_queue(k, p, cb, len))
		status = TP_STATUS_COPY;
	ok = ok && fill(k, r, p, cb, &at, status);
	spin_unlock(&k->ring_lock);
	atomic_inc(ok ? &k->packets : &k->lost);
	sock_wake_readable(&k->sk);
	return true;
}

bool packet_ring_readable(struct packet_sock *k)
{
	const struct packet_ring *r;
	bool readable = false;

	if (!READ_ONCE(k->ring))
		return false;
	spin_lock(&k->ring_lock);
	r = k->ring;
	if (r)
		readable = !is_kernels(r, r->head ? r->head - 1 : r->nr_frames - 1);
	spin_unlock(&k->ring_lock);
	return readable;
}

bool packet_ring_describe(struct packet_sock *k, struct packet_diag_ring *out)
{
	const struct packet_ring *r;

	mutex_lock(&k->ring_mutex);
	r = k->ring;
	if (r)
		*out = (struct packet_diag_ring){ .pdr_block_size = r->block_size,
						  .pdr_block_nr = r->nr_blocks,
						  .pdr_frame_size = r->frame_size,
						  .pdr_frame_nr = r->nr_frames };
	mutex_unlock(&k->ring_mutex);
	return r;
}
