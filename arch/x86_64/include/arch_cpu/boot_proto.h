/* SPDX-License-Identifier: MIT */
/* How we were entered. */
#pragma once

#define BOOT_PROTO_LINUX32 1
#define BOOT_PROTO_LINUX64 2
#define BOOT_PROTO_PVH 3
#define BOOT_PROTO_EFI 4
