/* SPDX-License-Identifier: MIT */
/* Big-endian cells of a property, taken one number after the other. */
#pragma once

#include <lib/dt.h>

struct cells {
	const u8 *p;
	u32 left;			/* bytes */
};

static inline u32 dt_be32(const u8 *p)
{
	return (u32)p[0] << 24 | (u32)p[1] << 16 | (u32)p[2] << 8 | p[3];
}

static inline struct cells cells_of(const struct dt *t, u32 node, const char *name)
{
	struct cells c = { 0 };

	c.p = dt_prop(t, node, name, &c.left);
	return c;
}

static inline bool take32(struct cells *c, u32 *out)
{
	if (!c->p || c->left < 4)
		return false;
	*out = dt_be32(c->p);
	c->p += 4;
	c->left -= 4;
	return true;
}

/* A number of N cells (at most 4) that fits 64 bits; no cells are 0. */
static inline bool take(struct cells *c, unsigned int n, u64 *out)
{
	u32 v;

	*out = 0;
	if (n > 4)
		return false;
	while (n--) {
		if (!take32(c, &v) || *out >> 32)
			return false;
		*out = *out << 32 | v;
	}
	return true;
}

static inline bool skip(struct cells *c, u64 n)
{
	if (!c->p || c->left / 4 < n)
		return false;
	c->p += 4 * n;
	c->left -= 4 * (u32)n;
	return true;
}

/* ADDR, of SIZE bytes, as a child of BUS names it, becomes the CPU's. */
bool dt_translate(const struct dt *t, u32 bus, u64 *addr, u64 size);
