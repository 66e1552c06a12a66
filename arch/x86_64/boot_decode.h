/* SPDX-License-Identifier: MIT */
/* What boot loaders say, by either protocol, as struct boot_info. Pure: memory is read through PTR, which gives NULL where there is none. */
#pragma once

#include <boot/info.h>

typedef const void *(*x86_early_ptr)(u64 pa, size_t len);

/* LIMIT: the end of what PTR can read. Nothing of BI is changed where the structure at PA is none. */
void x86_decode_pvh(struct boot_info *bi, phys_addr_t pa, x86_early_ptr ptr, u64 limit);
void x86_decode_boot_params(struct boot_info *bi, phys_addr_t pa, x86_early_ptr ptr, u64 limit);
