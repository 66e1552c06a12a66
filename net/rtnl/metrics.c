// SPDX-License-Identifier: MIT
/* Metrics of routes (RTA_METRICS), the same for both families. */
#include <abi/errno.h>
#include "net/route/fib4_priv.h"
#include "net/rtnl/rtnl.h"

static const struct nla_rule metric_rules[RTAX_MAX + 1] = {
	[RTAX_LOCK] = { NLA_K_U32, 0 },	      [RTAX_MTU] = { NLA_K_U32, 0 },
	[RTAX_WINDOW] = { NLA_K_U32, 0 },     [RTAX_RTT] = { NLA_K_U32, 0 },
	[RTAX_RTTVAR] = { NLA_K_U32, 0 },     [RTAX_SSTHRESH] = { NLA_K_U32, 0 },
	[RTAX_CWND] = { NLA_K_U32, 0 },	      [RTAX_ADVMSS] = { NLA_K_U32, 0 },
	[RTAX_REORDERING] = { NLA_K_U32, 0 }, [RTAX_HOPLIMIT] = { NLA_K_U32, 0 },
	[RTAX_INITCWND] = { NLA_K_U32, 0 },   [RTAX_FEATURES] = { NLA_K_U32, 0 },
	[RTAX_RTO_MIN] = { NLA_K_U32, 0 },    [RTAX_INITRWND] = { NLA_K_U32, 0 },
	[RTAX_QUICKACK] = { NLA_K_U32, 0 },   [RTAX_FASTOPEN_NO_COOKIE] = { NLA_K_U32, 0 },
	[RTAX_CC_ALGO] = { NLA_K_TEXT, 15 },
};

void rtnl_put_metrics(struct nlmsg_buf *b, const u32 *metrics)
{
	size_t nest = 0;

	for (u16 i = 1; i <= RTAX_MAX && i < FIB4_METRICS; i++) {
		if (!metrics[i])
			continue;
		if (!nest)
			nest = nla_nest(b, RTA_METRICS);
		nla_put_u32(b, i, metrics[i]);
	}
	if (nest)
		nla_nest_end(b, nest);
}

int rtnl_read_metrics(struct nl_request *r, const struct nlattr *a, u32 *metrics)
{
	const struct nlattr *tb[RTAX_MAX + 1];
	int err = nl_request_nested(r, a, tb, RTAX_MAX, metric_rules, false);

	if (err)
		return err;
	if (tb[RTAX_CC_ALGO])
		return nl_refuse(r, -EOPNOTSUPP, "Unknown tcp congestion algorithm");
	for (unsigned int i = 1; i <= RTAX_MAX && i < FIB4_METRICS; i++) {
		u32 v = tb[i] ? nla_u32(tb[i]) : 0;

		if (i == RTAX_HOPLIMIT && v > 255)
			v = 255;
		if (i == RTAX_MTU && v > 65535 - 15)
			v = 65535 - 15;
		if (i == RTAX_ADVMSS && v > 65535 - 40)
			v = 65535 - 40;
		metrics[i] = v;
	}
	return 0;
}
