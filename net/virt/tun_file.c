// SPDX-License-Identifier: MIT
/*
 * /dev/net/tun: reading and writing frames. Before a frame stands, where the device has them, a
 * struct tun_pi and a header of virtio_net. What a writer says in them is compared with the frame
 * once, before anything else sees it.
 */
#include <lib/err.h>
#include <lib/kdev.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <alloc/slab.h>
#include <kernel/init.h>
#include <kernel/rcu.h>
#include <net/gso.h>
#include <proc/pid.h>
#include <sched/task.h>
#include <vfs/chrdev.h>
#include <vfs/poll.h>
#include <abi/errno.h>
#include "net/dev/if_flags.h"
#include "net/virt/tun.h"
#include "net/wire/eth.h"

#define TUN_MINOR 200
/* of a long frame, copied to the packet's head: link, IP and TCP headers with options */
#define COPIED_HEADERS 128

struct netdev *tun_file_dev(struct tun_file *f)
{
	struct netdev *d;

	rcu_read_lock();
	d = rcu_dereference(f->dev);	/* its registration's reference outlives the section */
	if (d)
		netdev_get(d);
	rcu_read_unlock();
	return d;
}

static bool is_of(const struct tun_file *f, const struct netdev *d)
{
	return rcu_access_pointer(f->dev) == d;
}

/* ---- reading ---- */

static struct packet *take(struct tun_file *f, const struct netdev *d, bool nonblock)
{
	for (;;) {
		struct packet *p;

		spin_lock(&f->lock);
		p = packet_list_take(&f->queue);
		spin_unlock(&f->lock);
		if (p)
			return p;
		if (!is_of(f, d))
			return ERR_PTR(-EFAULT);	/* as Linux says that the device went */
		if (nonblock)
			return ERR_PTR(-EAGAIN);
		if (wait_event_interruptible(f->wait, READ_ONCE(f->queue.nr) || !is_of(f, d)))
			return ERR_PTR(-ERESTARTSYS);
	}
}

/* P's header of virtio_net; sums that the reader does not make are made. */
static int put_vnet(const struct netdev *d, struct packet *p, u32 flags, struct iter *to)
{
	const struct tun *t = tun_of(d);
	size_t size = flags & IFF_VNET_HDR ? (size_t)READ_ONCE(t->hdr_size) : 0;
	struct vnet_wire h;

	if (iter_count(to) < size)
		return -EINVAL;
	if (!p->gso_size && !(size && READ_ONCE(d->features) & NETDEV_F_CSUM) &&
	    !packet_csum_finish(p))
		return -EINVAL;
	gso_tell_vnet(p, &h);
	vnet_turn(&h, READ_ONCE(t->little));
	if (size && !copy_to_iter_full(&h, sizeof(h), to))
		return -EFAULT;
	return size && iter_zero(size - sizeof(h), to) != size - sizeof(h) ? -EFAULT : 0;
}

/* The bytes of P with its headers, which may be more than there was room for; -errno. */
static ssize_t give(const struct netdev *d, struct packet *p, struct iter *to)
{
	u32 flags = READ_ONCE(tun_of(d)->flags);
	size_t vnet = flags & IFF_VNET_HDR ? (size_t)READ_ONCE(tun_of(d)->hdr_size) : 0;
	struct tun_pi pi = { .proto = p->protocol.v };
	size_t total = p->len + vnet;
	int err;

	if (!(flags & IFF_NO_PI)) {
		if (iter_count(to) < sizeof(pi))
			return -EINVAL;
		total += sizeof(pi);
		if (iter_count(to) < total)
			pi.flags |= TUN_PKT_STRIP;
		if (!copy_to_iter_full(&pi, sizeof(pi), to))
			return -EFAULT;
	}
	err = put_vnet(d, p, flags, to);
	if (!err)
		err = packet_to_iter(p, 0, to, min_t(u32, p->len, (u32)iter_count(to)));
	return err ?: (ssize_t)total;
}

static bool does_not_wait(const struct kiocb *k)
{
	return k->ki_filp->f_flags & O_NONBLOCK || k->ki_flags & IOCB_NOWAIT;
}

ssize_t tun_read_iter(struct kiocb *k, struct iter *to)
{
	struct tun_file *f = k->ki_filp->private_data;
	size_t room = iter_count(to);
	struct netdev *d = tun_file_dev(f);
	struct packet *p;
	ssize_t n = 0;

	if (!d)
		return -EBADFD;
	if (!room)
		goto out;
	p = take(f, d, does_not_wait(k));
	if (IS_ERR(p)) {
		n = PTR_ERR(p);
		goto out;
	}
	n = give(d, p, to);
	if (n < 0)
		packet_free(p, DROP_NOT_SPECIFIED);
	else
		packet_consume(p);
	n = min_t(ssize_t, n, (ssize_t)room);
out:
	netdev_put(d);
	return n;
}

/* ---- writing ---- */

/* What stands before a frame. */
struct frame {
	be16 protocol;			/* of struct tun_pi; 0: it is not there */
	bool has_pi;
	struct vnet_wire vnet;		/* in the CPU's byte order */
	u32 len;			/* bytes of the frame itself */
};

static int read_vnet(const struct tun *t, struct iter *from, struct vnet_wire *h)
{
	size_t size = (size_t)READ_ONCE(t->hdr_size);

	if (iter_count(from) < size)
		return -EINVAL;
	if (!copy_from_iter_full(h, sizeof(*h), from))
		return -EFAULT;
	iter_advance(from, size - sizeof(*h));
	vnet_turn(h, READ_ONCE(t->little));
	return vnet_is_within(h, iter_count(from)) ? 0 : -EINVAL;
}

static int read_frame(const struct netdev *d, struct iter *from, struct frame *fr)
{
	u32 flags = READ_ONCE(tun_of(d)->flags);
	struct tun_pi pi;
	int err = 0;

	memset(fr, 0, sizeof(*fr));
	fr->has_pi = !(flags & IFF_NO_PI);
	if (fr->has_pi) {
		if (iter_count(from) < sizeof(pi))
			return -EINVAL;
		if (!copy_from_iter_full(&pi, sizeof(pi), from))
			return -EFAULT;
		fr->protocol.v = pi.proto;
	}
	if (flags & IFF_VNET_HDR)
		err = read_vnet(tun_of(d), from, &fr->vnet);
	if (err)
		return err;
	if (tun_is_tap(d) &&
	    (iter_count(from) < ETH_HEADER || (fr->vnet.hdr_len && fr->vnet.hdr_len < ETH_HEADER)))
		return -EINVAL;
	if (iter_count(from) > U16_MAX + ETH_HEADER)
		return -EMSGSIZE;
	fr->len = (u32)iter_count(from);
	return 0;
}

/* The frame's bytes. */
static struct packet *read_packet(struct iter *from, u32 len)
{
	struct packet *p = packet_alloc(GFP_KERNEL);
	u32 head = len > COPIED_HEADERS ? COPIED_HEADERS : len;
	int err = 0;

	if (!p)
		return ERR_PTR(-ENOMEM);
	if (!copy_from_iter_full(packet_put(p, (u16)head), head, from))
		err = -EFAULT;
	else if (len > head)
		err = packet_from_iter(p, from, len - head, GFP_KERNEL);
	if (!err)
		return p;
	packet_consume(p);
	return ERR_PTR(err);
}

/* What kind of packet P is, where its device has no link header. */
static int find_protocol(struct packet *p, const struct frame *fr)
{
	u8 version = p->linear ? *packet_data(p) >> 4 : 0;

	p->pkt_type = PACKET_HOST;
	if (fr->has_pi)
		p->protocol = fr->protocol;
	else if (version == 4)
		p->protocol = be16_make(ETH_P_IP);
	else if (version == 6)
		p->protocol = be16_make(ETH_P_IPV6);
	else
		return -EINVAL;
	return 0;
}

/* D, which is F's yet, receives P. -EIO: it is down; P is gone. */
static int receive(struct tun_file *f, struct netdev *d, struct packet *p)
{
	bool up;

	rcu_read_lock();
	up = is_of(f, d) && READ_ONCE(d->flags) & IFF_UP;
	if (up) {
		p->dev = d;
		if (tun_is_tap(d))
			eth_type_trans(p, d);
		else
			packet_set_mac(p);
		net_local_receive(p);
	}
	rcu_read_unlock();
	if (up)
		return 0;
	this_cpu_inc(d->stats->rx_dropped);
	packet_free(p, DROP_DEV_DOWN);
	return -EIO;
}

/* P is more segments than go through the machine as one. */
static int receive_segments(struct tun_file *f, struct netdev *d, struct packet *p)
{
	u32 nr = gso_segments(p);
	int err = 0;

	for (u32 i = 0; i < nr && !err; i++) {
		struct packet *q = gso_segment(p, i, GFP_KERNEL);

		err = q ? receive(f, d, q) : -ENOMEM;
		if (i % NET_BATCH == NET_BATCH - 1)
			net_ctx_flush();
	}
	packet_consume(p);
	return err;
}

static int write_packet(struct tun_file *f, struct netdev *d, struct packet *p,
			const struct frame *fr)
{
	struct net_ctx c;
	int err = gso_heed_vnet(p, &fr->vnet, tun_is_tap(d) ? ETH_HEADER : 0);

	if (err) {
		atomic_inc(&tun_of(d)->bad_frames);
	} else if (!tun_is_tap(d)) {
		err = find_protocol(p, fr);
		if (err)
			this_cpu_inc(d->stats->rx_dropped);
	}
	if (err) {
		packet_free(p, DROP_BAD_HEADER);
		return err;
	}
	net_ctx_begin(&c);
	err = p->gso_segs > GSO_SEGMENTS_MOST ? receive_segments(f, d, p) : receive(f, d, p);
	net_ctx_end(&c);
	return err;
}

ssize_t tun_write_iter(struct kiocb *k, struct iter *from)
{
	struct tun_file *f = k->ki_filp->private_data;
	struct netdev *d = tun_file_dev(f);
	size_t total = iter_count(from);
	struct packet *p;
	struct frame fr;
	ssize_t err;

	if (!d)
		return -EBADFD;
	err = read_frame(d, from, &fr);
	if (!err) {
		p = read_packet(from, fr.len);
		err = IS_ERR(p) ? PTR_ERR(p) : write_packet(f, d, p, &fr);
	}
	netdev_put(d);
	return err ?: (ssize_t)total;
}

/* ---- the file ---- */

static __poll_t tun_poll(struct file *file, struct poll_table_struct *pt)
{
	struct tun_file *f = file->private_data;
	struct netdev *d;
	__poll_t mask = 0;

	poll_wait(file, &f->wait, pt);
	rcu_read_lock();
	d = rcu_dereference(f->dev);
	if (!d)
		mask = EPOLLERR;
	else if (READ_ONCE(d->flags) & IFF_UP)
		mask = EPOLLOUT | EPOLLWRNORM;
	if (d && READ_ONCE(f->queue.nr))
		mask |= EPOLLIN | EPOLLRDNORM;
	rcu_read_unlock();
	return mask;
}

static int tun_open(struct inode *inode, struct file *file)
{
	struct tun_file *f = kzalloc(sizeof(*f), GFP_KERNEL_ACCOUNT);

	if (!f)
		return -ENOMEM;
	f->net = get_net(current_net());
	f->sndbuf = INT_MAX;
	spin_lock_init(&f->lock);
	packet_list_init(&f->queue);
	init_waitqueue_head(&f->wait);
	file->private_data = f;
	return 0;
}

static int tun_release(struct inode *inode, struct file *file)
{
	struct tun_file *f = file->private_data;

	rtnl_lock();
	tun_detach(f);
	rtnl_unlock();
	synchronize_rcu();		/* a sender may have seen it */
	packet_list_free(&f->queue, DROP_DEV_DOWN);
	put_net(f->net);
	kfree(f);
	return 0;
}

static int tun_fasync(int fd, struct file *file, int on)
{
	struct tun_file *f = file->private_data;
	int e = fasync_helper(fd, file, on, &f->fasync);

	if (e >= 0 && on)
		e = f_setown(file, task_tgid_vnr(current), 0);
	return e < 0 ? e : 0;
}

static const struct file_operations tun_fops = {
	.fop_flags = FOP_NOWAIT,
	.llseek = no_llseek,
	.read_iter = tun_read_iter,
	.write_iter = tun_write_iter,
	.poll = tun_poll,
	.ioctl = tun_ioctl,
	.open = tun_open,
	.release = tun_release,
	.fasync = tun_fasync,
};

static int tun_file_init(void)
{
	return PTR_ERR_OR_ZERO(misc_create("net/tun", TUN_MINOR, 0600, &tun_fops, NULL));
}
INITCALL(device, tun_file_init);
