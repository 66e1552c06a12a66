// SPDX-License-Identifier: MIT
/* sources: lib/dt.c lib/dt_irq.c lib/dt_facts.c lib/fdt.c */
/* Facts of a device tree: a machine's tree gives all of them; each way of being wrong is refused. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include "lib/test/dt_make.h"
#include <lib/dt.h>

static u64 ram, reserved;

static void memory(void *arg, u64 addr, u64 size, bool is_ram)
{
	assert(size && addr + size > addr);
	*(is_ram ? &ram : &reserved) += addr + size;
	++*(int *)arg;
}

/* In memory of their exact sizes, so that ASan sees what is read beyond. */
static u8 *blob, *mem;

static struct dt open_tree(u32 size, bool good)
{
	struct dt t = { 0 };
	struct fdt f;
	size_t need;

	free(blob);
	free(mem);
	blob = malloc(size);
	memcpy(blob, tree_blob, size);
	assert(!fdt_open(&f, blob, size));
	need = dt_index_size(&f);
	mem = malloc(need ? need : 1);
	assert(!!need == good && !dt_open(&t, &f, mem, need) == good);
	assert(dt_open(&t, &f, mem, need ? need - 1 : 0) == -EINVAL);
	if (good)
		assert(!dt_open(&t, &f, mem, need));
	return t;
}

static u32 at(const struct dt *t, const char *path)
{
	return dt_path(t, path, strlen(path));
}

static void test_first_look(void)
{
	u32 size = tree_machine();
	struct dt_chosen c;
	struct fdt f;
	int calls = 0;

	assert(!fdt_open(&f, tree_blob, size) && !dt_first_look(&f, &c, memory, &calls));
	assert(calls == 4 && ram == 0x50000000 + 0x100001000 && reserved == 0x3000 + 0x41100000);
	assert(!strcmp(c.bootargs, "console=ttyAMA0 quiet") && c.initrd == 0x48000000 && c.initrd_size == 0x1000);
	assert(c.rng_seed_size == 16 && c.rng_seed[3] == 1 && c.kaslr_seed[7] == 6);
}

static void test_names(const struct dt *t)
{
	u32 uart = at(t, "/soc/uart@9000000");
	const char *options;
	struct dt_cpu cpu;
	u64 base, size;
	u32 n;

	assert(uart != DT_NONE && dt_compatible(t, "arm,pl011", 0) == uart && dt_compatible(t, "arm,primecell", 0) == uart);
	assert(dt_compatible(t, "arm,pl011", 1) == DT_NONE && dt_compatible(t, "arm,pl01", 0) == DT_NONE && dt_compatible(t, "", 0) == DT_NONE);
	assert(dt_compatible(t, "zzz", 0) == DT_NONE && at(t, "/") == 0 && at(t, "//soc/") == at(t, "/soc") && at(t, "soc") == DT_NONE);
	assert(at(t, "/soc/uart") == DT_NONE && dt_path(t, "/", 0) == DT_NONE);
	assert(dt_by_phandle(t, 5) == at(t, "/soc/test@100000") && dt_by_phandle(t, 99) == DT_NONE && dt_by_phandle(t, 0) == DT_NONE);
	assert(dt_stdout(t, &options) == uart && !strcmp(options, "115200n8"));
	assert(dt_device(t, "arm,pl011", &base, &size) == uart && base == 0x9000000 && size);
	assert(dt_device(t, "arm,pl01", &base, &size) == DT_NONE && !base);
	assert(dt_enabled(t, uart) && !dt_enabled(t, at(t, "/cpus/cpu@1")) && !dt_enabled(t, DT_NONE));
	n = dt_next_cpu(t, DT_NONE, &cpu);
	assert(n == cpu.node && cpu.id == 0 && cpu.enabled && !strcmp(cpu.method, "psci"));
	n = dt_next_cpu(t, n, &cpu);
	assert(cpu.id == 1 && !cpu.enabled);
	n = dt_next_cpu(t, n, &cpu);
	assert(cpu.id == 0x100 && cpu.enabled && dt_next_cpu(t, n, &cpu) == DT_NONE);
	assert(dt_next_child(t, n, DT_NONE) == DT_NONE && dt_next_child(t, DT_NONE, DT_NONE) == DT_NONE);
}

static void test_addresses(const struct dt *t)
{
	u64 a, s;

	assert(dt_reg(t, at(t, "/soc/uart@9000000"), 0, &a, &s) && a == 0x9000000 && s == 0x1000);
	assert(!dt_reg(t, at(t, "/soc/uart@9000000"), 1, &a, &s) && !dt_reg(t, 0, 0, &a, &s) && !dt_reg(t, DT_NONE, 0, &a, &s));
	assert(dt_reg(t, at(t, "/soc/test@100000"), 0, &a, &s) && a == 0x100100000);
	assert(!dt_reg(t, at(t, "/soc/out@500000"), 0, &a, &s));
	assert(dt_reg(t, at(t, "/intc@8000000"), 1, &a, &s) && a == 0x80a0000 && s == 0xf60000);
	assert(dt_reg(t, at(t, "/intc@8000000/its@8080000"), 0, &a, &s) && a == 0x8080000);
	assert(!dt_reg(t, at(t, "/cpus/cpu@0"), 0, &a, &s));		/* no bus */
}

static void test_interrupts(const struct dt *t)
{
	u32 pic = at(t, "/pic"), n;
	struct dt_irq i;

	assert(!dt_irq(t, at(t, "/soc/uart@9000000"), 1, &i) && i.controller == pic && i.count == 3 && i.cell[1] == 2 && i.cell[2] == 4);
	assert(dt_irq(t, at(t, "/soc/uart@9000000"), 2, &i) == -ENOENT && dt_irq_count(t, at(t, "/soc/uart@9000000")) == 2);
	assert(dt_irq(t, at(t, "/soc"), 0, &i) == -ENOENT);
	n = at(t, "/soc/button");
	assert(!dt_irq(t, n, 0, &i) && i.controller == at(t, "/soc/gpio") && i.count == 2 && i.cell[0] == 3);
	assert(!dt_irq(t, n, 1, &i) && i.controller == pic && i.cell[1] == 7 && dt_irq(t, n, 2, &i) == -ENOENT && dt_irq_count(t, n) == 2);
	assert(!dt_irq(t, at(t, "/soc/gpio"), 0, &i) && i.controller == pic && i.cell[1] == 9);
	n = at(t, "/soc/behind");
	assert(!dt_irq(t, n, 0, &i) && i.controller == pic && i.cell[1] == 40);
	assert(!dt_irq(t, n, 1, &i) && i.controller == at(t, "/soc/gpio") && i.cell[0] == 5);
	assert(dt_irq(t, n, 2, &i) == -EINVAL);				/* the map has no such */
	assert(dt_irq_parent(t, at(t, "/soc/gpio")) == pic);
}

static void test_pci(const struct dt *t)
{
	struct dt_pci_window w;
	struct dt_pci_host h;
	struct dt_irq i;
	u32 dev;

	assert(!dt_pci_host(t, 0, &h) && dt_pci_host(t, 1, &h) == -ENOENT);
	assert(h.ecam == 0x4010000000 && h.first_bus == 0 && h.last_bus == 15 && h.domain == 2);	/* as far as 16 MiB go */
	assert(!dt_pci_window(t, h.node, 0, &w) && w.space == DT_PCI_IO && w.pci == 0 && w.cpu == 0x3eff0000 && w.size == 0x10000);
	assert(!dt_pci_window(t, h.node, 1, &w) && w.space == DT_PCI_MEM32 && !w.prefetch && w.cpu == 0x10000000 && w.size == 0x2eff0000);
	assert(!dt_pci_window(t, h.node, 2, &w) && w.space == DT_PCI_MEM64 && w.prefetch && w.pci == 0x8000000000 && w.size == 0x8000000000);
	assert(dt_pci_window(t, h.node, 3, &w) == -EINVAL && dt_pci_window(t, h.node, 4, &w) == -ENOENT);
	assert(!dt_pci_irq(t, h.node, 0, 0, 2, &i) && i.cell[1] == 4 && !dt_pci_irq(t, h.node, 0, 4 << 3, 1, &i) && i.cell[1] == 3);
	assert(!dt_pci_irq(t, h.node, 0, 1 << 3, 1, &i) && i.cell[1] == 4 && i.controller == at(t, "/pic"));
	assert(dt_pci_irq(t, h.node, 0, 3 << 3, 1, &i) == -EINVAL && dt_pci_irq(t, h.node, 0, 0, 5, &i) == -EINVAL);
	assert(dt_msi(t, h.node, 8, &dev) == at(t, "/intc@8000000/its@8080000") && dev == 0x108);
	assert(dt_msi(t, h.node, 0x10000, &dev) == DT_NONE && dt_msi(t, 0, 8, &dev) == DT_NONE);
}

static void test_endings(const struct dt *t)
{
	struct dt_syscon s;
	struct dt_psci p;

	assert(!dt_psci(t, &p) && !p.smc && p.system && p.cpu_on == 0xc4000003 && p.cpu_off == 0x84000002);
	assert(!dt_syscon(t, "syscon-poweroff", &s) && s.addr == 0x100100008 && s.width == 4 && s.value == 0x5555 && s.mask == ~0U);
	assert(dt_syscon(t, "syscon-reboot", &s) == -ENOENT);
}

static void test_not_whole(void)
{
	u32 size = tree_machine();

	tree_blob[72 + 3] = 4;			/* the root's begin is a no-op: its properties belong to nobody */
	open_tree(size, false);
	tree_machine();
	tree_put(tree_blob + 72 + tree_ns - 4, 2);	/* one end too many, and no end of all */
	open_tree(size, false);
	tree_start();
	for (int i = 0; i < 65; i++)
		begin("");
	for (int i = 0; i < 65; i++)
		end();
	open_tree(tree_done(), false);
	tree_start();
	begin("");
	end();
	begin("");				/* a second root */
	end();
	open_tree(tree_done(), false);
	tree_start();
	for (int i = 0; i < 64; i++)
		begin("x");
	for (int i = 0; i < 64; i++)
		end();
	open_tree(tree_done(), true);
}

static void controller(const char *name, u32 phandle, u32 parent)
{
	begin(name);
	CELLS("#interrupt-cells", 1);
	CELLS("phandle", phandle);
	CELLS("interrupt-parent", parent);
}

/* Phandles that lead in a circle, to nobody, to two. */
static void test_circles(void)
{
	struct dt_irq i;
	struct dt t;

	tree_start();
	begin("");
	controller("a", 1, 2);
	CELLS("interrupts", 1);
	end();
	controller("b", 2, 1);
	end();
	controller("self", 3, 3);
	CELLS("interrupts", 1);
	end();
	controller("map", 4, 4);
	CELLS("#address-cells", 0);
	CELLS("interrupt-map", 1, 4, 1);
	CELLS("interrupts", 1);
	end();
	begin("c");
	CELLS("interrupt-parent", 77);
	CELLS("interrupts", 1);
	end();
	begin("d");
	CELLS("interrupts-extended", 77, 1);
	end();
	begin("twice");
	CELLS("phandle", 3);
	end();
	begin("loop");
	CELLS("interrupt-parent", 9);
	CELLS("phandle", 9);
	CELLS("interrupts", 1);
	end();
	end();
	t = open_tree(tree_done(), true);
	assert(dt_irq(&t, at(&t, "/a"), 0, &i) == -EINVAL && dt_irq(&t, at(&t, "/self"), 0, &i) == -EINVAL);
	assert(dt_irq(&t, at(&t, "/map"), 0, &i) == -EINVAL && dt_irq(&t, at(&t, "/c"), 0, &i) == -EINVAL);
	assert(dt_irq(&t, at(&t, "/d"), 0, &i) == -EINVAL && dt_by_phandle(&t, 3) == DT_NONE);
	assert(dt_irq(&t, at(&t, "/loop"), 0, &i) == -EINVAL && dt_irq_parent(&t, at(&t, "/loop")) == DT_NONE);
}

/* Numbers that cannot be: cells without end, sizes that wrap, registers cut off, maps too short. */
static void test_absurd(void)
{
	struct dt_pci_host h;
	struct dt_syscon sc;
	struct dt_psci p;
	struct dt_irq i;
	struct dt t;
	u64 a, s;

	tree_start();
	begin("");
	CELLS("#address-cells", 2);
	CELLS("#size-cells", 2);
	begin("huge");
	CELLS("#address-cells", 0x40000000);
	begin("x");
	CELLS("reg", 1, 2);
	end();
	end();
	begin("wraps");
	CELLS("reg", ~0U, ~0U, 0, 0x1000, 1, 2, 3);
	end();
	begin("wrap");
	CELLS("reg", ~0U, 0xfffff000, 0, 0x1001);
	end();
	begin("big");
	CELLS("#address-cells", 3);
	CELLS("#size-cells", 1);
	prop("ranges", "", 0);
	begin("x");
	CELLS("reg", 1, 0, 0, 1);
	end();
	end();
	begin("pci");
	text("compatible", "pci-host-ecam-generic");
	CELLS("#address-cells", 3);
	CELLS("#size-cells", 2);
	CELLS("reg", 0, 0, 0, 0x1000);
	end();
	begin("map");
	CELLS("#interrupt-cells", 1);
	CELLS("interrupt-map", 0, 0, 0);
	CELLS("interrupt-map-mask", 7);
	begin("x");
	CELLS("interrupts", 1);
	end();
	end();
	begin("psci");
	text("compatible", "arm,psci");
	text("method", "call");
	end();
	begin("off");
	text("compatible", "syscon-poweroff");
	CELLS("offset", 4);
	CELLS("value", 1);
	end();
	end();
	t = open_tree(tree_done(), true);
	assert(!dt_reg(&t, at(&t, "/huge/x"), 0, &a, &s) && !dt_reg(&t, at(&t, "/wraps"), 0, &a, &s) && !dt_reg(&t, at(&t, "/wrap"), 0, &a, &s));
	assert(!dt_reg(&t, at(&t, "/big/x"), 0, &a, &s) && dt_pci_host(&t, 0, &h) == -EINVAL);
	assert(dt_irq(&t, at(&t, "/map/x"), 0, &i) == -EINVAL && dt_psci(&t, &p) == -EINVAL && dt_syscon(&t, "syscon-poweroff", &sc) == -EINVAL);
}

int main(void)
{
	struct dt t;

	test_first_look();
	t = open_tree(tree_machine(), true);
	test_names(&t);
	test_addresses(&t);
	test_interrupts(&t);
	test_pci(&t);
	test_endings(&t);
	test_not_whole();
	test_circles();
	test_absurd();
	free(blob);
	free(mem);
	puts("ok");
	return 0;
}
