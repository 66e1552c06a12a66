/* SPDX-License-Identifier: MIT */
/* What calls take, as tools/mkfuzzdesc.py makes it from abi/syscalls.tbl and fuzz/values.txt (build/gen/fuzz/desc.c). */
#pragma once

#include <stdint.h>

enum type_kind {
	TYPE_INT,		/* a number; of a set of constants where `set` says so */
	TYPE_FLAGS,		/* some of a set's constants, or-ed */
	TYPE_LEN,		/* the length, or the number of elements, of argument or field `of` */
	TYPE_RES,		/* what another call gave */
	TYPE_STR,	/* in memory: behind a pointer */
	TYPE_DATA,		/* bytes; `max` at most */
	TYPE_OUT,		/* bytes that the kernel fills; `max` of them */
	TYPE_STRUCT,		/* fields */
	TYPE_ARRAY,		/* elements of `elem`, up to `max` */
	TYPE_PTR,		/* to `elem` */
	TYPE_AREA,		/* an address in the area that mmap and its kin play with */
	TYPE_HANDLER,
	TYPE_PAD,		/* zeroes */
	TYPE_UNION,		/* one of `fields` */
};

struct set {
	const char *name;
	const uint64_t *value;
	uint32_t n;
};

struct type {
	const char *name;
	uint8_t kind, size;		/* of a number, in memory */
	uint8_t of;
	uint8_t res;
	uint32_t max, nfields;
	const struct set *set;
	const struct type *elem;
	const struct type *const *field;
};

/* uring_run (uring.h). */
#define CALL_URING_RUN 0xffff

struct call_desc {
	const char *name;
	uint16_t nr;			/* CALL_URING_RUN: none of the kernel's */
	uint8_t nargs;
	uint8_t weight;			/* how often to choose it; 0: never by itself */
	uint8_t gives;			/* the resource that it returns, 0: none */
	uint8_t nout;			/* resources in its first memory */
	struct { uint8_t res; uint32_t off; } out[4];
	const struct type *arg[6];
	const char *group;
};

extern const struct call_desc call_descs[];	/* by name */
extern const uint32_t ncall_descs;
extern const char *const res_names[];		/* [0] is none */
extern const uint32_t nres;
extern const uint8_t res_parent[];		/* a more general kind that it is one of */
/* Special values of a resource, beside those that calls give. */
extern const struct set *const res_special[];

const struct call_desc *desc_find(const char *name, uint32_t len);
