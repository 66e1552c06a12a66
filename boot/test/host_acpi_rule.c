// SPDX-License-Identifier: MIT
/* sources: boot/memmap.c lib/numbers.c lib/string.c */
/* A machine whose firmware gives ACPI's tables, a device tree, both or none: one rule says which is used. */
#include <assert.h>
#include <boot/memmap.h>

int main(void)
{
	assert(!boot_use_acpi("", true, true));			/* they may disagree: the tree */
	assert(boot_use_acpi("", true, false));
	assert(!boot_use_acpi("", false, true) && !boot_use_acpi("", false, false));
	assert(boot_use_acpi("quiet acpi=force", true, true) && boot_use_acpi("acpi=on x", true, true));
	assert(!boot_use_acpi("acpi=force", false, true));	/* there are none to force */
	assert(!boot_use_acpi("acpi=off", true, false) && !boot_use_acpi("acpi=force acpi=off", true, true));
	assert(boot_use_acpi("acpi=off acpi=force", true, true));
	assert(!boot_use_acpi("noacpi=force acpi=forced acpi=o acpi=", true, true));
	return 0;
}
