/* SPDX-License-Identifier: MIT */
/* Writes flattened device trees for tests: begin, properties, end, then tree_done(). */
#pragma once

#include <assert.h>
#include <string.h>
#include <lib/types.h>

static u8 tree_structs[16384], tree_strings[2048], tree_blob[32768];
static u32 tree_ns, tree_nstr;

static void tree_put(u8 *p, u32 v)
{
	p[0] = v >> 24, p[1] = v >> 16, p[2] = v >> 8, p[3] = v;
}

static void tree_word(u32 v)
{
	tree_put(tree_structs + tree_ns, v);
	tree_ns += 4;
}

static void tree_bytes(const void *p, u32 n)
{
	assert(tree_ns + n + 8 < sizeof(tree_structs));
	if (n)
		memcpy(tree_structs + tree_ns, p, n);
	memset(tree_structs + tree_ns + n, 0, 4);
	tree_ns = (tree_ns + n + 3) & ~3U;
}

static void tree_start(void)
{
	tree_ns = tree_nstr = 0;
}

static void begin(const char *name)
{
	tree_word(1);
	tree_bytes(name, (u32)strlen(name) + 1);
}

static void end(void)
{
	tree_word(2);
}

static void prop(const char *name, const void *p, u32 n)
{
	u32 at = 0;

	while (at < tree_nstr && strcmp((char *)tree_strings + at, name))
		at += (u32)strlen((char *)tree_strings + at) + 1;
	if (at == tree_nstr) {
		strcpy((char *)tree_strings + at, name);
		tree_nstr += (u32)strlen(name) + 1;
	}
	tree_word(3);
	tree_word(n);
	tree_word(at);
	tree_bytes(p, n);
}

static void text(const char *name, const char *value)
{
	prop(name, value, (u32)strlen(value) + 1);
}

static void cells(const char *name, const u32 *v, u32 n)
{
	u8 b[512];

	for (u32 i = 0; i < n; i++)
		tree_put(b + 4 * i, v[i]);
	prop(name, b, 4 * n);
}
#define CELLS(name, ...) cells(name, (u32[]){ __VA_ARGS__ }, sizeof((u32[]){ __VA_ARGS__ }) / 4)

/* The blob's size; it is in tree_blob, with one reservation: [0x1000, +0x2000). */
static u32 tree_done(void)
{
	u8 *b = tree_blob;

	tree_word(9);
	memset(b, 0, 72);
	tree_put(b, 0xd00dfeed);
	tree_put(b + 4, 72 + tree_ns + tree_nstr);
	tree_put(b + 8, 72);
	tree_put(b + 12, 72 + tree_ns);
	tree_put(b + 16, 40);
	tree_put(b + 20, 17);
	tree_put(b + 24, 16);
	tree_put(b + 32, tree_nstr);
	tree_put(b + 36, tree_ns);
	tree_put(b + 44, 0x1000);
	tree_put(b + 52, 0x2000);
	memcpy(b + 72, tree_structs, tree_ns);
	memcpy(b + 72 + tree_ns, tree_strings, tree_nstr);
	return 72 + tree_ns + tree_nstr;
}

static void plain_cpu(const char *name, u32 id, const char *status)
{
	begin(name);
	text("device_type", "cpu");
	text("enable-method", "psci");
	CELLS("reg", id);
	if (status)
		text("status", status);
	end();
}

static void tree_chosen(void)
{
	begin("chosen");
	text("bootargs", "console=ttyAMA0 quiet");
	text("stdout-path", "serial0:115200n8");
	CELLS("linux,initrd-start", 0, 0x48000000);
	CELLS("linux,initrd-end", 0x48001000);
	CELLS("rng-seed", 1, 2, 3, 4);
	CELLS("kaslr-seed", 5, 6);
	end();
	begin("aliases");
	text("serial0", "/soc/uart@9000000");
	end();
	begin("reserved-memory");
	CELLS("#address-cells", 2);
	CELLS("#size-cells", 2);
	begin("firmware@41000000");
	CELLS("reg", 0, 0x41000000, 0, 0x100000);
	end();
	begin("pool");				/* where, is for the system to say */
	CELLS("size", 0, 0x100000);
	end();
	end();
}

/* A controller behind another, one whose interrupts climb, one that is told by interrupts-extended, a nexus that is no PCI. */
static void tree_soc(void)
{
	begin("soc");
	prop("compatible", "simple-bus", 11);
	CELLS("#address-cells", 1);
	CELLS("#size-cells", 1);
	CELLS("ranges", 0x9000000, 0, 0x9000000, 0x10000, 0x100000, 1, 0x100000, 0x10000);
	begin("uart@9000000");
	prop("compatible", "arm,pl011\0arm,primecell", 24);
	CELLS("reg", 0x9000000, 0x1000);
	CELLS("interrupts", 0, 1, 4, 0, 2, 4);
	end();
	begin("test@100000");
	prop("compatible", "sifive,test1\0sifive,test0\0syscon", 33);
	CELLS("reg", 0x100000, 0x1000);
	CELLS("phandle", 5);
	end();
	begin("out@500000");			/* no range of the bus has it */
	CELLS("reg", 0x500000, 0x1000);
	end();
	begin("gpio");
	CELLS("#interrupt-cells", 2);
	prop("interrupt-controller", "", 0);
	CELLS("interrupts", 0, 9, 4);
	CELLS("phandle", 6);
	end();
	begin("button");
	CELLS("interrupts-extended", 6, 3, 1, 1, 0, 7, 4);
	end();
	begin("nexus");
	CELLS("#interrupt-cells", 1);
	CELLS("#address-cells", 0);
	CELLS("interrupt-map", 0, 1, 0, 40, 4, 1, 6, 5, 1);
	CELLS("phandle", 7);
	end();
	begin("behind");
	CELLS("interrupt-parent", 7);
	CELLS("interrupts", 0, 1, 2);
	end();
	end();
}

static void tree_pci(void)
{
	begin("pcie@10000000");
	text("compatible", "pci-host-ecam-generic");
	text("device_type", "pci");
	CELLS("#address-cells", 3);
	CELLS("#size-cells", 2);
	CELLS("#interrupt-cells", 1);
	CELLS("reg", 0x40, 0x10000000, 0, 0x1000000);
	CELLS("bus-range", 0, 0xff);
	CELLS("linux,pci-domain", 2);
	CELLS("ranges", 0x1000000, 0, 0, 0, 0x3eff0000, 0, 0x10000, 0x2000000, 0, 0x10000000, 0, 0x10000000, 0, 0x2eff0000,
	      0x43000000, 0x80, 0, 0x80, 0, 0x80, 0, 0x2000000, 0, 0xfffff000, 0, 0xfffff000, 0, 0x2000);
	CELLS("interrupt-map-mask", 0x1800, 0, 0, 7);
	CELLS("interrupt-map", 0, 0, 0, 1, 1, 0, 3, 4, 0, 0, 0, 2, 1, 0, 4, 4, 0x800, 0, 0, 1, 1, 0, 4, 4);
	CELLS("msi-map", 0, 3, 0x100, 0x10000);
	end();
}

/* What most machines of ours have. */
static u32 tree_machine(void)
{
	tree_start();
	begin("");
	CELLS("#address-cells", 2);
	CELLS("#size-cells", 2);
	CELLS("interrupt-parent", 1);
	begin("memory@40000000");
	text("device_type", "memory");
	CELLS("reg", 0, 0x40000000, 0, 0x10000000, 1, 0, 0, 0x1000);
	end();
	begin("cpus");
	CELLS("#address-cells", 1);
	CELLS("#size-cells", 0);
	plain_cpu("cpu@0", 0, NULL);
	plain_cpu("cpu@1", 1, "disabled");
	plain_cpu("cpu@100", 0x100, "okay");
	end();
	begin("intc@8000000");
	text("compatible", "arm,gic-v3");
	CELLS("#interrupt-cells", 3);
	prop("interrupt-controller", "", 0);
	CELLS("#address-cells", 2);
	CELLS("#size-cells", 2);
	prop("ranges", "", 0);
	CELLS("reg", 0, 0x8000000, 0, 0x10000, 0, 0x80a0000, 0, 0xf60000);
	CELLS("phandle", 2);
	begin("its@8080000");
	text("compatible", "arm,gic-v3-its");
	CELLS("reg", 0, 0x8080000, 0, 0x20000);
	CELLS("phandle", 3);
	end();
	end();
	begin("pic");				/* what everything goes through: no addresses in maps */
	CELLS("#interrupt-cells", 3);
	prop("interrupt-controller", "", 0);
	CELLS("phandle", 1);
	end();
	tree_soc();
	tree_pci();
	begin("psci");
	prop("compatible", "arm,psci-1.0\0arm,psci-0.2\0arm,psci", 35);
	text("method", "hvc");
	end();
	begin("poweroff");
	text("compatible", "syscon-poweroff");
	CELLS("regmap", 5);
	CELLS("offset", 8);
	CELLS("value", 0x5555);
	end();
	tree_chosen();
	end();
	return tree_done();
}
