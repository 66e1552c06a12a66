// SPDX-License-Identifier: MIT
/* Sockets of single messages: net/inet/dgram.h. */
#include <lib/err.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <kernel/random.h>
#include <mm/uaccess.h>
#include <vfs/poll.h>
#include <abi/errno.h>
#include <asm/ioctls.h>
#include <asm/sockios.h>
#include <linux/icmp.h>
#include "net/dev/if_flags.h"
#include "net/core/stats.h"
#include "net/inet/dgram.h"
#include "net/ip4/addr.h"
#include "net/wire/icmp.h"
#include "net/wire/ip4.h"

int inet_dgram_begin(struct inet_sock *s, const struct sock_msg *m, bool needs_port,
		     struct inet_dgram *d)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)&m->addr;
	int err;

	*d = (struct inet_dgram){};
	if (m->addr_len) {
		if (m->addr_len < (int)sizeof(*in))
			return -EINVAL;
		if (in->sin_family != AF_INET && in->sin_family != AF_UNSPEC)
			return -EAFNOSUPPORT;
		d->dst = (be32){ in->sin_addr.s_addr };
		d->port = (be16){ in->sin_port };
		if (needs_port && !d->port.v)
			return -EINVAL;
	} else {
		if (READ_ONCE(s->sk.state) != INET_ESTABLISHED)
			return -EDESTADDRREQ;
		d->dst = s->e.peer;
		d->port = s->e.peer_port;
		d->connected = true;
	}
	d->c = (struct inet_cmsg){ .tos = -1,
				   .ttl = -1,
				   .tx = { .mark = s->sk.mark, .priority = s->sk.priority } };
	if (!m->control_len)
		return 0;
	err = inet_send_cmsgs(s, m, &d->c);
	d->connected &= !d->c.src.v && !d->c.oif && d->c.tos < 0 && d->c.tx.mark == s->sk.mark;
	return err;
}

/* Where what has no device of its own leaves. */
static int device_for(const struct inet_sock *s, const struct inet_dgram *d, be32 *src)
{
	if (d->c.oif)
		return d->c.oif;
	if (s->sk.bound_dev)
		return s->sk.bound_dev;
	if (!ip4_is_multicast(d->dst))
		return s->uc_index;
	if (!src->v)
		*src = s->mc_addr;
	return s->mc_index;
}

/*
 * The route that S keeps, for senders that own nothing. What was read while another wrote is told
 * by the generation, which is 0 meanwhile; two writers of one generation leave a mixture whose
 * parts are all of that generation, so that its device is still there.
 */
static bool kept_route(struct inet_sock *s, struct ip4_route *r)
{
	u32 gen = smp_load_acquire(&s->route.gen);

	*r = s->route;
	smp_rmb();		/* pairs with keep_route() */
	r->gen = gen;
	return READ_ONCE(s->route.gen) == gen && route4_is_fresh(s->sk.net, r);
}

static void keep_route(struct inet_sock *s, const struct ip4_route *r)
{
	struct ip4_route now = *r;

	now.gen = 0;
	spin_lock(&s->sk.lock);
	WRITE_ONCE(s->route.gen, 0);
	smp_wmb();		/* pairs with kept_route() */
	s->route = now;
	smp_store_release(&s->route.gen, r->gen);
	spin_unlock(&s->sk.lock);
}

int inet_dgram_route(struct inet_sock *s, const struct inet_dgram *d, struct ip4_route *r,
		     struct ip4_tx *t)
{
	be32 src = d->c.src.v ? d->c.src : s->saddr;
	struct ip4_flow f = { .dst = d->dst,
			      .mark = d->c.tx.mark,
			      .protocol = (u8)s->sk.protocol,
			      .uid = s->sk.uid };
	int err;

	inet_tx_of(s, t);
	if (unlikely(!d->connected || !kept_route(s, r))) {
		f.oif = device_for(s, d, &src);
		f.src = src;
		f.tos = (u8)((d->c.tos >= 0 ? d->c.tos : s->tos) & 0x1c);
		f.scope = sock_flag(&s->sk, SOCK_F_DONTROUTE) ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
		f.any_src = inet_flag(s, INET_FREEBIND) || inet_flag(s, INET_TRANSPARENT) ||
			    inet_flag(s, INET_HDRINCL);
		err = route4_out(s->sk.net, &f, r);
		if (err == -ENETUNREACH)
			net_count(s->sk.net, IP_OUT_NO_ROUTES);
		if (err)
			return err;
		if (d->connected)
			keep_route(s, r);
	}
	if (r->type == RTN_BROADCAST && !sock_flag(&s->sk, SOCK_F_BROADCAST))
		return -EACCES;
	t->dst = d->dst.v ? d->dst : r->dst;
	t->src = src.v ? src : r->src;
	if (d->c.tos >= 0)
		t->tos = (u8)d->c.tos;
	if (d->c.ttl > 0)
		t->ttl = (u8)d->c.ttl;
	else if (r->type == RTN_MULTICAST)
		t->ttl = s->mc_ttl;
	return 0;
}

struct packet *inet_dgram_packet(struct inet_sock *s, struct sock_msg *m, u32 len)
{
	long timeo = sock_sndtimeo(&s->sk, m->nonblock);
	struct packet *p;
	int err = sock_wait_wspace(&s->sk, &timeo);

	if (err)
		return ERR_PTR(err);
	p = packet_alloc(GFP_KERNEL_ACCOUNT);
	if (!p)
		return ERR_PTR(-ENOBUFS);
	err = packet_from_iter(p, m->iter, len, GFP_KERNEL_ACCOUNT);
	if (err) {
		packet_consume(p);
		return ERR_PTR(err == -ENOMEM ? -ENOBUFS : err);
	}
	sock_charge_tx(&s->sk, p);
	return p;
}

ssize_t inet_dgram_recv(struct inet_sock *s, struct sock_msg *m,
			void (*name)(struct sock_msg *m, struct packet *p))
{
	struct packet *p;
	u32 n;
	ssize_t ret;

	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (m->flags & MSG_ERRQUEUE)
		return inet_recv_error(s, m);
	p = sock_recv_packet(&s->sk, m);
	if (IS_ERR_OR_NULL(p))
		return PTR_ERR(p);	/* NULL, shut down: 0 */
	n = (u32)min_t(size_t, p->len, iter_count(m->iter));
	if (n < p->len)
		m->out_flags |= MSG_TRUNC;
	ret = packet_to_iter(p, 0, m->iter, n);
	if (!ret) {
		if (name)
			name(m, p);
		inet_recv_cmsgs(s, m, p);
		ret = m->flags & MSG_TRUNC ? (ssize_t)p->len : (ssize_t)n;
	}
	packet_consume(p);
	return ret;
}

u32 inet_dgram_poll(struct file *f, struct socket *sock, struct poll_table_struct *pt)
{
	struct sock *sk = sock->sk;
	u32 mask;

	poll_wait(f, &sk->wait, pt);
	mask = sock_poll_common(sk);
	if (READ_ONCE(sk->queue.rx.nr))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (sock_wspace_free(sk))
		mask |= EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND;
	else
		sock_want_space(sk);
	return mask;
}

int inet_dgram_ioctl(struct socket *sock, unsigned int cmd, unsigned long arg)
{
	struct sock *sk = sock->sk;
	struct packet *p;
	s32 n;

	switch (cmd) {
	case TIOCOUTQ:
		n = atomic_read(&sk->wmem);
		break;
	case TIOCINQ:
		spin_lock(&sk->queue.lock);
		p = packet_list_first(&sk->queue.rx);
		n = p ? (s32)p->len : 0;
		spin_unlock(&sk->queue.lock);
		break;
	default:
		n = sock_ioctl(sk, cmd, UPTR(arg));
		return n == -ENOIOCTLCMD ? inet_ioctl(sock, cmd, arg) : n;
	}
	return put_user(n, UPTR(arg)) ? -EFAULT : 0;
}

int inet_dgram_peer(const struct sockaddr_in *in, int len)
{
	if (len < (int)sizeof(in->sin_family))
		return -EINVAL;
	if (in->sin_family == AF_UNSPEC)
		return 1;
	if (len < (int)sizeof(*in))
		return -EINVAL;
	return in->sin_family == AF_INET ? 0 : -EAFNOSUPPORT;
}

void inet_dgram_disconnect(struct inet_sock *s)
{
	WRITE_ONCE(s->sk.state, INET_CLOSED);
	s->e.peer = be32_make(0);
	s->e.peer_port = be16_make(0);
	s->route.gen = 0;
	if (!(s->bind_gave & BOUND_ADDRESS)) {
		s->e.local = be32_make(0);
		s->saddr = be32_make(0);
	}
}

int inet_dgram_connect(struct inet_sock *s, be32 dst, be16 port)
{
	struct inet_dgram d = { .dst = dst,
				.port = port,
				.c = { .tos = -1, .ttl = -1, .tx = { .mark = s->sk.mark } } };
	struct ip4_route r;
	struct ip4_tx t;
	int err;

	rcu_read_lock();
	err = inet_dgram_route(s, &d, &r, &t);
	rcu_read_unlock();
	if (err)
		return err;
	if (!s->saddr.v)
		s->saddr = t.src;
	s->e.peer = t.dst;
	s->e.peer_port = port;
	keep_route(s, &r);
	s->id = (u16)get_random_u32();
	WRITE_ONCE(s->sk.state, INET_ESTABLISHED);
	return 0;
}

void inet_dgram_error(struct inet_sock *s, struct packet *p, const struct icmp_quote *q, int err,
		      bool fatal, be16 port, u32 payload_at)
{
	if (q->type == ICMP_DEST_UNREACH && q->code == ICMP_FRAG_NEEDED) {
		icmp_learn_mtu(s->sk.net, q);
		WRITE_ONCE(s->route.gen, 0);
		if (s->pmtudisc == IP_PMTUDISC_DONT)
			return;
		fatal = true;
	}
	if (inet_flag(s, INET_RECVERR))
		inet_queue_icmp(s, p, q, err, port, payload_at);
	else if (!fatal || READ_ONCE(s->sk.state) != INET_ESTABLISHED)
		return;
	sock_set_error(&s->sk, err);
	sock_report_error(&s->sk);
}

int inet_dgram_shutdown(struct socket *sock, int how)
{
	struct sock *sk = sock->sk;

	if (how < SHUT_RD || how > SHUT_RDWR)
		return -EINVAL;
	lock_sock(sk);
	if (sk->state != INET_ESTABLISHED) {
		/* Readers are woken all the same, as on Linux. */
		WRITE_ONCE(sk->shut, sk->shut | (u8)(how + 1));
		release_sock(sk);
		sock_wake_state(sk);
		return -ENOTCONN;
	}
	WRITE_ONCE(sk->shut, sk->shut | (u8)(how + 1));
	release_sock(sk);
	sock_wake_state(sk);
	return 0;
}
