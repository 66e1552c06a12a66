// SPDX-License-Identifier: MIT
/*
 * ACPI table decoding. Every length comes from the table and is checked against what was mapped; every table that is
 * handed out has a good checksum.
 */
#include <lib/acpi.h>
#include <lib/minmax.h>
#include <lib/string.h>

#ifdef __KERNEL_OCHRE__
#include <abi/errno.h>
#else
#include <errno.h>
#endif

#define HEADER 36		/* signature, length, revision, checksum, ids */

static u16 get16(const u8 *p) { return (u16)(p[0] | p[1] << 8); }
static u32 get32(const u8 *p) { return get16(p) | (u32)get16(p + 2) << 16; }
static u64 get64(const u8 *p) { return get32(p) | (u64)get32(p + 4) << 32; }

static bool sum_ok(const u8 *p, size_t n)
{
	u8 s = 0;

	while (n--)
		s = (u8)(s + *p++);
	return !s;
}

int acpi_scan_rsdp(const void *mem, size_t len)
{
	const u8 *p = mem;

	for (size_t i = 0; i + 20 <= len; i += 16)
		if (!memcmp(p + i, "RSD PTR ", 8) && sum_ok(p + i, 20))
			return (int)i;
	return -ENOENT;
}

const u8 *acpi_table_at(const struct acpi_tables *t, u64 pa, const char *sig, u32 *len)
{
	const u8 *p = pa ? t->map(pa, HEADER) : NULL;
	u32 n;

	if (!p || (sig && memcmp(p, sig, 4)))
		return NULL;
	n = get32(p + 4);
	if (n < HEADER || n > ACPI_MAX_TABLE)
		return NULL;
	p = t->map(pa, n);
	if (!p || !sum_ok(p, n))
		return NULL;
	*len = n;
	return p;
}

static int open_root(struct acpi_tables *t, u64 pa, bool wide)
{
	u32 len;

	t->root = acpi_table_at(t, pa, wide ? "XSDT" : "RSDT", &len);
	if (!t->root)
		return -ENOENT;
	t->wide = wide;
	t->entries = (len - HEADER) / (wide ? 8 : 4);
	return 0;
}

int acpi_open(struct acpi_tables *t, acpi_map_fn map, u64 rsdp)
{
	const u8 *p = rsdp ? map(rsdp, 20) : NULL;

	*t = (struct acpi_tables){ .map = map };
	if (!p || memcmp(p, "RSD PTR ", 8) || !sum_ok(p, 20))
		return -EINVAL;
	if (p[15] >= 2) {
		const u8 *x = map(rsdp, 36);

		if (x && sum_ok(x, 36) && !open_root(t, get64(x + 24), true))
			return 0;
	}
	return open_root(t, get32(p + 16), false);
}

const u8 *acpi_find(const struct acpi_tables *t, const char *sig, unsigned int nth, u32 *len)
{
	for (u32 i = 0; i < t->entries; i++) {
		u64 pa = t->wide ? get64(t->root + HEADER + 8 * i) : get32(t->root + HEADER + 4 * i);
		const u8 *p = acpi_table_at(t, pa, sig, len);

		if (p && !nth--)
			return p;
	}
	return NULL;
}

u32 acpi_madt_lapic(const u8 *madt, u32 len, bool *pic)
{
	if (len < 44)
		return 0;
	*pic = madt[40] & 1;
	return get32(madt + 36);
}

/* ACPI 6.5, 5.2.12.14 to .18. The oldest GICC ends behind the MPIDR. */
static bool madt_decode_gic(const u8 *e, u8 n, struct acpi_madt_item *out)
{
	switch (e[0]) {
	case MADT_GICC:
		if (n < 76)
			return false;
		out->id = get32(e + 8);
		out->enabled = get32(e + 12) & 1;
		out->addr = get64(e + 32);
		out->redist = get64(e + 60);
		out->mpidr = get64(e + 68);
		return true;
	case MADT_GICD:
		if (n < 24)
			return false;
		out->addr = get64(e + 8);
		out->version = e[20];
		return true;
	case MADT_MSI_FRAME:
		if (n < 24)
			return false;
		out->addr = get64(e + 8);
		return true;
	case MADT_GICR:
		if (n < 16)
			return false;
		out->addr = get64(e + 4);
		out->size = get32(e + 12);
		return true;
	case MADT_ITS:
		if (n < 20)
			return false;
		out->id = get32(e + 4);
		out->addr = get64(e + 8);
		return true;
	}
	return false;
}

static bool madt_decode(const u8 *e, u8 n, struct acpi_madt_item *out)
{
	*out = (struct acpi_madt_item){ .type = e[0] };
	switch (e[0]) {
	case MADT_LAPIC:
		if (n < 8)
			return false;
		out->id = e[3];
		out->enabled = get32(e + 4) & 1;
		return true;
	case MADT_IOAPIC:
		if (n < 12)
			return false;
		out->id = e[2];
		out->addr = get32(e + 4);
		out->gsi = get32(e + 8);
		return true;
	case MADT_OVERRIDE:
		if (n < 10)
			return false;
		out->isa = e[3];
		out->gsi = get32(e + 4);
		out->flags = get16(e + 8);
		return true;
	case MADT_LAPIC_ADDR:
		if (n < 12)
			return false;
		out->addr = get64(e + 4);
		return true;
	case MADT_X2APIC:
		if (n < 16)
			return false;
		out->id = get32(e + 4);
		out->enabled = get32(e + 8) & 1;
		return true;
	}
	return madt_decode_gic(e, n, out);
}

bool acpi_madt_next(const u8 *madt, u32 len, u32 *off, struct acpi_madt_item *out)
{
	if (*off < 44)
		*off = 44;
	while (*off + 2 <= len) {
		const u8 *e = madt + *off;
		u8 n = e[1];

		if (n < 2 || n > len - *off)
			return false;
		*off += n;
		if (madt_decode(e, n, out))
			return true;
	}
	return false;
}

static struct acpi_gas get_gas(const u8 *t, u32 len, u32 at)
{
	struct acpi_gas g = { .space = 0xff };

	if (at + 12 <= len && get64(t + at + 4))
		g = (struct acpi_gas){ t[at], t[at + 1], get64(t + at + 4) };
	return g;
}

int acpi_decode_fadt(const u8 *t, u32 len, struct acpi_fadt *out)
{
	if (len < 116)
		return -EINVAL;
	*out = (struct acpi_fadt){
		.dsdt = get32(t + 40),
		.pm1a_cnt = get32(t + 64), .pm1b_cnt = get32(t + 68), .pm_timer = get32(t + 76),
		.century = t[108], .boot_arch = get16(t + 109), .flags = get32(t + 112),
		.reset = get_gas(t, len, 116),
		.sleep_control = get_gas(t, len, 244),
	};
	if (len > 128)
		out->reset_value = t[128];
	if (len >= 131)
		out->arm_boot = get16(t + 129);
	if (len >= 148 && get64(t + 140))
		out->dsdt = get64(t + 140);
	if (!(out->flags & FADT_RESET_REG_SUP))
		out->reset.space = 0xff;
	return 0;
}

/* An AML integer of at most 32 bits at *I; advances. */
static bool aml_int(const u8 *p, u32 len, u32 *i, u32 *v)
{
	if (*i >= len)
		return false;
	switch (p[*i]) {
	case 0x00:
	case 0x01:
		*v = p[(*i)++];
		return true;
	case 0xff:
		*v = 0xff;
		(*i)++;
		return true;
	case 0x0a:
		if (len - *i < 2)
			return false;
		*v = p[*i + 1];
		*i += 2;
		return true;
	case 0x0b:
		if (len - *i < 3)
			return false;
		*v = get16(p + *i + 1);
		*i += 3;
		return true;
	case 0x0c:
		if (len - *i < 5)
			return false;
		*v = get32(p + *i + 1);
		*i += 5;
		return true;
	}
	return false;
}

/* NameOp [\]_S5_ PackageOp PkgLength NumElements integer integer ... */
int acpi_find_s5(const u8 *p, u32 len, u8 *typa, u8 *typb)
{
	for (u32 i = HEADER; i + 7 < len; i++) {
		u32 j = i + 4, a, b;
		bool named;

		if (memcmp(p + i, "_S5_", 4))
			continue;
		named = p[i - 1] == 0x08 || (p[i - 1] == '\\' && p[i - 2] == 0x08);
		if (!named || p[j] != 0x12)
			continue;
		j++;
		j += 1 + (p[j] >> 6);		/* the length's first byte counts those that follow */
		if (j >= len)
			return -ENOENT;
		j++;				/* elements */
		if (!aml_int(p, len, &j, &a))
			return -ENOENT;
		if (!aml_int(p, len, &j, &b))
			b = a;
		*typa = a & 7;
		*typb = b & 7;
		return 0;
	}
	return -ENOENT;
}

int acpi_mcfg_entry(const u8 *t, u32 len, unsigned int i, struct acpi_mcfg_entry *out)
{
	u64 at = 44 + (u64)i * 16;

	if (at + 16 > len)
		return -ENOENT;
	*out = (struct acpi_mcfg_entry){ get64(t + at), get16(t + at + 8), t[at + 10], t[at + 11] };
	return out->bus_start <= out->bus_end ? 0 : -EINVAL;
}

u64 acpi_hpet_base(const u8 *t, u32 len)
{
	return len >= 56 && t[40] == 0 ? get64(t + 44) : 0;
}

u32 acpi_gtdt_virtual_timer(const u8 *t, u32 len)
{
	return len >= 72 ? get32(t + 64) : 0;
}

/* Kinds of UART: 3 is a PL011, 14 what an SBSA machine has of it. */
u64 acpi_spcr_pl011(const u8 *t, u32 len)
{
	return len >= 52 && (t[36] == 3 || t[36] == 14) && t[40] == 0 ? get64(t + 44) : 0;
}

/* The resource template behind a device's name: fixed memory (0x86) and extended interrupt (0x89). */
static bool scan_resources(const u8 *p, u32 from, u32 to, struct acpi_device *out)
{
	bool mem = false, irq = false;

	for (u32 i = from; i + 9 <= to && !(mem && irq); i++) {
		if (!mem && i + 12 <= to && p[i] == 0x86 && p[i + 1] == 9 && p[i + 2] == 0 && p[i + 3] <= 1) {
			out->base = get32(p + i + 4);
			out->size = get32(p + i + 8);
			mem = out->size >= 0x100;
			i += 11;
		} else if (mem && p[i] == 0x89 && get16(p + i + 1) >= 6 && p[i + 4] >= 1) {
			out->level = !(p[i + 3] & 2);
			out->active_low = p[i + 3] & 4;
			out->gsi = get32(p + i + 5);
			irq = true;
		}
	}
	return mem && irq;
}

bool acpi_next_device(const u8 *p, u32 len, u32 *off, const char *hid, struct acpi_device *out)
{
	u32 i = max(*off, (u32)HEADER);

	for (; i + 8 <= len; i++) {
		u32 end;

		if (memcmp(p + i, hid, 8))
			continue;
		end = i + 8;
		while (end + 8 <= len && memcmp(p + end, hid, 8))
			end++;
		if (end + 8 > len)
			end = min(len, i + 256);
		*off = i + 8;
		if (scan_resources(p, i + 8, min(end, i + 256), out))
			return true;
	}
	*off = len;
	return false;
}
