// SPDX-License-Identifier: MIT
/*
 * Names of kernel addresses. The table is made by tools/mksyms.py between the two link passes (its format is described
 * there) and lies behind the image's data; without it addresses print bare.
 */
#include <lib/types.h>
#include <lib/format.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <kernel/ksyms.h>
#include <kernel/owner.h>
#include <arch/page.h>

extern const u32 ksyms_data[];	/* by the linker script; empty in the first link */
extern char _sinittext[], _einittext[];

struct group {
	u32 offset, start;
};

struct table {
	u32 groups, nwords;
	const struct group *group;
	const u16 *word_start;
	const char *words;
	const u8 *names;
};

static bool open_table(struct table *t)
{
	const u32 *p = ksyms_data;

	if (!p)
		return false;
	t->groups = p[0];
	t->nwords = p[1];
	t->group = (const struct group *)(p + 2);
	t->word_start = (const u16 *)(t->group + t->groups + 1);
	t->words = (const char *)(t->word_start + t->nwords + 1);
	t->names = (const u8 *)t->words + t->word_start[t->nwords];
	return t->groups;
}

/* A number of one byte below LIMIT, or of two. */
static u32 next(const u8 **p, u32 limit)
{
	u32 n = *(*p)++;

	return n < limit ? n : ((n - limit) << 8 | *(*p)++) + limit;
}

static void append(const struct table *t, u32 word, char *name, size_t size, size_t *len)
{
	size_t n = (size_t)(t->word_start[word + 1] - t->word_start[word]);

	n = min(n, size - 1 - *len);
	memcpy(name + *len, t->words + t->word_start[word], n);
	*len += n;
}

/* The name that lies at P. */
static void get_name(const struct table *t, const u8 *p, char *name, size_t size)
{
	const u8 *end = p + 1 + *p;
	size_t len = 0;

	for (p++; p < end; ) {
		u32 w = next(&p, 0xc0);

		if (w < t->nwords)
			append(t, w, name, size, &len);
	}
	name[len] = '\0';
}

bool is_kernel_text(unsigned long addr)
{
	return kernel_text_address(addr) || (addr >= (unsigned long)_sinittext && addr < (unsigned long)_einittext);
}

/* Of the symbols in group I, which begins at or before OFF, the last that does: its offset, its end, and where its name lies. */
static const u8 *find_in_group(const struct table *t, u32 i, u32 off, u32 *start, u32 *end)
{
	const u8 *p = t->names + t->group[i].start, *stop = t->names + t->group[i + 1].start, *name;

	*start = t->group[i].offset;
	for (;;) {
		name = p;
		p += 1 + *p;
		if (p == stop) {
			*end = i + 1 < t->groups ? t->group[i + 1].offset : off + 1;
			return name;
		}
		*end = *start + next(&p, 0x80);
		if (*end > off)
			return name;
		*start = *end;
	}
}

bool ksym_lookup(unsigned long addr, unsigned long *start, unsigned long *len, char *name, size_t size)
{
	u32 off, lo = 0, hi, from, to;
	const u8 *at;
	struct table t;

	if (!is_kernel_text(addr) || !open_table(&t))
		return false;
	off = (u32)(addr - (unsigned long)_text);
	for (hi = t.groups; hi - lo > 1; ) {
		u32 mid = lo + (hi - lo) / 2;

		if (t.group[mid].offset <= off)
			lo = mid;
		else
			hi = mid;
	}
	if (t.group[lo].offset > off)
		return false;
	at = find_in_group(&t, lo, off, &from, &to);
	*start = (unsigned long)_text + from;
	*len = to - from;
	if (size)
		get_name(&t, at, name, size);
	return true;
}

const char *ksym_describe(unsigned long addr, char *buf, size_t size)
{
	unsigned long start, len;
	unsigned long at;
	char name[96];

	if (ksym_lookup(addr, &start, &len, name, sizeof(name)))
		snprintf(buf, size, "%s+0x%lx/0x%lx", name, addr - start, len);
	else if (owner_describe(addr, name, sizeof(name), &at))
		snprintf(buf, size, "[%s]+0x%lx", name, at);
	else
		snprintf(buf, size, "0x%lx", addr);
	return buf;
}
