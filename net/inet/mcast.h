/* SPDX-License-Identifier: MIT */
/* Groups that a socket has joined. */
#pragma once

#include "net/inet/inet_priv.h"

/* -ENOIOCTLCMD: NAME is no option about groups. */
int inet_mc_setsockopt(struct inet_sock *s, int name, struct uptr val, int len);
int inet_mc_getsockopt(struct inet_sock *s, int name, struct uptr val, struct uptr len);
/* The socket is closed. Sleeps. */
void inet_mc_drop_all(struct inet_sock *s);
/* Does S want a packet for GROUP that came by DIF? RCU. */
bool inet_mc_wants(const struct inet_sock *s, be32 group, int dif);
