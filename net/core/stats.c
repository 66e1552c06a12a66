// SPDX-License-Identifier: MIT
/* Counters of namespaces: memory and sums. */
#include <alloc/slab.h>
#include <kernel/cpumask.h>
#include <kernel/init.h>
#include <abi/errno.h>
#include "net/core/stats.h"

u64 net_counter_sum(const struct net *net, enum net_counter item)
{
	unsigned int cpu;
	u64 sum = 0;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu_ptr(net->stats->chunk[item / NET_COUNTERS_CHUNK], cpu)
					 ->n[item % NET_COUNTERS_CHUNK]);
	return sum;
}

static void stats_end(struct net *net)
{
	struct net_stats *s = net->stats;

	/* The last step of an end. Holders of a pin may still count: elsewhere from here on. */
	WRITE_ONCE(net->stats, init_net.stats);
	synchronize_rcu();	/* readers of the old pointer have counted */
	for (unsigned int i = 0; i < NET_COUNTERS_CHUNKS; i++)
		free_percpu(s->chunk[i]);
	kfree(s);
}

static int stats_begin(struct net *net)
{
	struct net_stats *s = kzalloc(sizeof(*s), GFP_KERNEL_ACCOUNT);

	if (!s)
		return -ENOMEM;
	for (unsigned int i = 0; i < NET_COUNTERS_CHUNKS; i++) {
		s->chunk[i] = alloc_percpu(struct net_counters);
		if (!s->chunk[i]) {
			net->stats = s;
			stats_end(net);
			return -ENOMEM;
		}
	}
	net->stats = s;
	return 0;
}

static struct net_ops stats_ops = { .init = stats_begin, .end = stats_end };
static int stats_init(void)
{
	return net_register_ops(&stats_ops);
}
INITCALL(sched, stats_init);
