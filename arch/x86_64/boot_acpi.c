// SPDX-License-Identifier: MIT
/*
 * What the firmware tables say about this machine, read once at boot into `machine`: CPUs, interrupt controllers, timers,
 * ways to power off. Without usable tables: one CPU, the APICs at their usual places.
 */
#include <lib/acpi.h>
#include <arch/firmware.h>
#include <arch/pgtable.h>
#include <boot/info.h>
#include <kernel/init.h>
#include <kernel/printk.h>
#include "arch/x86_64/x86_priv.h"
#include "arch/shared/percpu_areas.h"

struct x86_machine machine __ro_after_init;

/* X2APIC: whether ids may have more than eight bits, of which all ones name everybody. */
static void __init add_cpu(u32 id, u32 self, bool x2apic)
{
	if (id == self || id == 0xffffffff)
		return;
	if (id >= 0xff && !x2apic) {
		pr_warn("cpu: APIC id %u takes x2APIC, which the CPU has not: it stays off\n", id);
		return;
	}
	if (machine.nr_cpus == NR_CPUS) {
		cpu_left_off();
		return;
	}
	for (unsigned int i = 0; i < machine.nr_cpus; i++)
		if (machine.apic_id[i] == id)
			return;
	machine.apic_id[machine.nr_cpus++] = id;
}

/*
 * Ours. Leaf 0xb has all 32 bits where it says anything (Intel SDM 2A, CPUID); leaf 1 has eight, which QEMU with 256 CPUs and more
 * adds their number's ninth bit to.
 */
static u32 __init own_apic_id(void)
{
	u32 a, b, c, d;

	cpuid(0, 0, &a, &b, &c, &d);
	if (a >= 0xb) {
		cpuid(0xb, 0, &a, &b, &c, &d);
		if (b & 0xffff)
			return d;
	}
	cpuid(1, 0, &a, &b, &c, &d);
	return b >> 24;
}

static void __init read_madt(const struct acpi_tables *t)
{
	struct acpi_madt_item it;
	u32 len, off = 0, self;
	const u8 *madt = acpi_find(t, "APIC", 0, &len);
	bool pic = true;
	u32 addr, a, b, c, d;
	bool x2apic;

	if (!madt)
		return;
	cpuid(1, 0, &a, &b, &c, &d);
	x2apic = c >> 21 & 1;
	machine.madt = true;
	addr = acpi_madt_lapic(madt, len, &pic);
	if (addr)
		machine.lapic = addr;
	machine.have_pic = pic;
	self = own_apic_id();
	machine.apic_id[0] = self;
	while (acpi_madt_next(madt, len, &off, &it)) {
		switch (it.type) {
		case MADT_LAPIC:
		case MADT_X2APIC:
			if (it.enabled)
				add_cpu(it.id, self, x2apic);
			break;
		case MADT_LAPIC_ADDR:
			machine.lapic = it.addr;
			break;
		case MADT_IOAPIC:
			if (machine.nr_ioapics < 8) {
				machine.ioapic[machine.nr_ioapics].pa = it.addr;
				machine.ioapic[machine.nr_ioapics++].gsi_base = it.gsi;
			}
			break;
		case MADT_OVERRIDE:
			if (it.isa < 16) {
				machine.isa[it.isa].gsi = it.gsi;
				machine.isa[it.isa].flags = it.flags;
				machine.isa[it.isa].set = true;
			}
			break;
		}
	}
}

static void __init read_fadt(const struct acpi_tables *t)
{
	struct acpi_fadt f;
	const u8 *p, *dsdt;
	u32 len;

	p = acpi_find(t, "FACP", 0, &len);
	if (!p || acpi_decode_fadt(p, len, &f))
		return;
	machine.fadt = true;
	machine.hw_reduced = f.flags & FADT_HW_REDUCED;
	machine.no_vga = f.boot_arch & FADT_BOOT_NO_VGA;
	machine.no_8042 = !(f.boot_arch & FADT_BOOT_8042);
	if (!machine.hw_reduced) {
		machine.pm1a_cnt = f.pm1a_cnt;
		machine.pm1b_cnt = f.pm1b_cnt;
		machine.pm_timer = f.pm_timer;
		machine.pm_timer_32 = f.flags & FADT_TMR_VAL_EXT;
	}
	if (f.reset.space <= 1) {
		machine.reset.space = f.reset.space;
		machine.reset.addr = f.reset.addr;
		machine.reset.value = f.reset_value;
		machine.reset.ok = true;
	}
	if (f.sleep_control.space <= 1) {
		machine.sleep_ctl.space = f.sleep_control.space;
		machine.sleep_ctl.addr = f.sleep_control.addr;
		machine.sleep_ctl.ok = true;
	}
	dsdt = acpi_table_at(t, f.dsdt, "DSDT", &len);
	if (dsdt)
		machine.have_s5 = !acpi_find_s5(dsdt, len, &machine.slp_typa, &machine.slp_typb);
}

/* The BIOS leaves the RSDP in the first KiB of the EBDA or in the ROM area. */
static u64 __init find_rsdp(void)
{
	u64 ebda = (u64)*(const u16 *)phys_to_virt(0x40e) << 4;
	int at;

	if (ebda >= 0x80000 && ebda < 0xa0000) {
		at = acpi_scan_rsdp(phys_to_virt(ebda), 1024);
		if (at >= 0)
			return ebda + (u64)at;
	}
	at = acpi_scan_rsdp(phys_to_virt(0xe0000), 0x20000);
	return at >= 0 ? 0xe0000 + (u64)at : 0;
}

void __init x86_read_firmware_tables(void)
{
	struct acpi_tables t;
	u32 len;
	const u8 *p;

	machine.nr_cpus = 1;
	machine.lapic = 0xfee00000;
	machine.have_pic = true;
	if (!boot_info.rsdp)
		boot_info.rsdp = find_rsdp();
	if (boot_info.rsdp && !acpi_open(&t, arch_map_firmware, boot_info.rsdp)) {
		read_madt(&t);
		read_fadt(&t);
		p = acpi_find(&t, "HPET", 0, &len);
		if (p)
			machine.hpet = acpi_hpet_base(p, len);
	} else {
		boot_info.rsdp = 0;
	}
	if (!machine.nr_ioapics) {
		machine.nr_ioapics = 1;
		machine.ioapic[0].pa = 0xfec00000;
	}
}
