// SPDX-License-Identifier: MIT
/* What single bindings say: memory and /chosen, CPUs, the console, PCI host bridges, PSCI, registers that end it all. */
#include "lib/dt_priv.h"
#include <abi/errno.h>
#include <lib/string.h>

/* The first look: a walk that knows the cell counts of the root and of /reserved-memory. */
struct look {
	const struct fdt *f;
	u64 address_cells[2], size_cells[2];	/* for nodes of depth 1, 2 */
	dt_memory_fn memory;
	void *arg;
};

static void look_reg(const struct look *l, int node, unsigned int depth, bool ram)
{
	u64 addr, size, ac = l->address_cells[depth - 1], sc = l->size_cells[depth - 1];
	struct cells c;

	c.p = fdt_prop(l->f, node, "reg", &c.left);
	if (!c.p || ac > 4 || sc > 4 || !ac || !sc || c.left % (4 * (ac + sc)))
		return;
	while (c.left) {
		struct cells e = c;
		bool fits = take(&e, (unsigned int)ac, &addr);

		skip(&c, ac);
		e = c;
		fits &= take(&e, (unsigned int)sc, &size);
		skip(&c, sc);
		if (fits && size && addr + size > addr)
			l->memory(l->arg, addr, size, ram);
	}
}

static void look_cells(struct look *l, int node, unsigned int depth)
{
	l->address_cells[depth] = 2;
	l->size_cells[depth] = 1;
	fdt_number(l->f, node, "#address-cells", &l->address_cells[depth]);
	fdt_number(l->f, node, "#size-cells", &l->size_cells[depth]);
}

static void look_chosen(const struct fdt *f, int node, struct dt_chosen *c)
{
	u64 start, end;
	u32 len;

	c->bootargs = fdt_string(f, node, "bootargs");
	if (fdt_number(f, node, "linux,initrd-start", &start) && fdt_number(f, node, "linux,initrd-end", &end) && end > start) {
		c->initrd = start;
		c->initrd_size = end - start;
	}
	c->rng_seed = fdt_prop(f, node, "rng-seed", &c->rng_seed_size);
	c->kaslr_seed = fdt_prop(f, node, "kaslr-seed", &len);
	if (c->kaslr_seed && len != 8)
		c->kaslr_seed = NULL;
}

int dt_first_look(const struct fdt *f, struct dt_chosen *chosen, dt_memory_fn memory, void *arg)
{
	struct look l = { .f = f, .memory = memory, .arg = arg };
	bool reserved = false;
	u64 addr, size;
	int depth;

	*chosen = (struct dt_chosen){ 0 };
	if (!fdt_whole(f, DT_DEPTH_MAX))
		return -EINVAL;
	for (unsigned int i = 0; fdt_reserved(f, i, &addr, &size); i++)
		if (size && addr + size > addr)
			memory(arg, addr, size, false);
	for (int n = fdt_next_node(f, FDT_NONE, &depth); n != FDT_NONE; n = fdt_next_node(f, n, &depth)) {
		const char *type = depth == 1 ? fdt_string(f, n, "device_type") : NULL;

		if (!depth)
			look_cells(&l, n, 0);
		if (depth == 1) {
			reserved = !strcmp(fdt_name(f, n), "reserved-memory");
			if (reserved)
				look_cells(&l, n, 1);
			if (!strcmp(fdt_name(f, n), "chosen"))
				look_chosen(f, n, chosen);
		}
		if (type && !strcmp(type, "memory") && fdt_enabled(f, n))
			look_reg(&l, n, 1, true);
		if (depth == 2 && reserved && fdt_enabled(f, n))
			look_reg(&l, n, 2, false);
	}
	return 0;
}

u32 dt_next_cpu(const struct dt *t, u32 prev, struct dt_cpu *cpu)
{
	u32 cpus = prev == DT_NONE ? dt_path(t, "/cpus", 5) : prev < t->nr_nodes ? t->nodes[prev].parent : DT_NONE, n = prev;
	unsigned int ac;

	if (cpus == DT_NONE)
		return DT_NONE;
	ac = t->nodes[cpus].address_cells;
	while ((n = dt_next_child(t, cpus, n)) != DT_NONE) {
		const char *type = dt_string(t, n, "device_type");
		struct cells c = cells_of(t, n, "reg");
		u64 id;

		if (!type || strcmp(type, "cpu") || !ac || !take(&c, ac, &id))
			continue;
		*cpu = (struct dt_cpu){ .node = n, .id = id, .method = dt_string(t, n, "enable-method"), .enabled = dt_enabled(t, n) };
		return n;
	}
	return DT_NONE;
}

u32 dt_stdout(const struct dt *t, const char **options)
{
	u32 chosen = dt_path(t, "/chosen", 7), aliases = dt_path(t, "/aliases", 8);
	const char *s = dt_string(t, chosen, "stdout-path"), *colon, *path = s;
	char name[32];
	size_t n;

	*options = "";
	if (!s)
		return DT_NONE;
	colon = strchr(s, ':');
	n = colon ? (size_t)(colon - s) : strlen(s);
	if (*s != '/') {
		if (n >= sizeof(name))
			return DT_NONE;		/* property names end at 31 characters */
		memcpy(name, s, n);
		name[n] = 0;
		path = dt_string(t, aliases, name);
		if (!path)
			return DT_NONE;
		n = strlen(path);
	}
	if (colon)
		*options = colon + 1;
	return dt_path(t, path, n);
}

static int read_pci_host(const struct dt *t, u32 node, struct dt_pci_host *h)
{
	u64 size, domain = 0;
	u32 first = 0, last = 255, len;

	*h = (struct dt_pci_host){ .node = node };
	if (dt_prop(t, node, "bus-range", &len) &&
	    (len != 8 || !dt_cell(t, node, "bus-range", 0, &first) || !dt_cell(t, node, "bus-range", 1, &last)))
		return -EINVAL;
	if (first > last || last > 255 || t->nodes[node].address_cells != 3 || t->nodes[node].size_cells != 2)
		return -EINVAL;
	if (!dt_reg(t, node, 0, &h->ecam, &size) || size >> 20 == 0)
		return -EINVAL;
	if (size >> 20 <= last - first)
		last = first + (u32)(size >> 20) - 1;
	dt_number(t, node, "linux,pci-domain", &domain);
	h->first_bus = (u8)first;
	h->last_bus = (u8)last;
	h->domain = (u32)domain;
	return 0;
}

int dt_pci_host(const struct dt *t, unsigned int i, struct dt_pci_host *out)
{
	u32 node;

	for (unsigned int k = 0; (node = dt_compatible(t, "pci-host-ecam-generic", k)) != DT_NONE; k++)
		if (dt_enabled(t, node) && !i--)
			return read_pci_host(t, node, out);
	return -ENOENT;
}

/* An entry: three cells of PCI address (the first names the space), the parent's address, two of size. */
int dt_pci_window(const struct dt *t, u32 host, unsigned int i, struct dt_pci_window *out)
{
	struct cells c = cells_of(t, host, "ranges");
	u32 up = host < t->nr_nodes ? t->nodes[host].parent : DT_NONE, high, pac;
	bool fits;

	if (up == DT_NONE || !c.p)
		return -ENOENT;
	pac = t->nodes[up].address_cells;
	if (pac > 4 || t->nodes[host].address_cells != 3 || t->nodes[host].size_cells != 2 || c.left % (4 * (5 + pac)))
		return i ? -ENOENT : -EINVAL;
	if (!skip(&c, (u64)i * (5 + pac)) || !c.left)
		return -ENOENT;
	take32(&c, &high);
	take(&c, 2, &out->pci);
	fits = pac <= 2 && take(&c, pac, &out->cpu);
	if (!fits || !take(&c, 2, &out->size))
		return -EINVAL;
	out->space = high >> 24 & 3;
	out->prefetch = high >> 30 & 1;
	if (!out->space || !out->size || out->pci + out->size < out->pci || out->cpu + out->size < out->cpu ||
	    (out->space == DT_PCI_MEM32 && (out->pci + out->size - 1) >> 32))
		return -EINVAL;
	return dt_translate(t, up, &out->cpu, out->size) ? 0 : -EINVAL;
}

u32 dt_msi(const struct dt *t, u32 host, u32 rid, u32 *device)
{
	struct cells c = cells_of(t, host, "msi-map");
	u32 mask = ~0U, base, phandle, to, len;

	*device = rid;
	if (!c.p)
		return dt_link(t, host, "msi-parent");
	if (dt_prop(t, host, "msi-map-mask", &len) && !dt_cell(t, host, "msi-map-mask", 0, &mask))
		return DT_NONE;
	rid &= mask;
	while (take32(&c, &base) && take32(&c, &phandle) && take32(&c, &to) && take32(&c, &len))
		if (rid >= base && rid - base < len) {
			*device = to + (rid - base);
			return dt_by_phandle(t, phandle);
		}
	return DT_NONE;
}

int dt_psci(const struct dt *t, struct dt_psci *out)
{
	u32 node = dt_compatible(t, "arm,psci-0.2", 0), old;
	const char *method;
	u64 on = 0xc4000003, off = 0x84000002;	/* Arm DEN 0022, 5.1 */

	if (node == DT_NONE)
		node = dt_compatible(t, "arm,psci-1.0", 0);
	old = dt_compatible(t, "arm,psci", 0);
	*out = (struct dt_psci){ .system = node != DT_NONE };
	if (node == DT_NONE)
		node = old;
	if (node == DT_NONE || !dt_enabled(t, node))
		return -ENOENT;
	method = dt_string(t, node, "method");
	if (!method || (strcmp(method, "smc") && strcmp(method, "hvc")))
		return -EINVAL;
	if (!out->system) {			/* 0.1: the tree says the numbers */
		on = off = 0;
		dt_number(t, node, "cpu_on", &on);
		dt_number(t, node, "cpu_off", &off);
	}
	out->smc = *method == 's';
	out->cpu_on = (u32)on;
	out->cpu_off = (u32)off;
	return 0;
}

static int read_syscon(const struct dt *t, u32 node, struct dt_syscon *s)
{
	u32 len, regs = dt_prop(t, node, "regmap", &len) ? dt_link(t, node, "regmap") : t->nodes[node].parent;
	u64 size, v, offset = 0, width = 4, mask = ~0U;
	bool masked = dt_number(t, node, "mask", &mask);

	if (regs == DT_NONE || !dt_reg(t, regs, 0, &s->addr, &size))
		return -EINVAL;
	dt_number(t, regs, "reg-io-width", &width);
	if (!dt_number(t, node, "offset", &offset)) {
		u32 reg;

		if (dt_cell(t, node, "reg", 0, &reg))
			offset = reg;
	}
	if (!dt_number(t, node, "value", &v)) {
		if (!masked)
			return -EINVAL;
		v = mask;		/* the binding's older form */
		mask = ~0U;
	}
	if ((width != 1 && width != 2 && width != 4) || offset % width || offset > size || size - offset < width || v > ~0U || mask > ~0U)
		return -EINVAL;
	s->addr += offset;
	s->width = (u32)width;
	s->value = (u32)v;
	s->mask = (u32)mask;
	return 0;
}

int dt_syscon(const struct dt *t, const char *what, struct dt_syscon *out)
{
	u32 node;

	for (unsigned int i = 0; (node = dt_compatible(t, what, i)) != DT_NONE; i++)
		if (dt_enabled(t, node))
			return read_syscon(t, node, out);
	return -ENOENT;
}
