// SPDX-License-Identifier: MIT
/* sources: lib/fdt.c */
/* Device trees: a good one gives its facts; any damage ends the walk and never reads outside (ASan watches a block of its exact size). */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <lib/fdt.h>

static u8 structs[4096], strings[512], blob[8192];
static u32 ns, nstr;

static void put32(u8 *p, u32 v)
{
	p[0] = v >> 24, p[1] = v >> 16, p[2] = v >> 8, p[3] = v;
}

static void word(u32 v)
{
	put32(structs + ns, v);
	ns += 4;
}

static void bytes(const void *p, u32 n)
{
	memcpy(structs + ns, p, n);
	memset(structs + ns + n, 0, 4);
	ns = (ns + n + 3) & ~3U;
}

static void begin(const char *name)
{
	word(1);
	bytes(name, strlen(name) + 1);
}

static void end(void)
{
	word(2);
}

static void prop(const char *name, const void *p, u32 n)
{
	word(3);
	word(n);
	word(nstr);
	strcpy((char *)strings + nstr, name);
	nstr += strlen(name) + 1;
	bytes(p, n);
}

static void cells(const char *name, const u32 *v, u32 n)
{
	u8 b[64];

	for (u32 i = 0; i < n; i++)
		put32(b + 4 * i, v[i]);
	prop(name, b, 4 * n);
}
#define CELLS(name, ...) cells(name, (u32[]){ __VA_ARGS__ }, sizeof((u32[]){ __VA_ARGS__ }) / 4)

static u32 make(void)
{
	u32 size;

	begin("");
	CELLS("#address-cells", 2);
	CELLS("#size-cells", 2);
	begin("memory@40000000");
	prop("device_type", "memory", 7);
	CELLS("reg", 0, 0x40000000, 0, 0x10000000, 1, 0, 0, 0x1000);
	end();
	begin("cpus");
	CELLS("#address-cells", 1);
	CELLS("#size-cells", 0);
	begin("cpu@0");
	CELLS("reg", 0);
	end();
	word(4);
	begin("cpu@1");
	CELLS("reg", 1);
	prop("status", "disabled", 9);
	end();
	end();
	begin("uart@9000000");
	prop("compatible", "arm,pl011\0arm,primecell", 24);
	CELLS("reg", 0, 0x9000000, 0, 0x1000);
	prop("open", "no nul", 6);
	end();
	begin("chosen");
	prop("bootargs", "console=ttyAMA0", 16);
	CELLS("linux,initrd-start", 0x48000000);
	end();
	end();
	word(9);
	memset(blob, 0, sizeof(blob));
	put32(blob, 0xd00dfeed);
	put32(blob + 8, 72);
	put32(blob + 12, 72 + ns);
	put32(blob + 16, 40);
	put32(blob + 20, 17);
	put32(blob + 24, 16);
	put32(blob + 32, nstr);
	put32(blob + 36, ns);
	put32(blob + 44, 0x1000);		/* one reservation: [0x1000, +0x2000), then the end */
	put32(blob + 52, 0x2000);
	memcpy(blob + 72, structs, ns);
	memcpy(blob + 72 + ns, strings, nstr);
	size = 72 + ns + nstr;
	put32(blob + 4, size);
	return size;
}

static void test_good(const u8 *p, u32 size)
{
	struct fdt f;
	u64 a, s;
	int n;

	assert(!fdt_open(&f, p, size) && fdt_size(p, 40) == size && fdt_whole(&f, 3) && !fdt_whole(&f, 2));
	n = fdt_find_path(&f, "/memory@40000000");
	assert(n > 0 && !strcmp(fdt_name(&f, n), "memory@40000000") && !strcmp(fdt_string(&f, n, "device_type"), "memory"));
	assert(fdt_reg(&f, n, 0, &a, &s) && a == 0x40000000 && s == 0x10000000);
	assert(fdt_reg(&f, n, 1, &a, &s) && a == 1ULL << 32 && s == 0x1000 && !fdt_reg(&f, n, 2, &a, &s));
	n = fdt_find_path(&f, "/cpus/cpu@1");
	assert(n > 0 && !fdt_enabled(&f, n) && fdt_reg(&f, n, 0, &a, &s) && a == 1 && s == 0);
	assert(fdt_parent(&f, n) == fdt_find_path(&f, "/cpus") && fdt_enabled(&f, fdt_find_path(&f, "/cpus/cpu@0")));
	n = fdt_find_compatible(&f, FDT_NONE, "arm,primecell");
	assert(n == fdt_find_path(&f, "/uart@9000000") && !fdt_compatible(&f, n, "arm,pl01") && !fdt_string(&f, n, "open"));
	assert(fdt_find_compatible(&f, n, "arm,primecell") == FDT_NONE);
	n = fdt_find_path(&f, "/chosen");
	assert(!strcmp(fdt_string(&f, n, "bootargs"), "console=ttyAMA0") && fdt_number(&f, n, "linux,initrd-start", &a) && a == 0x48000000);
	assert(!fdt_number(&f, n, "bootargs", &a) && !fdt_prop(&f, n, "absent", NULL));
	assert(fdt_find_path(&f, "/cpus/cpu@2") == FDT_NONE && fdt_find_path(&f, "/cpu@0") == FDT_NONE);
	assert(fdt_reserved(&f, 0, &a, &s) && a == 0x1000 && s == 0x2000 && !fdt_reserved(&f, 1, &a, &s));
	assert(!fdt_prop(&f, FDT_NONE, "reg", NULL) && fdt_parent(&f, FDT_NONE) == FDT_NONE);
}

/* Uses everything once: only reads outside matter. */
static void exercise(const u8 *p, u32 size)
{
	struct fdt f;
	u64 a, s;

	if (fdt_open(&f, p, size))
		return;
	for (int n = fdt_next_node(&f, FDT_NONE, NULL), k = 0; n != FDT_NONE && k < 200; n = fdt_next_node(&f, n, NULL), k++) {
		fdt_string(&f, n, "device_type");
		fdt_reg(&f, n, 1, &a, &s);
		fdt_compatible(&f, n, "arm,pl011");
		fdt_enabled(&f, n);
	}
	fdt_find_path(&f, "/cpus/cpu@1");
	for (unsigned int i = 0; i < 10 && fdt_reserved(&f, i, &a, &s); i++)
		;
}

int main(void)
{
	u32 size = make();
	u8 *p = malloc(size);
	struct fdt f;

	memcpy(p, blob, size);
	test_good(p, size);
	assert(fdt_open(&f, p, size - 1) && fdt_open(&f, p, 39) && fdt_open(&f, NULL, 0));
	for (u32 i = 0; i < size; i++)
		for (int v = 0; v < 4; v++) {
			p[i] = (u8[]){ 0, 0xff, (u8)(blob[i] + 1), (u8)(blob[i] ^ 0x80) }[v];
			exercise(p, size);
			p[i] = blob[i];
		}
	srand(1);
	for (int round = 0; round < 20000; round++) {
		for (int k = 0; k < 4; k++)
			p[rand() % size] = (u8)rand();
		put32(p, 0xd00dfeed);
		exercise(p, size);
		if (round % 3 == 0)
			memcpy(p, blob, size);
	}
	free(p);
	puts("ok");
	return 0;
}
