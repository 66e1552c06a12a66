/* SPDX-License-Identifier: MIT */
/* Making programs, and others of them. All randomness comes from `rng_seed`: the same seed makes the same programs. */
#pragma once

#include "prog.h"

void rng_seed(uint64_t seed);
uint64_t rng(void);
uint64_t rng_below(uint64_t n);

/* A number that the kernel compared something with: worth trying. */
void mutate_hint(uint64_t n);
/*
 * What somebody wants programs to be aimed at: of each resource and set of strings that is named here (or of whose kind it is), half of the
 * values come from it. NULL ends AIMS.
 */
struct aim {
	const char *kind;
	const char *const *text;	/* of strings */
	const uint64_t *number;		/* of resources */
	uint32_t n;
};
void mutate_aim(const struct aim *aims);
/* A program of about N calls. */
void prog_generate(struct prog *p, unsigned int n);
void prog_mutate(struct prog *p);
/* The beginning of one, the end of another. */
void prog_cross(struct prog *to, const struct prog *a, const struct prog *b);
/* Every other call that is chosen has WORD in its name; NULL: as the weights say. */
void mutate_prefer(const char *word);
