/* SPDX-License-Identifier: MIT */
#pragma once

/* Makes the thread that becomes process 1. */
void boot_start_init_thread(void);
/* Fills the root file system from the loader's archive, or with the little that init cannot do without. */
void boot_unpack_initramfs(void);
