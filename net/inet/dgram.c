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
#include "net/dev/if_flags.h"
#include "net/core/stats.h"
#include "net/inet/dgram.h"
#include "net/ip4/addr.h"
#include "net/wire/csum.h"
#include "net/wire/icmp.h"
#include "net/wire/ip4.h"

/* M's address into D: 0, -EINVAL, -EAFNOSUPPORT, -ENETUNREACH. */
static int take_address(struct inet_sock *s, const struct sock_msg *m, struct inet_dgram *d)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)&m->addr;
	struct inet_name n;
	int err;

	if (s->sk.family != AF_INET6) {
		if (m->addr_len < (int)sizeof(*in))
			return -EINVAL;
		if (in->sin_family != AF_INET && in->sin_family != AF_UNSPEC)
			return -EAFNOSUPPORT;
		d->dst = (be32){ in->sin_addr.s_addr };
		d->port = (be16){ in->sin_port };
		return 0;
	}
	if (m->addr_len >= (int)sizeof(*in) && in->sin_family == AF_INET &&
	    inet_flag(s, INET_V6ONLY))
		return -ENETUNREACH;	/* connect(2) says EAFNOSUPPORT, as on Linux */
	err = inet_check_peer(s, &m->addr, m->addr_len, &n);
	if (err)
		return err < 0 ? err : -EINVAL;
	d->six = n.six;
	d->dst = n.v4;
	d->dst6 = n.v6;
	d->port = n.port;
	d->scope = n.scope;
	d->label = n.label;
	return 0;
}

static void take_peer(struct inet_sock *s, struct inet_dgram *d)
{
	d->six = inet_is_six(s);
	d->dst = s->e.peer;
	d->port = s->e.peer_port;
	d->connected = true;
	if (d->six) {
		d->dst6 = s->v6.peer;
		d->label = s->six->label;
	}
}

/* A source that S was bound to has the family of D's target. */
static int check_family(const struct inet_sock *s, const struct inet_dgram *d)
{
	if (d->six)
		return !inet_is_six(s) && s->e.local.v ? -EAFNOSUPPORT : 0;
	return inet_is_six(s) && !ip6_is_any(&s->v6.local) ? -ENETUNREACH : 0;
}

int inet_dgram_begin(struct inet_sock *s, const struct sock_msg *m, bool needs_port,
		     struct inet_dgram *d)
{
	int err;

	*d = (struct inet_dgram){};
	if (m->addr_len) {
		err = take_address(s, m, d);
		if (err)
			return err;
		if (needs_port && !d->port.v)
			return -EINVAL;
		err = s->six && needs_port ? check_family(s, d) : 0;
		if (err)
			return err;
	} else {
		if (READ_ONCE(s->sk.state) != INET_ESTABLISHED)
			return -EDESTADDRREQ;
		take_peer(s, d);
	}
	inet_cmsg_none(s, &d->c);
	if (!m->control_len)
		return 0;
	err = inet_send_cmsgs(s, m, &d->c);
	d->connected &= !d->c.src.v && !d->c.oif && d->c.tos < 0 && d->c.tclass < 0 &&
			ip6_is_any(&d->c.src6) && d->c.tx.mark == s->sk.mark;
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
	u64 gen = smp_load_acquire(&s->route.gen);

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

static int route4(struct inet_sock *s, const struct inet_dgram *d, struct ip4_route *r,
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
	/* From here on what the path was learned to take does not count. */
	if (s->pmtudisc >= IP_PMTUDISC_PROBE)
		r->mtu = min(READ_ONCE(r->dev->mtu), IP4_MTU_MOST);
	t->dst = d->dst.v ? d->dst : r->dst;
	t->src = src.v ? src : r->src;
	if (d->connected) {
		t->id = READ_ONCE(s->id);
		WRITE_ONCE(s->id, (u16)(t->id + 1));
	}
	if (d->c.tos >= 0)
		t->tos = (u8)d->c.tos;
	if (d->c.ttl > 0)
		t->ttl = (s16)d->c.ttl;
	else if (r->type == RTN_MULTICAST)
		t->ttl = s->mc_ttl;
	return 0;
}

/* ---- IPv6 ---- */

/* As kept_route(). */
static bool kept_route6(struct inet_sock *s, struct ip6_route *r)
{
	u64 gen = smp_load_acquire(&s->six->route.gen);

	*r = s->six->route;
	smp_rmb();		/* pairs with keep_route6() */
	r->gen = gen;
	return READ_ONCE(s->six->route.gen) == gen && route6_is_fresh(s->sk.net, r);
}

static void keep_route6(struct inet_sock *s, const struct ip6_route *r)
{
	struct ip6_route now = *r;

	now.gen = 0;
	spin_lock(&s->sk.lock);
	WRITE_ONCE(s->six->route.gen, 0);
	smp_wmb();		/* pairs with kept_route6() */
	s->six->route = now;
	smp_store_release(&s->six->route.gen, r->gen);
	spin_unlock(&s->sk.lock);
}

/* Where D leaves, and from which address. */
static int flow6(struct inet_sock *s, const struct inet_dgram *d, struct ip6_flow *f)
{
	const struct inet6_sock *six = s->six;

	inet6_flow_of(s, f);
	f->dst = d->dst6;
	f->mark = d->c.tx.mark;
	f->oif = d->c.oif ?: d->scope ?: six->info_index ?: s->sk.bound_dev;
	f->src = !ip6_is_any(&d->c.src6)  ? d->c.src6 :
		 !ip6_is_any(&six->saddr) ? six->saddr :
					    six->info_addr;
	if (d->c.tclass >= 0)
		f->tclass = (u8)d->c.tclass;
	if (!f->oif)
		f->oif = ip6_is_multicast(&d->dst6) ? six->mc_index : six->uc_index;
	return s->sk.bound_dev && f->oif != s->sk.bound_dev ? -EINVAL : 0;
}

static int route6(struct inet_sock *s, const struct inet_dgram *d, struct ip6_route *r,
		  struct ip6_tx *t)
{
	struct ip6_flow f;
	int err = flow6(s, d, &f);

	if (err)
		return err;
	inet6_tx_of(s, t);
	if (unlikely(!d->connected || !kept_route6(s, r))) {
		err = route6_out(s->sk.net, &f, r);
		if (err == -ENETUNREACH)
			net_count(s->sk.net, IP6_OUT_NO_ROUTES);
		if (err)
			return err;
		if (d->connected)
			keep_route6(s, r);
	}
	t->dst = r->dst;
	t->src = ip6_is_any(&f.src) ? r->src : f.src;
	t->label = inet_flag(s, INET6_FLOWINFO_SEND) ? d->label : 0;
	if (d->c.tclass >= 0)
		t->tclass = (u8)d->c.tclass;
	if (r->type == RTN_MULTICAST)
		t->hops = s->six->mc_hops;
	if (d->c.hops != -2)
		t->hops = (s16)d->c.hops;
	if (d->c.dontfrag >= 0)
		t->fragment = !d->c.dontfrag;
	if (s->six->mtu)
		r->mtu = min(r->mtu, s->six->mtu);
	return 0;
}

/* ---- either ---- */

int inet_dgram_route(struct inet_sock *s, const struct inet_dgram *d, struct inet_way *w)
{
	w->six = d->six;
	return likely(!d->six) ? route4(s, d, &w->v4.r, &w->v4.t) :
				 route6(s, d, &w->v6.r, &w->v6.t);
}

bool inet_way_takes(const struct inet_way *w, u32 len)
{
	if (w->six)
		return w->v6.t.fragment || len + IP6_HEADER <= w->v6.r.mtu;
	return w->v4.t.fragment ||
	       len + IP4_HEADER + (w->v4.t.opt ? w->v4.t.opt->len : 0u) <= w->v4.r.mtu;
}

ssize_t inet_dgram_recv(struct inet_sock *s, struct sock_msg *m, be16 (*port_of)(struct packet *p))
{
	struct packet *p;
	u32 n;
	ssize_t ret;

	if (m->flags & MSG_OOB && s->sk.protocol != IPPROTO_UDP)
		return -EOPNOTSUPP;
	if (m->flags & MSG_ERRQUEUE)
		return inet_recv_error(s, m);
	p = sock_recv_packet(&s->sk, m);
	if (IS_ERR_OR_NULL(p))
		return PTR_ERR(p);	/* NULL, shut down: 0 */
	n = (u32)min_t(size_t, p->len - m->skip, iter_count(m->iter));
	if (n < p->len)
		m->out_flags |= MSG_TRUNC;	/* a peek of its end too, as Linux says */
	ret = packet_to_iter(p, m->skip, m->iter, n);
	if (!ret) {
		sock_peek_moved(&s->sk, m, m->flags & MSG_TRUNC ? p->len : n);
		inet_put_sender(s, m, p, port_of ? port_of(p) : be16_make(0));
		inet_recv_cmsgs(s, m, p);
		ret = m->flags & MSG_TRUNC ? (ssize_t)p->len : (ssize_t)n;
		if (s->sk.protocol == IPPROTO_UDP && !(m->flags & MSG_PEEK))
			net_count(s->sk.net,
				  packet_is_ip6(p) ? UDP6_IN_DATAGRAMS : UDP_IN_DATAGRAMS);
	}
	packet_consume(p);
	return ret;
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

void inet_dgram_disconnect(struct inet_sock *s)
{
	WRITE_ONCE(s->sk.state, INET_CLOSED);
	inet_reset_peer(s);
	if (!(s->bind_gave & BOUND_ADDRESS))
		inet_reset_local(s);
}

/* The peer is N: its route is kept, its source is S's if it has none. */
static void connected_to(struct inet_sock *s, const struct inet_way *w)
{
	if (w->six) {
		if (ip6_is_any(&s->six->saddr))
			s->six->saddr = w->v6.t.src;
		s->v6.peer = w->v6.t.dst;
		keep_route6(s, &w->v6.r);
		return;
	}
	if (!s->saddr.v)
		s->saddr = w->v4.t.src;
	s->e.peer = w->v4.t.dst;
	keep_route(s, &w->v4.r);
}

/* S's source, bound or from an earlier peer, is of the other family than N. 0: it may be. */
static int check_source(const struct inet_sock *s, const struct inet_name *n)
{
	if (s->bind_gave & BOUND_ADDRESS && inet_is_six(s) != n->six)
		return n->six ? -EAFNOSUPPORT : -ENETUNREACH;
	if (n->six && !inet_is_six(s) && s->saddr.v && ip6_is_any(&s->six->saddr))
		return -EAFNOSUPPORT;
	return 0;
}

int inet_dgram_way_to(struct inet_sock *s, const struct inet_name *n, struct inet_way *w)
{
	struct inet_dgram d = {
		.six = n->six, .dst = n->v4, .dst6 = n->v6, .port = n->port, .scope = n->scope
	};
	int scope, err = check_source(s, n);

	if (err)
		return err;
	scope = inet_scope_of(s, n);
	if (scope < 0)
		return scope;
	inet_cmsg_none(s, &d.c);
	if (!d.scope)
		d.scope = scope;
	rcu_read_lock();
	err = inet_dgram_route(s, &d, w);
	rcu_read_unlock();
	return err;
}

void inet_dgram_set_peer(struct inet_sock *s, const struct inet_name *n, const struct inet_way *w)
{
	int scope = inet_scope_of(s, n);

	if (!WARN_ON(scope < 0))	/* S is owned: as inet_dgram_way_to() found it */
		s->sk.bound_dev = scope;
	inet_set_peer(s, n);
	connected_to(s, w);
	s->id = (u16)get_random_u32();
	WRITE_ONCE(s->sk.state, INET_ESTABLISHED);
}

int inet_dgram_connect(struct inet_sock *s, const struct inet_name *n)
{
	struct inet_way w;
	int err = inet_dgram_way_to(s, n, &w);

	if (!err)
		inet_dgram_set_peer(s, n, &w);
	return err;
}

/* A route takes shorter packets now. True: S hears of it, whoever it is connected to. */
static bool heed_mtu(struct inet_sock *s, const struct icmp_quote *q)
{
	inet_learn_mtu(s->sk.net, q);
	inet_route_stale(s);
	return q->six ? s->six->pmtudisc != IPV6_PMTUDISC_DONT : s->pmtudisc != IP_PMTUDISC_DONT;
}

void inet_dgram_error(struct inet_sock *s, struct packet *p, const struct icmp_quote *q, int err,
		      bool fatal, be16 port, u32 payload_at)
{
	if (q->six && !s->six)
		return;
	if (err == EMSGSIZE) {
		if (!heed_mtu(s, q))
			return;
		fatal = true;
	}
	if (inet_flag(s, q->six ? INET6_RECVERR : INET_RECVERR))
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
