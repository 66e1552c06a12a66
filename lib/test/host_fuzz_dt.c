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
	if (!need)
		return;
	mem = malloc(need);
	err = dt_open(&t, &f, mem, need);
	assert(!err);
	for (u32 i = 0; i < t.nr_nodes && i < 128; i++)
		ask_node(&t, i);
	ask_pci(&t);
	ask_facts(&t);
	free(mem);
}

static size_t fuzz_seed(unsigned int i, u8 *buf)
{
	u32 size;

	if (i > 2)
		return 0;
	if (i == 0) {
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
