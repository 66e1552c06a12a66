// SPDX-License-Identifier: MIT
/*
 * The table of stack layouts of a kernel without frame pointers: looked up by address of code, exact for each instruction. Its format
 * is described in tools/mkunwind.py, which makes it between the two link passes; it lies behind the symbol names.
 */
#include <arch/page.h>
#include <kernel/ksyms.h>
#include "arch/x86_64/unwind.h"

#ifdef CONFIG_UNWIND_TABLE
extern const u32 unwind_data[];	/* by the linker script; empty in the first link */

struct table {
	u32 functions;
	const u32 *start, *rows;
	const struct unwind_state *state;
	const u8 *bytes;
};

static void open_table(struct table *t)
{
	t->functions = unwind_data[0];
	t->start = unwind_data + 3;
	t->rows = t->start + t->functions;
	t->state = (const struct unwind_state *)(t->rows + t->functions + 1);
	t->bytes = (const u8 *)(t->state + unwind_data[1]);
}

/* A number of one byte below LIMIT, or of two. */
static u32 next(const u8 **p, u32 limit)
{
	u32 n = *(*p)++;

	return n < limit ? n : ((n - limit) << 8 | *(*p)++) + limit;
}

/* The last function that begins at or before this; functions, if there is none. */
static u32 find_function(const struct table *t, u32 at)
{
	u32 lo = 0, hi = t->functions;

	while (lo < hi) {
		u32 mid = lo + (hi - lo) / 2;

		if (t->start[mid] <= at)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo ? lo - 1 : t->functions;
}

bool x86_unwind_find(unsigned long ip, struct unwind_state *s, bool *assembly)
{
	struct table t;
	u32 f, state, at, pc;
	const u8 *p, *end;

	*assembly = true;
	if (!is_kernel_text(ip))
		return false;
	open_table(&t);
	at = (u32)(ip - (unsigned long)_text);
	f = find_function(&t, at);
	if (f == t.functions || t.rows[f] == t.rows[f + 1])
		return false;
	*assembly = false;
	p = t.bytes + t.rows[f];
	end = t.bytes + t.rows[f + 1];
	pc = t.start[f];
	state = next(&p, 0xc0);
	while (p < end) {
		pc += next(&p, 0x80);
		if (pc > at)
			break;
		state = next(&p, 0xc0);
	}
	*s = t.state[state];
	return s->cfa;
}
#endif
