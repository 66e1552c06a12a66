// SPDX-License-Identifier: MIT
/* Power-off and reset: the ways the firmware tables name first, then those that known machines have. */
#include <arch/power.h>
#include <arch/clock.h>
#include <arch/cpu.h>
#include <arch/io.h>
#include <arch/irqflags.h>
#include <arch/pgtable.h>
#include <kernel/init.h>
#include <lib/string.h>
#include "arch/x86_64/x86_priv.h"

#define SLP_EN (1U << 13)
#define GED_SLP_EN (1U << 5)

/* A register in memory is reached by a window made when it is needed: this runs once. */
static void write_gas(u8 space, u64 addr, u8 v)
{
	void __iomem *p;

	if (space == 1) {
		outb(v, (u16)addr);
		return;
	}
	p = arch_ioremap(addr, 1, PTE_P_KERNEL_IO);
	if (p)
		writeb(v, p);
}

/* The machine takes a moment to notice. */
static void settle(void)
{
	arch_udelay(100000);
}

void arch_power_off(void)
{
	arch_irq_disable();
	if (machine.have_s5 && machine.pm1a_cnt) {
		outw((u16)((inw((u16)machine.pm1a_cnt) & ~(7U << 10)) | (u32)machine.slp_typa << 10 | SLP_EN),
		     (u16)machine.pm1a_cnt);
		if (machine.pm1b_cnt)
			outw((u16)((u32)machine.slp_typb << 10 | SLP_EN), (u16)machine.pm1b_cnt);
		settle();
	}
	if (machine.sleep_ctl.ok) {
		u8 typ = machine.have_s5 ? machine.slp_typa : 5;

		write_gas(machine.sleep_ctl.space, machine.sleep_ctl.addr, (u8)(typ << 2 | GED_SLP_EN));
		settle();
	}
	if (!machine.fadt && cpu_has(X86_FEATURE_HYPERVISOR)) {
		outw(0x2000, 0x604);		/* QEMU's q35 and pc, where the tables were switched off */
		settle();
		arch_reset();			/* a microVM without ACPI ends by reset */
	}
}

void x86_svm_off(void)
{
	u64 efer;

	if (!cpu_has(X86_FEATURE_SVM))
		return;
	efer = rdmsr(MSR_EFER);
	if (!(efer & EFER_SVME))
		return;
	__asm__ volatile("stgi" : : : "memory");	/* not there once SVM is off */
	wrmsr(MSR_EFER, efer & ~EFER_SVME);
}

void arch_reset(void)
{
	struct {
		u16 limit;
		u64 base;
	} __packed none = { 0, 0 };

	arch_irq_disable();
	x86_svm_off();
	if (machine.reset.ok) {
		write_gas(machine.reset.space, machine.reset.addr, machine.reset.value);
		settle();
	}
	outb(0xfe, 0x64);		/* keyboard controller */
	settle();
	outb(0x02, 0xcf9);		/* chipset: hard reset */
	outb(0x06, 0xcf9);
	settle();
	__asm__ volatile("lidt %0; int3" : : "m"(none));
	arch_cpu_halt();
}

void arch_exit_status(unsigned int code)
{
	const char *at = command_line_get("isa-debug-exit");
	u16 port = at ? (u16)simple_strtoull(at, NULL, 0) : 0xf4;

	outl(code, port);
	settle();
}
