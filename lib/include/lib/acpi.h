/* SPDX-License-Identifier: MIT */
/*
 * ACPI tables decoded: untrusted bytes in, checked values out. No AML interpreter: the few facts that are only in the
 * DSDT (the S5 sleep type, virtio-mmio devices) are found by their encoded shape. ACPI 6.5, chapter 5.
 */
#pragma once

#include <lib/types.h>

/* How bytes of physical memory are reached: LEN bytes at PA, valid for ever, or NULL. */
typedef const void *(*acpi_map_fn)(u64 pa, size_t len);

struct acpi_tables {
	acpi_map_fn map;
	const u8 *root;		/* RSDT or XSDT */
	u32 entries;
	bool wide;		/* XSDT: 8-byte entries */
};

#define ACPI_MAX_TABLE (1U << 20)

/* Offset of the RSDP in LEN bytes (searched at multiples of 16), or -ENOENT. */
int acpi_scan_rsdp(const void *mem, size_t len);
/* 0; -EINVAL (bad RSDP), -ENOENT (no readable root table). */
int acpi_open(struct acpi_tables *t, acpi_map_fn map, u64 rsdp);
/* The NTH table of that signature, with a good length and checksum; NULL. LEN is its whole length. */
const u8 *acpi_find(const struct acpi_tables *t, const char *sig, unsigned int nth, u32 *len);
/* A table by its address (DSDT). */
const u8 *acpi_table_at(const struct acpi_tables *t, u64 pa, const char *sig, u32 *len);

enum { MADT_LAPIC = 0, MADT_IOAPIC = 1, MADT_OVERRIDE = 2, MADT_LAPIC_ADDR = 5, MADT_X2APIC = 9,
       MADT_GICC = 11, MADT_GICD = 12, MADT_MSI_FRAME = 13, MADT_GICR = 14, MADT_ITS = 15 };
struct acpi_madt_item {
	u8 type;
	bool enabled;		/* LAPIC, X2APIC, GICC: usable at boot */
	u32 id;			/* APIC id, or IOAPIC id */
	u64 addr;		/* IOAPIC, LAPIC_ADDR, GICD, MSI_FRAME, GICR, ITS; GICC: its interface, 0 with GICv3 */
	u64 mpidr, redist;	/* GICC: which CPU; its redistributor, 0: in a GICR's region */
	u32 size;		/* GICR */
	u8 version;		/* GICD: 2, 3, 4; 0: ask the hardware */
	u32 gsi;		/* IOAPIC: first; OVERRIDE */
	u8 isa;			/* OVERRIDE */
	u16 flags;		/* OVERRIDE: MPS INTI flags */
};

/* Steps through the entries that we know. *OFF starts at 0. */
bool acpi_madt_next(const u8 *madt, u32 len, u32 *off, struct acpi_madt_item *out);
u32 acpi_madt_lapic(const u8 *madt, u32 len, bool *pic);

struct acpi_gas {
	u8 space;		/* 0 memory, 1 port, 0xff: absent */
	u8 width;
	u64 addr;
};

struct acpi_fadt {
	u64 dsdt;
	u32 pm1a_cnt, pm1b_cnt, pm_timer;
	u32 flags;
	u16 boot_arch, arm_boot;
	u8 century;
	u8 reset_value;
	struct acpi_gas reset, sleep_control;
};

#define FADT_TMR_VAL_EXT (1U << 8)
#define FADT_RESET_REG_SUP (1U << 10)
#define FADT_HW_REDUCED (1U << 20)
#define FADT_BOOT_NO_VGA (1U << 2)
#define FADT_BOOT_8042 (1U << 1)
#define FADT_ARM_PSCI (1U << 0)
#define FADT_ARM_PSCI_HVC (1U << 1)
#define FADT_BOOT_NO_RTC (1U << 5)
int acpi_decode_fadt(const u8 *t, u32 len, struct acpi_fadt *out);

/* Sleep types of S5 from the DSDT's \_S5 package. 0 or -ENOENT. */
int acpi_find_s5(const u8 *dsdt, u32 len, u8 *typa, u8 *typb);

struct acpi_mcfg_entry {
	u64 base;
	u16 segment;
	u8 bus_start, bus_end;
};
/* The I-th window of configuration space; -ENOENT. */
int acpi_mcfg_entry(const u8 *t, u32 len, unsigned int i, struct acpi_mcfg_entry *out);

/* Base address of the HPET's registers, 0 when the table is no good. */
u64 acpi_hpet_base(const u8 *t, u32 len);

/* Interrupt of the virtual timer (GTDT), and the console's registers if it is a PL011 (SPCR); 0: the table is no good or says another. */
u32 acpi_gtdt_virtual_timer(const u8 *t, u32 len);
u64 acpi_spcr_pl011(const u8 *t, u32 len);

#define ACPI_VIRTIO_MMIO "LNRO0005"
#define ACPI_PL011 "ARMH0011"
/* The next device with that hardware ID (8 letters) of a DSDT or SSDT at or after *OFF: its first registers and interrupt. */
struct acpi_device {
	u64 base;
	u32 size, gsi;
	bool level, active_low;
};
bool acpi_next_device(const u8 *t, u32 len, u32 *off, const char *hid, struct acpi_device *out);
