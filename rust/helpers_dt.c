// SPDX-License-Identifier: MIT
/* Devices that the machine's tables name: see <rust/helpers_dt.h>. */
#include <abi/errno.h>
#include <arch/firmware.h>
#include <arch/irq.h>
#include <dev/acpi.h>
#include <lib/dt.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <rust/helpers_dt.h>

/* ACPI's names of what a tree would call so. */
static const struct {
	const char *hid, *like;
} names[] = {
	{ ACPI_VIRTIO_MMIO, "virtio,mmio" },
	{ ACPI_PL011, "arm,pl011" },
};

static const char *compatible_of(const struct dt *t, u32 node, u32 *len)
{
	return dt_prop(t, node, "compatible", len);
}

static bool has_range(const struct dt *t, u32 node)
{
	u64 base, len;

	return dt_reg(t, node, 0, &base, &len);
}

bool rust_fw_acpi(u32 i, struct rust_fw *out)
{
	struct acpi_device d;

	if (arch_dt())
		return false;
	for (u32 k = 0, nth = 0; k < ARRAY_SIZE(names);) {
		bool there = !acpi_get_device(names[k].hid, nth, &d);

		if (there && !i--) {
			*out = (struct rust_fw){ .node = RUST_NO_NODE, .hid = k, .nth = nth };
			return true;
		}
		k += !there;
		nth = there ? nth + 1 : 0;
	}
	return false;
}

bool rust_fw_compatible(const char *compatible, u32 *next, struct rust_fw *out)
{
	const struct dt *t = arch_dt();
	struct acpi_device d;
	u32 n;

	for (u32 k = 0; !t && k < ARRAY_SIZE(names); k++) {
		if (strcmp(names[k].like, compatible) || acpi_get_device(names[k].hid, *next, &d))
			continue;
		*out = (struct rust_fw){ .node = RUST_NO_NODE, .hid = k, .nth = (*next)++ };
		return true;
	}
	while (t && (n = dt_compatible(t, compatible, (*next)++)) != DT_NONE) {
		if (!dt_enabled(t, n) || !has_range(t, n))
			continue;
		*out = (struct rust_fw){ .node = n };
		return true;
	}
	return false;
}

bool rust_fw_child(u32 parent, u32 *prev, struct rust_fw *out)
{
	const struct dt *t = arch_dt();
	u32 len;

	while (t && (*prev = dt_next_child(t, parent, *prev)) != DT_NONE) {
		if (!dt_enabled(t, *prev) || !compatible_of(t, *prev, &len))
			continue;
		*out = (struct rust_fw){ .node = *prev };
		return true;
	}
	return false;
}

const char *rust_fw_hid(const struct rust_fw *d)
{
	return d->node == RUST_NO_NODE && d->hid < ARRAY_SIZE(names) ? names[d->hid].hid : NULL;
}

const char *rust_fw_like(const struct rust_fw *d)
{
	return d->node == RUST_NO_NODE && d->hid < ARRAY_SIZE(names) ? names[d->hid].like : NULL;
}

static bool acpi_of(const struct rust_fw *d, struct acpi_device *out)
{
	const char *hid = rust_fw_hid(d);

	return hid && !acpi_get_device(hid, d->nth, out);
}

bool rust_fw_range(const struct rust_fw *d, u32 i, u64 *base, u64 *len)
{
	struct acpi_device a;

	if (d->node != RUST_NO_NODE)
		return dt_reg(arch_dt(), d->node, i, base, len);
	if (i || !acpi_of(d, &a))
		return false;
	*base = a.base;
	*len = a.size;
	return true;
}

int rust_fw_irq(const struct rust_fw *d, u32 i)
{
	struct acpi_device a;
	struct dt_irq irq;
	int err;

	if (d->node != RUST_NO_NODE) {
		err = dt_irq(arch_dt(), d->node, i, &irq);
		return err ? err : arch_dt_irq(&irq);
	}
	if (i || !acpi_of(d, &a))
		return -ENXIO;
	return arch_irq_map_gsi(a.gsi,
				(a.level ? IRQ_LEVEL : 0) | (a.active_low ? IRQ_ACTIVE_LOW : 0));
}

const u8 *rust_fw_name(u32 node, u32 *len)
{
	const struct dt *t = arch_dt();
	const char *name = t && node < t->nr_nodes ? fdt_name(&t->fdt, (int)t->nodes[node].at) : "";

	*len = (u32)strlen(name);
	return (const u8 *)name;
}

u32 rust_fw_parent(u32 node)
{
	const struct dt *t = arch_dt();

	return t && node < t->nr_nodes ? t->nodes[node].parent : RUST_NO_NODE;
}

const u8 *rust_fw_property(u32 node, const char *name, u32 *len)
{
	return node == RUST_NO_NODE ? NULL : dt_prop(arch_dt(), node, name, len);
}

bool rust_fw_number(u32 node, const char *name, u64 *out)
{
	return node != RUST_NO_NODE && dt_number(arch_dt(), node, name, out);
}
