// SPDX-License-Identifier: MIT
/*
 * Which interrupt controller the device tree names (bindings sifive,plic-1.0.0, riscv,aplic, riscv,imsics). Each lists CPUs' own controllers and
 * which line of theirs it raises: those of S mode raise the external interrupt. Where there are several, that of the console counts: the others
 * are other sockets', which have no devices of their own.
 */
#include <arch/firmware.h>
#include <arch/irq.h>
#include <abi/errno.h>
#include <kernel/init.h>
#include <lib/dt.h>
#include <lib/minmax.h>
#include "arch/riscv64/rv_priv.h"

#define MAX_SOURCES 1023
#define MAX_IDS 2047
#define IMSIC_PAGE 4096ULL /* not a page of ours */

/* The CPU whose interrupt controller this is. */
static unsigned int __init cpu_of_intc(const struct dt *t, u32 node)
{
	unsigned int cpu = 0;

	while (cpu < machine.nr_cpus && (node == DT_NONE || t->nodes[node].parent != machine.cpu_node[cpu]))
		cpu++;
	return cpu < machine.nr_cpus ? cpu : NR_CPUS;
}

/* The I-th pair of interrupts-extended. False: no more. *CPU: whose external interrupt of S mode it is, or NR_CPUS. */
static bool __init parent_cpu(const struct dt *t, u32 n, unsigned int i, unsigned int *cpu)
{
	u32 handle, line;

	if (!dt_cell(t, n, "interrupts-extended", 2 * i, &handle) || !dt_cell(t, n, "interrupts-extended", 2 * i + 1, &line))
		return false;
	*cpu = line == IRQ_EXT ? cpu_of_intc(t, dt_by_phandle(t, handle)) : NR_CPUS;
	return true;
}

static bool __init has_cpu(const struct dt *t, u32 n)
{
	unsigned int cpu;

	for (unsigned int i = 0; parent_cpu(t, n, i, &cpu); i++)
		if (cpu < NR_CPUS)
			return true;
	return false;
}

static u64 __init number(const struct dt *t, u32 n, const char *name, u64 def, u64 most)
{
	u64 v;

	return dt_number(t, n, name, &v) && v <= most ? v : def;
}

/* Contexts are numbered as the pairs are. */
static void __init read_contexts(const struct dt *t, u32 n)
{
	unsigned int cpu;

	for (unsigned int i = 0; parent_cpu(t, n, i, &cpu); i++)
		if (cpu < NR_CPUS)
			machine.irq_context[cpu] = i;
}

/* Where the I-th interrupt file is: groups lie in pieces of reg, one after the other. 0: nowhere. */
static u64 __init file_at(const struct dt *t, u32 n, u64 i, unsigned int guest_bits)
{
	u64 off = i * (IMSIC_PAGE << guest_bits), at, size;

	for (unsigned int r = 0; dt_reg(t, n, r, &at, &size); r++) {
		if (off < size)
			return size - off >= IMSIC_PAGE ? at + off : 0;
		off -= size;
	}
	return 0;
}

static void __init read_imsic(const struct dt *t, u32 n)
{
	unsigned int guest = (unsigned int)number(t, n, "riscv,guest-index-bits", 0, 7), cpu, files = 0, hart, group, shift;

	while (parent_cpu(t, n, files, &cpu))
		files++;
	hart = files > 1 ? 32 - (unsigned int)__builtin_clz(files - 1) : 0;
	hart = (unsigned int)number(t, n, "riscv,hart-index-bits", hart, 15);
	group = (unsigned int)number(t, n, "riscv,group-index-bits", 0, 7);
	shift = (unsigned int)number(t, n, "riscv,group-index-shift", 24, 55);
	machine.imsic_ids = (unsigned int)number(t, n, "riscv,num-ids", 63, MAX_IDS);
	for (unsigned int i = 0; parent_cpu(t, n, i, &cpu); i++) {
		u64 at = cpu < NR_CPUS ? file_at(t, n, i, guest) : 0;

		if (!at)
			continue;
		machine.imsic[cpu] = at;
		machine.imsic_target[cpu] = (u32)((at >> shift & ((1ULL << group) - 1)) << hart | (at >> (12 + guest) & ((1ULL << hart) - 1)));
	}
}

/* Is it of S mode, and which way does it interrupt? */
static int __init aplic_kind(const struct dt *t, u32 n)
{
	u32 msi = dt_link(t, n, "msi-parent");

	if (msi != DT_NONE && fdt_compatible(&t->fdt, (int)t->nodes[msi].at, "riscv,imsics") && has_cpu(t, msi))
		return RV_APLIC_IMSIC;
	return has_cpu(t, n) ? RV_APLIC : RV_NO_INTC;
}

static const char *const known[] __initdata = { "riscv,aplic", "sifive,plic-1.0.0", "riscv,plic0", "thead,c900-plic" };

static int __init kind_of(const struct dt *t, u32 n)
{
	int at = (int)t->nodes[n].at;

	if (!dt_enabled(t, n))
		return RV_NO_INTC;
	for (unsigned int i = 0; i < ARRAY_SIZE(known); i++)
		if (fdt_compatible(&t->fdt, at, known[i]))
			return i ? RV_PLIC : aplic_kind(t, n);
	return RV_NO_INTC;
}

static u32 __init find_intc(const struct dt *t, u32 uart)
{
	struct dt_irq irq;
	u32 n;

	if (uart != DT_NONE && !dt_irq(t, uart, 0, &irq) && kind_of(t, irq.controller) != RV_NO_INTC)
		return irq.controller;
	for (unsigned int i = 0; i < ARRAY_SIZE(known); i++)
		for (unsigned int k = 0; (n = dt_compatible(t, known[i], k)) != DT_NONE; k++)
			if (kind_of(t, n) != RV_NO_INTC)
				return n;
	return DT_NONE;
}

void __init rv_read_intc(const struct dt *t, u32 uart)
{
	u32 n = find_intc(t, uart);

	for (unsigned int cpu = 0; cpu < machine.nr_cpus; cpu++)
		machine.irq_context[cpu] = RV_NO_CONTEXT;
	machine.irq_node = n;
	machine.msi_node = DT_NONE;
	if (n == DT_NONE || !dt_reg(t, n, 0, &machine.irq_base, &machine.irq_size))
		return;
	machine.irq_kind = kind_of(t, n);
	machine.irq_sources = (unsigned int)number(t, n, machine.irq_kind == RV_PLIC ? "riscv,ndev" : "riscv,num-sources", MAX_SOURCES, MAX_SOURCES);
	if (machine.irq_kind != RV_APLIC_IMSIC) {
		read_contexts(t, n);
		return;
	}
	machine.msi_node = dt_link(t, n, "msi-parent");
	read_imsic(t, machine.msi_node);
}

/* The PLIC's cell is the source, a level as far as anybody can tell. The APLIC has another: 1 rising, 2 falling, 4 high, 8 low. */
int arch_dt_irq(const struct dt_irq *irq)
{
	if (irq->controller != machine.irq_node || irq->count < (machine.irq_kind == RV_PLIC ? 1 : 2))
		return -EINVAL;
	if (machine.irq_kind == RV_PLIC)
		return arch_irq_map_gsi(irq->cell[0], IRQ_LEVEL);
	return arch_irq_map_gsi(irq->cell[0], (irq->cell[1] & 12 ? IRQ_LEVEL : 0) | (irq->cell[1] & 10 ? IRQ_ACTIVE_LOW : 0));
}

bool arch_dt_msi(u32 controller)
{
	return controller != DT_NONE && controller == machine.msi_node;
}
