/* SPDX-License-Identifier: MIT */
/*
 * sock_diag(7): sockets and their state by netlink, as ss(8) shows them. Each family registers what
 * reads its sockets.
 */
#pragma once

#include <net/netlink.h>
#include <net/netns.h>
#include <net/nlattr.h>
#include <net/sock.h>
#include <linux/sock_diag.h>

struct diag_family {
	struct list_head list;
	int family;
	/* R is SOCK_DIAG_BY_FAMILY; starts a dump, or answers about one socket. Sleeps. */
	int (*request)(struct nl_request *r);
};
void diag_register(struct diag_family *f);	/* at boot */

/* The file's inode of SK; 0: no program has it open. */
u64 diag_ino(struct sock *sk);
void diag_put_cookie(struct sock *sk, u32 cookie[2]);
/* 0; -ESTALE: COOKIE is another socket's. */
int diag_check_cookie(struct sock *sk, const u32 cookie[2]) __must_check;
/* SK_MEMINFO_* of SK as attribute TYPE. */
void diag_put_meminfo(struct nlmsg_buf *b, const struct sock *sk, u16 type);
