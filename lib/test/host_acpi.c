// SPDX-License-Identifier: MIT
/* sources: lib/acpi.c */
/* ACPI decoding: good tables give their facts; any damage gives an error and never a read outside. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <lib/acpi.h>
#include <lib/string.h>

/* Physical memory: each table in a block of its own, so that ASan sees every overrun. */
#define REGIONS 16
static struct { u64 pa; size_t len; u8 *p; } region[REGIONS];
static int nr;

static const void *map(u64 pa, size_t len)
{
	for (int i = 0; i < nr; i++)
		if (pa >= region[i].pa && pa - region[i].pa <= region[i].len && len <= region[i].len - (pa - region[i].pa))
			return region[i].p + (pa - region[i].pa);
	return NULL;
}

static u8 *add_region(u64 pa, const void *p, size_t len)
{
	region[nr].pa = pa;
	region[nr].len = len;
	region[nr].p = malloc(len);
	memcpy(region[nr].p, p, len);
	return region[nr++].p;
}

static void drop_regions(void)
{
	while (nr)
		free(region[--nr].p);
}

static void fix_sum(u8 *p, size_t n, size_t at)
{
	u8 s = 0;

	p[at] = 0;
	for (size_t i = 0; i < n; i++)
		s += p[i];
	p[at] = (u8)-s;
}

static u8 *table(u64 pa, const char *sig, const void *body, u32 n)
{
	u8 t[512] = { 0 };
	u32 len = 36 + n;

	memcpy(t, sig, 4);
	memcpy(t + 4, &len, 4);
	memcpy(t + 36, body, n);
	fix_sum(t, len, 9);
	return add_region(pa, t, len);
}

static const u8 madt_body[] = {
	0, 0, 0xe0, 0xfe, 1, 0, 0, 0,
	0, 8, 0, 0, 1, 0, 0, 0,				/* CPU 0 */
	0, 8, 1, 1, 0, 0, 0, 0,				/* CPU 1, off */
	1, 12, 0, 0, 0, 0, 0xc0, 0xfe, 0, 0, 0, 0,	/* IOAPIC */
	2, 10, 0, 0, 2, 0, 0, 0, 0xf, 0,		/* IRQ 0 is 2, active low, level */
	9, 16, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0,	/* x2APIC 256 */
	11, 76, [62 + 12] = 1, [62 + 35] = 1, [62 + 63] = 2, [62 + 68] = 3,	/* a CPU of Arm's: 3, at 0x1000000, 0x2000000 */
	[138] = 12, 24, [138 + 11] = 8, [138 + 20] = 3,		/* its distributor, version 3 */
	[162] = 13, 24, [162 + 10] = 2,				/* messages */
	[186] = 14, 16, [186 + 6] = 9, [186 + 14] = 4,		/* redistributors */
	[202] = 15, 20, [202 + 10] = 8,				/* translation service */
	[222] = 11, 75, [222 + 74] = 0,				/* too short */
};
static const u8 dsdt_body[] = {
	0x08, '_', 'S', '5', '_', 0x12, 0x06, 0x04, 0x0a, 0x05, 0x0a, 0x05, 0x00, 0x00,
	'L', 'N', 'R', 'O', '0', '0', '0', '5', 0,
	0x86, 9, 0, 1, 0, 0, 0xb0, 0xfe, 0, 2, 0, 0,
	0x89, 6, 0, 1, 1, 16, 0, 0, 0, 0x79, 0,
};

static u64 build(void)
{
	u8 rsdp[36] = "RSD PTR ";
	u64 xsdt = 0x2000, entries[3] = { 0x3000, 0x4000, 0x6000 };
	u8 fadt[240] = { 0 };
	u32 v;

	nr = 0;
	rsdp[15] = 2;
	memcpy(rsdp + 24, &xsdt, 8);
	fix_sum(rsdp, 20, 8);
	fix_sum(rsdp, 36, 32);
	add_region(0x1000, rsdp, 36);
	table(0x2000, "XSDT", entries, sizeof(entries));
	table(0x3000, "APIC", madt_body, sizeof(madt_body));
	v = 0x5000;
	memcpy(fadt + 40 - 36, &v, 4);
	v = 0x604;
	memcpy(fadt + 64 - 36, &v, 4);
	table(0x4000, "FACP", fadt, sizeof(fadt));
	table(0x5000, "DSDT", dsdt_body, sizeof(dsdt_body));
	table(0x6000, "MCFG", (const u8[24]){ [8] = 0, 0, 0, 0xb0, [18] = 0, [19] = 0xff }, 24);
	return 0x1000;
}

/* Everything a kernel asks; returns a checksum of the answers so that nothing is optimised away. */
static unsigned long ask(u64 rsdp)
{
	struct acpi_tables t;
	struct acpi_madt_item it;
	struct acpi_fadt f;
	struct acpi_mcfg_entry m;
	struct acpi_device v;
	unsigned long sum = 0;
	u32 len, off = 0;
	const u8 *p;
	bool pic;
	u8 a, b;

	if (acpi_open(&t, map, rsdp))
		return 0;
	p = acpi_find(&t, "APIC", 0, &len);
	if (p) {
		sum += acpi_madt_lapic(p, len, &pic);
		while (acpi_madt_next(p, len, &off, &it))
			sum += it.id + it.gsi;
	}
	p = acpi_find(&t, "FACP", 0, &len);
	if (p && !acpi_decode_fadt(p, len, &f)) {
		sum += f.pm1a_cnt;
		p = acpi_table_at(&t, f.dsdt, "DSDT", &len);
		if (p && !acpi_find_s5(p, len, &a, &b))
			sum += a + b;
		for (off = 0; p && acpi_next_device(p, len, &off, ACPI_VIRTIO_MMIO, &v);)
			sum += v.gsi;
	}
	p = acpi_find(&t, "MCFG", 0, &len);
	for (unsigned int i = 0; p && !acpi_mcfg_entry(p, len, i, &m); i++)
		sum += m.base >> 20;
	p = acpi_find(&t, "HPET", 0, &len);
	return sum + (p ? acpi_hpet_base(p, len) : 0);
}

static void test_good(void)
{
	struct acpi_tables t;
	struct acpi_madt_item it;
	struct acpi_device v;
	struct acpi_fadt f;
	u32 len, off = 0;
	const u8 *p;
	u8 a, b;

	assert(!acpi_open(&t, map, build()) && t.wide && t.entries == 3);
	p = acpi_find(&t, "APIC", 0, &len);
	assert(p && acpi_madt_next(p, len, &off, &it) && it.type == MADT_LAPIC && it.enabled && it.id == 0);
	assert(acpi_madt_next(p, len, &off, &it) && !it.enabled && it.id == 1);
	assert(acpi_madt_next(p, len, &off, &it) && it.type == MADT_IOAPIC && it.addr == 0xfec00000);
	assert(acpi_madt_next(p, len, &off, &it) && it.type == MADT_OVERRIDE && it.gsi == 2 && it.flags == 0xf);
	assert(acpi_madt_next(p, len, &off, &it) && it.type == MADT_X2APIC && it.id == 256);
	assert(acpi_madt_next(p, len, &off, &it) && it.type == MADT_GICC && it.enabled && it.mpidr == 3 && it.addr == 0x1000000 && it.redist == 0x2000000);
	assert(acpi_madt_next(p, len, &off, &it) && it.type == MADT_GICD && it.version == 3 && it.addr == 0x8000000);
	assert(acpi_madt_next(p, len, &off, &it) && it.type == MADT_MSI_FRAME && it.addr == 0x20000);
	assert(acpi_madt_next(p, len, &off, &it) && it.type == MADT_GICR && it.addr == 0x90000 && it.size == 0x40000);
	assert(acpi_madt_next(p, len, &off, &it) && it.type == MADT_ITS && it.addr == 0x80000);
	assert(!acpi_madt_next(p, len, &off, &it));
	p = acpi_find(&t, "FACP", 0, &len);
	assert(p && !acpi_decode_fadt(p, len, &f) && f.pm1a_cnt == 0x604 && f.dsdt == 0x5000);
	p = acpi_table_at(&t, f.dsdt, "DSDT", &len);
	assert(p && !acpi_find_s5(p, len, &a, &b) && a == 5 && b == 5);
	off = 0;
	assert(acpi_next_device(p, len, &off, ACPI_VIRTIO_MMIO, &v) && v.base == 0xfeb00000 && v.size == 0x200 && v.gsi == 16 && v.level);
	assert(!acpi_next_device(p, len, &off, ACPI_VIRTIO_MMIO, &v));
	assert(!acpi_find(&t, "HPET", 0, &len) && !acpi_find(&t, "APIC", 1, &len));
	drop_regions();
}

/* Flips bytes and repairs checksums, so that damage reaches the decoders. */
static void test_damage(void)
{
	unsigned long sum = 0;

	srand(1);
	for (int round = 0; round < 200000; round++) {
		u64 rsdp = build();
		int r = rand() % nr;

		for (int k = rand() % 4 + 1; k; k--)
			region[r].p[(size_t)rand() % region[r].len] = (u8)rand();
		if (r && rand() % 4) {
			u32 len = (u32)region[r].len;

			if (rand() % 8)
				memcpy(region[r].p + 4, &len, 4);
			fix_sum(region[r].p, region[r].len, 9);
		}
		sum += ask(rsdp);
		drop_regions();
	}
	printf("%lu\n", sum);
}

int main(void)
{
	test_good();
	test_damage();
	return 0;
}
