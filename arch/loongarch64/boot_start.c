// SPDX-License-Identifier: MIT
/*
 * First C code. What the EFI system table points to (the device tree, the initramfs) and the command line become struct boot_info and
 * struct la64_machine; then the machine is made ready for start_kernel: traps, final page tables, per-CPU areas. The windows
 * reach all of memory from the first instruction on.
 */
#include <boot/dt.h>
#include <boot/info.h>
#include <boot/memmap.h>
#include <arch/console.h>
#include <arch/cpu.h>
#include <arch/firmware.h>
#include <arch/fpu.h>
#include <arch/irq.h>
#include <arch/patch.h>
#include <arch/preempt.h>
#include <abi/errno.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <lib/memblock.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include "arch/shared/kasan_init.h"
#include "arch/loongarch64/la64_priv.h"
#include "arch/shared/percpu_areas.h"

struct boot_info boot_info;
struct la64_machine machine __ro_after_init;
u64 kernel_image_pa __ro_after_init;

#define QEMU_FDT 0x100000		/* where QEMU's direct boot leaves the tree */
#define CORE_MAX 0x1ffU
#define FIRMWARE_END 0x200000		/* parked CPUs run in what lies below */

struct efi_guid {
	u8 b[16];
};

/* UEFI Specification 2.10, 4.3 and 4.6: the parts that are read. */
struct efi_systab {
	u8 head[104];
	u64 nr_tables, tables;
};

struct efi_table {
	struct efi_guid guid;
	u64 table;
};

#define EFI_MAGIC 0x5453595320494249ULL		/* "IBI SYST" */

static const struct efi_guid guid_fdt = { { 0xd5, 0x21, 0xb6, 0xb1, 0x9c, 0xf1, 0xa5, 0x41, 0x83, 0x0b, 0xd9, 0x15, 0x2c, 0x69,
					    0xaa, 0xe0 } };
static const struct efi_guid guid_initrd = { { 0x27, 0xe4, 0x68, 0x55, 0xfc, 0x68, 0x3d, 0x4f, 0xac, 0x74, 0xca, 0x55, 0x52, 0x31,
					       0xcc, 0x68 } };

/* The table's address by its name; 0. */
static u64 __init efi_find(phys_addr_t systab, const struct efi_guid *guid)
{
	const struct efi_systab *s = phys_to_virt(systab);
	const struct efi_table *t;
	u64 magic;

	if (!systab || systab >= LA64_PA_LIMIT || (systab & 7))
		return 0;
	memcpy(&magic, s->head, sizeof(magic));
	if (magic != EFI_MAGIC || s->nr_tables > 256 || (s->tables & 7))
		return 0;
	t = phys_to_virt(s->tables % LA64_PA_LIMIT);
	for (u64 i = 0; i < s->nr_tables; i++)
		if (!memcmp(&t[i].guid, guid, sizeof(*guid)))
			return t[i].table % LA64_PA_LIMIT;	/* QEMU's are addresses in a window */
	return 0;
}

/* The device tree's words, then what the loader said itself. */
static void __init read_loader(phys_addr_t cmdline, phys_addr_t systab)
{
	u64 pa = efi_find(systab, &guid_initrd);
	const u64 *initrd;

	if (!boot_info.cmdline[0] && systab && cmdline < LA64_PA_LIMIT)		/* QEMU has it at 0 */
		boot_set_cmdline(&boot_info, phys_to_virt(cmdline), BOOT_CMDLINE_MAX);
	if (!pa || (pa & 7))
		return;
	initrd = phys_to_virt(pa);
	boot_info.initrd = initrd[0] % LA64_PA_LIMIT;
	boot_info.initrd_size = initrd[1];
}

phys_addr_t __init la64_find_tree(phys_addr_t systab)
{
	u64 pa = efi_find(systab, &guid_fdt);

	if (!pa)
		pa = QEMU_FDT;
	return pa & 7 ? 0 : pa;
}

static void __init look_at_tree(phys_addr_t cmdline, phys_addr_t systab)
{
	phys_addr_t pa = la64_find_tree(systab);

	boot_info.protocol = "image";
	machine.nr_cpus = 1;
	machine.core[0] = (u32)csr_read(CSR_CPUID) & CORE_MAX;
	if (pa)
		boot_dt_look(phys_to_virt(pa), pa, LA64_FDT_MAX);
	read_loader(cmdline, systab);
}

static void __init read_cpus(const struct dt *t)
{
	struct dt_cpu cpu;

	for (u32 n = dt_next_cpu(t, DT_NONE, &cpu); n != DT_NONE; n = dt_next_cpu(t, n, &cpu)) {
		if (!cpu.enabled || cpu.id > CORE_MAX || cpu.id == machine.core[0])
			continue;
		if (machine.nr_cpus < NR_CPUS)
			machine.core[machine.nr_cpus++] = (u32)cpu.id;
		else
			cpu_left_off();
	}
	/* The tree lists them in any order: ours is the hardware's. The boot CPU stays the first. */
	for (unsigned int i = 2; i < machine.nr_cpus; i++)
		for (unsigned int k = i; k > 1 && machine.core[k] < machine.core[k - 1]; k--)
			swap(machine.core[k], machine.core[k - 1]);
}

static struct la64_poke __init read_poke(const struct dt *t, const char *what)
{
	struct dt_syscon s;

	if (dt_syscon(t, what, &s))
		return (struct la64_poke){ 0 };
	return (struct la64_poke){ s.addr, s.width, s.value, s.mask };
}

static void __init read_irqs(const struct dt *t)
{
	static const char *const extioi[] = { "loongson,ls2k2000-eiointc", "loongson,ls2k0500-eiointc" };
	phys_addr_t unused;
	u64 base, size, n;

	for (unsigned int i = 0; i < ARRAY_SIZE(extioi); i++)
		machine.extioi |= dt_device(t, extioi[i], &unused, &size) != DT_NONE;
	machine.extioi_virtual = fdt_compatible(&t->fdt, (int)t->nodes[0].at, "linux,dummy-loongson3");	/* the root's: QEMU's virt */
	machine.pic_node = dt_device(t, "loongson,pch-pic-1.0", &machine.pic, &size);
	if (machine.pic && dt_number(t, machine.pic_node, "loongson,pic-base-vec", &base) && base < 256)
		machine.pic_base = (u32)base;
	machine.msi_node = dt_device(t, "loongson,pch-msi-1.0", &machine.msi, &size);
	if (machine.msi && dt_number(t, machine.msi_node, "loongson,msi-base-vec", &base) &&
	    dt_number(t, machine.msi_node, "loongson,msi-num-vecs", &n) && base < 256 && n <= 256 - base) {
		machine.msi_base = (u32)base;
		machine.msi_count = (u32)n;
	} else {
		machine.msi_node = DT_NONE;
	}
}

static void __init read_devices(const struct dt *t)
{
	const char *options;
	u64 size;
	u32 uart = dt_stdout(t, &options);

	if (uart == DT_NONE || !fdt_compatible(&t->fdt, (int)t->nodes[uart].at, "ns16550a") || !dt_reg(t, uart, 0, &machine.uart, &size))
		dt_device(t, "ns16550a", &machine.uart, &size);
	machine.off = read_poke(t, "syscon-poweroff");
	machine.reset = read_poke(t, "syscon-reboot");
	read_irqs(t);
}

/* Two cells: the PCH-PIC's line; 1 rising, 2 falling, 4 high or 8 low (Linux's dt-bindings/interrupt-controller/irq.h). */
int arch_dt_irq(const struct dt_irq *irq)
{
	u32 how = irq->count < 2 ? 4 : irq->cell[1];

	if (irq->controller != machine.pic_node || !irq->count)
		return -EINVAL;
	return arch_irq_map_gsi(irq->cell[0], (how & 12 || !how ? IRQ_LEVEL : 0) | (how & 10 ? IRQ_ACTIVE_LOW : 0));
}

bool arch_dt_msi(u32 controller)
{
	return controller != DT_NONE && controller == machine.msi_node;
}

void __init __noreturn la64_start(phys_addr_t cmdline, phys_addr_t systab)
{
	preempt_count_set(1);
	clear_preempt_need_resched();
	la64_detect_cpu();
	look_at_tree(cmdline, systab);
	boot_map_finish(&boot_info);
	boot_map_to_memblock(&boot_info);
	memblock_reserve(0, FIRMWARE_END);
	if (!boot_dt_open(0, LA64_PA_LIMIT)) {
		read_cpus(arch_dt());
		read_devices(arch_dt());
	}
	arch_console_init(boot_info.cmdline);
	boot_register_console();
	boot_limit_memory(&boot_info);
	if (!memblock_total())
		panic("boot: the device tree names no memory");
	boot_check_initrd(&boot_info);
	la64_build_kernel_tables();
	kasan_init_shadow();
	la64_setup_percpu();
	la64_cpu_registers(0);
	arch_fpu_init_cpu();
	arch_apply_alternatives();
	start_kernel();
}
