/* SPDX-License-Identifier: MIT */
/*
 * Fuzz targets of CPUs' relocations: any type at any place to any value. What is not done changes
 * nothing; nothing is written outside of the section's rest and the veneer. An input is a type, a
 * room, the bytes there, PC, value and where the veneer lies (or a first half's
 * distance). For the file of a CPU, which defines VENEER, its bytes.
 */
#pragma once

#include <assert.h>
#include <arch/module_reloc.h>
#include "lib/test/fuzz.h"

struct reloc_input {
	u16 type;
	u8 room, has_veneer;
	u8 bytes[12];
	u64 pc, value, veneer_pc;
};

static void fuzz_one(const u8 *p, size_t n)
{
	struct reloc_input in = { 0 };
	u8 before[12], *at, *veneer;
	size_t room;
	enum module_reloc done;

	memcpy(&in, p, n < sizeof(in) ? n : sizeof(in));
	room = in.room % (sizeof(in.bytes) + 1);
	at = malloc(room ?: 1);
	veneer = calloc(1, VENEER ?: 1);
	memcpy(at, in.bytes, room);
	memcpy(before, in.bytes, sizeof(before));
	done = arch_module_relocate(&(struct module_fix){
		.at = at,
		.pc = in.pc,
		.room = room,
		.value = in.value,
		.type = in.type,
		.veneer = VENEER && in.has_veneer & 1 ? veneer : NULL,
		.veneer_pc = in.veneer_pc,
		.first = in.veneer_pc,
		.has_first = in.has_veneer & 2,
	});
	if (done != MODULE_RELOC_DONE)
		assert(!memcmp(at, before, room));
	for (size_t i = 0; done != MODULE_RELOC_DONE && i < VENEER; i++)
		assert(!veneer[i]);
	free(at);
	free(veneer);
}
