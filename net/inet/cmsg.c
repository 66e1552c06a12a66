// SPDX-License-Identifier: MIT
/*
 * Control messages of IPPROTO_IP (ip(7)): what a reader hears of a packet, what a writer says of
 * one; and the error queue.
 */
#include <lib/minmax.h>
#include <lib/string.h>
#include <mm/uaccess.h>
#include <abi/errno.h>
#include <linux/time.h>
#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include "net/inet/cmsg.h"
#include "net/ip4/addr.h"
#include "net/wire/icmp.h"
#include "net/wire/ip4.h"

bool inet_packet_port(const struct packet *p, be16 *port)
{
	u32 at = p->transport_at + 2u;

	if (p->transport_at == PACKET_NO_HEADER)
		return false;
	if (at + sizeof(*port) <= (u32)p->data + p->linear) {	/* maybe pulled off */
		memcpy(port, p->buf + at, sizeof(*port));
		return true;
	}
	return at >= p->data && packet_read(p, at - p->data, port, sizeof(*port));
}

/* The control messages about P's headers that S's options ask for. */
static void put_headers(struct inet_sock *s, struct sock_msg *m, struct packet *p)
{
	const struct ip4_wire *h = (const struct ip4_wire *)packet_net(p);
	const struct ip4_cb *cb = ip4_cb(p);
	unsigned long flags = READ_ONCE(s->flags);

	if (s->six)
		inet6_recv_cmsgs(s, m, p);
	if (packet_is_ip6(p))
		return;
	if (likely(!(flags >> INET_C_PKTINFO | (flags >> INET_RECV_FRAGSIZE & 1))))
		return;
	if (inet_flag(s, INET_C_PKTINFO)) {
		struct in_pktinfo i = { .ipi_ifindex = (int)p->iif,
					.ipi_spec_dst = { cb->spec_dst.v },
					.ipi_addr = { h->dst.v } };

		put_cmsg(m, IPPROTO_IP, IP_PKTINFO, sizeof(i), &i);
	}
	if (inet_flag(s, INET_C_TTL)) {
		s32 ttl = h->ttl;

		put_cmsg(m, IPPROTO_IP, IP_TTL, sizeof(ttl), &ttl);
	}
	if (inet_flag(s, INET_C_TOS))
		put_cmsg(m, IPPROTO_IP, IP_TOS, 1, &h->tos);
	if (inet_flag(s, INET_C_RECVOPTS) && ip4_header_len(h) > IP4_HEADER)
		put_cmsg(m, IPPROTO_IP, IP_RECVOPTS, ip4_header_len(h) - IP4_HEADER, h + 1);
	if (inet_flag(s, INET_C_RETOPTS) && ip4_header_len(h) > IP4_HEADER)
		put_cmsg(m, IPPROTO_IP, IP_RETOPTS, ip4_header_len(h) - IP4_HEADER, h + 1);
	if (inet_flag(s, INET_C_ORIGDST)) {
		struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr = { h->dst.v } };
		be16 port;

		if (inet_packet_port(p, &port)) {
			in.sin_port = port.v;
			put_cmsg(m, IPPROTO_IP, IP_ORIGDSTADDR, sizeof(in), &in);
		}
	}
	if (inet_flag(s, INET_RECV_FRAGSIZE) && cb->frag_size) {
		s32 size = cb->frag_size;

		put_cmsg(m, IPPROTO_IP, IP_RECVFRAGSIZE, sizeof(size), &size);
	}
}

void inet_recv_cmsgs(struct inet_sock *s, struct sock_msg *m, struct packet *p)
{
	sock_recv_cmsgs(&s->sk, m, p);
	put_headers(s, m, p);
}

static int one_cmsg(struct inet_sock *s, struct inet_cmsg *c, const struct user_cmsghdr *h,
		    const u8 *data, size_t len)
{
	struct in_pktinfo i;
	s32 v = 0;

	if (h->level == SOL_SOCKET)
		return sock_send_cmsg(&s->sk, &c->tx, h->type, data, len);
	if (h->level == IPPROTO_IPV6 && s->six)
		return inet6_send_cmsg(s, c, h->type, data, len);
	if (h->level != IPPROTO_IP)
		return 0;
	if (h->type != IP_PKTINFO && h->type != IP_RETOPTS) {
		if (len == sizeof(v))
			memcpy(&v, data, sizeof(v));
		else if (len == 1 && h->type == IP_TOS)
			v = data[0];
		else
			return -EINVAL;
	}
	switch (h->type) {
	case IP_PKTINFO:
		if (len != sizeof(i))
			return -EINVAL;
		memcpy(&i, data, sizeof(i));
		if (i.ipi_ifindex)
			c->oif = i.ipi_ifindex;
		c->src = (be32){ i.ipi_spec_dst.s_addr };
		return 0;
	case IP_TTL:
		if (v < 1 || v > 255)
			return -EINVAL;
		c->ttl = v;
		return 0;
	case IP_TOS:
		if (v < 0 || v > 255)
			return -EINVAL;
		c->tos = v;
		return 0;
	case IP_PROTOCOL:
		if (v < 1 || v > 255)
			return -EINVAL;
		c->protocol = v;
		return 0;
	}
	return -EINVAL;
}

void inet_cmsg_none(const struct inet_sock *s, struct inet_cmsg *c)
{
	*c = (struct inet_cmsg){ .tos = -1,
				 .ttl = -1,
				 .hops = -2,
				 .tclass = -1,
				 .dontfrag = -1,
				 .tx = { .mark = s->sk.mark, .priority = s->sk.priority } };
}

int inet_send_cmsgs(struct inet_sock *s, const struct sock_msg *m, struct inet_cmsg *c)
{
	size_t off = 0;
	int err = 0;

	inet_cmsg_none(s, c);
	while (!err && !uptr_is_null(m->control) &&
	       m->control_len - off >= sizeof(struct user_cmsghdr)) {
		struct user_cmsghdr h;
		u8 data[64] __aligned(8);
		size_t len;

		if (copy_from_user(&h, uptr_add(m->control, off), sizeof(h)))
			return -EFAULT;
		if (h.len < sizeof(h) || h.len > m->control_len - off)
			return -EINVAL;
		len = h.len - sizeof(h);
		if (len > sizeof(data))
			return h.level == SOL_SOCKET || h.level == IPPROTO_IP ? -EINVAL : 0;
		if (copy_from_user(data, uptr_add(m->control, off + sizeof(h)), len))
			return -EFAULT;
		err = one_cmsg(s, c, &h, data, len);
		off += ALIGN(h.len, 8UL);
		if (off > m->control_len)
			break;
	}
	return err;
}

/* ---- the error queue ---- */

/* In p->cb of what lies there; who told of it stands in its IP header. */
struct error_cb {
	struct sock_extended_err ee;
	struct ip6_addr dst;		/* mapped, of IPv4 */
	be16 dst_port;
};
_Static_assert(sizeof(struct error_cb) <= PACKET_CB, "fits");

void inet_queue_icmp(struct inet_sock *s, struct packet *p, const struct icmp_quote *q, int err,
		     be16 port, u32 payload_at)
{
	const struct icmp_wire *w = (const struct icmp_wire *)packet_data(p);
	struct packet *c = packet_clone(p, GFP_ATOMIC);

	if (!c)
		return;
	*(struct error_cb *)c->cb = (struct error_cb){
		.ee = { .ee_errno = (u32)err,
			.ee_origin = q->six ? SO_EE_ORIGIN_ICMP6 : SO_EE_ORIGIN_ICMP,
			.ee_type = w->type,
			.ee_code = w->code,
			.ee_info = q->info },
		.dst = q->six ? q->dst6 : ip6_mapped(q->dst),
		.dst_port = port,
	};
	packet_drop_front(c, payload_at < c->len ? payload_at : c->len);
	if (sock_queue_error(&s->sk, c))
		packet_free(c, DROP_RCVBUF);
}

void inet_queue_local(struct inet_sock *s, int err, const struct ip6_addr *dst, be16 port, u32 info)
{
	struct packet *p = packet_alloc(GFP_ATOMIC);

	if (!p)
		return;
	*(struct error_cb *)p->cb = (struct error_cb){
		.ee = { .ee_errno = (u32)err, .ee_origin = SO_EE_ORIGIN_LOCAL, .ee_info = info },
		.dst = *dst,
		.dst_port = port
	};
	if (sock_queue_error(&s->sk, p))
		packet_free(p, DROP_RCVBUF);
}

void inet_queue_stamp(struct inet_sock *s, const struct packet *p, u32 type, u32 key)
{
	u32 flags = READ_ONCE(s->sk.ts_flags);
	struct packet *c;

	if (!(flags & SOF_TIMESTAMPING_SOFTWARE))
		return;
	c = p && !(flags & SOF_TIMESTAMPING_OPT_TSONLY) ? packet_clone(p, GFP_ATOMIC) :
							  packet_alloc(GFP_ATOMIC);
	if (!c)
		return;
	*(struct error_cb *)c->cb = (struct error_cb){
		.ee = { .ee_errno = ENOMSG,
			.ee_origin = SO_EE_ORIGIN_TIMESTAMPING,
			.ee_info = type,
			.ee_data = key },
	};
	c->tstamp_ns = ktime_get_real_ns();
	if (sock_queue_error(&s->sk, c))
		packet_free(c, DROP_RCVBUF);
}

static bool is_icmp(const struct sock_extended_err *ee)
{
	return ee->ee_origin == SO_EE_ORIGIN_ICMP || ee->ee_origin == SO_EE_ORIGIN_ICMP6;
}

/*
 * The messages of P, whose error is E. If a router or host sent it, P has the IP header of its ICMP
 * message, and the program hears of that header what it asked to hear of each packet (tracepath(8)
 * counts the hops back by the TTL).
 */
static void put_error(struct inet_sock *s, struct sock_msg *m, struct packet *p,
		      const struct error_cb *e)
{
	struct {
		struct sock_extended_err ee;
		union {
			struct sockaddr_in6 v6;	/* the longest first: all of it is zeroed */
			struct sockaddr_in v4;
		} offender;
	} out = { .ee = e->ee };
	bool six = s->sk.family == AF_INET6;
	struct sock_msg from;

	if (is_icmp(&e->ee) && p->net_at != PACKET_NO_HEADER) {
		inet_put_sender(s, &from, p, be16_make(0));
		memcpy(&out.offender, &from.addr, (size_t)from.addr_len);
		memset(p->cb, 0, sizeof(p->cb));	/* it held E */
		if (!packet_is_ip6(p))
			ip4_cb(p)->spec_dst = ((const struct ip4_wire *)packet_net(p))->dst;
		put_headers(s, m, p);
	}
	put_cmsg(m, six ? IPPROTO_IPV6 : IPPROTO_IP, six ? IPV6_RECVERR : IP_RECVERR,
		 sizeof(out.ee) + (six ? sizeof(out.offender.v6) : sizeof(out.offender.v4)), &out);
}

ssize_t inet_recv_error(struct inet_sock *s, struct sock_msg *m)
{
	struct sock *sk = &s->sk;
	struct packet *p;
	const struct sock_extended_err *after = NULL;
	struct error_cb e;
	bool stamp;
	u32 n;
	int err, next = 0;

	spin_lock(&sk->queue.lock);
	p = packet_list_take(&sk->queue.errors);
	if (!packet_list_empty(&sk->queue.errors))
		after = &((struct error_cb *)packet_list_first(&sk->queue.errors)->cb)->ee;
	if (after && after->ee_origin != SO_EE_ORIGIN_TIMESTAMPING)
		next = (int)after->ee_errno;
	spin_unlock(&sk->queue.lock);
	if (!p)
		return -EAGAIN;
	e = *(struct error_cb *)p->cb;
	stamp = e.ee.ee_origin == SO_EE_ORIGIN_TIMESTAMPING;
	if (next || !stamp)
		sock_set_error(sk, next);	/* a time is no error */
	n = (u32)min_t(size_t, p->len, iter_count(m->iter));
	if (n < p->len)
		m->out_flags |= MSG_TRUNC;
	err = packet_to_iter(p, 0, m->iter, n);
	if (!err) {
		if (stamp) {
			sock_put_stamps(sk, m, p->tstamp_ns);
		} else {
			inet_put_name(s, m, &e.dst, e.dst_port, (int)p->iif);
			sock_recv_stamp(sk, m, p->tstamp_ns);
		}
		put_error(s, m, p, &e);
		m->out_flags |= MSG_ERRQUEUE;
	}
	packet_consume(p);
	return err ?: (ssize_t)n;
}
