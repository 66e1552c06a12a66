// SPDX-License-Identifier: MIT
/*
 * When bytes were sent and acknowledged (SO_TIMESTAMPING): the last byte of each send(2) stands for
 * all of it. Its packet is marked, and has the byte's number; a mark goes with the byte when the
 * packet is cut. A stamp for each time that the packet goes: to the device's queue (SCHED), taken
 * by it (SND); and one for its acknowledgement (ACK).
 */
#include <abi/errno.h>
#include <linux/time.h>
#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include "net/inet/cmsg.h"
#include "net/tcp/tcp_priv.h"

int tcp_stamps(struct sock *sk, u32 flags)
{
	struct tcp_sock *t = tcp_sk(sk);

	if (tcp_state_in(t, TCPS(CLOSE) | TCPS(LISTEN)))
		return -EINVAL;
	atomic_set(&sk->ts_key,
		   (int)(flags & SOF_TIMESTAMPING_OPT_ID_TCP ? t->write_seq : t->snd_una));
	return 0;
}

void tcp_stamp_mark(struct tcp_sock *t, struct packet *p)
{
	struct tcp_cb *cb = tcp_cb(p);

	if (!(t->inet.sk.ts_flags & SOCK_STAMPS_TX) || !p->len)
		return;
	cb->mark |= TCPM_STAMP;
	cb->stamp_seq = cb->seq + p->len - 1;
}

void tcp_stamp_cut(struct tcp_cb *a, struct tcp_cb *b)
{
	if (!(a->mark & TCPM_STAMP))
		return;
	if (before(a->stamp_seq, b->seq))
		b->mark &= (u8)~TCPM_STAMP;
	else
		a->mark &= (u8)~TCPM_STAMP;
}

void tcp_stamp(struct tcp_sock *t, const struct packet *p, u32 type)
{
	static const u32 wants[] = {
		[SCM_TSTAMP_SND] = SOF_TIMESTAMPING_TX_SOFTWARE,
		[SCM_TSTAMP_SCHED] = SOF_TIMESTAMPING_TX_SCHED,
		[SCM_TSTAMP_ACK] = SOF_TIMESTAMPING_TX_ACK,
	};
	struct sock *sk = &t->inet.sk;
	u32 flags = READ_ONCE(sk->ts_flags), key = 0;

	if (!(flags & wants[type]))
		return;
	if (flags & SOF_TIMESTAMPING_OPT_ID)
		key = tcp_cb((struct packet *)p)->stamp_seq - (u32)atomic_read(&sk->ts_key);
	inet_queue_stamp(&t->inet, p, type, key);
}
