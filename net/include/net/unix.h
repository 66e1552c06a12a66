/* SPDX-License-Identifier: MIT */
/* What others want to know of local sockets. */
#pragma once

struct seq_file;

struct net;

/* /proc/PID/net/unix: a line for each socket of NET. */
void unix_show_sockets(struct seq_file *m, const struct net *net);
