// SPDX-License-Identifier: MIT
/*
 * SO_TIMESTAMPING: what is received, and what is sent, tells when. Times of sending lie in the
 * error queue, with a number that says which bytes or datagram they are of (OPT_ID): families that
 * send (sock_kind.stamps) make them. There is no clock of a device: its flags are kept, and nothing
 * comes of them.
 */
#include <lib/string.h>
#include <mm/uaccess.h>
#include <net/sock.h>
#include <abi/errno.h>
#include <linux/net_tstamp.h>

/* Not built: a program that asks for one of these is told so. */
#define ABSENT (SOF_TIMESTAMPING_OPT_STATS | SOF_TIMESTAMPING_OPT_PKTINFO |	\
		SOF_TIMESTAMPING_BIND_PHC | SOF_TIMESTAMPING_TX_COMPLETION)

int sock_set_timestamping(struct sock *sk, u32 flags, bool new)
{
	int err = 0;

	if (flags & ~(u32)SOF_TIMESTAMPING_MASK)
		return -EINVAL;
	if (flags & SOF_TIMESTAMPING_OPT_ID_TCP && !(flags & SOF_TIMESTAMPING_OPT_ID))
		return -EINVAL;
	if (flags & ABSENT || (flags & SOCK_STAMPS_TX && !sk->kind->stamps))
		return -EOPNOTSUPP;
	lock_sock(sk);
	if (flags & SOF_TIMESTAMPING_OPT_ID && !(sk->ts_flags & SOF_TIMESTAMPING_OPT_ID)) {
		atomic_set(&sk->ts_key, 0);
		if (sk->kind->stamps)
			err = sk->kind->stamps(sk, flags);
	}
	if (!err) {
		WRITE_ONCE(sk->ts_flags, flags);
		sock_set_flag(sk, SOCK_F_TSTAMP_NEW, new);
	}
	release_sock(sk);
	return err;
}

int sock_put_timestamping(struct sock *sk, bool new, struct uptr val, struct uptr len)
{
	struct so_timestamping v = { 0 };

	if (!new || sock_flag(sk, SOCK_F_TSTAMP_NEW))
		v.flags = (int)READ_ONCE(sk->ts_flags);
	return sock_put_option(&v, sizeof(v), val, len);
}

void sock_put_stamps(const struct sock *sk, struct sock_msg *m, u64 real_ns)
{
	struct {
		s64 sec, nsec;
	} t[3] = { { (s64)(real_ns / NSEC_PER_SEC), (s64)(real_ns % NSEC_PER_SEC) } };

	put_cmsg(m, SOL_SOCKET,
		 sock_flag(sk, SOCK_F_TSTAMP_NEW) ? SO_TIMESTAMPING_NEW : SO_TIMESTAMPING_OLD,
		 sizeof(t), t);
}

bool sock_stamps_rx(const struct sock *sk)
{
	u32 need = SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE;

	return (READ_ONCE(sk->ts_flags) & need) == need;
}

u32 sock_next_stamp(struct sock *sk)
{
	return READ_ONCE(sk->ts_flags) & SOF_TIMESTAMPING_OPT_ID ?
		       (u32)atomic_add_return(1, &sk->ts_key) - 1 :
		       0;
}
