/* SPDX-License-Identifier: MIT */
/* Random numbers fit for keys (random(4), random(7)): ChaCha20 with fast key erasure, reseeded from a BLAKE2s pool. */
#pragma once

#include <lib/types.h>

#define RNG_STREAM_BLOCKS 64	/* of 64 bytes between one key and the next */
/*
 * Much output for one caller: whole blocks straight to where they are wanted, under a key of its own that is replaced each
 * RNG_STREAM_BLOCKS. rng_stream_end() wipes it; a stream is not shared. Any context; pieces of any length, of 64 n bytes for speed.
 */
struct rng_stream {
	u32 key[8];
	u64 counter;		/* blocks made with it; 0: no key yet */
};
void rng_stream_bytes(struct rng_stream *s, void *buf, size_t len);
void rng_stream_end(struct rng_stream *s);

/* From any context. Never waits: before the pool is seeded the output is as good as the boot-time entropy. */
void get_random_bytes(void *buf, size_t len);
u64 get_random_u64(void);
u32 get_random_u32(void);
static inline u32 get_random_u32_below(u32 limit)
{
	return (u32)(((u64)get_random_u32() * limit) >> 32);
}
bool rng_is_seeded(void);
/* 0, or -ERESTARTSYS. Sleeps until the pool is seeded. */
int wait_for_random(void);
/* Mixes in; CREDIT_BITS of it count as entropy. Any context. */
void add_entropy(const void *buf, size_t len, unsigned int credit_bits);
/* Timing of an interrupt: cheap, from irq_handle. */
void add_interrupt_randomness(unsigned int irq);
/* Bits in the pool, for /proc/sys/kernel/random. */
unsigned int rng_entropy_bits(void);
void rng_reseed(void);
