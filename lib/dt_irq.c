// SPDX-License-Identifier: MIT
/*
 * Interrupts of a device tree: from a node to the controller that counts them (Devicetree Specification 2.4). A specifier climbs
 * from parent to parent; a nexus (interrupt-map) exchanges it for another. Trees may name themselves as their own
 * parents: after DT_DEPTH_MAX steps it is refused.
 */
#include "lib/dt_priv.h"
#include <abi/errno.h>
#include <lib/string.h>

#define ADDRESS_CELLS_MAX 4

/* A specifier on its way: what it is called at CONTROLLER, and the unit address, for nexuses, of whom it belongs to. */
struct step {
	struct dt_irq irq;
	u32 address[ADDRESS_CELLS_MAX];
	u32 nr_address;
};

/* 0: it does not say, or nonsense. */
static u32 interrupt_cells(const struct dt *t, u32 node)
{
	u32 len, v;

	if (!dt_prop(t, node, "#interrupt-cells", &len) || len != 4 || !dt_cell(t, node, "#interrupt-cells", 0, &v))
		return 0;
	return v <= DT_IRQ_CELLS_MAX ? v : 0;
}

u32 dt_irq_parent(const struct dt *t, u32 node)
{
	for (unsigned int hop = 0; node < t->nr_nodes && hop < DT_DEPTH_MAX; hop++) {
		u32 len;

		node = dt_prop(t, node, "interrupt-parent", &len) ? dt_link(t, node, "interrupt-parent") : t->nodes[node].parent;
		if (node != DT_NONE && dt_prop(t, node, "#interrupt-cells", &len))
			return node;
	}
	return DT_NONE;
}

/* Cells of unit addresses that NODE's interrupt-map is asked with. */
static u32 nexus_address_cells(const struct dt *t, u32 node)
{
	for (u32 len; node != DT_NONE; node = t->nodes[node].parent)
		if (dt_prop(t, node, "#address-cells", &len))
			return t->nodes[node].address_cells;
	return 2;
}

/* In a map, a controller that does not say how long addresses are has none. */
static u32 parent_address_cells(const struct dt *t, u32 node)
{
	u32 len;

	return dt_prop(t, node, "#address-cells", &len) ? t->nodes[node].address_cells : 0;
}

/* The first N cells at C, under the mask at M (none: all bits), equal those of WANT. Both step over them. */
static bool equal(struct cells *c, struct cells *m, const u32 *want, u32 n)
{
	bool same = true;
	u32 v, mask;

	for (u32 i = 0; i < n; i++) {
		mask = ~0U;
		if (!take32(c, &v) || (m->p && !take32(m, &mask)))
			return false;
		same &= !((v ^ want[i]) & mask);
	}
	return same;
}

/* One entry of a map, C at it. 1: it is the one, S has become what it says; 0: not this one; -EINVAL. C steps over it. */
static int map_entry(const struct dt *t, struct cells *c, struct cells mask, u32 ac, struct step *s)
{
	struct cells e = *c, m = mask;
	u32 phandle, to, pac, pic;
	bool address, irq;

	if (!skip(c, ac + s->irq.count) || !take32(c, &phandle))
		return -EINVAL;
	address = equal(&e, &m, s->address, ac);
	irq = equal(&e, &m, s->irq.cell, s->irq.count);
	to = dt_by_phandle(t, phandle);
	if (to == DT_NONE)
		return -EINVAL;		/* nobody knows how long it is */
	pac = parent_address_cells(t, to);
	pic = interrupt_cells(t, to);
	if (pac > ADDRESS_CELLS_MAX || !pic)
		return -EINVAL;
	e = *c;
	if (!skip(c, pac + pic))
		return -EINVAL;
	if (!address || !irq)
		return 0;
	s->irq.controller = to;
	s->irq.count = pic;
	s->nr_address = pac;
	for (u32 i = 0; i < pac; i++)
		take32(&e, &s->address[i]);
	for (u32 i = 0; i < pic; i++)
		take32(&e, &s->irq.cell[i]);
	return 1;
}

/* Through the map of the nexus where S is. 0, -ENOENT: it has no entry for S, -EINVAL. */
static int through_map(const struct dt *t, struct step *s)
{
	u32 nexus = s->irq.controller, ac = nexus_address_cells(t, nexus);
	struct cells c = cells_of(t, nexus, "interrupt-map"), mask = cells_of(t, nexus, "interrupt-map-mask");

	if (ac > ADDRESS_CELLS_MAX || ac > s->nr_address || s->irq.count != interrupt_cells(t, nexus) ||
	    (mask.p && mask.left != 4 * (ac + s->irq.count)))
		return -EINVAL;
	while (c.left) {
		int r = map_entry(t, &c, mask, ac, s);

		if (r)
			return r < 0 ? r : 0;
	}
	return -ENOENT;
}

static int resolve(const struct dt *t, struct step *s, struct dt_irq *out)
{
	for (unsigned int hop = 0; hop < DT_DEPTH_MAX; hop++) {
		u32 at = s->irq.controller, len;
		bool ends = dt_prop(t, at, "interrupt-controller", &len);
		int err;

		if (dt_prop(t, at, "interrupt-map", &len)) {
			err = through_map(t, s);
			if (!err)
				continue;
			if (err != -ENOENT || !ends)
				return -EINVAL;
		}
		if (ends) {
			*out = s->irq;
			return 0;
		}
		/* Neither controller nor map: its parent takes the specifier as it is. */
		s->irq.controller = dt_irq_parent(t, at);
		if (s->irq.controller == DT_NONE || interrupt_cells(t, s->irq.controller) != s->irq.count)
			return -EINVAL;
	}
	return -EINVAL;
}

/* The first address in NODE's reg, raw: what a nexus above it matches. */
static void unit_address(const struct dt *t, u32 node, struct step *s)
{
	struct cells c = cells_of(t, node, "reg");
	u32 n = t->nodes[node].parent != DT_NONE ? t->nodes[t->nodes[node].parent].address_cells : 0;

	for (s->nr_address = 0; s->nr_address < n && n <= ADDRESS_CELLS_MAX; s->nr_address++)
		if (!take32(&c, &s->address[s->nr_address]))
			return;
}

static bool take_specifier(struct cells *c, u32 n, struct dt_irq *irq)
{
	irq->count = n;
	for (u32 i = 0; i < n; i++)
		if (!take32(c, &irq->cell[i]))
			return false;
	return n;
}

/* interrupts-extended: each specifier behind the phandle of its controller. */
static int extended(const struct dt *t, struct cells c, unsigned int i, struct dt_irq *irq)
{
	for (u32 phandle; c.left; i--) {
		if (!take32(&c, &phandle))
			return -EINVAL;
		irq->controller = dt_by_phandle(t, phandle);
		if (irq->controller == DT_NONE || !take_specifier(&c, interrupt_cells(t, irq->controller), irq))
			return -EINVAL;
		if (!i)
			return 0;
	}
	return -ENOENT;
}

int dt_irq(const struct dt *t, u32 node, unsigned int i, struct dt_irq *out)
{
	struct cells c = cells_of(t, node, "interrupts-extended");
	struct step s = { 0 };
	int err;
	u32 n;

	if (c.p) {
		err = extended(t, c, i, &s.irq);
		if (err)
			return err;
	} else {
		c = cells_of(t, node, "interrupts");
		if (!c.p)
			return -ENOENT;
		s.irq.controller = dt_irq_parent(t, node);
		n = interrupt_cells(t, s.irq.controller);
		if (!n || c.left % (4 * n))
			return -EINVAL;
		if (!skip(&c, (u64)n * i) || !c.left)
			return -ENOENT;
		take_specifier(&c, n, &s.irq);
	}
	unit_address(t, node, &s);
	return resolve(t, &s, out);
}

unsigned int dt_irq_count(const struct dt *t, u32 node)
{
	struct cells c = cells_of(t, node, "interrupts-extended");
	unsigned int count = 0;
	struct dt_irq irq;
	u32 n;

	if (!c.p) {
		c = cells_of(t, node, "interrupts");
		n = interrupt_cells(t, dt_irq_parent(t, node));
		return c.p && n ? c.left / (4 * n) : 0;
	}
	for (u32 phandle; take32(&c, &phandle); count++)
		if (!take_specifier(&c, interrupt_cells(t, dt_by_phandle(t, phandle)), &irq))
			break;
	return count;
}

int dt_pci_irq(const struct dt *t, u32 host, u8 bus, u8 devfn, u8 pin, struct dt_irq *out)
{
	struct step s = { .irq = { .controller = host, .count = 1, .cell = { pin } }, .nr_address = 3 };
	u32 len;

	if (pin < 1 || pin > 4)
		return -EINVAL;
	if (!dt_prop(t, host, "interrupt-map", &len))
		return -ENOENT;
	s.address[0] = (u32)bus << 16 | (u32)devfn << 8;
	return resolve(t, &s, out);
}
