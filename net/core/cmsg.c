// SPDX-License-Identifier: MIT
/*
 * Control messages that all families share (cmsg(3)): their layout on the way to a program, and
 * those of SOL_SOCKET.
 */
#include <lib/types.h>
#include <lib/minmax.h>
#include <mm/uaccess.h>
#include <net/sock.h>
#include <abi/errno.h>
#include <asm/ioctl.h>
#include <asm/sockios.h>
#include <linux/capability.h>
#include <linux/sockios.h>

void put_cmsg(struct sock_msg *m, int level, int type, size_t len, const void *data)
{
	struct user_cmsghdr h = { sizeof(h) + len, level, type };
	size_t room = m->control_len - m->control_done, n;
	struct uptr at = uptr_add(m->control, m->control_done);

	if (uptr_is_null(m->control) || room < sizeof(h)) {
		m->out_flags |= MSG_CTRUNC;
		return;
	}
	if (room < h.len) {
		m->out_flags |= MSG_CTRUNC;
		h.len = room;
	}
	n = h.len - sizeof(h);
	if (copy_to_user(at, &h, sizeof(h)) || copy_to_user(uptr_add(at, sizeof(h)), data, n))
		return;
	m->control_done += min(ALIGN(h.len, 8UL), room);
}

/*
 * A packet that came before the option was set has no time of its own: it gets that of its reading.
 * The layouts of both eras are the same on 64 bits.
 */
void sock_recv_stamp(struct sock *sk, struct sock_msg *m, u64 real_ns)
{
	bool new = sock_flag(sk, SOCK_F_TSTAMP_NEW);
	struct {
		s64 sec, part;
	} t;

	bool stamps = unlikely(sock_stamps_rx(sk));

	if (!sock_flag(sk, SOCK_F_TIMESTAMP) && !stamps)
		return;
	if (!real_ns)
		real_ns = ktime_get_real_ns();
	if (stamps)
		sock_put_stamps(sk, m, real_ns);
	if (!sock_flag(sk, SOCK_F_TIMESTAMP))
		return;
	t.sec = (s64)(real_ns / NSEC_PER_SEC);
	t.part = (s64)(real_ns % NSEC_PER_SEC);
	if (sock_flag(sk, SOCK_F_TIMESTAMPNS)) {
		put_cmsg(m, SOL_SOCKET, new ? SO_TIMESTAMPNS_NEW : SO_TIMESTAMPNS_OLD, sizeof(t),
			 &t);
		return;
	}
	t.part /= NSEC_PER_USEC;
	put_cmsg(m, SOL_SOCKET, new ? SO_TIMESTAMP_NEW : SO_TIMESTAMP_OLD, sizeof(t), &t);
}

void sock_recv_cmsgs(struct sock *sk, struct sock_msg *m, const struct packet *p)
{
	u32 drops = (u32)atomic_read(&sk->drops);

	sock_recv_stamp(sk, m, p->tstamp_ns);
	sk->rx_stamp_ns = p->tstamp_ns;
	if (sock_flag(sk, SOCK_F_RXQ_OVFL) && drops)
		put_cmsg(m, SOL_SOCKET, SO_RXQ_OVFL, sizeof(drops), &drops);
}

int sock_ioctl(struct sock *sk, unsigned int cmd, struct uptr arg)
{
	bool ns = cmd == SIOCGSTAMPNS_OLD || cmd == SIOCGSTAMPNS_NEW;
	u64 at = READ_ONCE(sk->rx_stamp_ns);
	struct {
		s64 sec, part;
	} t;

	if (!ns && cmd != SIOCGSTAMP_OLD && cmd != SIOCGSTAMP_NEW)
		return -ENOIOCTLCMD;
	if (at == SOCK_NO_STAMP)
		return -ENOENT;
	if (!at)
		at = ktime_get_real_ns();
	t.sec = (s64)(at / NSEC_PER_SEC);
	t.part = (s64)(at % NSEC_PER_SEC / (ns ? 1 : NSEC_PER_USEC));
	return copy_to_user(arg, &t, sizeof(t)) ? -EFAULT : 0;
}

int sock_send_cmsgs(struct sock *sk, const struct sock_msg *m, struct sock_tx *t)
{
	size_t off = 0;
	int err = 0;

	while (!err && !uptr_is_null(m->control) && off < m->control_len &&
	       m->control_len - off >= sizeof(struct user_cmsghdr)) {
		struct user_cmsghdr h;
		u8 data[16] __aligned(8);

		if (copy_from_user(&h, uptr_add(m->control, off), sizeof(h)))
			return -EFAULT;
		if (h.len < sizeof(h) || h.len > m->control_len - off)
			return -EINVAL;
		off += ALIGN(h.len, 8UL);
		if (h.level != SOL_SOCKET)
			continue;
		if (h.len - sizeof(h) > sizeof(data))
			return -EINVAL;
		if (copy_from_user(data, uptr_add(m->control, off - ALIGN(h.len, 8UL) + sizeof(h)),
				   h.len - sizeof(h)))
			return -EFAULT;
		err = sock_send_cmsg(sk, t, h.type, data, h.len - sizeof(h));
	}
	return err;
}

int sock_send_cmsg(struct sock *sk, struct sock_tx *t, int type, const void *data, size_t len)
{
	if (type != SO_MARK)
		return -EINVAL;
	if (!sock_capable(sk, CAP_NET_RAW) && !sock_capable(sk, CAP_NET_ADMIN))
		return -EPERM;
	if (len != sizeof(t->mark))
		return -EINVAL;
	t->mark = *(const u32 *)data;
	return 0;
}
