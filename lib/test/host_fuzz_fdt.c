// SPDX-License-Identifier: MIT
/* sources: lib/fdt.c */
/* fuzz: -max_len=512 */
/* Flattened device trees: whatever is wrong ends the walk, and all that is given lies in the blob. */
#define FUZZ_ROUNDS 100000
#include <assert.h>
#include "lib/test/fuzz.h"
#include <lib/fdt.h>

static void ask_node(const struct fdt *f, const u8 *p, size_t n, int node)
{
	static const char *const names[] = { "reg", "compatible", "device_type", "linux,initrd-start", "bootargs", "status" };
	const char *name = fdt_name(f, node), *s;
	u64 a, b;
	u32 len;

	assert(name && (const u8 *)name >= p && (const u8 *)name + strlen(name) < p + n);
	for (unsigned int i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const u8 *v = fdt_prop(f, node, names[i], &len);

		assert(!v || (v >= p && len <= (size_t)(p + n - v)));
		s = fdt_string(f, node, names[i]);
		assert(!s || (const u8 *)s + strlen(s) < p + n);
		fdt_number(f, node, names[i], &a);
	}
	fdt_enabled(f, node);
	fdt_compatible(f, node, "arm,pl011");
	for (unsigned int i = 0; i < 4; i++)
		fdt_reg(f, node, i, &a, &b);
	fdt_parent(f, node);
	fdt_prop(f, node, "reg", NULL);
}

/* Places that are no nodes: negative, not aligned, before and behind the structure, its end, none that there is. */
static void ask_nowhere(const struct fdt *f)
{
	const int nowhere[] = { -7, 2, 4, 1 << 30, (int)f->structs_end - 4, (int)f->structs + 1 };
	u32 len;

	for (unsigned int i = 0; i < sizeof(nowhere) / sizeof(*nowhere); i++) {
		fdt_next_node(f, nowhere[i], NULL);
		fdt_name(f, nowhere[i]);
		fdt_prop(f, nowhere[i], "reg", i & 1 ? &len : NULL);
	}
	assert(fdt_parent(f, 1 << 30) == FDT_NONE && !*fdt_name(f, 2) && !fdt_prop(f, -7, "reg", &len));
}

static void fuzz_one(const u8 *p, size_t n)
{
	struct fdt f;
	int node = FDT_NONE, depth = 0, count = 0;
	u64 a, b;

	assert(fdt_size(NULL, n) < 0);
	if (fdt_open(&f, p, n))
		return;
	assert(fdt_size(p, n) <= (s64)n);
	while ((node = fdt_next_node(&f, node, &depth)) != FDT_NONE && count++ < 64)
		ask_node(&f, p, n, node);
	ask_nowhere(&f);
	fdt_whole(&f, 8);
	fdt_find_path(&f, "/cpus/cpu@1");
	fdt_find_compatible(&f, FDT_NONE, "arm,pl011");
	for (unsigned int i = 0; i < 100 && fdt_reserved(&f, i, &a, &b); i++)
		;
}

static u8 *at;

static void word(u32 v)
{
	*at++ = v >> 24, *at++ = v >> 16, *at++ = v >> 8, *at++ = v;
}

static void text(const void *p, u32 n)
{
	memcpy(at, p, n);
	memset(at + n, 0, 3);
	at += (n + 3) & ~3u;
}

static void prop(u32 name, const void *p, u32 n)
{
	word(3);
	word(n);
	word(name);
	text(p, n);
}

static size_t fuzz_seed(unsigned int i, u8 *buf)
{
	static const char strings[] = "reg\0compatible\0device_type\0#address-cells\0#size-cells\0status\0bootargs";
	static const u8 two[4] = { 0, 0, 0, 2 }, one[4] = { 0, 0, 0, 1 }, zero[4];
	u32 begin, end;

	if (i > 2)
		return 0;
	memset(buf, 0, 4096);
	at = buf + 72;
	word(1), text("", 1), prop(27, two, 4), prop(42, two, 4);
	word(1), text("memory@40000000", 16), prop(15, "memory", 7);
	prop(0, (const u8[16]){ [4] = 0x40, [12] = 0x10 }, 16), word(2);
	word(1), text("cpus", 5), prop(27, one, 4), prop(42, zero, 4);
	word(1), text("cpu@0", 6), prop(0, zero, 4), word(2), word(4);
	word(1), text("cpu@1", 6), prop(0, one, 4), prop(54, i == 0 ? "disabled" : i == 1 ? "okay\0\0\0" : "ok\0\0\0\0\0", i == 0 ? 9 : i == 1 ? 5 : 3), word(2), word(2);
	word(1), text("uart@9000000", 13), prop(4, "arm,pl011\0arm,primecell", 24), word(2);
	word(1), text("chosen", 7), prop(61, "console=ttyAMA0", 16), word(2);
	for (int k = 0; i == 2 && k < 40; k++)	/* deeper than anybody goes */
		word(1), text("n", 2);
	for (int k = 0; i == 2 && k < 40; k++)
		word(2);
	word(2), word(9);
	begin = 72;
	end = (u32)(at - buf);
	memcpy(at, strings, sizeof(strings));
	at = buf;
	word(0xd00dfeed), word(end + sizeof(strings)), word(begin), word(end), word(40), word(17), word(16), word(0);
	word(sizeof(strings)), word(end - begin);
	buf[46] = 0x10;
	buf[54] = 0x20;
	return end + sizeof(strings);
}
