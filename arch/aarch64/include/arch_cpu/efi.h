/* SPDX-License-Identifier: MIT */
/* What arch/shared/boot_efi.h asks. */
#pragma once

#define EFI_CALL
#define EFI_IMAGE_OFFSET 0ULL
#define EFI_ROOM_FROM 0ULL
#define EFI_ROOM_END (~0ULL)
#define EFI_ROOM_MORE 0ULL
