// SPDX-License-Identifier: MIT
/* What KASLR is made of; see kaslr.h. All of it runs before anything was set up. */
#include <kernel/init.h>
#include <lib/fdt.h>
#include <lib/string.h>
#include "arch/shared/kaslr.h"

extern const u8 __start_relocs[];
extern char _text[];
unsigned long kernel_image_slide __ro_after_init;

static u64 __init mix(u64 x)
{
	x ^= x >> 32;
	x *= 0xd6e8feb86659fd93ULL;
	x ^= x >> 32;
	x *= 0xd6e8feb86659fd93ULL;
	return x ^ x >> 32;
}

void __init kaslr_mix(u64 *v, const void *p, size_t len)
{
	u64 word;

	for (size_t k = 0; k + 8 <= len; k += 8) {
		memcpy(&word, (const u8 *)p + k, 8);
		*v = mix(*v ^ word);
	}
}

bool __init kaslr_tree(const void *blob, size_t room, bool args, u64 *v)
{
	static const char *const names[] = { "kaslr-seed", "rng-seed" };
	const char *said;
	struct fdt f;
	int chosen;

	if (!blob || fdt_open(&f, blob, room))
		return true;
	chosen = fdt_find_path(&f, "/chosen");
	said = fdt_string(&f, chosen, "bootargs");
	if (args && said && strstr(said, "nokaslr"))
		return false;
	for (unsigned int i = 0; i < ARRAY_SIZE(names); i++) {
		u32 len;
		const void *seed = fdt_prop(&f, chosen, names[i], &len);

		if (seed)
			kaslr_mix(v, seed, len);
	}
	return true;
}

/* Three counts, of which the first is of places of 8 bytes; the other kinds do not occur on these CPUs. Distances in base 128. */
void __init kaslr_relocate(u64 slide)
{
	const u8 *p = __start_relocs + 12;	/* not a page: three counts */
	char *at = _text;
	u32 count;

	memcpy(&count, __start_relocs, sizeof(count));
	while (count--) {
		u32 d = *p++;

		if (d & 128) {		/* few */
			d &= 127;
			for (u32 shift = 7; ; shift += 7) {
				d |= (u32)(*p & 127) << shift;
				if (!(*p++ & 128))
					break;
			}
		}
		at += d;
		*(u64 *)at += slide;
	}
}
