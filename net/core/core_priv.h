/* SPDX-License-Identifier: MIT */
/* Between socket.c and what serves the sockets of all families. */
#pragma once

#include <lib/types.h>

struct cred;
struct net;
struct sock;

/*
 * net/conf: an ioctl about network interfaces (netdevice(7)), on a socket of any family in NET. 0
 * or -errno; -ENOTTY: it is none.
 */
long interface_ioctl(struct net *net, unsigned int cmd, struct uptr arg);

/* bound.c: SO_BINDTODEVICE and SO_BINDTOIFINDEX. 0 or -errno. */
int sock_bind_index(struct sock *sk, int index);
int sock_bind_name(struct sock *sk, struct uptr val, int len);
int sock_put_bound_name(struct sock *sk, struct uptr val, struct uptr ulen);
/* filter.c: the options about filters. 0 or -errno. */
int sock_filter_attach(struct sock *sk, struct uptr val, int len);
int sock_filter_detach(struct sock *sk);
int sock_filter_lock(struct sock *sk, bool on);
int sock_filter_get(struct sock *sk, struct uptr val, struct uptr ulen);
struct sock_filter;
/* FN sees the instructions of SK's filter, if it has one. */
void sock_filter_describe(struct sock *sk, void *arg,
			  void (*fn)(void *arg, const struct sock_filter *insns, u32 nr));
/* The last reference of SK is gone: so is its filter. */
void sock_filter_drop(struct sock *sk);

/*
 * What CRED may do to a setting of the caller's network namespace: the bits of one class in a mode.
 */
unsigned int net_setting_rights(const struct cred *cred);
/* N (NULL: nothing is done) is a setting of the namespace of the task that opens it, by RIGHTS. */
struct show_node;
void net_setting(struct show_node *n, unsigned int (*rights)(const struct cred *cred));
/*
 * The same of one that bounds how much of the machine's memory the namespace takes: no user
 * namespace's root sets it.
 */
unsigned int net_memory_rights(const struct cred *cred);
void net_conf_free(struct net *net);	/* upon its last pin */
