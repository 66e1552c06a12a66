// SPDX-License-Identifier: MIT
/*
 * Filters of inet_diag: conditions with two jumps each, forwards. Running off the end accepts; a
 * jump to 4 bytes behind the end refuses. The check sees that every jump lands on an operation or
 * at one of the two ends, so that a run takes at most as many steps as there are operations.
 */
#include <lib/string.h>
#include <abi/errno.h>
#include <linux/inet_diag.h>
#include "net/diag/filter.h"

#define AF_INET_ 2
#define AF_INET6_ 10

/* The bytes that an operation of CODE has behind its head; -1: it is none. */
static int operand(const struct inet_diag_bc_op *op, size_t left)
{
	const struct inet_diag_hostcond *c = (const void *)(op + 1);
	size_t addr;

	switch (op->code) {
	case INET_DIAG_BC_NOP:
	case INET_DIAG_BC_AUTO:
	case INET_DIAG_BC_JMP:
		return 0;
	case INET_DIAG_BC_S_EQ:
	case INET_DIAG_BC_D_EQ:
	case INET_DIAG_BC_S_GE:
	case INET_DIAG_BC_S_LE:
	case INET_DIAG_BC_D_GE:
	case INET_DIAG_BC_D_LE:
		return left < 2 * sizeof(*op) ? -1 : (int)sizeof(*op);
	case INET_DIAG_BC_DEV_COND:
		return left < sizeof(*op) + 4 ? -1 : 4;
	case INET_DIAG_BC_MARK_COND:
		return left < sizeof(*op) + 8 ? -1 : 8;
	case INET_DIAG_BC_S_COND:
	case INET_DIAG_BC_D_COND:
		if (left < sizeof(*op) + sizeof(*c))
			return -1;
		addr = c->family == AF_INET_ ? 4 : c->family == AF_INET6_ ? 16 : 0;
		if (c->family && !addr)
			return -1;
		if (c->prefix_len > 8 * addr)
			return -1;
		return left < sizeof(*op) + sizeof(*c) + addr ? -1 : (int)(sizeof(*c) + addr);
	}
	return -1;
}

static size_t at(const void *code, size_t pos, struct inet_diag_bc_op *op)
{
	memcpy(op, (const u8 *)code + pos, sizeof(*op));
	return pos;
}

/* Is there an operation that begins at TO, when one walks by the next ones? */
static bool lands(const void *code, size_t len, size_t to)
{
	struct inet_diag_bc_op op;
	size_t pos = 0;

	while (pos < len && pos < to) {
		at(code, pos, &op);
		if (op.yes < 4 || op.yes & 3)
			return false;
		pos += op.yes;
	}
	return pos == to;
}

/*
 * A program longer than this is refused: the check of its jumps costs the square of its length.
 * ss(8) writes 8 to 32 bytes for each condition.
 */
#define CODE_MOST 4096		/* not a page: bytes of a program */

int diag_filter_check(const void *code, size_t len)
{
	struct inet_diag_bc_op op;
	size_t pos = 0;

	if (len % 4 || len > CODE_MOST)
		return -EINVAL;
	while (pos < len) {
		size_t left = len - pos;
		int more;

		if (left < sizeof(op))
			return -EINVAL;
		at(code, pos, &op);
		more = operand((const void *)((const u8 *)code + pos), left);
		if (more < 0 || op.yes < sizeof(op) + (size_t)more || op.yes & 3 || op.yes > left)
			return -EINVAL;
		if (op.code != INET_DIAG_BC_NOP) {
			if (op.no < 4 || op.no & 3 || op.no > left + 4)
				return -EINVAL;
			if (op.no < left && !lands(code, len, pos + op.no))
				return -EINVAL;
		}
		pos += op.yes;
	}
	return 0;
}

static bool same_prefix(const u32 *a, const u32 *b, int bits)
{
	int words = bits / 32, rest = bits % 32;
	u32 mask;

	for (int i = 0; i < words; i++)
		if (a[i] != b[i])
			return false;
	if (!rest)
		return true;
	mask = be32_make(~0u << (32 - rest)).v;
	return !((a[words] ^ b[words]) & mask);
}

/* An address and a port, -1: any. IPv4's conditions hold for mapped addresses too. */
static bool host(const struct inet_diag_hostcond *c, const struct diag_ends *e, bool source)
{
	const u32 *addr = source ? e->saddr : e->daddr;
	u16 port = source ? e->sport : e->dport;

	if (c->port != -1 && c->port != port)
		return false;
	if (!c->prefix_len && (!c->family || c->family == e->family))
		return true;
	if (c->family && c->family != e->family) {
		if (e->family != AF_INET6_ || c->family != AF_INET_)
			return false;
		if (addr[0] || addr[1] || addr[2] != be32_make(0xffff).v)
			return false;
		addr += 3;
	}
	return same_prefix(addr, (const u32 *)c->addr, c->prefix_len);
}

static bool holds(const struct inet_diag_bc_op *op, const struct diag_ends *e)
{
	const void *more = op + 1;
	const u32 *words = more;

	switch (op->code) {
	case INET_DIAG_BC_S_EQ:
		return e->sport == op[1].no;
	case INET_DIAG_BC_S_GE:
		return e->sport >= op[1].no;
	case INET_DIAG_BC_S_LE:
		return e->sport <= op[1].no;
	case INET_DIAG_BC_D_EQ:
		return e->dport == op[1].no;
	case INET_DIAG_BC_D_GE:
		return e->dport >= op[1].no;
	case INET_DIAG_BC_D_LE:
		return e->dport <= op[1].no;
	case INET_DIAG_BC_AUTO:
		return !e->bound;
	case INET_DIAG_BC_S_COND:
		return host(more, e, true);
	case INET_DIAG_BC_D_COND:
		return host(more, e, false);
	case INET_DIAG_BC_DEV_COND:
		return e->ifindex == words[0];
	case INET_DIAG_BC_MARK_COND:
		return (e->mark & words[1]) == words[0];
	}
	return op->code == INET_DIAG_BC_NOP;
}

bool diag_filter_run(const void *code, size_t len, const struct diag_ends *e)
{
	size_t pos = 0;

	while (pos < len) {
		const struct inet_diag_bc_op *op = (const void *)((const u8 *)code + pos);
		bool yes = op->code == INET_DIAG_BC_JMP ? false : holds(op, e);

		pos += yes ? op->yes : op->no;
	}
	return pos == len;
}
