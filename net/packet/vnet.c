// SPDX-License-Identifier: MIT
/*
 * PACKET_VNET_HDR (packet(7)): the header of virtio_net before each frame of a SOCK_RAW socket, in
 * the CPU's byte order. A writer's is compared with its frame before anything else sees that.
 */
#include <lib/err.h>
#include <net/gso.h>
#include <abi/errno.h>
#include "net/packet/psock.h"

#define WITH_BUFFERS 12		/* struct virtio_net_hdr_mrg_rxbuf */

int packet_vnet_set(struct packet_sock *k, bool by_size, u32 v)
{
	int err = 0;

	if (by_size && v && v != VNET_HEADER && v != WITH_BUFFERS)
		return -EINVAL;
	if (!by_size && v)
		v = VNET_HEADER;
	mutex_lock(&k->ring_mutex);
	if (k->ring)
		err = -EBUSY;
	else
		WRITE_ONCE(k->vnet_size, (u8)v);
	mutex_unlock(&k->ring_mutex);
	return err;
}

int packet_vnet_read(const struct packet_sock *k, struct iter *from, struct vnet_wire *h)
{
	u32 size = READ_ONCE(k->vnet_size);

	*h = (struct vnet_wire){ 0 };
	if (!size)
		return 0;
	if (iter_count(from) < size)
		return -EINVAL;
	if (!copy_from_iter_full(h, sizeof(*h), from))
		return -EFAULT;
	iter_advance(from, size - sizeof(*h));
	h->flags &= VNET_NEEDS_CSUM;
	return vnet_is_within(h, iter_count(from)) ? (int)size : -EINVAL;
}

int packet_vnet_write(const struct packet_sock *k, const struct packet *p, struct iter *to)
{
	u32 size = READ_ONCE(k->vnet_size);
	struct vnet_wire h;

	if (!size)
		return 0;
	if (iter_count(to) < size)
		return -EINVAL;
	gso_tell_vnet(p, &h);
	if (!copy_to_iter_full(&h, sizeof(h), to) ||
	    iter_zero(size - sizeof(h), to) != size - sizeof(h))
		return -EFAULT;
	return (int)size;
}
