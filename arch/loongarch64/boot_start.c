// SPDX-License-Identifier: MIT
/*
 * First C code. What the EFI system table points to (the device tree, the initramfs) and the command line become struct boot_info and
 * struct la64_machine; then the machine is made ready for start_kernel: traps, final page tables, per-CPU areas. The windows
 * reach all of memory from the first instruction on.
 */
#include <boot/info.h>
#include <boot/memmap.h>
#include <boot/boot_alloc.h>
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
#include <kernel/printk.h>
#include <lib/fdt.h>
#include <lib/memblock.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include "arch/loongarch64/la64_priv.h"

struct boot_info boot_info;
struct la64_machine machine __ro_after_init;
u64 kernel_image_pa __ro_after_init;
static struct fdt tree __ro_after_init;

#define PA_LIMIT (1ULL << 48)
#define FDT_MAX (2UL << 20)
#define QEMU_FDT 0x100000		/* where QEMU's direct boot leaves the tree */
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

	if (!systab || systab >= PA_LIMIT || (systab & 7))
		return 0;
	memcpy(&magic, s->head, sizeof(magic));
	if (magic != EFI_MAGIC || s->nr_tables > 256 || (s->tables & 7))
		return 0;
	t = phys_to_virt(s->tables % PA_LIMIT);
	for (u64 i = 0; i < s->nr_tables; i++)
		if (!memcmp(&t[i].guid, guid, sizeof(*guid)))
			return t[i].table % PA_LIMIT;	/* QEMU's are addresses in a window */
	return 0;
}

static void __init read_memory(const struct fdt *f)
{
	u64 addr, size;

	for (int n = fdt_next_node(f, FDT_NONE, NULL); n != FDT_NONE; n = fdt_next_node(f, n, NULL)) {
		const char *type = fdt_string(f, n, "device_type");

		if (!type || strcmp(type, "memory") || !fdt_enabled(f, n))
			continue;
		for (unsigned int i = 0; fdt_reg(f, n, i, &addr, &size); i++)
			boot_map_add(&boot_info, addr, size, BOOT_MEM_RAM);
	}
	for (unsigned int i = 0; fdt_reserved(f, i, &addr, &size); i++)
		boot_map_add(&boot_info, addr, size, BOOT_MEM_RESERVED);
	for (int n = fdt_find_path(f, "/reserved-memory"), depth = 1, c = n; n != FDT_NONE; ) {
		c = fdt_next_node(f, c, &depth);
		if (c == FDT_NONE || depth <= 1)
			break;
		for (unsigned int i = 0; fdt_reg(f, c, i, &addr, &size); i++)
			boot_map_add(&boot_info, addr, size, BOOT_MEM_RESERVED);
	}
}

/* The device tree's words, then what the loader said itself. */
static void __init read_chosen(const struct fdt *f, phys_addr_t cmdline, phys_addr_t systab)
{
	int n = boot_info.fdt ? fdt_find_path(f, "/chosen") : FDT_NONE;
	const char *args = boot_info.fdt ? fdt_string(f, n, "bootargs") : NULL;
	const u64 *initrd = NULL;
	u64 start, end, pa;

	if (!args && systab && cmdline < PA_LIMIT)		/* QEMU has it at 0 */
		args = phys_to_virt(cmdline);
	if (args)
		boot_set_cmdline(&boot_info, args, BOOT_CMDLINE_MAX);
	pa = efi_find(systab, &guid_initrd);
	if (pa && !(pa & 7))
		initrd = phys_to_virt(pa);
	if (initrd) {
		boot_info.initrd = initrd[0] % PA_LIMIT;
		boot_info.initrd_size = initrd[1];
	} else if (boot_info.fdt && fdt_number(f, n, "linux,initrd-start", &start) &&
		   fdt_number(f, n, "linux,initrd-end", &end) && end > start) {
		boot_info.initrd = start;
		boot_info.initrd_size = end - start;
	}
}

static void __init read_cpus(const struct fdt *f)
{
	u32 self = (u32)csr_read(CSR_CPUID) & 0x1ff;
	u64 addr, size;
	u64 seen[8] = { 0 };

	seen[self / 64] |= 1ULL << self % 64;
	for (int n = fdt_next_node(f, FDT_NONE, NULL); n != FDT_NONE; n = fdt_next_node(f, n, NULL)) {
		const char *type = fdt_string(f, n, "device_type");

		if (!type || strcmp(type, "cpu") || !fdt_enabled(f, n) || !fdt_reg(f, n, 0, &addr, &size) || addr > 0x1ff)
			continue;
		if (machine.nr_cpus < NR_CPUS && !(seen[addr / 64] >> addr % 64 & 1))
			machine.core[machine.nr_cpus++] = (u32)addr;
		seen[addr / 64] |= 1ULL << addr % 64;
	}
	/* Firmware lists them in any order: ours is theirs. The boot CPU stays the first. */
	for (unsigned int i = 2; i < machine.nr_cpus; i++)
		for (unsigned int k = i; k > 1 && machine.core[k] < machine.core[k - 1]; k--)
			swap(machine.core[k], machine.core[k - 1]);
}

static int __init find_phandle(const struct fdt *f, u64 handle)
{
	u64 v;

	for (int n = fdt_next_node(f, FDT_NONE, NULL); n != FDT_NONE; n = fdt_next_node(f, n, NULL))
		if (fdt_number(f, n, "phandle", &v) && v == handle)
			return n;
	return FDT_NONE;
}

/* syscon-poweroff, syscon-reboot: a value for a register of another node. */
static struct la64_poke __init read_poke(const struct fdt *f, const char *compatible)
{
	int n = fdt_find_compatible(f, FDT_NONE, compatible), r;
	u64 map, offset, value, addr, size;

	if (n == FDT_NONE || !fdt_number(f, n, "regmap", &map) || !fdt_number(f, n, "offset", &offset) ||
	    !fdt_number(f, n, "value", &value))
		return (struct la64_poke){ 0 };
	r = find_phandle(f, map);
	if (r == FDT_NONE || !fdt_reg(f, r, 0, &addr, &size) || offset >= size)
		return (struct la64_poke){ 0 };
	return (struct la64_poke){ addr + offset, (u8)value };
}

/* The one that the firmware writes to, else the first. */
static phys_addr_t __init find_uart(const struct fdt *f)
{
	const char *path = fdt_string(f, fdt_find_path(f, "/chosen"), "stdout-path");
	int n = path ? fdt_find_path(f, path) : FDT_NONE;
	u64 addr, size;

	if (n == FDT_NONE || !fdt_compatible(f, n, "ns16550a"))
		n = fdt_find_compatible(f, FDT_NONE, "ns16550a");
	return n != FDT_NONE && fdt_reg(f, n, 0, &addr, &size) ? addr : 0;
}

static void __init read_irqs(const struct fdt *f)
{
	static const char *const extioi[] = { "loongson,ls2k2000-eiointc", "loongson,ls2k0500-eiointc" };
	int pic = fdt_find_compatible(f, FDT_NONE, "loongson,pch-pic-1.0");
	int msi = fdt_find_compatible(f, FDT_NONE, "loongson,pch-msi-1.0");
	u64 size, v, n;

	for (unsigned int i = 0; i < ARRAY_SIZE(extioi); i++)
		machine.extioi |= fdt_find_compatible(f, FDT_NONE, extioi[i]) != FDT_NONE;
	if (pic != FDT_NONE && fdt_reg(f, pic, 0, &machine.pic, &size) && fdt_number(f, pic, "loongson,pic-base-vec", &v))
		machine.pic_base = (u32)v;
	if (msi != FDT_NONE && fdt_reg(f, msi, 0, &machine.msi, &size) && fdt_number(f, msi, "loongson,msi-base-vec", &v) &&
	    fdt_number(f, msi, "loongson,msi-num-vecs", &n) && v < 256 && n <= 256 - v) {
		machine.msi_base = (u32)v;
		machine.msi_count = (u32)n;
	}
}

static void __init read_tree(phys_addr_t cmdline, phys_addr_t systab)
{
	u64 pa = efi_find(systab, &guid_fdt);

	boot_info.protocol = "image";
	machine.nr_cpus = 1;
	machine.core[0] = (u32)csr_read(CSR_CPUID) & 0x1ff;
	if (!pa)
		pa = QEMU_FDT;
	if (!(pa & 7) && !fdt_open(&tree, phys_to_virt(pa), FDT_MAX))
		boot_info.fdt = pa;
	read_chosen(&tree, cmdline, systab);
	if (!boot_info.fdt)
		return;
	read_memory(&tree);
	read_cpus(&tree);
	read_irqs(&tree);
	machine.uart = find_uart(&tree);
	machine.off = read_poke(&tree, "syscon-poweroff");
	machine.reset = read_poke(&tree, "syscon-reboot");
}

static void __init check_initrd(void)
{
	u64 end;

	if (!boot_info.initrd || !boot_info.initrd_size ||
	    check_add_overflow(boot_info.initrd, boot_info.initrd_size, &end) ||
	    !memblock_is_memory(boot_info.initrd) || !memblock_is_memory(end - 1)) {
		boot_info.initrd = 0;
		boot_info.initrd_size = 0;
	}
}

void *boot_alloc(size_t size, size_t align)
{
	phys_addr_t pa = memblock_alloc_phys(size, max(align, (size_t)16));
	void *p;

	if (!pa)
		panic("boot: out of memory");
	p = phys_to_virt(pa);
	memset(p, 0, size);
	return p;
}

const struct fdt *arch_fdt(void)
{
	return boot_info.fdt ? &tree : NULL;
}

/* Two cells: the PCH-PIC's line; 1 rising, 2 falling, 4 high or 8 low (Linux's dt-bindings/interrupt-controller/irq.h). */
int arch_fdt_irq(int node, unsigned int i)
{
	const u8 *p;
	u32 len, v[2];

	p = boot_info.fdt ? fdt_prop(&tree, node, "interrupts", &len) : NULL;
	if (!p || len / 8 <= i)
		return -ENOENT;
	for (unsigned int k = 0; k < 2; k++, p += 4)
		v[k] = (u32)p[8 * i] << 24 | (u32)p[8 * i + 1] << 16 | (u32)p[8 * i + 2] << 8 | p[8 * i + 3];
	return arch_irq_map_gsi(v[0], (v[1] & 12 ? IRQ_LEVEL : 0) | (v[1] & 10 ? IRQ_ACTIVE_LOW : 0));
}

/* Device trees only: ACPI tables are not read on this CPU. */
phys_addr_t arch_acpi_rsdp(void)
{
	return 0;
}

const void *arch_map_firmware(u64 pa, size_t len)
{
	return NULL;
}

void __init __noreturn la64_start(phys_addr_t cmdline, phys_addr_t systab)
{
	preempt_count_set(1);
	clear_preempt_need_resched();
	la64_detect_cpu();
	read_tree(cmdline, systab);
	arch_console_init(boot_info.cmdline);
	boot_register_console();
	boot_map_finish(&boot_info);
	boot_map_to_memblock(&boot_info);
	memblock_reserve(0, FIRMWARE_END);
	if (boot_info.fdt)
		memblock_reserve(boot_info.fdt & PAGE_MASK, PAGE_ALIGN((u64)fdt_size(phys_to_virt(boot_info.fdt), FDT_MAX)) + PAGE_SIZE);
	boot_limit_memory(&boot_info);
	if (!memblock_total())
		panic("boot: the device tree names no memory");
	check_initrd();
	la64_build_kernel_tables();
	la64_setup_percpu();
	la64_cpu_registers(0);
	arch_fpu_init_cpu();
	arch_apply_alternatives();
	start_kernel();
}
