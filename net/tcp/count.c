// SPDX-License-Identifier: MIT
/* What /proc/net/snmp and netstat show of TCP. */
#include <vfs/seq_file.h>
#include "net/tcp/tcp_priv.h"

struct shown {
	const char *name;
	enum tcp_counter item;
};

static const struct shown tcp_items[] = {
	{ "ActiveOpens", TCP_ACTIVE_OPENS },
	{ "PassiveOpens", TCP_PASSIVE_OPENS },
	{ "AttemptFails", TCP_ATTEMPT_FAILS },
	{ "EstabResets", TCP_ESTAB_RESETS },
	{ "CurrEstab", TCP_CURR_ESTAB },
	{ "InSegs", TCP_IN_SEGS },
	{ "OutSegs", TCP_OUT_SEGS },
	{ "RetransSegs", TCP_RETRANS_SEGS },
	{ "InErrs", TCP_IN_ERRS },
	{ "OutRsts", TCP_OUT_RSTS },
	{ "InCsumErrors", TCP_IN_CSUM_ERRORS },
};

static const struct shown ext_items[] = {
	{ "SyncookiesSent", TCP_SYNCOOKIES_SENT },
	{ "SyncookiesRecv", TCP_SYNCOOKIES_RECV },
	{ "SyncookiesFailed", TCP_SYNCOOKIES_FAILED },
	{ "EmbryonicRsts", TCP_EMBRYONIC_RSTS },
	{ "PruneCalled", TCP_PRUNE_CALLED },
	{ "RcvPruned", TCP_RCV_PRUNED },
	{ "OfoPruned", TCP_OFO_PRUNED },
	{ "OutOfWindowIcmps", TCP_OUT_OF_WINDOW_ICMPS },
	{ "TW", TCP_TW },
	{ "PAWSEstab", TCP_PAWS_ESTAB },
	{ "DelayedACKs", TCP_DELAYED_ACKS },
	{ "DelayedACKLocked", TCP_DELAYED_ACK_LOCKED },
	{ "DelayedACKLost", TCP_DELAYED_ACK_LOST },
	{ "ListenOverflows", TCP_LISTEN_OVERFLOWS },
	{ "ListenDrops", TCP_LISTEN_DROPS },
	{ "TCPSackRecovery", TCP_SACK_RECOVERY },
	{ "TCPRenoRecovery", TCP_RENO_RECOVERY },
	{ "TCPSACKReneging", TCP_SACK_RENEGING },
	{ "TCPFastRetrans", TCP_FAST_RETRANS },
	{ "TCPSlowStartRetrans", TCP_SLOW_START_RETRANS },
	{ "TCPTimeouts", TCP_TIMEOUTS },
	{ "TCPLossProbes", TCP_LOSS_PROBES },
	{ "TCPLossProbeRecovery", TCP_LOSS_PROBE_RECOVERY },
	{ "TCPBacklogDrop", TCP_BACKLOG_DROP },
	{ "TCPDSACKOldSent", TCP_DSACK_OLD_SENT },
	{ "TCPDSACKOfoSent", TCP_DSACK_OFO_SENT },
	{ "TCPAbortOnData", TCP_ABORT_ON_DATA },
	{ "TCPAbortOnClose", TCP_ABORT_ON_CLOSE },
	{ "TCPAbortOnMemory", TCP_ABORT_ON_MEMORY },
	{ "TCPAbortOnTimeout", TCP_ABORT_ON_TIMEOUT },
	{ "TCPAbortOnLinger", TCP_ABORT_ON_LINGER },
	{ "TCPMemoryPressures", TCP_MEMORY_PRESSURES },
	{ "TCPMinTTLDrop", TCP_MIN_TTL_DROP },
	{ "TCPTimeWaitOverflow", TCP_TIME_WAIT_OVERFLOW },
	{ "TCPReqQFullDoCookies", TCP_REQ_Q_FULL_DO_COOKIES },
	{ "TCPReqQFullDrop", TCP_REQ_Q_FULL_DROP },
	{ "TCPRetransFail", TCP_RETRANS_FAIL },
	{ "TCPOFOQueue", TCP_OFO_QUEUE },
	{ "TCPOFOMerge", TCP_OFO_MERGE },
	{ "TCPChallengeACK", TCP_CHALLENGE_ACK },
	{ "TCPSYNChallenge", TCP_SYN_CHALLENGE },
	{ "TCPFromZeroWindowAdv", TCP_FROM_ZERO_WINDOW_ADV },
	{ "TCPToZeroWindowAdv", TCP_TO_ZERO_WINDOW_ADV },
	{ "TCPOrigDataSent", TCP_ORIG_DATA_SENT },
	{ "TCPWinProbe", TCP_WIN_PROBE },
	{ "TCPKeepAlive", TCP_KEEP_ALIVE },
	{ "TCPDelivered", TCP_DELIVERED },
	{ "TCPZeroWindowDrop", TCP_ZERO_WINDOW_DROP },
	{ "TCPRcvQDrop", TCP_RCVQ_DROP },
};

static void names(struct seq_file *m, const struct shown *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		seq_printf(m, " %s", s[i].name);
}

static void values(struct seq_file *m, struct net *net, const struct shown *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		seq_printf(m, " %llu", net_counter_sum(net, (enum net_counter)s[i].item));
}

/*
 * First: the algorithm of timeouts as Linux tells it, its bounds in ms, and no limit of
 * connections.
 */
void tcp_show_snmp(struct seq_file *m, struct net *net)
{
	seq_puts(m, "Tcp: RtoAlgorithm RtoMin RtoMax MaxConn");
	names(m, tcp_items, ARRAY_SIZE(tcp_items));
	seq_printf(m, "\nTcp: 1 %u %u -1", TCPC_RTO_MIN_US / 1000, TCP_RTO_MAX_US / 1000);
	values(m, net, tcp_items, ARRAY_SIZE(tcp_items));
	seq_putc(m, '\n');
}

void tcp_show_netstat(struct seq_file *m, struct net *net)
{
	seq_puts(m, "TcpExt:");
	names(m, ext_items, ARRAY_SIZE(ext_items));
	seq_puts(m, "\nTcpExt:");
	values(m, net, ext_items, ARRAY_SIZE(ext_items));
	seq_putc(m, '\n');
}
