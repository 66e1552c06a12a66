/* SPDX-License-Identifier: MIT */
/* ACPI's tables for drivers: found once, checked, valid for ever. Decoding is <lib/acpi.h>'s. */
#pragma once

#include <lib/acpi.h>

/* The NTH table with that signature, or NULL. */
const u8 *acpi_get_table(const char *sig, unsigned int nth, u32 *len);
/* The I-th window of PCI configuration space (MCFG). 0, -ENOENT, -EINVAL. */
int acpi_get_mcfg(unsigned int i, struct acpi_mcfg_entry *out);
/* The I-th device with that hardware ID that the DSDT or an SSDT names. 0 or -ENOENT. */
int acpi_get_device(const char *hid, unsigned int i, struct acpi_device *out);
bool acpi_present(void);
