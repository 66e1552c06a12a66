// SPDX-License-Identifier: MIT
/*
 * The hardware restart parameter block (HWRPB) that the firmware leaves: the memory map, the CPUs, how to start them (Alpha Architecture
 * Handbook, III 2.1 and 3.5). What it says is taken for true only as far as it fits into itself.
 */
#include <boot/info.h>
#include <boot/memmap.h>
#include <kernel/init.h>
#include <lib/string.h>
#include "arch/alpha/alpha_priv.h"

#define HWRPB_MAGIC 0x4857525042000000ULL	/* "HWRPB", the first letter on top */
#define CLUSTERS_MAX 64

struct hwrpb {
	u64 pa, magic, revision, size, primary, page_size, pa_bits, max_asn;
	char serial[16];
	u64 system_type, system_variation, system_revision, clock_hz, cycle_hz, vptb, reserved, tb_hints;
	u64 cpus, cpu_size, cpu_offset;
	u64 ctbs, ctb_size, ctb_offset, crb_offset, memory_offset;
	u64 config_offset, fru_offset;
	u64 terminal[4];
	u64 restart, restart_data;
	u64 reserved2[2];
	u64 checksum;
	u64 rx_ready, tx_ready;
};
static_assert(offsetof(struct hwrpb, memory_offset) == 200 && offsetof(struct hwrpb, restart) == 256 &&
	      offsetof(struct hwrpb, checksum) == 288, "the architecture's layout");

/* A CPU's slot; its halt and revision words are not looked at. */
struct hwrpb_cpu {
	u64 pcb[16];
	u64 flags;
	u64 pal[5];
	u64 type;
	u64 unused[14];
	u32 message_length, answer_length;
	char message[80], answer[80];
};
static_assert(offsetof(struct hwrpb_cpu, type) == 176 && offsetof(struct hwrpb_cpu, message) == 304, "its slots");

#define CPU_AVAILABLE (1ULL << 2)
#define CPU_PRESENT (1ULL << 3)
#define CPU_PAL_VALID (1ULL << 6)

struct hwrpb_cluster {
	u64 start_pfn, pages, tested, bitmap_va, bitmap_pa, bitmap_sum, usage;
};

struct hwrpb_memory {
	u64 checksum, optional_pa, clusters;
	struct hwrpb_cluster cluster[];
};

static struct hwrpb *hwrpb __ro_after_init;

static struct hwrpb_cpu *slot(unsigned int core)
{
	return (void *)((char *)hwrpb + hwrpb->cpu_offset + core * hwrpb->cpu_size);
}

/* The firmware's own size leaves out what follows the head; no block is larger than this. */
#define BLOCK_MAX 0x20000U	/* bytes; not a page */

static bool fits(u64 offset, u64 size)
{
	return offset < BLOCK_MAX && size <= BLOCK_MAX - offset;
}

static void __init read_memory(void)
{
	const struct hwrpb_memory *m = (const void *)((char *)hwrpb + hwrpb->memory_offset);

	if (!fits(hwrpb->memory_offset, sizeof(*m)) || m->clusters > CLUSTERS_MAX ||
	    !fits(hwrpb->memory_offset, sizeof(*m) + m->clusters * sizeof(m->cluster[0])))
		return;
	for (u64 i = 0; i < m->clusters; i++) {
		const struct hwrpb_cluster *c = &m->cluster[i];

		if (c->start_pfn >> 32 || c->pages >> 32)
			continue;
		boot_map_add(&boot_info, PFN_PHYS(c->start_pfn), PFN_PHYS(c->pages), c->usage & 3 ? BOOT_MEM_RESERVED : BOOT_MEM_RAM);
	}
}

static void __init read_cpus(void)
{
	unsigned int me = (unsigned int)pal_call0(PAL_whami);

	machine.nr_cpus = 1;
	machine.core[0] = (u16)me;
	if (hwrpb->cpus > NR_CPUS || hwrpb->cpu_size < sizeof(struct hwrpb_cpu) || !fits(hwrpb->cpu_offset, hwrpb->cpus * hwrpb->cpu_size))
		return;
	for (unsigned int i = 0; i < hwrpb->cpus; i++) {
		const struct hwrpb_cpu *c = slot(i);
		u64 wanted = CPU_AVAILABLE | CPU_PRESENT | CPU_PAL_VALID;

		if (i == me)
			machine.cpu_type = (u32)c->type;
		else if ((c->flags & wanted) == wanted)
			machine.core[machine.nr_cpus++] = (u16)i;
	}
}

bool __init alpha_read_hwrpb(phys_addr_t pa)
{
	struct hwrpb *h = phys_to_virt(pa);

	if ((pa & 7) || h->magic != HWRPB_MAGIC || h->pa != pa || h->page_size != PAGE_SIZE)
		return false;
	hwrpb = h;
	memcpy(machine.serial, h->serial, sizeof(h->serial));
	machine.qemu = !memcmp(h->serial, "QEMU", 4);
	machine.cycle_hz = h->cycle_hz;
	machine.system_type = h->system_type;
	machine.system_variation = h->system_variation;
	read_memory();
	read_cpus();
	return true;
}

/* The sum of the words before it. */
static void seal(void)
{
	u64 sum = 0;

	for (const u64 *w = (const u64 *)hwrpb; w < &hwrpb->checksum; w++)
		sum += *w;
	hwrpb->checksum = sum;
}

bool alpha_hwrpb_taken(void)
{
	return !__atomic_load_n(&hwrpb->rx_ready, __ATOMIC_ACQUIRE);
}

bool alpha_hwrpb_start(unsigned int core, void (*entry)(void), const struct pcb *pcb)
{
	static const char start[] = "START\r\n";
	struct hwrpb_cpu *c;

	if (core >= hwrpb->cpus)
		return false;
	c = slot(core);
	memcpy(c->pcb, pcb, sizeof(*pcb));
	hwrpb->restart = (unsigned long)entry;
	hwrpb->restart_data = (unsigned long)entry;
	seal();
	c->message_length = sizeof(start) - 1;
	memcpy(c->message, start, sizeof(start) - 1);
	/* The message before the word that says there is one; the firmware's side has its own barrier. */
	__atomic_fetch_or(&hwrpb->rx_ready, 1ULL << core, __ATOMIC_SEQ_CST);
	return true;
}

const char *alpha_cpu_name(void)
{
	static const char *const names[] = {
		[2] = "EV4", [4] = "LCA4", [5] = "EV5", [6] = "EV45", [7] = "EV56", [8] = "EV6", [9] = "PCA56", [11] = "EV67",
		[12] = "EV68CB", [13] = "EV68AL", [14] = "EV68CX", [15] = "EV7",
	};

	return machine.cpu_type < ARRAY_SIZE(names) && names[machine.cpu_type] ? names[machine.cpu_type] : "Unknown";
}
