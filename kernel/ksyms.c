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
#include <arch/page.h>

extern const u32 ksyms_data[];	/* by the linker script; empty in the first link */
extern char _sinittext[], _einittext[];

struct table {
	u32 count, nwords;
	const u32 *offset, *name_start;
	const u16 *word_start;
	const char *words;
	const u8 *names;
};

static bool open_table(struct table *t)
{
	const u32 *p = ksyms_data;

	if (!p)
		return false;
	t->count = p[0];
	t->nwords = p[1];
	t->offset = p + 2;
	t->name_start = t->offset + t->count;
	t->word_start = (const u16 *)(t->name_start + DIV_ROUND_UP(t->count, 32));
	t->words = (const char *)(t->word_start + t->nwords + 1);
	t->names = (const u8 *)t->words + t->word_start[t->nwords];
	return t->count;
}

static void append(const struct table *t, u32 word, char *name, size_t size, size_t *len)
{
	size_t n = (size_t)(t->word_start[word + 1] - t->word_start[word]);

	n = min(n, size - 1 - *len);
	memcpy(name + *len, t->words + t->word_start[word], n);
	*len += n;
}

static void get_name(const struct table *t, u32 i, char *name, size_t size)
{
	const u8 *p = t->names + t->name_start[i / 32], *end;
	size_t len = 0;

	for (u32 k = i % 32; k; k--)
		p += 1 + *p;
	end = p + 1 + *p;
	for (p++; p < end; p++) {
		u32 w = *p;

		if (w >= 0xc0)
			w = 0xc0 + ((w - 0xc0) << 8 | *++p);
		if (w < t->nwords)
			append(t, w, name, size, &len);
	}
	name[len] = '\0';
}

bool is_kernel_text(unsigned long addr)
{
	return kernel_text_address(addr) || (addr >= (unsigned long)_sinittext && addr < (unsigned long)_einittext);
}

bool ksym_lookup(unsigned long addr, unsigned long *start, unsigned long *len, char *name, size_t size)
{
	struct table t;
	u32 off, lo = 0, hi;

	if (!is_kernel_text(addr) || !open_table(&t))
		return false;
	off = (u32)(addr - (unsigned long)_text);
	for (hi = t.count; hi - lo > 1; ) {
		u32 mid = lo + (hi - lo) / 2;

		if (t.offset[mid] <= off)
			lo = mid;
		else
			hi = mid;
	}
	if (t.offset[lo] > off)
		return false;
	*start = (unsigned long)_text + t.offset[lo];
	*len = (lo + 1 < t.count ? t.offset[lo + 1] : off + 1) - t.offset[lo];
	if (size)
		get_name(&t, lo, name, size);
	return true;
}

const char *ksym_describe(unsigned long addr, char *buf, size_t size)
{
	unsigned long start, len;
	char name[96];

	if (ksym_lookup(addr, &start, &len, name, sizeof(name)))
		snprintf(buf, size, "%s+0x%lx/0x%lx", name, addr - start, len);
	else
		snprintf(buf, size, "0x%lx", addr);
	return buf;
}
