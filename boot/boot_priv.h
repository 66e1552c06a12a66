/* SPDX-License-Identifier: MIT */
#pragma once

/* Makes the thread that becomes process 1. */
void boot_start_init_thread(void);
/* Fills the root file system from the loader's archive, or with the little that init cannot do without. */
void boot_unpack_initramfs(void);
/* Mounts what root= names and makes it the root directory of the calling task; nothing without root=. Panics where it cannot, after it said what there is. */
void boot_mount_root(void);
