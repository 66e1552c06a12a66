// SPDX-License-Identifier: MIT
/* ACPI's tables for drivers. The root table is opened once, early; after that nothing changes and no lock is needed. */
#include <dev/acpi.h>
#include <abi/errno.h>
#include <arch/firmware.h>
#include <kernel/init.h>
#include <kernel/printk.h>

static struct acpi_tables tables __ro_after_init;

bool acpi_present(void)
{
	return tables.root;
}

const u8 *acpi_get_table(const char *sig, unsigned int nth, u32 *len)
{
	return tables.root ? acpi_find(&tables, sig, nth, len) : NULL;
}

int acpi_get_mcfg(unsigned int i, struct acpi_mcfg_entry *out)
{
	u32 len;
	const u8 *t = acpi_get_table("MCFG", 0, &len);

	return t ? acpi_mcfg_entry(t, len, i, out) : -ENOENT;
}

static const u8 *get_dsdt(u32 *len)
{
	const u8 *t = acpi_get_table("FACP", 0, len);
	struct acpi_fadt f;

	if (!t || acpi_decode_fadt(t, *len, &f))
		return NULL;
	return acpi_table_at(&tables, f.dsdt, "DSDT", len);
}

int acpi_get_device(const char *hid, unsigned int i, struct acpi_device *out)
{
	u32 len, off;
	const u8 *t = get_dsdt(&len);

	for (unsigned int ssdt = 0; t; t = acpi_get_table("SSDT", ssdt++, &len)) {
		off = 0;
		while (acpi_next_device(t, len, &off, hid, out))
			if (!i--)
				return 0;
	}
	return -ENOENT;
}

static int acpi_init(void)
{
	phys_addr_t rsdp = arch_acpi_rsdp();

	if (!rsdp)
		return 0;
	if (acpi_open(&tables, arch_map_firmware, rsdp)) {
		tables.root = NULL;
		pr_warn("acpi: the tables at %#llx are damaged and not used\n", rsdp);
	}
	return 0;
}
INITCALL(early, acpi_init);
