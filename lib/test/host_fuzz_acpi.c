// SPDX-License-Identifier: MIT
/* sources: lib/acpi.c */
/* fuzz: -max_len=4096 */
/* ACPI tables: the input is memory from address 0x1000 on; damaged tables, also with good checksums, give answers or none. */
#define FUZZ_ROUNDS 100000
#include <assert.h>
#include "lib/test/fuzz.h"
#include <lib/acpi.h>

#define BASE 0x1000ULL

static u8 *memory;
static size_t memory_len;
static void *lent[4096];
static unsigned int nr_lent;

/* Each piece is a block of its own, so that ASan sees reads beyond what was asked for. */
static const void *map(u64 pa, size_t len)
{
	void *p;

	if (pa < BASE || pa - BASE > memory_len || len > memory_len - (pa - BASE) || nr_lent == 4096)
		return NULL;
	p = malloc(len ? len : 1);
	memcpy(p, memory + (pa - BASE), len);
	return lent[nr_lent++] = p;
}

static void fix_sum(u8 *p, size_t n, size_t at)
{
	u8 s = 0;

	p[at] = 0;
	for (size_t i = 0; i < n; i++)
		s += p[i];
	p[at] = (u8)-s;
}

static void fix_table(size_t at)
{
	u32 len;

	if (at + 36 > memory_len)
		return;
	memcpy(&len, memory + at + 4, 4);
	if (len >= 36 && len <= memory_len - at)
		fix_sum(memory + at, len, 9);
}

static void ask_tables(const struct acpi_tables *t)
{
	struct acpi_device v;
	struct acpi_mcfg_entry m;
	struct acpi_madt_item it;
	struct acpi_fadt f;
	u32 len, off = 0;
	const u8 *p;
	bool pic;
	u8 a, b;

	p = acpi_find(t, "APIC", 0, &len);
	if (p) {
		acpi_madt_lapic(p, len, &pic);
		while (acpi_madt_next(p, len, &off, &it))
			assert(off <= len);
	}
	p = acpi_find(t, "FACP", 0, &len);
	if (p && !acpi_decode_fadt(p, len, &f)) {
		acpi_table_at(t, f.dsdt, NULL, &len);
		p = acpi_table_at(t, f.dsdt, "DSDT", &len);
		if (p)
			acpi_find_s5(p, len, &a, &b);
		for (off = 0; p && acpi_next_device(p, len, &off, ACPI_VIRTIO_MMIO, &v);)
			assert(off <= len);
	}
	p = acpi_find(t, "MCFG", 0, &len);
	for (unsigned int i = 0; p && !acpi_mcfg_entry(p, len, i, &m); i++)
		assert(i < len);
	if (acpi_find(t, "APIC", 1, &len))
		assert(len >= 36);
	p = acpi_find(t, "HPET", 0, &len);
	if (p)
		acpi_hpet_base(p, len);
	p = acpi_find(t, "GTDT", 0, &len);
	if (p)
		acpi_gtdt_virtual_timer(p, len);
	p = acpi_find(t, "SPCR", 0, &len);
	if (p)
		acpi_spcr_pl011(p, len);
}

/* The first byte: whether the checksums at the places of the seed's tables are made right. */
static void fuzz_one(const u8 *p, size_t n)
{
	struct acpi_tables t;

	if (n < 2)
		return;
	memory_len = n - 1;
	memory = malloc(memory_len);
	memcpy(memory, p + 1, memory_len);
	if (p[0] & 1) {
		if (memory_len >= 36) {
			fix_sum(memory, 20, 8);
			fix_sum(memory, 36, 32);
		}
		for (size_t at = 0x40; at < memory_len; at += 0x200)
			fix_table(at);
	}
	acpi_scan_rsdp(memory, memory_len);
	assert(acpi_open(&t, map, 0));
	if (!acpi_open(&t, map, BASE))
		ask_tables(&t);
	while (nr_lent)
		free(lent[--nr_lent]);
	free(memory);
}

static void table(u8 *mem, size_t at, const char *sig, const void *body, u32 n)
{
	u32 len = 36 + n;

	memcpy(mem + at, sig, 4);
	memcpy(mem + at + 4, &len, 4);
	memcpy(mem + at + 36, body, n);
	fix_sum(mem + at, len, 9);
}

static size_t fuzz_seed(unsigned int i, u8 *buf)
{
	static const u8 madt[] = { 0, 0, 0xe0, 0xfe, 1, 0, 0, 0, 0, 8, 0, 0, 1, 0, 0, 0, 1, 12, 0, 0, 0, 0, 0xc0, 0xfe, 0, 0, 0, 0,
				   2, 10, 0, 0, 2, 0, 0, 0, 0xf, 0, 9, 16, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0 };
	static u8 rooted[] = { 8, '\\', '_', 'S', '5', '_', 0x12, 6, 4, 0xa, 5, 0xa, 5, 0, 0 };
	static const u8 dsdt[] = { 8, '_', 'S', '5', '_', 0x12, 6, 4, 0xa, 5, 0xa, 5, 0, 0, 'L', 'N', 'R', 'O', '0', '0', '0', '5', 0,
				   0x86, 9, 0, 1, 0, 0, 0xb0, 0xfe, 0, 2, 0, 0, 0x89, 6, 0, 1, 1, 16, 0, 0, 0, 0x79, 0 };
	u64 root = BASE + 0x40, xsdt[] = { BASE + 0x240, BASE + 0x440, BASE + 0x840, BASE + 0xa40 };
	u32 rsdt[4], dsdt_at = (u32)BASE + 0x640, root32 = (u32)root;
	u8 *mem = buf + 1, fadt[240] = { 0 };

	if (i > 2)
		return 0;
	memset(buf, 0, 0xc41);
	rooted[0] = i == 1 ? 8 : 9;
	buf[0] = 1;
	memcpy(mem, "RSD PTR ", 8);
	mem[15] = i ? 0 : 2;
	memcpy(mem + 16, &root32, 4);
	if (!i)
		memcpy(mem + 24, &root, 8);
	fix_sum(mem, 20, 8);
	fix_sum(mem, 36, 32);
	for (int k = 0; k < 4; k++)
		rsdt[k] = (u32)xsdt[k];
	if (i)
		table(mem, 0x40, "RSDT", rsdt, sizeof(rsdt));
	else
		table(mem, 0x40, "XSDT", xsdt, sizeof(xsdt));
	table(mem, 0x240, "APIC", madt, sizeof(madt));
	memcpy(fadt + 4, &dsdt_at, 4);
	fadt[28] = 4;
	fadt[29] = 6;
	table(mem, 0x440, "FACP", fadt, sizeof(fadt));
	table(mem, 0x640, "DSDT", i ? rooted : dsdt, i ? sizeof(rooted) : sizeof(dsdt));
	table(mem, 0x840, "MCFG", (const u8[24]){ [11] = 0xb0, [19] = 0xff }, 24);
	table(mem, 0xa40, "HPET", (const u8[20]){ [4] = 0, [11] = 0xd0, [12] = 0xfe }, 20);
	return 0xc41;
}
