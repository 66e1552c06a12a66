/* SPDX-License-Identifier: MIT */
/* What arch/shared/boot_efi.h asks. */
#pragma once

#include <arch_cpu/page.h>

#define EFI_CALL __attribute__((ms_abi))
#define EFI_IMAGE_OFFSET ((u64)KERNEL_LOAD_PA)
#define EFI_ROOM_FROM (16ULL << 20)	/* below it are old devices' memory and holes of the firmware's */
#define EFI_ROOM_END (1ULL << 30)	/* what the early page tables map */
#define EFI_ROOM_MORE (5 * EFI_PAGE)	/* page tables */
