// SPDX-License-Identifier: MIT
/*
 * Open Firmware (IEEE 1275) through its client interface: the tree is walked once, before the trap table is ours, and what is wanted of it
 * becomes struct sparc_machine. Nothing of the firmware is used afterwards.
 *
 * Cells of the interface are 64 bits wide; those of properties are 32. Addresses of devices go up through the "ranges" of the nodes
 * above, PCI's with its three cells.
 */
#include <boot/info.h>
#include <boot/memmap.h>
#include <kernel/init.h>
#include <lib/string.h>
#include "arch/sparc64/sparc_priv.h"

struct sparc_machine machine __ro_after_init;

static int (*client)(void *args) __initdata;
static u8 buf[2048] __initdata __aligned(8);	/* one property */

#define NO_NODE 0U
#define DEPTH_MAX 8

static u64 __init ask(const char *service, u64 a, u64 b, u64 c, u64 d, unsigned int nargs)
{
	struct {
		u64 service, nargs, nrets, args[4], ret;
	} call = { (u64)service, nargs, 1, { a, b, c, d }, 0 };
	u64 words[8] = { call.service, nargs, 1 };

	for (unsigned int i = 0; i < nargs; i++)
		words[3 + i] = call.args[i];
	return client(words) ? ~0ULL : words[3 + nargs];
}

static u32 __init child_of(u32 node) { return (u32)ask("child", node, 0, 0, 0, 1); }
static u32 __init next_to(u32 node) { return (u32)ask("peer", node, 0, 0, 0, 1); }
static u32 __init parent_of(u32 node) { return (u32)ask("parent", node, 0, 0, 0, 1); }

static u32 __init find(const char *path)
{
	u32 n = (u32)ask("finddevice", (u64)path, 0, 0, 0, 1);

	return n == ~0U ? NO_NODE : n;
}

/* The property in buf, ended by a zero byte; its length, -1: there is none, or it is too long. */
static int __init prop(u32 node, const char *name)
{
	u64 n = ask("getproplen", node, (u64)name, 0, 0, 2);

	if (n > sizeof(buf) - 1)
		return -1;
	memset(buf, 0, sizeof(buf));
	return ask("getprop", node, (u64)name, (u64)buf, sizeof(buf) - 1, 4) == n ? (int)n : -1;
}

static u32 __init cell(unsigned int i)
{
	u32 v;

	memcpy(&v, buf + 4 * i, 4);
	return v;
}

static u64 __init cells2(unsigned int i)
{
	return (u64)cell(i) << 32 | cell(i + 1);
}

static bool __init prop_is(u32 node, const char *name, const char *value)
{
	return prop(node, name) > 0 && !strcmp((const char *)buf, value);
}

static u32 __init number(u32 node, const char *name)
{
	return prop(node, name) >= 4 ? cell(0) : 0;
}

/* Pairs of address and size, two cells each. */
static unsigned int __init ranges(u32 node, const char *name, struct of_range *out)
{
	int n = prop(node, name);
	unsigned int k = 0;

	for (int i = 0; i + 16 <= n && k < OF_RANGES_MAX; i += 16) {
		struct of_range r = { cells2((unsigned int)i / 4), cells2((unsigned int)i / 4 + 2) };

		if (r.size)
			out[k++] = r;
	}
	return k;
}

/* The node after NODE in the order of the tree, below TOP. */
static u32 __init walk(u32 node, u32 top)
{
	u32 n = child_of(node);

	while (!n && node && node != top) {
		n = next_to(node);
		if (!n)
			node = parent_of(node);
	}
	return n;
}

/*
 * One step up: ADDR of space SPACE (the first cells of a child's address, PCI's without the device's number) as the parent's
 * parent sees it. CHILD, UP: cells of an address there and above.
 */
static bool __init step_up(u32 node, u32 *space, u64 *addr)
{
	u32 up = parent_of(node), child, above, size, width;
	int n;

	child = prop(node, "#address-cells") >= 4 ? cell(0) : 2;
	size = prop(node, "#size-cells") >= 4 ? cell(0) : 1;
	above = prop(up, "#address-cells") >= 4 ? cell(0) : 2;
	n = prop(node, "ranges");
	if (n <= 0)			/* the same addresses; OpenBIOS leaves it out of bridges */
		return n == 0 || (child == 3 && above == 3);
	if (child < 2 || child > 3 || above < 2 || above > 3 || size > 2)
		return false;
	width = child + above + size;
	for (u32 at = 0; (at + width) * 4 <= (u32)n; at += width) {
		u32 s = child == 3 ? cell(at) & 0x3000000 : cell(at);
		u64 start = child == 3 ? cells2(at + 1) : cell(at + 1);
		u64 len = size == 2 ? cells2(at + child + above) : cell(at + child + above);

		if ((child == 3 ? s != (*space & 0x3000000) : s != *space) || *addr < start || *addr - start >= len)
			continue;
		*addr -= start;
		if (above == 3) {
			*space = cell(at + child);
			*addr += cells2(at + child + 1);
		} else {
			*space = 0;
			*addr += cells2(at + child);
		}
		return true;
	}
	return false;
}

/* The physical address of a device's first registers; 0: it has none that can be told. */
static phys_addr_t __init registers_of(u32 node)
{
	u32 bus = parent_of(node), root = find("/"), space;
	u64 addr;

	if (prop(node, "reg") < 12)
		return 0;
	space = cell(0);
	addr = cell(1);
	for (unsigned int i = 0; i < DEPTH_MAX && bus && bus != root; i++, bus = parent_of(bus))
		if (!step_up(bus, &space, &addr))
			return 0;
	return addr;
}

static void __init read_cpu(u32 root)
{
	for (u32 n = child_of(root); n; n = next_to(n)) {
		if (!prop_is(n, "device_type", "cpu"))
			continue;
		machine.clock_hz = number(n, "clock-frequency");
		if (prop(n, "name") > 0)
			strscpy(machine.cpu_name, (const char *)buf, sizeof(machine.cpu_name));
		return;
	}
}

static void __init read_devices(u32 root)
{
	for (u32 n = walk(root, root); n; n = walk(n, root)) {
		if (!machine.uart && prop_is(n, "device_type", "serial") && !prop_is(n, "name", "kb_ps2"))
			machine.uart = registers_of(n);
		else if (!machine.power && prop_is(n, "name", "power"))
			machine.power = registers_of(n);
	}
}

void __init sparc_read_firmware(int (*client_interface)(void *args))
{
	u32 root, n;

	client = client_interface;
	root = ask("peer", 0, 0, 0, 0, 1) & ~0U;
	n = find("/memory");
	machine.nr_memory = ranges(n, "reg", machine.memory);
	machine.nr_available = ranges(n, "available", machine.available);
	n = find("/chosen");
	if (n && prop(n, "bootargs") > 0)
		boot_set_cmdline(&boot_info, (const char *)buf, sizeof(buf));
	if (prop(root, "name") > 0)
		strscpy(machine.model, (const char *)buf, sizeof(machine.model));
	read_cpu(root);
	read_devices(root);
}
