// SPDX-License-Identifier: MIT
/* Options of packet sockets (packet(7)), and /proc/net/packet. */
#include <lib/err.h>
#include <lib/format.h>
#include <lib/minmax.h>
#include <mm/uaccess.h>
#include <net/show.h>
#include <proc/cred.h>
#include <vfs/seq_file.h>
#include <abi/errno.h>
#include "net/packet/psock.h"

/* ---- setting ---- */

static int set_version(struct packet_sock *k, u32 v)
{
	int err = 0;

	if (v != TPACKET_V1 && v != TPACKET_V2)
		return -EINVAL;
	mutex_lock(&k->ring_mutex);
	if (k->ring)
		err = -EBUSY;
	else
		k->version = (int)v;
	mutex_unlock(&k->ring_mutex);
	return err;
}

static int set_reserve(struct packet_sock *k, u32 v)
{
	int err = 0;

	if (v > INT_MAX)
		return -EINVAL;
	mutex_lock(&k->ring_mutex);
	if (k->ring)
		err = -EBUSY;
	else
		k->reserve = v;
	mutex_unlock(&k->ring_mutex);
	return err;
}

/* Options that are a number; LEN is right where it has to be just that. */
static int set_number(struct packet_sock *k, int name, u32 v)
{
	switch (name) {
	case PACKET_AUXDATA:
		WRITE_ONCE(k->auxdata, v != 0);
		return 0;
	case PACKET_ORIGDEV:
		WRITE_ONCE(k->origdev, v != 0);
		return 0;
	case PACKET_COPY_THRESH:
		WRITE_ONCE(k->copy_thresh, v);
		return 0;
	case PACKET_VERSION:
		return set_version(k, v);
	case PACKET_RESERVE:
		return set_reserve(k, v);
	case PACKET_IGNORE_OUTGOING:
		if (v > 1)
			return -EINVAL;
		WRITE_ONCE(k->hook.no_outgoing, v != 0);
		return 0;
	}
	return -ENOPROTOOPT;
}

int packet_setsockopt(struct socket *sock, int level, int name, struct uptr val, int len)
{
	struct packet_sock *k = packet_sk(sock->sk);
	u32 v;

	if (level == SOL_SOCKET)
		return sock_setsockopt(sock, name, val, len);
	if (level != SOL_PACKET)
		return -ENOPROTOOPT;
	switch (name) {
	case PACKET_VNET_HDR:
	case PACKET_VNET_HDR_SZ:
		if (k->sk.type != SOCK_RAW || len < (int)sizeof(v))
			return -EINVAL;
		if (copy_from_user(&v, val, sizeof(v)))
			return -EFAULT;
		return packet_vnet_set(k, name == PACKET_VNET_HDR_SZ, v);
	case PACKET_ADD_MEMBERSHIP:
	case PACKET_DROP_MEMBERSHIP:
		return packet_want_change(k, name == PACKET_ADD_MEMBERSHIP, val, len);
	case PACKET_RX_RING:
		return packet_ring_set(k, val, len);
	case PACKET_AUXDATA:
	case PACKET_ORIGDEV:
		if (len < (int)sizeof(v))
			return -EINVAL;
		break;
	case PACKET_COPY_THRESH:
	case PACKET_VERSION:
	case PACKET_RESERVE:
	case PACKET_IGNORE_OUTGOING:
		if (len != (int)sizeof(v))
			return -EINVAL;
		break;
	default:
		return -ENOPROTOOPT;
	}
	return copy_from_user(&v, val, sizeof(v)) ? -EFAULT : set_number(k, name, v);
}

/* ---- asking ---- */

static int put_stats(struct packet_sock *k, struct uptr val, struct uptr ulen)
{
	struct tpacket_stats s;

	s.tp_drops = (u32)atomic_xchg(&k->lost, 0);
	s.tp_packets = (u32)atomic_xchg(&k->packets, 0) + s.tp_drops;
	return sock_put_option(&s, sizeof(s), val, ulen);
}

/* The length of a frame's header in the version that VAL holds. */
static int put_header_len(struct uptr val, struct uptr ulen)
{
	s32 v, len;

	if (get_user(len, ulen))
		return -EFAULT;
	if (len < (s32)sizeof(v))
		return -EINVAL;
	if (get_user(v, val))
		return -EFAULT;
	if (v != TPACKET_V1 && v != TPACKET_V2)
		return -EINVAL;
	v = v == TPACKET_V1 ? sizeof(struct tpacket_hdr) : sizeof(struct tpacket2_hdr);
	return sock_put_option(&v, sizeof(v), val, ulen);
}

int packet_getsockopt(struct socket *sock, int level, int name, struct uptr val, struct uptr ulen)
{
	struct packet_sock *k = packet_sk(sock->sk);
	s32 v;

	if (level == SOL_SOCKET)
		return sock_getsockopt(sock, name, val, ulen);
	if (level != SOL_PACKET)
		return -ENOPROTOOPT;
	if (get_user(v, ulen))
		return -EFAULT;
	if (v < 0)
		return -EINVAL;
	switch (name) {
	case PACKET_STATISTICS:
		return put_stats(k, val, ulen);
	case PACKET_HDRLEN:
		return put_header_len(val, ulen);
	case PACKET_AUXDATA:
		v = READ_ONCE(k->auxdata);
		break;
	case PACKET_ORIGDEV:
		v = READ_ONCE(k->origdev);
		break;
	case PACKET_VNET_HDR:
		v = READ_ONCE(k->vnet_size) != 0;
		break;
	case PACKET_VNET_HDR_SZ:
		v = READ_ONCE(k->vnet_size);
		break;
	case PACKET_COPY_THRESH:
		v = (s32)READ_ONCE(k->copy_thresh);
		break;
	case PACKET_VERSION:
		v = READ_ONCE(k->version);
		break;
	case PACKET_RESERVE:
		v = (s32)READ_ONCE(k->reserve);
		break;
	case PACKET_IGNORE_OUTGOING:
		v = READ_ONCE(k->hook.no_outgoing);
		break;
	default:
		return -ENOPROTOOPT;
	}
	return sock_put_option(&v, sizeof(v), val, ulen);
}

/* ---- /proc/net ---- */

struct lines {
	struct packet_sock *found[32];	/* referenced */
	unsigned int nr;
};

static void take(struct ghash_node *n, void *arg)
{
	struct packet_sock *k = container_of(n, struct packet_sock, node);
	struct lines *l = arg;

	if (l->nr < ARRAY_SIZE(l->found) && sock_get(&k->sk))
		l->found[l->nr++] = k;
}

static void line(struct seq_file *m, const struct packet_sock *k)
{
	const struct sock *sk = &k->sk;

	seq_printf(m, "%016lx %-6d %-4d %04x   %-5d %1d %-6u %-6u %-6llu\n", 0ul,
		   (int)refcount_read(&sk->refs) - 1, sk->type, be16_get(k->num),
		   READ_ONCE(k->ifindex), READ_ONCE(k->hooked), (u32)atomic_read(&sk->rmem),
		   from_kuid_munged(current_user_ns(), sk->uid), READ_ONCE(sk->ino));
}

void net_show_packet(struct seq_file *m, struct net *net)
{
	u64 pos = 0;

	seq_puts(m, "sk               RefCnt Type Proto  Iface R Rmem   User   Inode\n");
	while (pos < GHASH_END) {
		struct lines l = { .nr = 0 };

		ghash_walk(&net->packet->socks, &pos, take, &l);
		for (unsigned int i = 0; i < l.nr; i++) {
			line(m, l.found[i]);
			sock_put(&l.found[i]->sk);
		}
	}
}

void net_show_ptype(struct seq_file *m, struct net *net)
{
	packet_types_show(m, net);
}
