// SPDX-License-Identifier: MIT
/*
 * TCP in a network namespace: its table and settings begin with it. When no program is left,
 * orphans and TIME-WAIT are ended; the table goes with the last pin, since timers that run
 * meanwhile still use it.
 */
#include <lib/err.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <alloc/slab.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <kernel/random.h>
#include <kernel/rcu.h>
#include <kernel/show.h>
#include <kernel/time.h>
#include <net/netdev.h>
#include <proc/signal.h>
#include <sched/task.h>
#include <vfs/fcntl.h>
#include <vfs/file.h>
#include <vfs/poll.h>
#include <abi/errno.h>
#include <linux/if_packet.h>
#include "net/ip4/ip4_priv.h"
#include "net/core/core_priv.h"
#include "net/tcp/tcp_priv.h"
#include "net/wire/csum.h"
#include "net/wire/icmp.h"

static int net_begin(struct net *net)
{
	struct tcp_net *n = kzalloc(sizeof(*n), GFP_KERNEL_ACCOUNT);
	int e;

	if (!n)
		return -ENOMEM;
	*n = (struct tcp_net){
		.rmem = { 4096, 131072, 6 << 20 }, /* not a page */
		.wmem = { 4096, 16384, 4 << 20 },  /* not a page */
		.syn_backlog = 512,
		.fin_timeout = 60,
		.keep_time = 7200,
		.keep_intvl = 75,
		.keep_probes = 9,
		.syn_retries = 6,
		.synack_retries = 5,
		.retries2 = 15,
		.window_scaling = 1,
		.sack = 1,
		.timestamps = 1,
		.syncookies = 1,
		.early_retrans = 3,
		.rto_min_us = TCPC_RTO_MIN_US,
		.min_tso_segs = 2,
		.tso_win_divisor = 3,
		.tso_rtt_log = 9,
		.pacing_ss_ratio = 200,
		.pacing_ca_ratio = 120,
		.slow_start_after_idle = 1,
		.moderate_rcvbuf = 1,
		.no_metrics_save = 1,
		.notsent_lowat = U32_MAX,
		.dsack = 1,
		.reordering = 3,
		.ecn = 2,
		.ecn_fallback = 1,
		.tw_reuse = 2,
		.tw_reuse_delay_ms = 1000,
		.max_timewait = 65536,
		.cc = &tcp_cubic,
	};
	e = inet_table_init(&n->table);
	if (e) {
		kfree(n);
		return e;
	}
	n->table.entry_free = tcp_entry_free;
	net->tcp = n;
	net->inet->tcp = &n->table;
	return 0;
}

#define BATCH 16

struct batch {
	struct inet_entry *e[BATCH];
	int n;
};

static void collect(struct ghash_node *node, void *arg)
{
	struct inet_entry *e = container_of(node, struct inet_entry, node);
	struct batch *b = arg;

	if (b->n < BATCH && inet_entry_get(e))
		b->e[b->n++] = e;
}

static void end_entry(struct inet_entry *e)
{
	struct sock *sk;

	if (e->kind == INET_TIMEWAIT) {
		tcp_timewait_forget(container_of(e, struct tcp_timewait, e));
	} else if (e->kind == INET_FULL) {
		sk = &inet_of_entry(e)->sk;
		lock_sock(sk);
		tcp_done(tcp_sk(sk), 0);
		release_sock(sk);
	}
}

/*
 * No program has a socket any more: orphans and TIME-WAIT are left. The devices have gone, and with
 * them all packets, so that no TIME-WAIT is made after the walk.
 */
static void net_end(struct net *net)
{
	struct inet_table *table = &net->tcp->table;

	WARN_ON(net->loopback);
	while (ghash_count(&table->connected)) {
		struct batch b = { .n = 0 };

		for (u64 pos = 0; pos < GHASH_END && b.n < BATCH;)
			ghash_walk(&table->connected, &pos, collect, &b);
		for (int i = 0; i < b.n; i++) {
			end_entry(b.e[i]);
			inet_entry_put(table, b.e[i]);
		}
		cond_resched();
	}
}

/* Timers of TIME-WAIT that ran meanwhile had pins: nothing refers to the tables. */
static void net_release(struct net *net)
{
	if (!net->tcp)			/* the namespace failed to begin */
		return;
	inet_table_destroy(&net->tcp->table);
	kfree(net->tcp);
}

static struct net_ops tcp_net_ops = { .init = net_begin, .end = net_end, .release = net_release };

static int tcp_begin(void)
{
	int e;

	tcp_make_keys();
	e = net_register_ops(&tcp_net_ops);
	if (e)
		return e;
	inet_register_protocol(IPPROTO_TCP, &tcp_protocol);
	inet6_register_protocol(IPPROTO_TCP, &tcp_protocol);
	inet_register_type(&tcp_type);
	return 0;
}
INITCALL(fs, tcp_begin);	/* before devices are registered, so that it ends after them */
