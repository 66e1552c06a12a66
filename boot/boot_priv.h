/* SPDX-License-Identifier: MIT */
#pragma once

/* Makes the thread that becomes process 1. */
void boot_start_init_thread(void);
/* Gives the image's init sections and what only boot needed back to the page allocator. */
void boot_free_init_memory(void);
