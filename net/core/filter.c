// SPDX-License-Identifier: MIT
/*
 * Socket filters (socket(7), SO_ATTACH_FILTER): a classic BPF program that says how many bytes of a
 * packet its socket gets, 0: none. lib/cbpf.c checks and runs it; here is what its loads mean for a
 * packet: bytes from the layer that the socket begins at (its data), from SKF_NET_OFF on the
 * network header, from SKF_LL_OFF on the link header, and facts about the packet (SKF_AD_*).
 *
 * A program is immutable, counted, and freed after a grace period. sk->filter changes under
 * sk->lock, where SOCK_F_FILTER_LOCKED (SO_LOCK_FILTER) is also looked at. Each socket that has a
 * program is charged for all of it, up to net.core.optmem_max; connections that a listener makes
 * have its program.
 *
 * A load that searches for an attribute takes as many steps as the packet has attributes. Programs
 * with such loads run with a reference, and whoever is in a section with a packet for one gives it
 * to the socket behind that section (sock_later()).
 */
#include <lib/cbpf.h>
#include <lib/err.h>
#include <lib/minmax.h>
#include <alloc/slab.h>
#include <arch/cpu.h>
#include <kernel/random.h>
#include <kernel/rcu.h>
#include <mm/uaccess.h>
#include <net/netdev.h>
#include <net/sock.h>
#include <abi/errno.h>
#include "net/core/core_priv.h"

struct sock_filter_prog {
	refcount_t refs;
	u16 len;			/* c: instructions */
	bool searches;			/* c: it has loads that search attributes */
	u32 size;			/* c: bytes that a socket is charged */
	struct rcu_head rcu;
	struct sock_filter insns[];	/* c */
};

/* struct sock_fprog, with the pointer as a number. */
struct user_fprog {
	u16 len;
	u16 pad[3];
	u64 filter;
};

/* ---- what a program sees ---- */

struct filter_input {
	struct cbpf_input in;		/* first */
	const struct packet *p;		/* NULL: a message that is no packet */
};

static const struct packet *packet_of(const struct cbpf_input *in)
{
	return ((const struct filter_input *)in)->p;
}

/* SIZE bytes from AT on, counted from the packet's data: headers before it too. */
static bool read_at(const struct packet *p, s64 at, u32 size, u32 *out)
{
	u32 v = 0;
	u8 b;

	if (at < -(s64)p->data || at > (s64)p->len)
		return false;
	for (u32 i = 0; i < size; i++, at++) {
		if (at < 0)
			b = p->buf[p->data + at];
		else if (!packet_read(p, (u32)at, &b, 1))
			return false;
		v = v << 8 | b;
	}
	*out = v;
	return true;
}

/* Loads outside the linear bytes: pieces, and the two headers. */
static bool filter_far(const struct cbpf_input *in, u32 off, u32 size, u32 *out)
{
	const struct packet *p = packet_of(in);
	u16 header;
	u32 base;

	if (!p)
		return false;
	if (off <= (u32)INT_MAX)
		return read_at(p, off, size, out);
	if (off < (u32)SKF_LL_OFF)
		return false;
	base = off >= (u32)SKF_NET_OFF ? (u32)SKF_NET_OFF : (u32)SKF_LL_OFF;
	header = off >= (u32)SKF_NET_OFF ? p->net_at : p->mac_at;
	if (header == PACKET_NO_HEADER)
		return false;
	return read_at(p, (s64)header - p->data + (s64)(off - base), size, out);
}

#define ATTR_HEADER 4u			/* nla_len, nla_type */
/* Linux searches no packet that has pages, which one that came by a device has from here on. */
#define SEARCHED_MOST 16000u

/*
 * The attribute of TYPE among those of LEN bytes from AT on (netlink(7)): its offset, 0: none. Each
 * step goes on by 4 bytes at least.
 */
static u32 find_attr(const struct packet *p, u32 at, u32 len, u32 type)
{
	u16 h[2];
	u32 step;

	while (len >= ATTR_HEADER && packet_read(p, at, h, ATTR_HEADER)) {
		if (h[0] < ATTR_HEADER || h[0] > len)
			return 0;
		if ((h[1] & 0x3fff) == type)
			return at;
		step = min(ALIGN((u32)h[0], 4u), len);
		at += step;
		len -= step;
	}
	return 0;
}

static u32 fact_attr(const struct packet *p, u32 at, u32 type, bool nested)
{
	u16 h[2];

	if (p->len < ATTR_HEADER || at > p->len - ATTR_HEADER || (p->dev && p->len > SEARCHED_MOST))
		return 0;
	if (!nested)
		return find_attr(p, at, p->len - at, type);
	if (!packet_read(p, at, h, ATTR_HEADER) || h[0] < ATTR_HEADER || h[0] > p->len - at)
		return 0;
	return find_attr(p, at + ATTR_HEADER, h[0] - ATTR_HEADER, type);
}

/* Where the payload of a TCP, UDP or ICMP packet begins, counted from its data; 0: not known. */
static u32 payload_offset(const struct packet *p)
{
	s64 net = (s64)p->net_at - p->data, at;
	u32 b, protocol;

	if (p->net_at == PACKET_NO_HEADER || !read_at(p, net, 1, &b))
		return 0;
	if (b >> 4 == 4) {
		at = net + (b & 15) * 4;
		if (!read_at(p, net + 6, 2, &b) || b & 0x1fff || !read_at(p, net + 9, 1, &protocol))
			return 0;	/* a later fragment has no header */
	} else {
		at = net + 40;
		if (b >> 4 != 6 || !read_at(p, net + 6, 1, &protocol))
			return 0;
	}
	if (protocol == 6) {
		if (!read_at(p, at + 12, 1, &b))
			return (u32)at;
		return (u32)at + max((b >> 4) * 4, 20u);
	}
	return (u32)at + (protocol == 17 || protocol == 1 || protocol == 58 ? 8 : 0);
}

static bool filter_fact(const struct cbpf_input *in, u32 fact, u32 x, u32 *a)
{
	static const struct packet nothing = { .net_at = PACKET_NO_HEADER };
	const struct packet *p = packet_of(in) ?: &nothing;

	switch (fact) {
	case SKF_AD_PROTOCOL:
		*a = be16_get(p->protocol);
		break;
	case SKF_AD_PKTTYPE:
		*a = p->pkt_type;
		break;
	case SKF_AD_IFINDEX:
	case SKF_AD_HATYPE:
		if (!p->dev)
			return false;
		*a = fact == SKF_AD_IFINDEX ? (u32)p->dev->ifindex : p->dev->type;
		break;
	case SKF_AD_NLATTR:
		*a = fact_attr(p, *a, x, false);
		break;
	case SKF_AD_NLATTR_NEST:
		*a = fact_attr(p, *a, x, true);
		break;
	case SKF_AD_MARK:
		*a = p->mark;
		break;
	case SKF_AD_QUEUE:
		*a = p->queue;
		break;
	case SKF_AD_RXHASH:
		*a = p->hash;
		break;
	case SKF_AD_CPU:
		*a = (u32)raw_smp_processor_id();
		break;
	case SKF_AD_ALU_XOR_X:
		*a ^= x;
		break;
	case SKF_AD_PAY_OFFSET:
		*a = payload_offset(p);
		break;
	case SKF_AD_RANDOM:
		*a = get_random_u32();
		break;
	default:
		*a = 0;	/* VLAN tags: they stand in the bytes */
	}
	return true;
}

static void prog_unget(struct sock_filter_prog *f);

static u32 run(const struct sock *sk, struct filter_input *i)
{
	struct sock_filter_prog *f;
	u32 keep = U32_MAX;
	bool held;

	i->in.far = filter_far;
	i->in.fact = filter_fact;
	rcu_read_lock();
	f = rcu_dereference(sk->filter);
	held = f && f->searches && refcount_inc_not_zero(&f->refs);
	if (f && !held)
		keep = cbpf_run_input(f->insns, &i->in);
	rcu_read_unlock();
	if (held) {
		keep = cbpf_run_input(f->insns, &i->in);
		prog_unget(f);
	}
	return keep;
}

bool sock_filter_searches(const struct sock *sk)
{
	const struct sock_filter_prog *f;
	bool searches;

	rcu_read_lock();
	f = rcu_dereference(sk->filter);
	searches = f && f->searches;
	rcu_read_unlock();
	return searches;
}

u32 sock_filter_run(const struct sock *sk, const struct packet *p)
{
	struct filter_input i = {
		.in = { .data = p->buf + p->data, .linear = p->linear, .len = p->len }, .p = p
	};

	return run(sk, &i);
}

u32 sock_filter_run_flat(const struct sock *sk, const void *data, u32 len)
{
	struct filter_input i = { .in = { .data = data, .linear = len, .len = len } };

	return run(sk, &i);
}

bool sk_filter_apply(const struct sock *sk, struct packet *p, u32 least)
{
	u32 keep = sock_filter_run(sk, p);

	if (!keep)
		return false;
	packet_trim(p, max(keep, least));
	return true;
}

/* ---- life ---- */

static void prog_free(struct rcu_head *h)
{
	kvfree(container_of(h, struct sock_filter_prog, rcu));
}

/* F may be NULL. */
static void prog_put(struct sock *sk, struct sock_filter_prog *f)
{
	if (!f)
		return;
	atomic_sub((int)f->size, &sk->omem);
	if (refcount_dec_and_test(&f->refs))
		call_rcu(&f->rcu, prog_free);
}

void sock_filter_drop(struct sock *sk)
{
	prog_put(sk, rcu_dereference_protected(sk->filter, true));
}

void sock_filter_inherit(struct sock *child, struct sock *from)
{
	struct sock_filter_prog *f;

	rcu_read_lock();
	f = rcu_dereference(from->filter);
	if (f && refcount_inc_not_zero(&f->refs)) {
		atomic_add((int)f->size, &child->omem);
		rcu_assign_pointer(child->filter, f);
	}
	rcu_read_unlock();
}

/* The program that VAL names, checked. ERR_PTR(-EINVAL, -EFAULT, -ENOMEM). */
static struct sock_filter_prog *prog_read(struct uptr val, int len)
{
	struct sock_filter_prog *f;
	struct user_fprog u;
	u16 *scratch;
	int err;

	if (len != (int)sizeof(u))
		return ERR_PTR(-EINVAL);
	if (copy_from_user(&u, val, sizeof(u)))
		return ERR_PTR(-EFAULT);
	if (!u.filter || !u.len || u.len > BPF_MAXINSNS)
		return ERR_PTR(-EINVAL);
	f = kvmalloc(struct_size(f, insns, u.len), GFP_KERNEL_ACCOUNT);
	scratch = kvmalloc_array(u.len, sizeof(*scratch), GFP_KERNEL);
	err = f && scratch ? 0 : -ENOMEM;
	if (!err && copy_from_user(f->insns, UPTR(u.filter), u.len * sizeof(f->insns[0])))
		err = -EFAULT;
	err = err ?: cbpf_check(f->insns, u.len, scratch);
	kvfree(scratch);
	if (err) {
		kvfree(f);
		return ERR_PTR(err);
	}
	refcount_set(&f->refs, 1);
	f->len = u.len;
	f->searches = false;
	for (unsigned int i = 0; i < u.len; i++)
		f->searches |= BPF_CLASS(f->insns[i].code) == BPF_LD &&
			       BPF_MODE(f->insns[i].code) == BPF_ABS &&
			       (f->insns[i].k == (u32)SKF_AD_OFF + SKF_AD_NLATTR ||
				f->insns[i].k == (u32)SKF_AD_OFF + SKF_AD_NLATTR_NEST);
	f->size = (u32)struct_size(f, insns, u.len);
	return f;
}

/* SK is charged N bytes of options, if it may have so many. */
static bool charge(struct sock *sk, u32 n)
{
	u32 most = (u32)sock_conf(sk)->optmem_max;

	if (n > most)
		return false;
	if ((u32)atomic_add_return((int)n, &sk->omem) <= most)
		return true;
	atomic_sub((int)n, &sk->omem);
	return false;
}

/* FRESH, which is charged, or NULL, in place of what SK has, which is *OLD. 0, -EPERM, -ENOENT. */
static int swap_prog(struct sock *sk, struct sock_filter_prog *fresh, struct sock_filter_prog **old)
{
	int err = 0;

	spin_lock(&sk->lock);
	*old = rcu_dereference_protected(sk->filter, lockdep_is_held(&sk->lock));
	if (sock_flag(sk, SOCK_F_FILTER_LOCKED))
		err = -EPERM;
	else if (!fresh && !*old)
		err = -ENOENT;
	else
		rcu_assign_pointer(sk->filter, fresh);
	spin_unlock(&sk->lock);
	return err;
}

int sock_filter_attach(struct sock *sk, struct uptr val, int len)
{
	struct sock_filter_prog *f, *old;
	int err;

	if (sock_flag(sk, SOCK_F_FILTER_LOCKED))
		return -EPERM;
	f = prog_read(val, len);
	if (IS_ERR(f))
		return (int)PTR_ERR(f);
	if (!charge(sk, f->size)) {
		kvfree(f);
		return -ENOMEM;
	}
	err = swap_prog(sk, f, &old);
	prog_put(sk, err ? f : old);
	return err;
}

int sock_filter_detach(struct sock *sk)
{
	struct sock_filter_prog *old;
	int err = swap_prog(sk, NULL, &old);

	if (!err)
		prog_put(sk, old);
	return err;
}

int sock_filter_lock(struct sock *sk, bool on)
{
	bool was;

	spin_lock(&sk->lock);
	was = sock_flag(sk, SOCK_F_FILTER_LOCKED);
	if (on)
		sock_set_flag(sk, SOCK_F_FILTER_LOCKED, true);
	spin_unlock(&sk->lock);
	return was && !on ? -EPERM : 0;
}

/* SK's filter, referenced; NULL. */
static struct sock_filter_prog *prog_get(struct sock *sk)
{
	struct sock_filter_prog *f;

	spin_lock(&sk->lock);
	f = rcu_dereference_protected(sk->filter, lockdep_is_held(&sk->lock));
	if (f)
		refcount_inc(&f->refs);
	spin_unlock(&sk->lock);
	return f;
}

static void prog_unget(struct sock_filter_prog *f)
{
	if (refcount_dec_and_test(&f->refs))
		call_rcu(&f->rcu, prog_free);
}

int sock_filter_get(struct sock *sk, struct uptr val, struct uptr ulen)
{
	struct sock_filter_prog *f;
	s32 room, n = 0;
	int err = 0;

	if (get_user(room, ulen))
		return -EFAULT;
	if (room < 0)
		return -EINVAL;
	f = prog_get(sk);
	if (f) {
		n = f->len;
		if (room && room < n)
			err = -EINVAL;
		else if (room && copy_to_user(val, f->insns, (size_t)n * sizeof(f->insns[0])))
			err = -EFAULT;
		prog_unget(f);
	}
	if (!err && put_user(n, ulen))
		err = -EFAULT;
	return err;
}

void sock_filter_describe(struct sock *sk, void *arg,
			  void (*fn)(void *arg, const struct sock_filter *insns, u32 nr))
{
	struct sock_filter_prog *f = prog_get(sk);

	if (!f)
		return;
	fn(arg, f->insns, f->len);
	prog_unget(f);
}
