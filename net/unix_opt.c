// SPDX-License-Identifier: MIT
/* What can be asked of a local socket and set on it: socket options, ioctls (socket(7), unix(7)). */
#include <lib/types.h>
#include <lib/err.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <alloc/slab.h>
#include <kernel/time.h>
#include <mm/uaccess.h>
#include <proc/cred.h>
#include <proc/pid.h>
#include <proc/upcalls.h>
#include <abi/errno.h>
#include <asm/ioctls.h>
#include <linux/capability.h>
#include <linux/sockios.h>
#include "net/unix_priv.h"

#define MOST_UNPRIVILEGED_PRIORITY 6	/* socket(7), SO_PRIORITY */

int unix_ioctl(struct socket *s, unsigned int cmd, unsigned long arg)
{
	struct unix_sock *u = s->sk;
	struct unix_msg *q;
	u32 n;

	switch (cmd) {
	case SIOCOUTQ:
		return put_user((u32)atomic_read(&u->wmem), UPTR(arg)) ? -EFAULT : 0;
	case SIOCINQ:
		if (u->state == UNIX_LISTEN)
			return -EINVAL;
		spin_lock(&u->lock);
		if (u->type == SOCK_STREAM) {
			n = (u32)u->bytes;
		} else {
			q = list_first_entry_or_null(&u->queue, struct unix_msg, list);
			n = q ? (u32)q->len : 0;
		}
		spin_unlock(&u->lock);
		return put_user(n, UPTR(arg)) ? -EFAULT : 0;
	}
	return -ENOIOCTLCMD;
}

static int get_timeo(long *out, struct uptr val, int len)
{
	struct { s64 sec, usec; } t;

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

/* A size that was set is locked. */
static int set_buffer(struct unix_sock *u, unsigned int lock, int *buf, u32 v, int max_v, int least, bool force)
{
	if (force && !capable(CAP_NET_ADMIN))
		return -EPERM;
	if (!force)
		v = min(v, (u32)max_v);
	*buf = max((int)min(v, (u32)INT_MAX / 2) * 2, least);
	u->locked_bufs |= lock;
	return 0;
}

/* Nothing of a local socket is on its way when it is closed: there is nothing to linger for. */
static int set_linger(struct unix_sock *u, struct uptr val, int len)
{
	struct { s32 on, seconds; } v;

	if (len < (int)sizeof(v))
		return -EINVAL;
	if (copy_from_user(&v, val, sizeof(v)))
		return -EFAULT;
	u->lingers = v.on;
	if (v.on)
		u->linger_s = min((u32)v.seconds, (u32)INT_MAX);
	return 0;
}

/* Bytes a second, of 64 bits where the caller gives so many. */
static int set_pacing(struct unix_sock *u, u32 v, struct uptr val, int len)
{
	u64 rate = v == (u32)-1 ? ~0ULL : v;

	if (len == (int)sizeof(rate) && copy_from_user(&rate, val, sizeof(rate)))
		return -EFAULT;
	u->pacing = rate;
	return 0;
}

int unix_setsockopt(struct socket *s, int level, int name, struct uptr val, int len)
{
	struct unix_sock *u = s->sk;
	u32 v;

	if (level != SOL_SOCKET)
		return -EOPNOTSUPP;
	if (name == SO_RCVTIMEO_OLD || name == SO_RCVTIMEO_NEW)
		return get_timeo(&u->rcvtimeo, val, len);
	if (name == SO_SNDTIMEO_OLD || name == SO_SNDTIMEO_NEW)
		return get_timeo(&u->sndtimeo, val, len);
	if (name == SO_LINGER)
		return set_linger(u, val, len);
	if (len < (int)sizeof(v))
		return -EINVAL;
	if (get_user(v, val))
		return -EFAULT;
	switch (name) {
	case SO_PASSCRED: u->passcred = v; return 0;
	case SO_SNDBUF: case SO_SNDBUFFORCE:
		return set_buffer(u, SOCK_SNDBUF_LOCK, &u->sndbuf, v, unix_wmem_max, 4608, name == SO_SNDBUFFORCE);
	case SO_RCVBUF: case SO_RCVBUFFORCE:
		return set_buffer(u, SOCK_RCVBUF_LOCK, &u->rcvbuf, v, unix_rmem_max, 2304, name == SO_RCVBUFFORCE);
	case SO_RCVLOWAT: u->rcvlowat = (int)v < 0 ? INT_MAX : max((int)v, 1); return 0;
	case SO_REUSEADDR: u->reuse = v; return 0;
	case SO_KEEPALIVE: u->keepalive = v; return 0;
	case SO_BROADCAST: u->broadcast = v; return 0;
	case SO_DONTROUTE: u->dontroute = v; return 0;
	case SO_OOBINLINE: u->oobinline = v; return 0;
	case SO_NO_CHECK: u->no_check = v; return 0;
	case SO_REUSEPORT: return v ? -EOPNOTSUPP : 0;
	case SO_DEBUG:
		if (v && !capable(CAP_NET_ADMIN))
			return -EACCES;
		u->debug = v;
		return 0;
	case SO_MARK:
		if (!capable(CAP_NET_RAW) && !capable(CAP_NET_ADMIN))
			return -EPERM;
		u->mark = v;
		return 0;
	case SO_RXQ_OVFL: u->rxq_ovfl = v; return 0;
	case SO_INCOMING_CPU: u->incoming_cpu = (int)v; return 0;
	case SO_BUSY_POLL:
		if ((int)v < 0)
			return -EINVAL;
		u->busy_poll = (int)v;
		return 0;
	case SO_MAX_PACING_RATE: return set_pacing(u, v, val, len);
	case SO_BUF_LOCK:
		if (v & ~(u32)(SOCK_SNDBUF_LOCK | SOCK_RCVBUF_LOCK))
			return -EINVAL;
		u->locked_bufs = v;
		return 0;
	case SO_ZEROCOPY: case SO_TXREHASH: case SO_RESERVE_MEM: return -EOPNOTSUPP;	/* of networks */
	case SO_PRIORITY:
		if (v > MOST_UNPRIVILEGED_PRIORITY && !capable(CAP_NET_RAW) && !capable(CAP_NET_ADMIN))
			return -EPERM;
		u->priority = v;
		return 0;
	}
	return -ENOPROTOOPT;
}

static int put_value(const void *v, size_t size, struct uptr val, struct uptr ulen)
{
	s32 len;

	if (get_user(len, ulen))
		return -EFAULT;
	if (len < 0)
		return -EINVAL;
	len = min_t(s32, len, (s32)size);
	if (copy_to_user(val, v, (size_t)len) || put_user(len, ulen))
		return -EFAULT;
	return 0;
}

static int put_timeo(long t, struct uptr val, struct uptr len)
{
	struct { s64 sec, usec; } v = { 0, 0 };

	if (t != MAX_SCHEDULE_TIMEOUT) {
		v.sec = t / HZ;
		v.usec = t % HZ * (USEC_PER_SEC / HZ);
	}
	return put_value(&v, sizeof(v), val, len);
}

static int put_pacing(const struct unix_sock *u, struct uptr val, struct uptr ulen)
{
	u32 narrow = (u32)min(u->pacing, (unsigned long)UINT_MAX);
	s32 room;

	if (get_user(room, ulen))
		return -EFAULT;
	if (room < (s32)sizeof(u->pacing))
		return put_value(&narrow, sizeof(narrow), val, ulen);
	return put_value(&u->pacing, sizeof(u->pacing), val, ulen);
}

static u64 cookie_of(struct unix_sock *u)
{
	static atomic64_t last = ATOMIC64_INIT(0);
	s64 none = 0;

	if (!atomic64_read(&u->cookie))
		atomic64_try_cmpxchg(&u->cookie, &none, atomic64_add_return(1, &last));
	return (u64)atomic64_read(&u->cookie);
}

/* The supplementary groups of the peer; *ULEN says how many bytes they are, also with -ERANGE. */
static int put_peer_groups(struct unix_sock *u, struct uptr val, struct uptr ulen)
{
	struct group_info *g;
	s32 room, len;
	int e = 0;

	if (get_user(room, ulen))
		return -EFAULT;
	if (room < 0)
		return -EINVAL;
	spin_lock(&u->lock);
	g = u->peer_groups ? get_group_info(u->peer_groups) : NULL;
	spin_unlock(&u->lock);
	if (!g)
		return -ENODATA;
	len = (s32)(g->ngroups * (int)sizeof(gid_t));
	if (room < len)
		e = -ERANGE;
	for (int i = 0; i < g->ngroups && !e; i++)
		e = put_user(from_kgid_munged(current_user_ns(), g->gid[i]), uptr_add(val, (unsigned long)i * sizeof(gid_t))) ? -EFAULT : 0;
	if (e != -EFAULT && put_user(len, ulen))
		e = -EFAULT;
	put_group_info(g);
	return e;
}

/* A descriptor of the process that connected, or listened. */
static int put_peer_pidfd(struct unix_sock *u, struct uptr val, struct uptr ulen)
{
	struct file *file;
	struct pid *pid;
	int fd, e;

	spin_lock(&u->lock);
	pid = get_pid(u->peer_pid);
	spin_unlock(&u->lock);
	if (!pid)
		return -ENODATA;
	fd = proc_pidfd_prepare(pid, false, &file);
	put_pid(pid);
	if (fd < 0)
		return fd;
	e = put_value(&fd, sizeof(fd), val, ulen);
	if (e)
		proc_pidfd_abort(fd, file);
	else
		proc_pidfd_install(fd, file);
	return e;
}

/* As getpeername(2), but that no more may be asked for than there is. */
static int put_peer_name(struct socket *s, struct uptr val, struct uptr ulen)
{
	struct __kernel_sockaddr_storage a;
	int len = unix_getname(s, &a, true);
	s32 room;

	if (len < 0)
		return -ENOTCONN;
	if (get_user(room, ulen))
		return -EFAULT;
	return room > len ? -EINVAL : put_value(&a, (size_t)len, val, ulen);
}

int unix_getsockopt(struct socket *s, int level, int name, struct uptr val, struct uptr len)
{
	struct unix_sock *u = s->sk;
	s32 v;

	if (level != SOL_SOCKET)
		return -EOPNOTSUPP;
	switch (name) {
	case SO_TYPE: v = s->type; break;
	case SO_DOMAIN: v = AF_UNIX; break;
	case SO_PROTOCOL: v = s->protocol; break;
	case SO_ERROR: v = -unix_take_error(u); break;
	case SO_ACCEPTCONN: v = u->state == UNIX_LISTEN; break;
	case SO_PASSCRED: v = u->passcred; break;
	case SO_SNDBUF: v = u->sndbuf; break;
	case SO_RCVBUF: v = u->rcvbuf; break;
	case SO_RCVLOWAT: v = u->rcvlowat; break;
	case SO_SNDLOWAT: v = 1; break;
	case SO_REUSEADDR: v = u->reuse; break;
	case SO_KEEPALIVE: v = u->keepalive; break;
	case SO_BROADCAST: v = u->broadcast; break;
	case SO_DONTROUTE: v = u->dontroute; break;
	case SO_OOBINLINE: v = u->oobinline; break;
	case SO_NO_CHECK: v = u->no_check; break;
	case SO_REUSEPORT: v = 0; break;
	case SO_PRIORITY: v = (s32)u->priority; break;
	case SO_RCVTIMEO_OLD: case SO_RCVTIMEO_NEW: return put_timeo(u->rcvtimeo, val, len);
	case SO_SNDTIMEO_OLD: case SO_SNDTIMEO_NEW: return put_timeo(u->sndtimeo, val, len);
	case SO_LINGER: {
		struct { s32 on; u32 seconds; } l = { u->lingers, u->linger_s };

		return put_value(&l, sizeof(l), val, len);
	}
	case SO_DEBUG: v = u->debug; break;
	case SO_MARK: v = (s32)u->mark; break;
	case SO_RXQ_OVFL: v = u->rxq_ovfl; break;
	case SO_INCOMING_CPU: v = u->incoming_cpu; break;
	case SO_INCOMING_NAPI_ID: v = 0; break;
	case SO_BUSY_POLL: v = u->busy_poll; break;
	case SO_BUF_LOCK: v = (s32)u->locked_bufs; break;
	case SO_ZEROCOPY: v = 0; break;
	case SO_MAX_PACING_RATE: return put_pacing(u, val, len);
	case SO_COOKIE: {
		u64 cookie = cookie_of(u);

		return put_value(&cookie, sizeof(cookie), val, len);
	}
	case SO_PEERGROUPS: return put_peer_groups(u, val, len);
	case SO_PEERPIDFD: return put_peer_pidfd(u, val, len);
	case SO_PEERNAME: return put_peer_name(s, val, len);
	case SO_PEERCRED: {
		struct { s32 pid; u32 uid, gid; } c;

		spin_lock(&u->lock);
		c.pid = pid_vnr(u->peer_pid);
		c.uid = u->peer_pid ? from_kuid_munged(current_user_ns(), u->peer_uid) : (u32)-1;
		c.gid = u->peer_pid ? from_kgid_munged(current_user_ns(), u->peer_gid) : (u32)-1;
		spin_unlock(&u->lock);
		return put_value(&c, sizeof(c), val, len);
	}
	default: return -ENOPROTOOPT;
	}
	return put_value(&v, sizeof(v), val, len);
}
