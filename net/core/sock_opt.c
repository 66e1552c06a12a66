// SPDX-License-Identifier: MIT
/*
 * Options of SOL_SOCKET (socket(7)), the same for all families. A family that refuses an option, or
 * has more to say about one, is asked first (sock_kind's set and get).
 *
 * Plain values are stored as they are, each in one word: readers on the way of a packet take no
 * lock. What changes how bytes are counted or where packets go is changed by the owner.
 */
#include <lib/types.h>
#include <lib/err.h>
#include <lib/minmax.h>
#include <mm/uaccess.h>
#include <net/netns.h>
#include <net/sock.h>
#include <proc/cred.h>
#include <proc/pid.h>
#include <proc/upcalls.h>
#include <abi/errno.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/net.h>
#include <linux/sock_diag.h>
#include "net/core/core_priv.h"

#define MOST_UNPRIVILEGED_PRIORITY 6	/* socket(7), SO_PRIORITY */
#define LEAST_SNDBUF 4608		/* after doubling */
#define LEAST_RCVBUF 2304

int sock_get_int_option(u32 *v, struct uptr val, int len)
{
	if (len < (int)sizeof(*v))
		return -EINVAL;
	return get_user(*v, val) ? -EFAULT : 0;
}

int sock_put_option(const void *v, size_t size, struct uptr val, struct uptr ulen)
{
	s32 len;

	if (get_user(len, ulen))
		return -EFAULT;
	if (len < 0)
		return -EINVAL;
	len = min_t(s32, len, (s32)size);
	return copy_to_user(val, v, (size_t)len) || put_user(len, ulen) ? -EFAULT : 0;
}

/* ---- flags ---- */

/* The flag that a boolean option is; -1: it is none of them. */
static int flag_of(int name)
{
	switch (name) {
	case SO_PASSCRED:
		return SOCK_F_PASSCRED;
	case SO_PASSPIDFD:
		return SOCK_F_PASSPIDFD;
	case SO_PASSSEC:
		return SOCK_F_PASSSEC;
	case SO_REUSEADDR:
		return SOCK_F_REUSEADDR;
	case SO_REUSEPORT:
		return SOCK_F_REUSEPORT;
	case SO_KEEPALIVE:
		return SOCK_F_KEEPALIVE;
	case SO_BROADCAST:
		return SOCK_F_BROADCAST;
	case SO_DONTROUTE:
		return SOCK_F_DONTROUTE;
	case SO_OOBINLINE:
		return SOCK_F_OOBINLINE;
	case SO_NO_CHECK:
		return SOCK_F_NO_CHECK;
	case SO_RXQ_OVFL:
		return SOCK_F_RXQ_OVFL;
	case SO_DEBUG:
		return SOCK_F_DEBUG;
	case SO_SELECT_ERR_QUEUE:
		return SOCK_F_SELECT_ERR_QUEUE;
	case SO_NOFCS:
		return SOCK_F_NOFCS;
	}
	return -1;
}

static int set_flag(struct sock *sk, int name, bool on)
{
	if (name == SO_DEBUG && on && !capable(CAP_NET_ADMIN))
		return -EACCES;
	sock_set_flag(sk, (enum sock_flag)flag_of(name), on);
	if (name == SO_KEEPALIVE && sk->kind->keepalive) {
		lock_sock(sk);
		sk->kind->keepalive(sk, on);
		release_sock(sk);
	}
	return 0;
}

/* ---- times, sizes, rates ---- */

static int get_timeo(long *out, struct uptr val, int len)
{
	struct {
		s64 sec, usec;
	} t;

	if (len < (int)sizeof(t))
		return -EINVAL;
	if (copy_from_user(&t, val, sizeof(t)))
		return -EFAULT;
	if (t.usec < 0 || t.usec >= USEC_PER_SEC)
		return -EDOM;
	if (t.sec < 0)
		*out = 0;
	else if ((!t.sec && !t.usec) || t.sec >= MAX_SCHEDULE_TIMEOUT / HZ - 1)
		*out = MAX_SCHEDULE_TIMEOUT;
	else
		*out = t.sec * HZ + (t.usec + (USEC_PER_SEC / HZ) - 1) / (USEC_PER_SEC / HZ);
	return 0;
}

static int put_timeo(long t, struct uptr val, struct uptr len)
{
	struct {
		s64 sec, usec;
	} v = { 0, 0 };

	if (t != MAX_SCHEDULE_TIMEOUT) {
		v.sec = t / HZ;
		v.usec = t % HZ * (USEC_PER_SEC / HZ);
	}
	return sock_put_option(&v, sizeof(v), val, len);
}

/* A size that a program set is locked: it is not tuned any more. */
static int set_buffer(struct sock *sk, int name, u32 v)
{
	bool force = name == SO_SNDBUFFORCE || name == SO_RCVBUFFORCE,
	     send = name == SO_SNDBUF || name == SO_SNDBUFFORCE;
	int size;

	if (force && !capable(CAP_NET_ADMIN))
		return -EPERM;
	if (!force)
		v = min(v, (u32)(send ? net_limits.wmem_max : net_limits.rmem_max));
	size = max((int)min(v, (u32)INT_MAX / 2) * 2, send ? LEAST_SNDBUF : LEAST_RCVBUF);
	spin_lock(&sk->lock);
	WRITE_ONCE(*(send ? &sk->sndbuf : &sk->rcvbuf), size);
	sk->buf_locks |= send ? SOCK_SNDBUF_LOCK : SOCK_RCVBUF_LOCK;
	spin_unlock(&sk->lock);
	if (sk->kind->buf_changed) {
		lock_sock(sk);
		sk->kind->buf_changed(sk);
		release_sock(sk);
	}
	if (send)
		sock_wake_writable(sk);
	return 0;
}

static int set_linger(struct sock *sk, struct uptr val, int len)
{
	struct {
		s32 on, seconds;
	} v;

	if (len < (int)sizeof(v))
		return -EINVAL;
	if (copy_from_user(&v, val, sizeof(v)))
		return -EFAULT;
	if (v.on)
		sk->linger_s = min((u32)v.seconds, (u32)INT_MAX);
	sock_set_flag(sk, SOCK_F_LINGER, v.on);
	return 0;
}

/* Bytes a second, of 64 bits where the caller gives so many. */
static int set_pacing(struct sock *sk, u32 v, struct uptr val, int len)
{
	u64 rate = v == (u32)-1 ? ~0ULL : v;

	if (len == (int)sizeof(rate) && copy_from_user(&rate, val, sizeof(rate)))
		return -EFAULT;
	WRITE_ONCE(sk->pacing_rate, rate);
	return 0;
}

static int put_pacing(const struct sock *sk, struct uptr val, struct uptr ulen)
{
	u64 rate = READ_ONCE(sk->pacing_rate);
	u32 narrow = (u32)min(rate, (u64)UINT_MAX);
	s32 room;

	if (get_user(room, ulen))
		return -EFAULT;
	if (room < (s32)sizeof(rate))
		return sock_put_option(&narrow, sizeof(narrow), val, ulen);
	return sock_put_option(&rate, sizeof(rate), val, ulen);
}

/* ---- setting ---- */

static int set_timestamps(struct sock *sk, int name, bool on)
{
	bool ns = name == SO_TIMESTAMPNS_OLD || name == SO_TIMESTAMPNS_NEW;

	sock_set_flag(sk, SOCK_F_TIMESTAMP, on);
	sock_set_flag(sk, SOCK_F_TIMESTAMPNS, on && ns);
	sock_set_flag(sk, SOCK_F_TSTAMP_NEW,
		      on && (name == SO_TIMESTAMP_NEW || name == SO_TIMESTAMPNS_NEW));
	return 0;
}

static bool may_mark(const struct sock *sk)
{
	return sock_capable(sk, CAP_NET_RAW) || sock_capable(sk, CAP_NET_ADMIN);
}

/* What a local socket lets come with messages. */
static int set_pass(struct sock *sk, int name, bool on)
{
	if (sk->family != AF_UNIX)
		return -EOPNOTSUPP;
	if (name != SO_PASSRIGHTS)
		return set_flag(sk, name, on);
	sock_set_flag(sk, SOCK_F_REFUSES_RIGHTS, !on);
	return 0;
}

/* What other files of this room do. -ENOPROTOOPT: NAME is none of their options. */
static int set_elsewhere(struct sock *sk, int name, u32 v, struct uptr val, int len)
{
	switch (name) {
	case SO_BINDTOIFINDEX:
		return sock_bind_index(sk, (int)v);
	case SO_ATTACH_FILTER:
		return sock_filter_attach(sk, val, len);
	case SO_DETACH_FILTER:
		return sock_filter_detach(sk);
	case SO_LOCK_FILTER:
		return sock_filter_lock(sk, v);
	case SO_PEEK_OFF:
		if (!sk->kind->peeks_on)
			return -EOPNOTSUPP;
		WRITE_ONCE(sk->peek_off, (int)v);
		return 0;
	}
	return -ENOPROTOOPT;
}

/* The options that are a number. */
static int set_number(struct sock *sk, int name, u32 v, struct uptr val, int len)
{
	switch (name) {
	case SO_SNDBUF:
	case SO_SNDBUFFORCE:
	case SO_RCVBUF:
	case SO_RCVBUFFORCE:
		return set_buffer(sk, name, v);
	case SO_RCVLOWAT:
		sk->rcvlowat = (int)v < 0 ? INT_MAX : max((int)v, 1);
		return 0;
	case SO_REUSEPORT:
		if (v && sk->family != AF_INET && sk->family != AF_INET6)
			return -EOPNOTSUPP;
		return set_flag(sk, name, v);
	case SO_TIMESTAMP_OLD:
	case SO_TIMESTAMP_NEW:
	case SO_TIMESTAMPNS_OLD:
	case SO_TIMESTAMPNS_NEW:
		return set_timestamps(sk, name, v);
	case SO_TIMESTAMPING_OLD:
	case SO_TIMESTAMPING_NEW:
		return sock_set_timestamping(sk, v, name == SO_TIMESTAMPING_NEW);
	case SO_MARK:
		if (!may_mark(sk))
			return -EPERM;
		sk->mark = v;
		return 0;
	case SO_PRIORITY:
		if (v > MOST_UNPRIVILEGED_PRIORITY && !may_mark(sk))
			return -EPERM;
		sk->priority = v;
		return 0;
	case SO_INCOMING_CPU:
		sk->incoming_cpu = (int)v;
		return 0;
	case SO_BUSY_POLL:
		if ((int)v < 0)
			return -EINVAL;
		sk->busy_poll_us = (int)v;
		return 0;
	case SO_MAX_PACING_RATE:
		return set_pacing(sk, v, val, len);
	case SO_BUF_LOCK:
		if (v & ~(u32)(SOCK_SNDBUF_LOCK | SOCK_RCVBUF_LOCK))
			return -EINVAL;
		spin_lock(&sk->lock);
		sk->buf_locks = v;
		spin_unlock(&sk->lock);
		return 0;
	case SO_PASSPIDFD:
	case SO_PASSSEC:
	case SO_PASSRIGHTS:
		return set_pass(sk, name, v);
	case SO_ZEROCOPY:
	case SO_TXREHASH:
	case SO_RESERVE_MEM:
		return -EOPNOTSUPP;
	}
	return flag_of(name) < 0 ? set_elsewhere(sk, name, v, val, len) : set_flag(sk, name, v);
}

int sock_setsockopt(struct socket *s, int name, struct uptr val, int len)
{
	struct sock *sk = s->sk;
	u32 v;
	int e;

	switch (name) {
	case SO_RCVTIMEO_OLD:
	case SO_RCVTIMEO_NEW:
		return get_timeo(&sk->rcvtimeo, val, len);
	case SO_SNDTIMEO_OLD:
	case SO_SNDTIMEO_NEW:
		return get_timeo(&sk->sndtimeo, val, len);
	case SO_LINGER:
		return set_linger(sk, val, len);
	case SO_BINDTODEVICE:
		return sock_bind_name(sk, val, len);
	}
	e = sock_get_int_option(&v, val, len);
	return e ?: set_number(sk, name, v, val, len);
}

/* ---- asking ---- */

/* The supplementary groups of the peer; *ULEN says how many bytes they are, also with -ERANGE. */
static int put_peer_groups(struct sock *sk, struct uptr val, struct uptr ulen)
{
	struct group_info *g;
	s32 room, len;
	int e = 0;

	if (get_user(room, ulen))
		return -EFAULT;
	if (room < 0)
		return -EINVAL;
	spin_lock(&sk->lock);
	g = sk->peer_cred ? get_group_info(sk->peer_cred->group_info) : NULL;
	spin_unlock(&sk->lock);
	if (!g)
		return -ENODATA;
	len = (s32)(g->ngroups * (int)sizeof(gid_t));
	if (room < len)
		e = -ERANGE;
	for (int i = 0; i < g->ngroups && !e; i++)
		e = put_user(from_kgid_munged(current_user_ns(), g->gid[i]),
			     uptr_add(val, (unsigned long)i * sizeof(gid_t))) ?
			    -EFAULT :
			    0;
	if (e != -EFAULT && put_user(len, ulen))
		e = -EFAULT;
	put_group_info(g);
	return e;
}

/* A descriptor of the process that connected, or listened. */
static int put_peer_pidfd(struct sock *sk, struct uptr val, struct uptr ulen)
{
	struct file *file;
	struct pid *pid;
	int fd, e;

	spin_lock(&sk->lock);
	pid = get_pid(sk->peer_pid);
	spin_unlock(&sk->lock);
	if (!pid)
		return -ENODATA;
	fd = proc_pidfd_prepare(pid, false, &file);
	put_pid(pid);
	if (fd < 0)
		return fd;
	e = sock_put_option(&fd, sizeof(fd), val, ulen);
	if (e)
		proc_pidfd_abort(fd, file);
	else
		proc_pidfd_install(fd, file);
	return e;
}

static int put_peer_cred(struct sock *sk, struct uptr val, struct uptr ulen)
{
	struct {
		s32 pid;
		u32 uid, gid;
	} c = { 0, (u32)-1, (u32)-1 };

	spin_lock(&sk->lock);
	if (sk->peer_pid) {
		c.pid = pid_vnr(sk->peer_pid);
		c.uid = from_kuid_munged(current_user_ns(), sk->peer_cred->euid);
		c.gid = from_kgid_munged(current_user_ns(), sk->peer_cred->egid);
	}
	spin_unlock(&sk->lock);
	return sock_put_option(&c, sizeof(c), val, ulen);
}

/* As getpeername(2), but that no more may be asked for than there is. */
static int put_peer_name(struct socket *s, struct uptr val, struct uptr ulen)
{
	struct __kernel_sockaddr_storage a;
	int len = sock_last_peer(s, &a);
	s32 room;

	if (len < 0)
		return -ENOTCONN;
	if (get_user(room, ulen))
		return -EFAULT;
	return room > len ? -EINVAL : sock_put_option(&a, (size_t)len, val, ulen);
}

static int put_linger(const struct sock *sk, struct uptr val, struct uptr len)
{
	struct {
		s32 on;
		u32 seconds;
	} l = { sock_flag(sk, SOCK_F_LINGER), sk->linger_s };

	return sock_put_option(&l, sizeof(l), val, len);
}

static int put_meminfo(struct sock *sk, struct uptr val, struct uptr len)
{
	u32 m[SK_MEMINFO_VARS] = {
		[SK_MEMINFO_RMEM_ALLOC] = (u32)atomic_read(&sk->rmem),
		[SK_MEMINFO_RCVBUF] = (u32)READ_ONCE(sk->rcvbuf),
		[SK_MEMINFO_WMEM_ALLOC] = (u32)atomic_read(&sk->wmem),
		[SK_MEMINFO_SNDBUF] = (u32)READ_ONCE(sk->sndbuf),
		[SK_MEMINFO_BACKLOG] = READ_ONCE(sk->backlog_bytes),
		[SK_MEMINFO_DROPS] = (u32)atomic_read(&sk->drops),
	};

	return sock_put_option(m, sizeof(m), val, len);
}

static int put_cookie(struct sock *sk, int name, struct uptr val, struct uptr ulen)
{
	u64 v = name == SO_COOKIE ? sock_cookie(sk) : sk->net->cookie;
	s32 room;

	if (get_user(room, ulen))
		return -EFAULT;
	return room < (s32)sizeof(v) ? -EINVAL : sock_put_option(&v, sizeof(v), val, ulen);
}

/* The options whose answer is no plain number. -ENOIOCTLCMD: NAME is none of them. */
static int get_structured(struct socket *s, struct sock *sk, int name, struct uptr val,
			  struct uptr len)
{
	switch (name) {
	case SO_RCVTIMEO_OLD:
	case SO_RCVTIMEO_NEW:
		return put_timeo(sk->rcvtimeo, val, len);
	case SO_SNDTIMEO_OLD:
	case SO_SNDTIMEO_NEW:
		return put_timeo(sk->sndtimeo, val, len);
	case SO_LINGER:
		return put_linger(sk, val, len);
	case SO_MAX_PACING_RATE:
		return put_pacing(sk, val, len);
	case SO_COOKIE:
	case SO_NETNS_COOKIE:
		return put_cookie(sk, name, val, len);
	case SO_PEERGROUPS:
		return put_peer_groups(sk, val, len);
	case SO_PEERPIDFD:
		return put_peer_pidfd(sk, val, len);
	case SO_PEERNAME:
		return put_peer_name(s, val, len);
	case SO_PEERCRED:
		return put_peer_cred(sk, val, len);
	case SO_BINDTODEVICE:
		return sock_put_bound_name(sk, val, len);
	case SO_GET_FILTER:
		return sock_filter_get(sk, val, len);
	case SO_MEMINFO:
		return put_meminfo(sk, val, len);
	case SO_TIMESTAMPING_OLD:
	case SO_TIMESTAMPING_NEW:
		return sock_put_timestamping(sk, name == SO_TIMESTAMPING_NEW, val, len);
	}
	return -ENOIOCTLCMD;
}

static bool stamps(const struct sock *sk, bool ns, bool new)
{
	return sock_flag(sk, SOCK_F_TIMESTAMP) && sock_flag(sk, SOCK_F_TIMESTAMPNS) == ns &&
	       sock_flag(sk, SOCK_F_TSTAMP_NEW) == new;
}

/* Timestamps, in the form of either era. -ENOIOCTLCMD: NAME is none of them. */
static int get_stamps(const struct sock *sk, int name)
{
	switch (name) {
	case SO_TIMESTAMP_OLD:
		return stamps(sk, false, false);
	case SO_TIMESTAMP_NEW:
		return stamps(sk, false, true) || stamps(sk, true, true); /* as Linux answers */
	case SO_TIMESTAMPNS_OLD:
		return stamps(sk, true, false);
	case SO_TIMESTAMPNS_NEW:
		return stamps(sk, true, true);
	}
	return -ENOIOCTLCMD;
}

/* A word of the sock that the option shows as it is; NULL: NAME is none of them. */
static const void *word_of(const struct sock *sk, int name)
{
	switch (name) {
	case SO_SNDBUF:
		return &sk->sndbuf;
	case SO_RCVBUF:
		return &sk->rcvbuf;
	case SO_RCVLOWAT:
		return &sk->rcvlowat;
	case SO_PRIORITY:
		return &sk->priority;
	case SO_BINDTOIFINDEX:
		return &sk->bound_dev;
	case SO_MARK:
		return &sk->mark;
	case SO_INCOMING_CPU:
		return &sk->incoming_cpu;
	case SO_INCOMING_NAPI_ID:
		return &sk->napi_id;
	case SO_BUSY_POLL:
		return &sk->busy_poll_us;
	case SO_BUF_LOCK:
		return &sk->buf_locks;
	}
	return NULL;
}

static int get_flag(const struct sock *sk, int name, s32 *v)
{
	bool pass = name == SO_PASSPIDFD || name == SO_PASSSEC || name == SO_PASSRIGHTS;

	if (pass && sk->family != AF_UNIX)
		return -EOPNOTSUPP;
	if (name == SO_PASSRIGHTS)
		*v = !sock_flag(sk, SOCK_F_REFUSES_RIGHTS);
	else if (flag_of(name) < 0)
		return -ENOPROTOOPT;
	else
		*v = sock_flag(sk, (enum sock_flag)flag_of(name));
	return 0;
}

static int get_number(struct socket *s, struct sock *sk, int name, s32 *v)
{
	const void *word = word_of(sk, name);

	if (word) {
		*v = READ_ONCE(*(const s32 *)word);
		return 0;
	}
	*v = get_stamps(sk, name);
	if (*v != -ENOIOCTLCMD)
		return 0;
	switch (name) {
	case SO_PEEK_OFF:
		if (!sk->kind->peeks_on)
			return -EOPNOTSUPP;
		*v = READ_ONCE(sk->peek_off);
		return 0;
	case SO_TYPE:
		*v = s->type;
		return 0;
	case SO_DOMAIN:
		*v = sk->family;
		return 0;
	case SO_PROTOCOL:
		*v = sk->protocol;
		return 0;
	case SO_ERROR:
		*v = -sock_take_error(sk);
		return 0;
	case SO_LOCK_FILTER:
		*v = sock_flag(sk, SOCK_F_FILTER_LOCKED);
		return 0;
	case SO_BPF_EXTENSIONS:
		*v = SKF_AD_MAX;
		return 0;
	case SO_SNDLOWAT:
		*v = 1;
		return 0;
	case SO_ACCEPTCONN: /* families that listen answer themselves */
	case SO_ZEROCOPY:
		*v = 0;
		return 0;
	}
	return get_flag(sk, name, v);
}

int sock_getsockopt(struct socket *s, int name, struct uptr val, struct uptr len)
{
	struct sock *sk = s->sk;
	s32 v;
	int e = sk->kind->get ? sk->kind->get(sk, name, val, len) : -ENOIOCTLCMD;

	if (e == -ENOIOCTLCMD)
		e = get_structured(s, sk, name, val, len);
	if (e != -ENOIOCTLCMD)
		return e;
	e = get_number(s, sk, name, &v);
	return e ?: sock_put_option(&v, sizeof(v), val, len);
}
