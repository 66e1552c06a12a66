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

enum kind { WIDE, NARROW, RELATIVE };

/* COUNT distances at P in base 128, from the start of the image on: each place of KIND changed. Where the list goes on. */
static const u8 *__init relocate(const u8 *p, u32 count, enum kind kind, u64 slide)
{
	char *at = _text;

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
		if (kind == WIDE)
			*(u64 *)at += slide;
		else
			*(u32 *)at += kind == NARROW ? (u32)slide : -(u32)slide;
	}
	return p;
}

void __init kaslr_relocate(u64 slide)
{
	const u8 *p = __start_relocs;	/* not a page: three counts first */
	u32 n[3];

	memcpy(n, p, sizeof(n));
	p = relocate(p + sizeof(n), n[0], WIDE, slide);
	p = relocate(p, n[1], NARROW, slide);
	relocate(p, n[2], RELATIVE, slide);
}
