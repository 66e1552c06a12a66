// SPDX-License-Identifier: MIT
/*
 * TCP, UDP and raw sockets: inet_diag. A dump walks the protocol's two tables, bucket by bucket;
 * its cursor is the bucket, and how much of it is done.
 */
#include <lib/minmax.h>
#include <lib/string.h>
#include <alloc/slab.h>
#include <kernel/init.h>
#include <proc/cred.h>
#include <abi/errno.h>
#include <linux/capability.h>
#include <linux/inet_diag.h>
#include "net/diag/diag.h"
#include "net/diag/filter.h"
#include "net/inet/inet_priv.h"
#include "net/tcp/tcp_priv.h"

/* A dump's request, kept while it goes on. */
struct inet_dump {
	struct inet_diag_req_v2 q;
	size_t code_len;
	u8 code[];
};

enum { ARG_TABLE, ARG_POS, ARG_SKIP, ARG_DONE, ARG_ADMIN };

static struct inet_table *table_of(struct net *net, u8 family, u32 protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
		return &net->tcp->table;
	case IPPROTO_UDP:
		return &net->inet->udp;
	case IPPROTO_RAW:
		return family == AF_INET6 ? &net->inet->raw6 : &net->inet->raw;
	}
	return NULL;
}

/* ---- what is said of one ---- */

static u8 state_of(const struct inet_entry *e)
{
	const struct tcp_timewait *w;

	if (e->kind == INET_REQUEST)
		return TCPS_SYN_RECV;
	if (e->kind == INET_TIMEWAIT) {
		w = container_of(e, const struct tcp_timewait, e);
		return w->fin_wait2 ? TCPS_FIN_WAIT2 : TCPS_TIME_WAIT;
	}
	return READ_ONCE(inet_of_entry((struct inet_entry *)e)->sk.state);
}

static u32 left_ms(const struct wheel_timer *w)
{
	return (u32)min_t(u64, wheel_left_ns(w) / NSEC_PER_MSEC, U32_MAX);
}

static void put_timer(struct inet_diag_msg *m, const struct tcp_sock *t)
{
	if (wheel_is_armed(&t->rto_timer)) {
		m->idiag_timer = READ_ONCE(t->packets_out) ? 1 : 4;
		m->idiag_retrans = READ_ONCE(t->retries);
		m->idiag_expires = left_ms(&t->rto_timer);
	} else if (wheel_is_armed(&t->keep_timer)) {
		m->idiag_timer = 2;
		m->idiag_retrans = READ_ONCE(t->keep_sent);
		m->idiag_expires = left_ms(&t->keep_timer);
	}
}

static void put_queues(struct inet_diag_msg *m, struct inet_sock *s)
{
	const struct tcp_sock *t;

	if (s->sk.protocol != IPPROTO_TCP || s->sk.type != SOCK_STREAM) {
		m->idiag_rqueue = (u32)atomic_read(&s->sk.rmem);
		m->idiag_wqueue = (u32)atomic_read(&s->sk.wmem);
		return;
	}
	t = container_of(s, const struct tcp_sock, inet);
	if (s->sk.state == TCPS_LISTEN) {
		m->idiag_rqueue = READ_ONCE(t->accept_len);
		m->idiag_wqueue = READ_ONCE(t->accept_max);
		return;
	}
	m->idiag_rqueue = (u32)max((int)(READ_ONCE(t->rcv_nxt) - READ_ONCE(t->copied_seq)), 0);
	m->idiag_wqueue = READ_ONCE(t->write_seq) - READ_ONCE(t->snd_una);
	put_timer(m, t);
}

/* A socket of AF_INET6 is one whatever its ends are. */
static u8 family_of(const struct inet_entry *e)
{
	return e->kind == INET_FULL ? (u8)inet_of_entry((struct inet_entry *)e)->sk.family :
				      e->family;
}

/* Addresses as a socket of E's family has them: those of IPv4 may be mapped ones. */
static void hosts_of(const struct inet_entry *e, u32 src[4], u32 dst[4])
{
	struct ip6_addr local = ip6_mapped(e->local), peer = ip6_mapped(e->peer);

	memset(src, 0, 16);
	memset(dst, 0, 16);
	if (family_of(e) != AF_INET6) {
		src[0] = e->local.v;
		dst[0] = e->peer.v;
	} else {
		bool six = e->family == AF_INET6 && e->v6;

		memcpy(src, six ? &e->v6->local : &local, 16);
		memcpy(dst, six ? &e->v6->peer : &peer, 16);
	}
}

static void put_ends(struct inet_diag_msg *m, const struct inet_entry *e)
{
	m->idiag_family = family_of(e);
	m->id.idiag_sport = e->local_port.v;
	m->id.idiag_dport = e->peer_port.v;
	m->id.idiag_if = (u32)e->bound_dev;
	hosts_of(e, m->id.idiag_src, m->id.idiag_dst);
}

static void put_tcp(struct nlmsg_buf *b, struct inet_sock *s, u8 ext)
{
	struct tcp_sock *t = container_of(s, struct tcp_sock, inet);
	struct tcp_info *i;

	if (ext & 1 << (INET_DIAG_INFO - 1)) {
		if (!(b->len & 7))	/* it has words of 64 bits */
			(void)nla_reserve(b, INET_DIAG_PAD, 0);
		i = nla_reserve(b, INET_DIAG_INFO, sizeof(*i));
		if (i) {
			lock_sock(&s->sk);
			tcp_fill_info(t, i);
			release_sock(&s->sk);
		}
	}
	if (ext & 1 << (INET_DIAG_CONG - 1))
		nla_put_text(b, INET_DIAG_CONG, t->cc->name);
}

/* A socket that has a file, or had one. May take its ownership. */
static void put_full(struct nlmsg_buf *b, struct inet_diag_msg *m, struct inet_sock *s, u8 ext,
		     bool admin)
{
	struct inet_diag_meminfo mem = { .idiag_rmem = (u32)atomic_read(&s->sk.rmem),
					 .idiag_wmem = (u32)atomic_read(&s->sk.wmem),
					 .idiag_tmem = (u32)atomic_read(&s->sk.wmem) };

	if (m) {
		put_queues(m, s);
		m->idiag_uid = from_kuid_munged(current_user_ns(), s->sk.uid);
		m->idiag_inode = (u32)diag_ino(&s->sk);
		diag_put_cookie(&s->sk, m->id.idiag_cookie);
	}
	nla_put_u8(b, INET_DIAG_SHUTDOWN, READ_ONCE(s->sk.shut));
	if (ext & 1 << (INET_DIAG_TOS - 1))
		nla_put_u8(b, INET_DIAG_TOS, READ_ONCE(s->tos));
	if (s->six && ext & 1 << (INET_DIAG_TCLASS - 1))
		nla_put_u8(b, INET_DIAG_TCLASS, READ_ONCE(s->six->tclass));
	if (s->six && (s->sk.state == TCPS_LISTEN || s->sk.state == TCPS_CLOSE))
		nla_put_u8(b, INET_DIAG_SKV6ONLY, inet_flag(s, INET_V6ONLY));
	if (s->sk.type == SOCK_RAW)
		nla_put_u8(b, INET_DIAG_PROTOCOL, (u8)s->sk.protocol);
	if (admin)
		nla_put_u32(b, INET_DIAG_MARK, READ_ONCE(s->sk.mark));
	if (ext & 1 << (INET_DIAG_MEMINFO - 1))
		nla_put_bytes(b, INET_DIAG_MEMINFO, &mem, sizeof(mem));
	if (ext & 1 << (INET_DIAG_SKMEMINFO - 1))
		diag_put_meminfo(b, &s->sk, INET_DIAG_SKMEMINFO);
	if (s->sk.type == SOCK_STREAM)
		put_tcp(b, s, ext);
}

static bool put(struct nlmsg_buf *b, struct inet_entry *e, u32 portid, u32 seq, u16 flags, u8 ext,
		bool admin)
{
	size_t at = b->len + NLMSG_HDRLEN;
	struct inet_diag_msg *m = nlmsg_put(b, portid, seq, SOCK_DIAG_BY_FAMILY, flags, sizeof(*m));

	if (m) {
		put_ends(m, e);
		m->idiag_state = state_of(e);
		m->id.idiag_cookie[0] = m->id.idiag_cookie[1] = U32_MAX;
		if (e->kind == INET_REQUEST) {
			m->idiag_timer = 1;
			m->idiag_expires = left_ms(&container_of(e, struct tcp_request, e)->timer);
		} else if (e->kind == INET_TIMEWAIT) {
			m->idiag_timer = 3;
			m->idiag_expires = left_ms(&container_of(e, struct tcp_timewait, e)->timer);
		}
	}
	if (e->kind == INET_FULL)
		put_full(b, m ? (struct inet_diag_msg *)(b->data + at) : NULL, inet_of_entry(e),
			 ext, admin);
	return nlmsg_end(b);
}

/* ---- dump ---- */

static bool wanted(const struct inet_dump *w, const struct inet_entry *e)
{
	const struct inet_diag_sockid *id = &w->q.id;
	struct diag_ends ends = { .family = family_of(e),
				  .sport = be16_get(e->local_port),
				  .dport = be16_get(e->peer_port),
				  .ifindex = (u32)e->bound_dev };
	u8 state = state_of(e);

	/*
	 * A stream that has ended since it was found; datagram sockets are so when not connected.
	 */
	if (state == TCPS_CLOSE && w->q.sdiag_protocol == IPPROTO_TCP)
		return false;
	if (!(w->q.idiag_states & 1u << state))
		return false;
	if ((id->idiag_sport && id->idiag_sport != e->local_port.v) ||
	    (id->idiag_dport && id->idiag_dport != e->peer_port.v))
		return false;
	if (!w->code_len)
		return true;
	hosts_of(e, ends.saddr, ends.daddr);
	if (e->kind == INET_FULL) {
		const struct inet_sock *s = inet_of_entry((struct inet_entry *)e);

		ends.mark = READ_ONCE(s->sk.mark);
		ends.bound = s->bind_gave & BOUND_PORT;
	}
	return diag_filter_run(w->code, w->code_len, &ends);
}

/* The walk's next entries into B. False: B is full. */
static bool put_some(struct nlmsg_buf *b, struct nl_dump *d, struct inet_walk *walk)
{
	const struct inet_dump *w = d->data;

	for (unsigned int i = 0; i < walk->nr; i++) {
		if ((long)i < d->args[ARG_DONE])
			continue;
		if (wanted(w, walk->found[i]) &&
		    !put(b, walk->found[i], d->portid, d->hdr.nlmsg_seq, NLM_F_MULTI,
			 w->q.idiag_ext, d->args[ARG_ADMIN]))
			return false;
		d->args[ARG_DONE] = i + 1;
	}
	return true;
}

static bool dump_table(struct nlmsg_buf *b, struct nl_dump *d, struct inet_table *t, bool bound)
{
	const struct inet_dump *w = d->data;
	struct inet_walk walk = { .table = t,
				  .bound = bound,
				  .family = w->q.sdiag_family,
				  .pos = (u64)d->args[ARG_POS],
				  .skip = (u32)d->args[ARG_SKIP] };

	while (inet_walk_next(&walk)) {
		if (!put_some(b, d, &walk)) {
			inet_walk_end(&walk);
			return false;
		}
		d->args[ARG_POS] = (long)walk.pos;
		d->args[ARG_SKIP] = walk.skip;
		d->args[ARG_DONE] = 0;
	}
	return true;
}

static int dump(struct nlmsg_buf *b, struct nl_dump *d)
{
	const struct inet_dump *w = d->data;
	struct inet_table *t = table_of(d->net, w->q.sdiag_family, w->q.sdiag_protocol);

	for (; d->args[ARG_TABLE] < 2; d->args[ARG_TABLE]++) {
		if (!dump_table(b, d, t, !d->args[ARG_TABLE]))
			return 1;
		d->args[ARG_POS] = d->args[ARG_SKIP] = d->args[ARG_DONE] = 0;
	}
	return 0;
}

static void dump_done(struct nl_dump *d)
{
	kfree(d->data);
}

static const struct nla_rule rules[INET_DIAG_REQ_PROTOCOL + 1] = {
	[INET_DIAG_REQ_BYTECODE] = { NLA_K_ANY, 0 },
	[INET_DIAG_REQ_PROTOCOL] = { NLA_K_U32, 0 },
};

/* CODE: the filter; NULL: none. */
static int start_dump(struct nl_request *r, const struct inet_diag_req_v2 *q, u8 protocol,
		      const struct nlattr *code)
{
	struct nl_dump d = { .fn = dump, .done = dump_done };
	struct inet_dump *w;
	size_t len;

	len = code ? nla_len(code) : 0;
	if (code && (!len || diag_filter_check(nla_data(code), len)))
		return -EINVAL;
	w = kmalloc(sizeof(*w) + len, GFP_KERNEL_ACCOUNT);
	if (!w)
		return -ENOMEM;
	w->q = *q;
	w->q.sdiag_protocol = protocol;
	w->code_len = len;
	if (len)
		memcpy(w->code, nla_data(code), len);
	d.data = w;
	d.args[ARG_ADMIN] = nl_capable(r, CAP_NET_ADMIN);
	return netlink_start_dump(r, &d);
}

/* ---- one socket ---- */

static bool is(const struct inet_entry *e, const struct inet_diag_sockid *id)
{
	return e->local_port.v == id->idiag_sport && e->peer_port.v == id->idiag_dport &&
	       (!id->idiag_if || e->bound_dev == (int)id->idiag_if);
}

static bool same_hosts(const struct inet_entry *e, const struct inet_diag_sockid *id)
{
	u32 src[4], dst[4];

	hosts_of(e, src, dst);
	if (family_of(e) == AF_INET6)
		return !memcmp(src, id->idiag_src, 16) && !memcmp(dst, id->idiag_dst, 16);
	return src[0] == id->idiag_src[0] && dst[0] == id->idiag_dst[0];
}

/* Referenced by WALK, which is the caller's to end; NULL. */
static struct inet_entry *find(struct inet_walk *walk, const struct inet_diag_sockid *id)
{
	while (inet_walk_next(walk))
		for (unsigned int i = 0; i < walk->nr; i++)
			if (is(walk->found[i], id) && same_hosts(walk->found[i], id))
				return walk->found[i];
	return NULL;
}

static int get_one(struct nl_request *r, const struct inet_diag_req_v2 *q, struct inet_table *t)
{
	struct inet_walk walk = { .table = t, .family = q->sdiag_family };
	struct inet_entry *e = find(&walk, &q->id);
	struct nlmsg_buf b;
	int err = -ENOENT;

	if (!e) {
		inet_walk_end(&walk);
		walk = (struct inet_walk){ .table = t, .bound = true, .family = q->sdiag_family };
		e = find(&walk, &q->id);
	}
	if (e)
		err = e->kind == INET_FULL ?
			      diag_check_cookie(&inet_of_entry(e)->sk, q->id.idiag_cookie) :
			      0;
	if (!err)
		err = nlmsg_init(&b, 1024, NLMSG_MOST, GFP_KERNEL);
	if (!err)
		err = netlink_answer(r, &b,
				     put(&b, e, r->portid, r->hdr->nlmsg_seq, 0, q->idiag_ext,
					 nl_capable(r, CAP_NET_ADMIN)));
	inet_walk_end(&walk);
	return err;
}

static int request(struct nl_request *r)
{
	const struct inet_diag_req_v2 *q = r->body;
	const struct nlattr *tb[INET_DIAG_REQ_PROTOCOL + 1];
	struct inet_table *t;
	u32 protocol;
	int err;

	if (r->body_len < sizeof(*q))
		return -EINVAL;
	err = nl_request_attrs(r, sizeof(*q), tb, INET_DIAG_REQ_PROTOCOL, rules, false);
	if (err)
		return err;
	/* A number of more than a byte has an attribute, and in the header what fits of it. */
	protocol = tb[INET_DIAG_REQ_PROTOCOL] ? nla_u32(tb[INET_DIAG_REQ_PROTOCOL]) :
						q->sdiag_protocol;
	t = table_of(r->net, q->sdiag_family, protocol);
	if (!t)
		return -ENOENT;
	if (r->hdr->nlmsg_flags & NLM_F_DUMP)
		return start_dump(r, q, (u8)protocol, tb[INET_DIAG_REQ_BYTECODE]);
	return get_one(r, q, t);
}

static struct diag_family inet = { .family = AF_INET, .request = request };
static struct diag_family inet6 = { .family = AF_INET6, .request = request };

static int inet_diag_init(void)
{
	diag_register(&inet);
	diag_register(&inet6);
	return 0;
}
INITCALL(fs, inet_diag_init);
