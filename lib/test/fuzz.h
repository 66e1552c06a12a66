/* SPDX-License-Identifier: MIT */
/*
 * A fuzz target: one function that hands bytes to a decoder, and seeds that are good input. A host test runs the seeds and
 * then mutations of them, the same ones each time; `make fuzz-NAME` builds the same file for clang's fuzzer.
 *
 *	OCHRE_FUZZ_ROUNDS=N	so many mutations (200,000 or what FUZZ_ROUNDS was defined as)
 *	OCHRE_FUZZ_SEED=N	other ones
 *	OCHRE_FUZZ_INPUTS=DIR	the files there too: the committed corpus
 *	NAME FILE...		those inputs and nothing else: what the fuzzer has found
 *	NAME --seeds DIR	writes the seeds as files, for the fuzzer to begin with
 */
#pragma once

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <lib/types.h>

/* Decodes N bytes at P, a block of exactly that size, and asserts what must hold of any answer. */
static void fuzz_one(const u8 *p, size_t n);
/* The I-th seed into BUF (FUZZ_MAX bytes); its length, 0: there are no more. */
static size_t fuzz_seed(unsigned int i, u8 *buf);

#ifndef FUZZ_MAX
#define FUZZ_MAX 65536
#endif
#ifndef FUZZ_ROUNDS
#define FUZZ_ROUNDS 200000
#endif
#define FUZZ_SEEDS 16

#ifdef OCHRE_LIBFUZZER
int LLVMFuzzerTestOneInput(const u8 *p, size_t n);
int LLVMFuzzerTestOneInput(const u8 *p, size_t n)
{
	fuzz_one(p, n);
	return 0;
}
#else
static u64 fuzz_state;

static u64 fuzz_random(u64 below)
{
	fuzz_state ^= fuzz_state << 13;
	fuzz_state ^= fuzz_state >> 7;
	fuzz_state ^= fuzz_state << 17;
	return below ? (fuzz_state >> 11) % below : 0;
}

static const u64 fuzz_numbers[] = {
	0, 1, 2, 7, 8, 15, 16, 31, 32, 63, 64, 127, 128, 255, 256, 511, 512, 1023, 1024, 4095, 4096, 32767, 32768, 65535, 65536,
	0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff, 0x100000000, 0x7fffffffffffffff, 0x8000000000000000, 0xfffffffffffff000, ~0ULL,
};

/* One change in the N bytes at P, which has room for FUZZ_MAX; the new length. */
static size_t fuzz_mutate(u8 *p, size_t n)
{
	size_t at = fuzz_random(n + 1), len = fuzz_random(fuzz_random(2) ? 8 : 256) + 1, width = 1u << fuzz_random(4);
	u64 v;

	switch (fuzz_random(9)) {
	case 0:		/* a bit */
		if (at < n)
			p[at] ^= (u8)(1u << fuzz_random(8));
		return n;
	case 1:		/* a byte */
		if (at < n)
			p[at] = (u8)fuzz_random(256);
		return n;
	case 2:		/* a number, of either byte order */
	case 3:
		v = fuzz_numbers[fuzz_random(sizeof(fuzz_numbers) / sizeof(*fuzz_numbers))];
		at &= ~(width - 1);
		if (at + width > n)
			return n;
		if (fuzz_random(4) == 0)
			v = __builtin_bswap64(v) >> (64 - 8 * width);
		memcpy(p + at, &v, width);
		return n;
	case 4:		/* a number a little different */
		at &= ~(width - 1);
		if (at + width > n)
			return n;
		v = 0;
		memcpy(&v, p + at, width);
		v += fuzz_random(17) - 8;
		memcpy(p + at, &v, width);
		return n;
	case 5:		/* cut out */
		if (at >= n)
			return n;
		len = len > n - at ? n - at : len;
		memmove(p + at, p + at + len, n - at - len);
		return n - len;
	case 6:		/* something twice */
		if (at >= n || n + len > FUZZ_MAX)
			return n;
		len = len > n - at ? n - at : len;
		memmove(p + at + len, p + at, n - at);
		return n + len;
	case 7: {	/* one piece over another */
		size_t to = fuzz_random(n);

		if (at >= n)
			return n;
		len = len > n - at ? n - at : len;
		len = len > n - to ? n - to : len;
		memmove(p + to, p + at, len);
		return n;
	}
	}
	return fuzz_random(4) ? n : at;		/* cut off */
}

/* In a block of its exact size, so that ASan sees every read outside. */
static void fuzz_exact(const u8 *p, size_t n)
{
	u8 *copy = malloc(n ? n : 1);

	if (n)
		memcpy(copy, p, n);
	fuzz_one(copy, n);
	free(copy);
}

static int fuzz_file(const char *name, u8 *buf)
{
	FILE *f = fopen(name, "rb");
	size_t n;

	if (!f) {
		perror(name);
		return 1;
	}
	n = fread(buf, 1, FUZZ_MAX, f);
	fclose(f);
	fuzz_exact(buf, n);
	return 0;
}

static int fuzz_folder(const char *dir, u8 *buf)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	char path[1024];
	int count = 0;

	if (!d) {
		perror(dir);
		return -1;
	}
	while ((e = readdir(d))) {
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		if (e->d_name[0] != '.' && fuzz_file(path, buf))
			return -1;
		count += e->d_name[0] != '.';
	}
	closedir(d);
	return count;
}

static int fuzz_write_seeds(const char *dir, u8 *buf)
{
	char path[512];
	size_t n;

	for (unsigned int i = 0; i < FUZZ_SEEDS && (n = fuzz_seed(i, buf)); i++) {
		FILE *f;

		snprintf(path, sizeof(path), "%s/seed-%u", dir, i);
		f = fopen(path, "wb");
		if (!f || fwrite(buf, 1, n, f) != n || fclose(f)) {
			perror(path);
			return 1;
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	static u8 seed[FUZZ_SEEDS][FUZZ_MAX], buf[FUZZ_MAX];
	const char *rounds = getenv("OCHRE_FUZZ_ROUNDS"), *first = getenv("OCHRE_FUZZ_SEED"), *inputs = getenv("OCHRE_FUZZ_INPUTS");
	unsigned long count = rounds ? strtoul(rounds, NULL, 0) : FUZZ_ROUNDS;
	size_t len[FUZZ_SEEDS];
	unsigned int seeds = 0;
	int more = 0;

	if (argc == 3 && !strcmp(argv[1], "--seeds"))
		return fuzz_write_seeds(argv[2], buf);
	for (int i = 1; i < argc; i++)
		if (fuzz_file(argv[i], buf))
			return 1;
	if (argc > 1)
		return 0;
	if (inputs && (more = fuzz_folder(inputs, buf)) < 0)
		return 1;
	while (seeds < FUZZ_SEEDS && (len[seeds] = fuzz_seed(seeds, seed[seeds])))
		fuzz_exact(seed[seeds], len[seeds]), seeds++;
	for (unsigned long i = 0; i < count; i++) {
		unsigned int s;
		size_t n;

		/* Each round depends on nothing but its number. */
		fuzz_state = (i + 1) * 0x9E3779B97F4A7C15ULL + (first ? strtoull(first, NULL, 0) : 0);
		fuzz_random(0);
		s = (unsigned int)fuzz_random(seeds);
		n = len[s];
		memcpy(buf, seed[s], n);
		for (u64 k = fuzz_random(6) + 1; k; k--)
			n = fuzz_mutate(buf, n);
		fuzz_exact(buf, n);
	}
	printf("%u seeds, %d inputs, %lu mutations\n", seeds, more, count);
	return 0;
}
#endif
