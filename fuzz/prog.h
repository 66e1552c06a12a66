/* SPDX-License-Identifier: MIT */
/*
 * A fuzz program: system calls with their memory, as a tree and as text. The text says everything that running it needs, so a corpus
 * outlives changes of the descriptions; they are for making and mutating programs only.
 *
 *	@user				who runs it: user, or root of its user namespace
 *	r0 = openat(-100, &("f0\00"), 0x42, 0x1b6)
 *	t1 read(r0, &(_64), 64)		by thread 1
 *	~ r1 = pipe2(&(_8), 0) fail=3	nobody waits for it; the third allocation in it fails
 *	close(r1.4)			the int at offset 4 of the first memory that call r1 was given
 *
 * A value is a number, a reference, `$handler` (a signal handler), or memory, `&( pieces )`: numbers of `:1`, `:2`, `:4` or (without)
 * 8 bytes, "bytes", _N bytes to be filled by the kernel, byte*N, and pointers to more memory.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum val_kind { VAL_INT, VAL_REF, VAL_REFMEM, VAL_HANDLER, VAL_PTR, VAL_BYTES, VAL_FILL, VAL_OUT };

struct val {
	enum val_kind kind;
	uint8_t size;			/* in memory: 1, 2, 4, 8 */
	uint8_t fill;			/* VAL_FILL */
	uint32_t call, off;		/* VAL_REF*: which call's result; offset in its first memory */
	uint64_t num;			/* VAL_INT; length of VAL_FILL and VAL_OUT */
	uint8_t *bytes;			/* VAL_BYTES */
	uint32_t len;			/* of bytes, or of the pieces behind a VAL_PTR */
	struct val *piece;		/* VAL_PTR */
};

struct call_desc;
struct call {
	const struct call_desc *desc;
	struct val arg[6];
	uint8_t nargs, thread;
	bool nowait;
	uint16_t fail;
};

struct prog {
	struct call *call;
	uint32_t n, room;
	bool root;
};

#define PROG_THREADS	4
#define PROG_CALLS	64		/* longer ones are refused: what they find is found by shorter ones */
#define PROG_BYTES	65536		/* of text */
#define PROG_MEMORY	(1 << 20)	/* of all that pointers reach */

/* Text to tree. False with a message in ERR (of 120 bytes) where it is none; PROG is empty then. */
bool prog_parse(struct prog *p, const char *text, size_t len, char *err);
/* Tree to text, without a NUL. The length it has, or 0 where it does not fit into ROOM. */
size_t prog_print(const struct prog *p, char *text, size_t room);
/* Tree to a C program that anyone can compile. */
void prog_to_c(const struct prog *p, FILE *to, const char *title, unsigned int times);
void prog_free(struct prog *p);
void prog_copy(struct prog *to, const struct prog *from);
/* Room for one more call at AT; references behind it move along. */
struct call *prog_insert(struct prog *p, uint32_t at);
/* Takes calls out; references to them become -1. */
void prog_remove(struct prog *p, uint32_t at, uint32_t n);
/* FROM's calls at the end of TO. */
void prog_append(struct prog *to, const struct prog *from);
/* Makes what is out of bounds (references forward, memory without end) right; true if anything was wrong. */
bool prog_fix(struct prog *p);
/* How many bytes a piece takes in memory; the sum over what a pointer points to. */
size_t val_size(const struct val *v);
size_t val_memory(const struct val *ptr);
void val_free(struct val *v);
void val_copy(struct val *to, const struct val *from);
struct val val_int(uint64_t n, uint8_t size);
void *must_alloc(size_t n);
/* Every value below V, V itself first. */
void val_each(struct val *v, void (*fn)(struct val *v, void *arg), void *arg);
