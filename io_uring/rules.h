/* SPDX-License-Identifier: MIT */
/* What filter.c has for each request, for req.c. */
#pragma once

#include <lib/bitmap.h>
#include "io_uring/ring_priv.h"

struct uring_filter;

struct uring_rules {
	refcount_t refs;
	/* c, once they are shared: */
	bool ops_restricted, registers_restricted, restricted, filtered;
	u8 flags_allowed, flags_required;
	DECLARE_BITMAP(ops, IORING_OP_LAST);
	DECLARE_BITMAP(registers, IORING_REGISTER_LAST);
	struct uring_filter *filters[IORING_OP_LAST];
};

/* 0; -EACCES: one of the chain F says no to R, which is prepared. */
int uring_filters_ask(const struct uring_filter *f, const struct uring_req *r);
/* The same of all filters of RULES. */
static inline int uring_rules_ask(const struct uring_rules *rules, const struct uring_req *r)
{
	const struct uring_filter *f = rules->filters[r->op];

	return f ? uring_filters_ask(f, r) : 0;
}

/* RULES, which restrict operations, do not take OP with FLAGS. */
bool uring_restricted(const struct uring_rules *rules, u8 op, u8 flags);
/* Whether an SQE of OP with FLAGS is taken at all. */
static inline bool uring_rules_take(const struct uring_rules *rules, u8 op, u8 flags)
{
	return likely(!rules->ops_restricted) || !uring_restricted(rules, op, flags);
}
