// SPDX-License-Identifier: MIT
/*
 * The table of stack layouts of a kernel without frame pointers: looked up by address of code, exact for each instruction. Its format
 * is described in tools/mkunwind.py, which makes it between the two link passes; it lies behind the symbol names.
 */
#include <arch/page.h>
#include <kernel/ksyms.h>
#include <kernel/owner.h>
#include "arch/x86_64/unwind.h"

#ifdef CONFIG_UNWIND_TABLE
extern const u32 unwind_data[];	/* by the linker script; empty in the first link */

struct group {
	u32 start, rows;
};

struct table {
	u32 groups;
	const struct group *group;
	const struct unwind_state *state;
	const u8 *bytes;
};

static void open_table(struct table *t)
{
	t->groups = unwind_data[0];
	t->group = (const struct group *)(unwind_data + 3);
	t->state = (const struct unwind_state *)(t->group + t->groups + 1);
	t->bytes = (const u8 *)(t->state + unwind_data[1]);
}

/* A number of one byte below LIMIT, or of two. */
static u32 next(const u8 **p, u32 limit)
{
	u32 n = *(*p)++;

	return n < limit ? n : ((n - limit) << 8 | *(*p)++) + limit;
}

/* The rows, up to END, of the last function that begins at or before this: where it begins is *PC. NULL: there is none. */
static const u8 *find_function(const struct table *t, u32 at, u32 *pc, const u8 **end)
{
	u32 lo = 0, hi = t->groups;
	const u8 *p, *stop, *rows;

	while (lo < hi) {
		u32 mid = lo + (hi - lo) / 2;

		if (t->group[mid].start <= at)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (!lo)
		return NULL;
	*pc = t->group[lo - 1].start;
	p = t->bytes + t->group[lo - 1].rows;
	stop = t->bytes + t->group[lo].rows;
	for (;;) {
		u32 len = next(&p, 0x80), step;

		rows = p;
		*end = p += len;
		if (p == stop)
			return rows;
		step = next(&p, 0x80);
		if (*pc + step > at)
			return rows;
		*pc += step;
	}
}

bool x86_unwind_find(unsigned long ip, struct unwind_state *s, bool *assembly)
{
	struct table t;
	u32 state, at, pc;
	const u8 *p, *end;

	*assembly = true;
	/* Modules have frame pointers, and no table. One that is interrupted in a function's first instructions hides its caller. */
	if (owner_is_text(ip)) {
		*assembly = false;
		*s = (struct unwind_state){ .cfa = 16 | 1, .rbp = 16 };
		return true;
	}
	if (!is_kernel_text(ip))
		return false;
	open_table(&t);
	at = (u32)(ip - (unsigned long)_text);
	p = find_function(&t, at, &pc, &end);
	if (!p || p == end)
		return false;
	*assembly = false;
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
