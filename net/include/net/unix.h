/* SPDX-License-Identifier: MIT */
/* What others want to know of local sockets. */
#pragma once

struct seq_file;

/* /proc/PID/net/unix: a line for each socket. */
void unix_show_sockets(struct seq_file *m);
