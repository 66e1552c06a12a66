// SPDX-License-Identifier: MIT
/* C that only Rust calls: see <rust/helpers.h>. */
#include <lib/types.h>
#include <lib/minmax.h>
#include <rust/helpers.h>

#include <kernel/show.h>
#include <kernel/bug.h>
#include <kernel/percpu.h>
#include <kernel/printk.h>

void rust_panic_oops(const char *file, size_t file_len, u32 line, const char *text, size_t text_len)
{
	pr_emerg("rust: panic at %.*s:%u: %.*s\n", (int)file_len, file, line, (int)text_len, text);
	BUG();
}

/*
 * One line, whether or not TEXT ends it: without its end the next message would first bring it to
 * the log.
 */
void rust_print(int level, const char *text, size_t len)
{
	bool ended = len && text[len - 1] == '\n';

	printk("\001%c%.*s%s", '0' + (level & 7), (int)len, text, ended ? "" : "\n");
}

#include <alloc/slab.h>
#include <arch/io.h>
#include <arch/irq.h>

void *rust_kmalloc(size_t size, gfp_t gfp)
{
	return kmalloc(size, gfp);
}

/*
 * Guards may go in any order: interrupts come back, as they were before the first, with the last.
 */
static DEFINE_PER_CPU(unsigned int, guards);		/* own CPU, interrupts off */
static DEFINE_PER_CPU(unsigned long, guard_flags);	/* the same */

void rust_spin_lock_irq(spinlock_t *l)
{
	unsigned long flags;

	local_irq_save(flags);
	if (!this_cpu_read(guards))
		this_cpu_write(guard_flags, flags);
	this_cpu_inc(guards);
	spin_lock(l);
}

void rust_spin_unlock_irq(spinlock_t *l)
{
	unsigned long flags = this_cpu_read(guard_flags);

	this_cpu_dec(guards);
	if (this_cpu_read(guards))
		spin_unlock(l);
	else
		spin_unlock_irqrestore(l, flags);
}

bool rust_irqs_off(void)
{
	return irqs_disabled();
}

u8 rust_inb(u16 port)
{
#ifdef ARCH_HAS_PORTS
	return inb(port);
#else
	return 0xff;
#endif
}

void rust_outb(u8 v, u16 port)
{
#ifdef ARCH_HAS_PORTS
	outb(v, port);
#endif
}

int rust_pci_pic_irq(u8 line)
{
#ifdef ARCH_HAS_PIC
	if (arch_irq_by_pic())
		return arch_irq_map_gsi(line, 0);
#endif
	return -ENXIO;
}

bool rust_takes_messages(void)
{
#ifdef ARCH_HAS_PIC
	return !arch_irq_by_pic();
#else
	return true;
#endif
}

bool rust_legacy_uart(unsigned int i, u16 *port, int *irq)
{
#ifdef ARCH_HAS_PORTS
	/* The PC's four, where its BIOS has always put them. */
	static const struct {
		u16 port;
		u8 isa;
	} lines[4] = { { 0x3f8, 4 }, { 0x2f8, 3 }, { 0x3e8, 4 }, { 0x2e8, 3 } };
	unsigned int gsi, flags;

	if (i >= 4)
		return false;
	gsi = arch_isa_to_gsi(lines[i].isa, &flags);
	*port = lines[i].port;
	*irq = arch_irq_map_gsi(gsi, flags);
	return true;
#else
	return false;
#endif
}

#include <tty/tty.h>

void *rust_tty_data(struct tty *t)
{
	return t->driver_data;
}

u32 rust_tty_cflag(struct tty *t)
{
	return t->termios.c_cflag;
}

u32 rust_tty_speed(struct tty *t)
{
	return t->termios.c_ospeed;
}

#include <alloc/page.h>
#include <block/blk.h>
#include <dev/acpi.h>
#include <arch/firmware.h>
#include <lib/dt.h>

u8 rust_readb(const void __iomem *p)
{
	return readb(p);
}

u16 rust_readw(const void __iomem *p)
{
	return readw(p);
}

u32 rust_readl(const void __iomem *p)
{
	return readl(p);
}

void rust_writeb(u8 v, void __iomem *p)
{
	writeb(v, p);
}

void rust_writew(u16 v, void __iomem *p)
{
	writew(v, p);
}

void rust_writel(u32 v, void __iomem *p)
{
	writel(v, p);
}

bool rust_acpi_ecam(u32 i, u64 *base, u8 *first_bus, u8 *last_bus)
{
	struct acpi_mcfg_entry e;

	if (acpi_get_mcfg(i, &e) || e.segment)
		return false;
	*base = e.base + ((u64)e.bus_start << 20);	/* what MCFG says is where bus 0 would be */
	*first_bus = e.bus_start;
	*last_bus = e.bus_end;
	return true;
}

bool rust_dt_pci_host(u32 *next, u32 *node, u64 *base, u8 *first_bus, u8 *last_bus)
{
	const struct dt *t = arch_dt();
	struct dt_pci_host h;
	int err = -EINVAL;

	while (t && err == -EINVAL) {
		err = dt_pci_host(t, (*next)++, &h);
		if (err == -EINVAL)
			pr_warn("pci: host bridge %u of the device tree makes no sense\n",
				*next - 1);
	}
	if (err)
		return false;
	*node = h.node;
	*base = h.ecam;
	*first_bus = h.first_bus;
	*last_bus = h.last_bus;
	return true;
}

bool rust_dt_pci_window(u32 node, u32 *next, struct rust_pci_window *out)
{
	struct dt_pci_window w;
	int err;

	while ((err = dt_pci_window(arch_dt(), node, (*next)++, &w)) == -EINVAL)
		pr_warn("pci: a window of a host bridge of the device tree makes no sense\n");
	if (err)
		return false;
	*out = (struct rust_pci_window){
		.memory = w.space != DT_PCI_IO, .pci = w.pci, .cpu = w.cpu, .size = w.size
	};
	return true;
}

int rust_dt_pci_irq(u32 node, u8 bus, u8 devfn, u8 pin)
{
	struct dt_irq irq;
	int err = dt_pci_irq(arch_dt(), node, bus, devfn, pin, &irq);

	return err ? err : arch_dt_irq(&irq);
}

bool rust_dt_pci_msi(u32 node, u32 rid, u32 *device)
{
	return arch_dt_msi(dt_msi(arch_dt(), node, rid, device));
}

#ifdef ARCH_HAS_PORTS
static DEFINE_SPINLOCK(pci_port_lock);	/* address and data are two ports */

bool rust_has_ports(void)
{
	return true;
}

u32 rust_pci_port_read(u8 bus, u8 devfn, u8 off)
{
	unsigned long flags;
	u32 v;

	spin_lock_irqsave(&pci_port_lock, flags);
	outl(0x80000000U | (u32)bus << 16 | (u32)devfn << 8 | (off & 0xfcU), 0xcf8);
	v = inl(0xcfc);
	spin_unlock_irqrestore(&pci_port_lock, flags);
	return v;
}

void rust_pci_port_write(u8 bus, u8 devfn, u8 off, u32 v)
{
	unsigned long flags;

	spin_lock_irqsave(&pci_port_lock, flags);
	outl(0x80000000U | (u32)bus << 16 | (u32)devfn << 8 | (off & 0xfcU), 0xcf8);
	outl(v, 0xcfc);
	spin_unlock_irqrestore(&pci_port_lock, flags);
}

void rust_pci_port_write16(u8 bus, u8 devfn, u8 off, u16 v)
{
	unsigned long flags;

	spin_lock_irqsave(&pci_port_lock, flags);
	outl(0x80000000U | (u32)bus << 16 | (u32)devfn << 8 | (off & 0xfcU), 0xcf8);
	outw(v, 0xcfc + (off & 2));
	spin_unlock_irqrestore(&pci_port_lock, flags);
}
#else
bool rust_has_ports(void)
{
	return false;
}

u32 rust_pci_port_read(u8 bus, u8 devfn, u8 off)
{
	return 0xffffffffU;
}

void rust_pci_port_write(u8 bus, u8 devfn, u8 off, u32 v)
{
}

void rust_pci_port_write16(u8 bus, u8 devfn, u8 off, u16 v)
{
}
#endif

int rust_disk_rw(struct disk *d, bool write, u64 sector, void *data, size_t len)
{
	struct page *page = len <= PAGE_SIZE ? alloc_page(GFP_KERNEL) : NULL;
	struct bdev *whole = list_first_entry_or_null(&d->parts, struct bdev, list);
	struct bio *b = page && whole ?
				bio_alloc(whole, write ? REQ_WRITE : REQ_READ, 0, GFP_KERNEL) :
				NULL;
	int e = -ENOMEM;

	if (b) {
		b->sector = sector;
		bio_add_page(b, page, (unsigned int)len, 0);
		if (write)
			memcpy(page_address(page), data, len);
		e = submit_bio_wait(b);
		if (!e && !write)
			memcpy(data, page_address(page), len);
	}
	if (page)
		put_page(page);
	return e;
}

void *rust_disk_data(struct disk *d)
{
	return d->driver_data;
}

void rust_disk_setup(struct disk *d, const struct rust_disk_limits *l, const struct disk_ops *ops,
		     void *data)
{
	d->sectors = l->sectors;
	d->block_size = l->block_size;
	d->phys_block_size = l->physical_block ?: l->block_size;
	d->fua = l->fua;
	if (l->max_bytes) {
		d->max_bytes = min(d->max_bytes, l->max_bytes);
		d->max_request = min(d->max_request, l->max_bytes);
	}
	d->read_only = l->read_only;
	d->write_cache = l->write_cache;
	d->removable = l->removable;
	d->no_partitions = l->no_partitions;
	d->parent = l->parent;
	if (d->parent)
		show_get(d->parent);
	d->max_discard_sectors = l->max_discard;
	d->max_zeroes_sectors = l->max_zeroes;
	d->max_segments = l->max_segments;
	d->max_segment = l->max_segment ?: U32_MAX;
	disk_set_driver(d, ops, data);
}

bool rust_cmos_rtc(u16 *port, int *irq, u8 *century)
{
#ifdef ARCH_HAS_PORTS
	unsigned int gsi, flags;
	struct acpi_fadt f;
	u32 len;
	const u8 *t = acpi_get_table("FACP", 0, &len);

	*century = 0;
	if (t && !acpi_decode_fadt(t, len, &f)) {
		if (f.boot_arch & FADT_BOOT_NO_RTC)
			return false;
		*century = f.century;
	}
	gsi = arch_isa_to_gsi(8, &flags);
	*irq = arch_irq_map_gsi(gsi, flags);
	*port = 0x70;
	return true;
#else
	return false;
#endif
}
