// SPDX-License-Identifier: MIT
/* sources: lib/dt.c lib/dt_irq.c lib/dt_facts.c, with sources: lib/fdt.c */
/* fuzz: -max_len=4096 */
/* A device tree's facts: whatever it says, no question reads outside, loops or names a node or a range that cannot be. */
#define FUZZ_ROUNDS 40000
#include "lib/test/fuzz.h"
#include "lib/test/dt_make.h"
#include <lib/dt.h>

static void memory(void *arg, u64 addr, u64 size, bool is_ram)
{
	assert(size && addr + size > addr);
}

static void ask_irq(const struct dt *t, int err, const struct dt_irq *i)
{
	u32 len;

	assert(err || (i->controller < t->nr_nodes && i->count && i->count <= DT_IRQ_CELLS_MAX &&
		       dt_prop(t, i->controller, "interrupt-controller", &len)));
}

static void ask_node(const struct dt *t, u32 n)
{
	struct dt_irq irq;
	u64 a, s;

	assert(t->nodes[n].next > n && t->nodes[n].next <= t->nr_nodes && (n == 0 || t->nodes[n].parent < n));
	for (unsigned int i = 0; i < 3; i++) {
		if (dt_reg(t, n, i, &a, &s))
			assert(a + s >= a);
		ask_irq(t, dt_irq(t, n, i, &irq), &irq);
	}
	dt_irq_count(t, n);
	dt_irq_parent(t, n);
	dt_enabled(t, n);
}

static void ask_pci(const struct dt *t)
{
	struct dt_pci_window w;
	struct dt_pci_host h;
	struct dt_irq irq;
	u32 dev, c;

	for (unsigned int i = 0; i < 4; i++) {
		if (dt_pci_host(t, i, &h))
			continue;
		assert(h.first_bus <= h.last_bus && h.node < t->nr_nodes);
		for (unsigned int k = 0; k < 6; k++)
			if (!dt_pci_window(t, h.node, k, &w))
				assert(w.size && w.pci + w.size > w.pci && w.cpu + w.size > w.cpu);
		for (u8 pin = 0; pin < 6; pin++)
			ask_irq(t, dt_pci_irq(t, h.node, 0, (u8)(pin << 3), pin, &irq), &irq);
		c = dt_msi(t, h.node, 8, &dev);
		assert(c == DT_NONE || c < t->nr_nodes);
	}
}

static void ask_facts(const struct dt *t)
{
	const char *options;
	struct dt_syscon s;
	struct dt_psci p;
	struct dt_cpu cpu;
	u32 n = DT_NONE;

	while ((n = dt_next_cpu(t, n, &cpu)) != DT_NONE)
		assert(n < t->nr_nodes);
	n = dt_stdout(t, &options);
	assert((n == DT_NONE || n < t->nr_nodes) && options);
	if (!dt_syscon(t, "syscon-poweroff", &s))
		assert(s.width == 1 || s.width == 2 || s.width == 4);
	dt_psci(t, &p);
	for (u32 i = 0; i < t->nr_handles; i++) {
		n = dt_by_phandle(t, t->handles[i].key);
		assert(n == DT_NONE || n == t->handles[i].node);
	}
	for (u32 i = 0; i < t->nr_compatibles; i++)
		assert(dt_compatible(t, (const char *)t->fdt.blob + t->compatibles[i].key, 0) <= t->compatibles[i].node);
}

/* Nodes that there are not. */
static void ask_nowhere(const struct dt *t)
{
	struct dt_pci_window w;
	struct dt_irq irq;
	struct dt_cpu cpu;
	u64 v;
	u32 dev;

	assert(!dt_number(t, DT_NONE, "reg", &v) && !dt_reg(t, t->nr_nodes, 0, &v, &v) && !dt_enabled(t, DT_NONE));
	assert(dt_next_child(t, DT_NONE, DT_NONE) == DT_NONE && dt_next_child(t, 0, t->nr_nodes) == DT_NONE);
	assert(dt_path(t, "/x", 0) == DT_NONE && dt_next_cpu(t, t->nr_nodes, &cpu) == DT_NONE);
	assert(dt_pci_window(t, DT_NONE, 0, &w) && dt_pci_window(t, 0, 0, &w) && dt_msi(t, DT_NONE, 0, &dev) == DT_NONE);
	assert(dt_irq(t, DT_NONE, 0, &irq) && !dt_irq_count(t, DT_NONE) && dt_irq_parent(t, DT_NONE) == DT_NONE);
	for (u32 i = 0; i < t->nr_nodes && i < 64; i++)
		dt_pci_window(t, i, 0, &w);
	dt_irq(t, 0, 0, &irq);
}

static void fuzz_one(const u8 *p, size_t n)
{
	struct dt_chosen c;
	struct fdt f;
	struct dt t;
	size_t need;
	void *mem;
	int err;

	if (fdt_open(&f, p, n))
		return;
	err = dt_first_look(&f, &c, memory, NULL);
	need = dt_index_size(&f);
	assert(!err == !!need);
	assert(dt_open(&t, &f, NULL, need));
	if (!need)
		return;
	mem = malloc(need);
	assert(dt_open(&t, &f, mem, need - 1));
	err = dt_open(&t, &f, mem, need);
	assert(!err);
	for (u32 i = 0; i < t.nr_nodes && i < 128; i++)
		ask_node(&t, i);
	ask_nowhere(&t);
	ask_pci(&t);
	ask_facts(&t);
	free(mem);
}

static void host(const char *name, u32 bytes, u32 first, u32 last)
{
	begin(name);
	text("compatible", "pci-host-ecam-generic");
	CELLS("#address-cells", 3);
	CELLS("#size-cells", 2);
	CELLS("reg", 0x10000000, bytes);
	CELLS("bus-range", first, last);
}

static void power(const char *what, u32 width, u32 offset)
{
	begin(what);
	text("compatible", "syscon-poweroff");
	CELLS("regmap", 5);
	CELLS("offset", offset);
	CELLS("value", 1);
	end();
	begin("regs");
	CELLS("reg", 0x5000, 0x10);
	CELLS("phandle", 5);
	CELLS("reg-io-width", width);
	end();
}

static void odd_hosts(unsigned int i)
{
	host("off", 0x1000000, 0, 1);
	text("status", "disabled");
	end();
	host("a", i & 1 ? 0x1000 : 0x1000000, 1, i & 2 ? 0 : 3);
	CELLS("msi-map", 0, 9, 0, 8, 16, 9);
	CELLS("msi-map-mask", 0xff);
	CELLS("ranges", 0x2000000, 0, 1, 2, 0, 3, 0x2000000, 0, 1, 2);
	end();
	host("b", 0x1000000, 0, 3);
	prop("msi-map-mask", "", 0);
	CELLS("msi-parent", 9);
	CELLS("ranges", 0x2000000, 0, 0, 0xfffff000, 0, 0x2000, 0, 0, 0, 0, 0, 8, 0x3000000, 1, 0, 0x1000, 0, 0x1000);
	end();
}

static void odd_memory(void)
{
	begin("memory");
	text("device_type", "memory");
	text("status", "disabled");
	CELLS("reg", 0x40000000, 0x1000);
	end();
	begin("reserved-memory");
	CELLS("#address-cells", 0);
	begin("x");
	text("status", "disabled");
	end();
	begin("y");
	CELLS("reg", 1);
	end();
	end();
}

static void odd_buses(void)
{
	begin("bus");
	CELLS("#address-cells", 5);
	CELLS("#size-cells", 5);
	CELLS("ranges", 0, 0xfffffff0, 0x20);
	begin("x");
	CELLS("reg", 0, 1);
	end();
	end();
	begin("high");
	CELLS("#address-cells", 1);
	CELLS("#size-cells", 1);
	CELLS("ranges", 0, 0xfffffff0, 0x20);
	begin("x");
	CELLS("reg", 8, 0x18);
	end();
	end();
}

static void odd_interrupts(unsigned int i)
{
	begin("nexus");
	CELLS("#interrupt-cells", 1);
	CELLS("#address-cells", 1);
	CELLS("interrupt-map-mask", 1);
	CELLS("interrupt-map", 0, 1, 9, 7);
	CELLS("phandle", 7);
	end();
	begin("behind");
	CELLS("reg", 0, 4);
	CELLS("interrupt-parent", 7);
	CELLS("interrupts", 1);
	end();
	begin("plain");			/* hands on to the one above as it is */
	CELLS("#interrupt-cells", 1);
	CELLS("interrupt-parent", 9);
	CELLS("phandle", 10);
	begin("leaf");
	CELLS("interrupts", 3);
	end();
	end();
	begin("pic");
	CELLS("#interrupt-cells", 1);
	CELLS("#address-cells", 1);
	CELLS("phandle", 9);
	prop("interrupt-controller", "", 0);
	if (i & 1)
		CELLS("interrupt-map", 0, 1, 9, 0, 2);
	end();
}

static void odd_firmware(unsigned int i)
{
	power("power", 1u << (i & 3), i);
	begin("old");
	text("compatible", "arm,psci-0.2");
	text("method", i & 1 ? "call" : "smc");
	text("status", i & 2 ? "disabled" : "okay");
	end();
	begin("chosen");
	text("stdout-path", i & 1 ? "a-name-that-is-longer-than-any-property" : "nobody");
	CELLS("kaslr-seed", 1);
	end();
}

/* Forms that a machine's tree does not have: refused, or passed over. */
static u32 odd_tree(unsigned int i)
{
	tree_start();
	begin("");
	CELLS("#address-cells", 1);
	CELLS("#size-cells", 1);
	odd_hosts(i);
	begin("cpus");
	CELLS("#address-cells", i & 1 ? 0 : 2);
	begin("cpu");
	text("device_type", "cpu");
	CELLS("reg", 1, 2);
	end();
	end();
	odd_firmware(i);
	odd_memory();
	odd_buses();
	odd_interrupts(i);
	end();
	return tree_done();
}

static size_t fuzz_seed(unsigned int i, u8 *buf)
{
	u32 size;

	if (i > 6)
		return 0;
	if (i > 2) {
		size = odd_tree(i - 3);
	} else if (i == 0) {
		size = tree_machine();
	} else {
		tree_start();
		begin("");
		CELLS("interrupt-parent", 1);
		if (i == 1)
			tree_soc();
		else
			tree_pci();
		begin("pic");
		CELLS("#interrupt-cells", 3);
		CELLS("phandle", 1);
		prop("interrupt-controller", "", 0);
		end();
		begin("psci");
		text("compatible", "arm,psci");
		text("method", "smc");
		CELLS("cpu_on", 0x95c1ba60);
		end();
		begin("reboot");
		text("compatible", "syscon-poweroff");
		CELLS("regmap", 5);
		CELLS("mask", 1);
		end();
		begin("chosen");
		text("stdout-path", "/soc/uart@9000000");
		end();
		end();
		size = tree_done();
	}
	memcpy(buf, tree_blob, size);
	return size;
}
