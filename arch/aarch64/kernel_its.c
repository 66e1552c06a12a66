// SPDX-License-Identifier: MIT
/*
 * Messages through a GICv3 Interrupt Translation Service (Arm IHI 0069, chapters 5 and 6). A device writes the number of an
 * event; the ITS finds the device in a table, the event in that device's own table, and there an LPI and a collection, which is
 * a CPU here. Tables are the ITS's: they are changed by commands in a ring. What is ours is one byte for each LPI (enabled or
 * not, and its priority) and, for each CPU, memory for what is pending.
 *
 * LPI number n of ours is INTID 8192 + n. A device that once had messages keeps its table: there is one for each function that
 * ever asked. its_lock guards the ring, the devices and which LPIs are taken; interrupt handlers mask, so it is taken
 * with interrupts off.
 */
#include <arch/barrier.h>
#include <arch/clock.h>
#include <arch/io.h>
#include <arch/irq.h>
#include <abi/errno.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <kernel/printk.h>
#include <kernel/spinlock.h>
#include <kernel/upcalls.h>
#include <lib/bitmap.h>
#include <lib/minmax.h>
#include <lib/rbtree.h>
#include <lib/string.h>
#include "arch/aarch64/a64_priv.h"

#define GITS_CTLR 0x0
#define GITS_TYPER 0x8
#define GITS_CBASER 0x80
#define GITS_CWRITER 0x88
#define GITS_CREADR 0x90
#define GITS_BASER 0x100
#define GITS_TRANSLATER 0x10040
#define GITS_SIZE 0x20000
#define GICR_CTLR 0x0
#define GICR_TYPER 0x8
#define GICR_PROPBASER 0x70
#define GICR_PENDBASER 0x78
#define TYPER_PTA (1ULL << 19)
#define BASER_VALID (1ULL << 63)
#define BASER_INDIRECT (1ULL << 62)
#define BASER_WRITE_BACK (7ULL << 59)
#define INNER_SHAREABLE (1ULL << 10)
#define SHAREABLE (3ULL << 10)
#define REDIST_WRITE_BACK (7ULL << 7)
#define RING_BYTES 4096			/* not a page */
#define CONFIG_OFF 0xa2			/* priority a0, a bit that reads as one */
#define CONFIG_ON 0xa3

enum { CMD_MOVI = 1, CMD_SYNC = 5, CMD_MAPD = 8, CMD_MAPC = 9, CMD_MAPTI = 10, CMD_INV = 12, CMD_INVALL = 13, CMD_DISCARD = 15 };

struct its_device {
	struct rb_node node;		/* l; by id */
	u32 id;
	unsigned int max;		/* events */
	unsigned long *taken;		/* l */
	void *itt;
};

struct lpi {
	struct its_device *dev;		/* l; NULL: nobody's */
	u32 event;			/* l */
	u16 cpu;			/* l */
	bool taken;			/* l */
};

struct its_command {
	u64 w[4];
};

static DEFINE_SPINLOCK(its_lock);	/* l */
static struct rb_root devices;		/* l */
static struct lpi lpis[NR_IRQS];	/* the first nr_lpis are used */
static unsigned int nr_lpis __ro_after_init;
static char __iomem *its __ro_after_init;
static struct its_command *ring __ro_after_init;
static unsigned int ring_at;		/* l: the next command's index */
static u64 its_type __ro_after_init;
static u64 *device_l1 __ro_after_init;	/* NULL: the device table is flat */
static unsigned int devices_per_l2 __ro_after_init, l2_bytes __ro_after_init;
static u32 nr_devices __ro_after_init;	/* ids below it have room in the table */
static u8 *config __ro_after_init;	/* a byte for each LPI */
static char *pending __ro_after_init;	/* LPI_PENDING_STRIDE a CPU */
static bool coherent __ro_after_init = true;
static DEFINE_PER_CPU(u64, rd_base);	/* how commands name this CPU's redistributor */

/* What the ITS or a redistributor is to read, where it does not look into caches. */
static void publish(const void *p, size_t n)
{
	unsigned long line = 4UL << (read_sysreg(ctr_el0) >> 16 & 15);

	if (!coherent)
		for (unsigned long a = (unsigned long)p & ~(line - 1); a < (unsigned long)p + n; a += line)
			__asm__ volatile("dc cvac, %0" : : "r"(a) : "memory");
	__asm__ volatile("dsb sy" : : : "memory");
}

/* Puts N commands into the ring and waits until the ITS took them: microseconds. its_lock. */
static void send(const struct its_command *c, unsigned int n)
{
	u64 end;

	for (unsigned int i = 0; i < n; i++) {
		ring[ring_at] = c[i];
		publish(&ring[ring_at], sizeof(*ring));
		ring_at = (ring_at + 1) % (RING_BYTES / sizeof(*ring));
	}
	end = ring_at * sizeof(*ring);
	writeq(end, its + GITS_CWRITER);
	for (unsigned int spins = 0; (readq(its + GITS_CREADR) & ~1ULL) != end; spins++) {
		if (spins < 1000000 && !(readq(its + GITS_CREADR) & 1))
			continue;
		pr_err_ratelimited("its: it stands still at command %#llx\n", (unsigned long long)readq(its + GITS_CREADR));
		return;
	}
}

static struct its_command command(unsigned int op, u32 device, u64 w1, u64 w2)
{
	return (struct its_command){ { op | (u64)device << 32, w1, w2 } };
}

static struct its_command sync_to(unsigned int cpu)
{
	return command(CMD_SYNC, 0, 0, per_cpu(rd_base, cpu) << 16);
}

/* One table of the ITS's: COUNT entries if they fit. The number that do. */
static u64 __init make_table(unsigned int i, u64 count)
{
	u64 base = readq(its + GITS_BASER + 8 * i), entry = (base >> 48 & 31) + 1, page, v;
	bool devices_table = (base >> 56 & 7) == 1;
	size_t bytes;
	void *p;

	/* The page size that it takes: 4, 16 or 64 KiB. */
	writeq(BASER_INDIRECT, its + GITS_BASER + 8 * i);
	v = readq(its + GITS_BASER + 8 * i) >> 8 & 3;
	page = 4096ULL << 2 * min_t(u64, v, 2);		/* not a page */
	v = BASER_VALID | BASER_WRITE_BACK | INNER_SHAREABLE | v << 8;
	bytes = count * entry;
	if (devices_table && bytes > page && (readq(its + GITS_BASER + 8 * i) & BASER_INDIRECT)) {
		devices_per_l2 = (unsigned int)(page / entry);
		l2_bytes = (unsigned int)page;
		bytes = DIV_ROUND_UP(count, devices_per_l2) * 8;
		v |= BASER_INDIRECT;
	}
	bytes = min_t(size_t, round_up(bytes, page), 256 * page);
	if (!l2_bytes || !devices_table)
		count = min_t(u64, count, bytes / entry);
	p = kernel_zalloc(bytes);
	if (!p || virt_to_phys(p) >> 48)
		return 0;
	if (devices_table && l2_bytes)
		device_l1 = p;
	publish(p, bytes);
	writeq(v | virt_to_phys(p) | (bytes / page - 1), its + GITS_BASER + 8 * i);
	if (!(readq(its + GITS_BASER + 8 * i) & SHAREABLE))
		coherent = false;
	return count;
}

static bool __init make_tables(void)
{
	bool collections = its_type >> 24 & 0xff;	/* it holds some itself */

	for (unsigned int i = 0; i < 8; i++) {
		unsigned int type = readq(its + GITS_BASER + 8 * i) >> 56 & 7;

		if (type == 1)
			nr_devices = (u32)make_table(i, 2ULL << (its_type >> 13 & 31));
		if (type == 4)
			collections = make_table(i, machine.nr_cpus) >= machine.nr_cpus;
	}
	return nr_devices && collections;
}

/* Up to MOST LPIs. How many there are: 0, and why is said, when the ITS cannot be used. */
unsigned int __init a64_its_init(unsigned int most)
{
	its = machine.lpi_config ? arch_ioremap(machine.its, GITS_SIZE, PTE_P_KERNEL_IO) : NULL;
	if (!its)
		return 0;
	config = machine.lpi_config;
	pending = machine.lpi_pending;
	writel(readl(its + GITS_CTLR) & ~1U, its + GITS_CTLR);
	for (unsigned int spins = 0; !(readl(its + GITS_CTLR) & 1U << 31); spins++)
		if (spins > 1000000)
			goto fail;
	its_type = readq(its + GITS_TYPER);
	ring = kernel_zalloc(RING_BYTES);
	if (!ring || !make_tables())
		goto fail;
	writeq(BASER_VALID | BASER_WRITE_BACK | INNER_SHAREABLE | virt_to_phys(ring), its + GITS_CBASER);
	if (!(readq(its + GITS_CBASER) & SHAREABLE))
		coherent = false;
	writeq(0, its + GITS_CWRITER);
	memset(config, CONFIG_OFF, 1U << LPI_BITS);
	publish(config, 1U << LPI_BITS);
	publish(pending, LPI_PENDING_BYTES(machine.nr_cpus));
	writel(readl(its + GITS_CTLR) | 1, its + GITS_CTLR);
	nr_lpis = min(most, (1U << LPI_BITS) - FIRST_LPI);
	return nr_lpis;
fail:
	pr_warn("its: not usable, there are no messages\n");
	return 0;
}

/* This CPU takes LPIs from now on; its collection has its number. */
void a64_its_init_cpu(char __iomem *redist)
{
	unsigned int cpu = arch_cpu_number();
	struct its_command c[3];
	unsigned long f;

	if (!nr_lpis)
		return;
	this_cpu_write(rd_base, its_type & TYPER_PTA ? a64_redist_pa(redist) >> 16 : readq(redist + GICR_TYPER) >> 8 & 0xffff);
	if (readl(redist + GICR_CTLR) & 1) {
		pr_warn("its: CPU %u: firmware took its LPIs\n", cpu);
		return;
	}
	writeq((LPI_BITS - 1) | REDIST_WRITE_BACK | INNER_SHAREABLE | virt_to_phys(config), redist + GICR_PROPBASER);
	writeq(1ULL << 62 | REDIST_WRITE_BACK | INNER_SHAREABLE | virt_to_phys(pending + cpu * LPI_PENDING_STRIDE), redist + GICR_PENDBASER);
	if (!(readq(redist + GICR_PROPBASER) & SHAREABLE))
		coherent = false;
	writel(readl(redist + GICR_CTLR) | 1, redist + GICR_CTLR);
	__asm__ volatile("dsb sy" : : : "memory");
	c[0] = command(CMD_MAPC, 0, 0, BASER_VALID | this_cpu_read(rd_base) << 16 | cpu);
	c[1] = command(CMD_INVALL, 0, 0, cpu);
	c[2] = sync_to(cpu);
	spin_lock_irqsave(&its_lock, f);
	send(c, 3);
	spin_unlock_irqrestore(&its_lock, f);
}

static struct its_device *find_device(u32 id, struct rb_node ***link, struct rb_node **parent)
{
	*link = &devices.node;
	*parent = NULL;
	while (**link) {
		struct its_device *d = rb_entry(**link, struct its_device, node);

		if (d->id == id)
			return d;
		*parent = **link;
		*link = id < d->id ? &(*parent)->left : &(*parent)->right;
	}
	return NULL;
}

static void free_device(struct its_device *d)
{
	if (d) {
		kernel_free(d->itt);
		kernel_free(d->taken);
	}
	kernel_free(d);
}

/* Event numbers have at least a bit; a table lies at a multiple of 256 bytes. */
static struct its_device *new_device(u32 id, unsigned int max)
{
	struct its_device *d = kernel_zalloc(sizeof(*d));
	unsigned int events = (unsigned int)max(roundup_pow_of_two(max), 2UL);

	if (!d)
		return NULL;
	d->id = id;
	d->max = max;
	d->taken = kernel_zalloc(BITS_TO_LONGS(max) * sizeof(long));
	d->itt = kernel_zalloc(roundup_pow_of_two(max(events * ((its_type >> 4 & 15) + 1), 256ULL)));
	if (d->taken && d->itt)
		return d;
	free_device(d);
	return NULL;
}

/* Its part of the device table, and the device in it. L2 is used up or stays. its_lock. */
static void map_device(struct its_device *d, void **l2)
{
	u64 *e = device_l1 ? &device_l1[d->id / devices_per_l2] : NULL;
	struct its_command c[2];

	if (e && !*e) {
		publish(*l2, l2_bytes);
		*e = BASER_VALID | virt_to_phys(*l2);
		*l2 = NULL;
		publish(e, 8);
	}
	publish(d->itt, 256);
	c[0] = command(CMD_MAPD, d->id, (u64)max(fls64(d->max - 1), 1) - 1, BASER_VALID | virt_to_phys(d->itt));
	c[1] = sync_to(0);
	send(c, 2);
}

/* The device ID, known from now on. NULL: no memory, or no room for such a number. Sleeps. */
static struct its_device *get_device(u32 id, unsigned int max)
{
	struct rb_node **link, *parent;
	struct its_device *d, *fresh;
	unsigned long f;
	void *l2;

	if (id >= nr_devices || !max || fls64(max - 1) > (int)(its_type >> 8 & 31) + 1)
		return NULL;
	spin_lock_irqsave(&its_lock, f);
	d = find_device(id, &link, &parent);
	spin_unlock_irqrestore(&its_lock, f);
	if (d)
		return d;
	fresh = new_device(id, max);
	l2 = device_l1 ? kernel_zalloc(l2_bytes) : NULL;
	if (fresh && (l2 || !device_l1)) {
		spin_lock_irqsave(&its_lock, f);
		d = find_device(id, &link, &parent);
		if (!d) {
			d = fresh;
			fresh = NULL;
			map_device(d, &l2);
			rb_link_node(&d->node, parent, link);
			rb_insert_color(&d->node, &devices);
		}
		spin_unlock_irqrestore(&its_lock, f);
	}
	free_device(fresh);
	kernel_free(l2);
	return d;
}

static void set_config(unsigned int n, bool on)
{
	config[n] = on ? CONFIG_ON : CONFIG_OFF;
	publish(&config[n], 1);
}

static unsigned int free_run(unsigned int count)
{
	unsigned int run = 0;

	for (unsigned int n = 0; n < nr_lpis; n++) {
		run = lpis[n].taken ? 0 : run + 1;
		if (run == count)
			return n + 1 - count;
	}
	return nr_lpis;
}

int a64_lpi_alloc(u32 device, unsigned int max, unsigned int count)
{
	struct its_device *d = device != MSI_NO_DEVICE && count ? get_device(device, max) : NULL;
	unsigned int first, event = 0;
	struct its_command c[2];
	unsigned long f;

	if (!count || (!d && device != MSI_NO_DEVICE))
		return -ENOSPC;
	spin_lock_irqsave(&its_lock, f);
	first = free_run(count);
	if (d)
		event = (unsigned int)bitmap_find_next_zero_area(d->taken, d->max, 0, count, 0);
	if (first == nr_lpis || (d && event >= d->max)) {
		spin_unlock_irqrestore(&its_lock, f);
		return -ENOSPC;
	}
	for (unsigned int i = 0; i < count; i++) {
		lpis[first + i] = (struct lpi){ .dev = d, .event = event + i, .taken = true };
		set_config(first + i, false);
		if (!d)
			continue;
		c[0] = command(CMD_MAPTI, d->id, (event + i) | (u64)(FIRST_LPI + first + i) << 32, 0);
		c[1] = sync_to(0);
		send(c, 2);
	}
	if (d)
		bitmap_set(d->taken, event, count);
	spin_unlock_irqrestore(&its_lock, f);
	return (int)first;
}

/* A command about the event behind LPI N, if there is one. its_lock. */
static void tell(unsigned int n, unsigned int op, u64 w2)
{
	struct its_command c[2] = { command(op, lpis[n].dev ? lpis[n].dev->id : 0, lpis[n].event, w2), sync_to(lpis[n].cpu) };

	if (lpis[n].dev)
		send(c, 2);
}

void a64_lpi_free(unsigned int n)
{
	unsigned long f;

	spin_lock_irqsave(&its_lock, f);
	set_config(n, false);
	tell(n, CMD_DISCARD, 0);
	if (lpis[n].dev)
		bitmap_clear(lpis[n].dev->taken, lpis[n].event, 1);
	lpis[n] = (struct lpi){ 0 };
	spin_unlock_irqrestore(&its_lock, f);
}

void a64_lpi_enable(unsigned int n, bool on)
{
	unsigned long f;

	spin_lock_irqsave(&its_lock, f);
	set_config(n, on);
	tell(n, CMD_INV, 0);
	spin_unlock_irqrestore(&its_lock, f);
}

/* -EINVAL: not taken. */
int a64_lpi_route(unsigned int n, unsigned int cpu)
{
	int err = -EINVAL;
	unsigned long f;

	spin_lock_irqsave(&its_lock, f);
	if (lpis[n].taken) {
		tell(n, CMD_MOVI, cpu);
		lpis[n].cpu = (u16)cpu;
		err = 0;
	}
	spin_unlock_irqrestore(&its_lock, f);
	return err;
}

void a64_lpi_compose(unsigned int n, struct arch_msi *msg)
{
	msg->addr = machine.its + GITS_TRANSLATER;
	msg->data = lpis[n].dev ? lpis[n].event : n;
}
