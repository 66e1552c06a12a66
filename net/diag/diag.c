// SPDX-License-Identifier: MIT
/* NETLINK_SOCK_DIAG: which family answers, and what all of them say of a socket. */
#include <kernel/init.h>
#include <abi/errno.h>
#include "net/diag/diag.h"

static LIST_HEAD(families);		/* added to at boot */

void diag_register(struct diag_family *f)
{
	list_add_tail(&f->list, &families);
}

static int diag_request(struct nl_request *r)
{
	const struct sock_diag_req *q = r->body;
	struct diag_family *f;

	if (r->hdr->nlmsg_type == SOCK_DESTROY)
		return -EOPNOTSUPP;
	if (r->hdr->nlmsg_type != SOCK_DIAG_BY_FAMILY || r->body_len < sizeof(*q))
		return -EINVAL;
	list_for_each_entry(f, &families, list)
		if (f->family == q->sdiag_family)
			return f->request(r);
	return q->sdiag_family >= 46 ? -EINVAL : -ENOENT;
}

u64 diag_ino(struct sock *sk)
{
	return READ_ONCE(sk->ino);
}

void diag_put_cookie(struct sock *sk, u32 cookie[2])
{
	u64 c = sock_cookie(sk);

	cookie[0] = (u32)c;
	cookie[1] = (u32)(c >> 32);
}

int diag_check_cookie(struct sock *sk, const u32 cookie[2])
{
	u64 c = sock_cookie(sk);

	if (cookie[0] == U32_MAX && cookie[1] == U32_MAX)	/* INET_DIAG_NOCOOKIE */
		return 0;
	return cookie[0] == (u32)c && cookie[1] == (u32)(c >> 32) ? 0 : -ESTALE;
}

void diag_put_meminfo(struct nlmsg_buf *b, const struct sock *sk, u16 type)
{
	u32 m[SK_MEMINFO_VARS] = { 0 };

	m[SK_MEMINFO_RMEM_ALLOC] = (u32)atomic_read(&sk->rmem);
	m[SK_MEMINFO_RCVBUF] = (u32)READ_ONCE(sk->rcvbuf);
	m[SK_MEMINFO_WMEM_ALLOC] = (u32)atomic_read(&sk->wmem);
	m[SK_MEMINFO_SNDBUF] = (u32)READ_ONCE(sk->sndbuf);
	m[SK_MEMINFO_BACKLOG] = READ_ONCE(sk->backlog_bytes);
	m[SK_MEMINFO_DROPS] = (u32)atomic_read(&sk->drops);
	nla_put_bytes(b, type, m, sizeof(m));
}

static const struct nl_protocol diag = { .protocol = NETLINK_SOCK_DIAG,
					 .groups = 32,
					 .request = diag_request };

static int diag_init(void)
{
	netlink_register(&diag);
	return 0;
}
INITCALL(core, diag_init);
