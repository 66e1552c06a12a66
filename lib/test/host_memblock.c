// SPDX-License-Identifier: MIT
/* sources: lib/memblock.c */
/* The boot memory map against a plain bitmap of what is RAM and what is taken. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <lib/memblock.h>

#define UNITS 512
static bool ram[UNITS], taken[UNITS];

static void check(void)
{
	phys_addr_t s, e;
	bool is_free[UNITS] = { false };

	memblock_for_each_free(s, e)
		for (phys_addr_t i = s; i < e; i++)
			is_free[i] = true;
	for (int i = 0; i < UNITS; i++) {
		assert(is_free[i] == (ram[i] && !taken[i]));
		assert(memblock_is_memory(i) == ram[i]);
		assert(memblock_is_reserved(i, 1) == taken[i]);
	}
}

static void random_round(void)
{
	memblock.memory.nr = memblock.reserved.nr = 0;
	memblock.limit = ~0ULL;
	memset(ram, 0, sizeof(ram));
	memset(taken, 0, sizeof(taken));
	for (int step = 0; step < 60; step++) {
		int at = rand() % UNITS, n = rand() % 40, op = rand() % 6;

		if (at + n > UNITS)
			n = UNITS - at;
		switch (op) {
		case 0:
		case 1:
			assert(!memblock_add(at, n));
			memset(ram + at, 1, n);
			break;
		case 2:
			assert(!memblock_remove(at, n));
			memset(ram + at, 0, n);
			break;
		case 3:
			assert(!memblock_reserve(at, n));
			memset(taken + at, 1, n);
			break;
		case 4:
			assert(!memblock_free(at, n));
			memset(taken + at, 0, n);
			break;
		case 5: {
			u64 align = 1ULL << rand() % 5;
			phys_addr_t p = memblock_alloc_phys(n, align);

			if (!p)
				break;
			assert(!(p & (align - 1)));
			for (int i = 0; i < n; i++) {
				assert(ram[p + i] && !taken[p + i]);
				taken[p + i] = true;
			}
		}
		}
		check();
	}
}

int main(void)
{
	srand(7);
	for (int i = 0; i < 3000; i++)
		random_round();
	memblock.memory.nr = memblock.reserved.nr = 0;
	memblock_add(0x1000, 0x1000);
	memblock_add(0x10000, 0x10000);
	memblock_cap_memory(0x3000);
	assert(memblock_total() == 0x3000 && memblock_end() == 0x12000);
	assert(!memblock_alloc_phys(0x4000, 1) && !memblock_alloc_phys(0, 1));
	assert(memblock_add(~0ULL - 10, 100) == 0 && memblock_end() == ~0ULL);
	puts("ok");
	return 0;
}
