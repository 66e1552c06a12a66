// SPDX-License-Identifier: MIT
/*
 * What holds sending back: the time that a connection has something to send, and of it that in
 * which the peer's window, or the send buffer, lets no more go (TCP_INFO). One reason holds at a
 * time, the later of enum tcp_limit first.
 */
#include <kernel/bug.h>
#include <kernel/time.h>
#include "net/tcp/tcp_priv.h"

static void change(struct tcp_sock *t, enum tcp_limit l)
{
	u64 now = ktime_get_ns();

	if (t->limit != TCP_L_NONE)
		t->limit_ns[t->limit - 1] += now - t->limit_since_ns;
	t->limit = (u8)l;
	t->limit_since_ns = now;
}

void tcp_limit_enter(struct tcp_sock *t, enum tcp_limit l)
{
	if (l > t->limit)
		change(t, l);
}

void tcp_limit_leave(struct tcp_sock *t, enum tcp_limit l)
{
	if (packet_list_empty(&t->sndq)) {
		if (t->limit != TCP_L_NONE)
			change(t, TCP_L_NONE);
	} else if (t->limit == l && l != TCP_L_BUSY) {
		change(t, TCP_L_BUSY);
	}
}

u64 tcp_limit_ns(const struct tcp_sock *t, enum tcp_limit l)
{
	DEBUG_ON(l == TCP_L_NONE);
	return t->limit_ns[l - 1] + (t->limit == l ? ktime_get_ns() - t->limit_since_ns : 0);
}
