/* SPDX-License-Identifier: MIT */
/*
 * TCP's counters of a namespace: the Tcp group of /proc/net/snmp (RFC 4022) and what the code can
 * tell of TcpExt of /proc/net/netstat, in Linux's order. What is not counted is not shown.
 */
#pragma once

#include "net/core/stats.h"

enum tcp_counter {
	/* Tcp */
	TCP_ACTIVE_OPENS = NET_COUNTERS_TCP,
	TCP_PASSIVE_OPENS,
	TCP_ATTEMPT_FAILS,
	TCP_ESTAB_RESETS,
	TCP_CURR_ESTAB,	/* goes down, too: the sum is true, a CPU's part may be below 0 */
	TCP_IN_SEGS,
	TCP_OUT_SEGS,			/* without those that are sent again */
	TCP_RETRANS_SEGS,
	TCP_IN_ERRS,
	TCP_OUT_RSTS,
	TCP_IN_CSUM_ERRORS,
	/* TcpExt */
	TCP_EMBRYONIC_RSTS,
	TCP_PRUNE_CALLED,
	TCP_RCV_PRUNED,
	TCP_OFO_PRUNED,
	TCP_OUT_OF_WINDOW_ICMPS,
	TCP_TW,
	TCP_PAWS_ESTAB,
	TCP_DELAYED_ACKS,
	TCP_DELAYED_ACK_LOCKED,
	TCP_DELAYED_ACK_LOST,
	TCP_LISTEN_OVERFLOWS,
	TCP_LISTEN_DROPS,
	TCP_SACK_RECOVERY,
	TCP_RENO_RECOVERY,
	TCP_SACK_RENEGING,
	TCP_FAST_RETRANS,
	TCP_SLOW_START_RETRANS,
	TCP_TIMEOUTS,
	TCP_BACKLOG_DROP,
	TCP_DSACK_OLD_SENT,
	TCP_DSACK_OFO_SENT,
	TCP_ABORT_ON_DATA,
	TCP_ABORT_ON_CLOSE,
	TCP_ABORT_ON_MEMORY,
	TCP_ABORT_ON_TIMEOUT,
	TCP_ABORT_ON_LINGER,
	TCP_MIN_TTL_DROP,
	TCP_TIME_WAIT_OVERFLOW,
	TCP_RETRANS_FAIL,
	TCP_OFO_QUEUE,
	TCP_OFO_MERGE,
	TCP_CHALLENGE_ACK,
	TCP_SYN_CHALLENGE,
	TCP_FROM_ZERO_WINDOW_ADV,
	TCP_TO_ZERO_WINDOW_ADV,
	TCP_ORIG_DATA_SENT,
	TCP_WIN_PROBE,
	TCP_KEEP_ALIVE,
	TCP_DELIVERED,
	TCP_MEMORY_PRESSURES,
	TCP_ZERO_WINDOW_DROP,
	TCP_RCVQ_DROP,
	TCP_SYNCOOKIES_SENT,
	TCP_SYNCOOKIES_RECV,
	TCP_SYNCOOKIES_FAILED,
	TCP_REQ_Q_FULL_DO_COOKIES,
	TCP_REQ_Q_FULL_DROP,
	TCP_LOSS_PROBES,
	TCP_LOSS_PROBE_RECOVERY,
	TCP_COUNTERS_END
};
_Static_assert((int)TCP_COUNTERS_END <= (int)NET_COUNTERS, "net/core/stats.h keeps room");

#define tcp_count_net(net, item) net_count(net, (int)(item))
#define tcp_count_net_add(net, item, by) net_count_add(net, (int)(item), by)
/* Of T's namespace. */
#define tcp_count(t, item) tcp_count_net((t)->inet.sk.net, item)

struct seq_file;
void tcp_show_snmp(struct seq_file *m, struct net *net);
void tcp_show_netstat(struct seq_file *m, struct net *net);
