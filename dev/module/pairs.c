// SPDX-License-Identifier: MIT
/*
 * Pairs of relocations. Some CPUs make an address in two instructions of which the second adds the
 * low bits of how far the first one's symbol is: it names the first one, not the symbol. The first
 * halves of a section are collected before it is relocated, by address, so that the second ones
 * find them wherever they stand.
 */
#include <arch/module.h>

#ifdef ARCH_MODULE_PAIRS
#include <abi/errno.h>
#include <alloc/slab.h>
#include "dev/module/module_priv.h"

int module_find_first_halves(const struct ko *k, u32 section, u64 base, const u64 *value,
			     struct module_halves *out)
{
	struct ko_rela r;
	u32 n = 0;

	*out = (struct module_halves){ 0 };
	for (u32 i = 0; i < ko_nr_relas(k, section); i++) {
		ko_rela(k, section, i, &r);
		n += arch_module_is_first_half(r.type);
	}
	if (!n)
		return 0;
	out->half = kvmalloc(n * sizeof(out->half[0]), GFP_KERNEL);
	if (!out->half)
		return -ENOMEM;
	for (u32 i = 0; i < ko_nr_relas(k, section); i++) {
		struct ko_half *h = &out->half[out->nr];

		ko_rela(k, section, i, &r);
		if (!arch_module_is_first_half(r.type))
			continue;
		h->pc = base + r.offset;
		h->distance = value[r.symbol] + (u64)r.addend - h->pc;
		out->nr++;
	}
	ko_sort_halves(out->half, out->nr);
	return 0;
}

void module_join_halves(const struct module_halves *in, struct module_fix *f)
{
	const struct ko_half *h = arch_module_is_second_half(f->type) ?
					  ko_find_half(in->half, in->nr, f->value) :
					  NULL;

	if (!h)
		return;
	f->first = h->distance;
	f->has_first = true;
}
#endif
