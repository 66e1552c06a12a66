// SPDX-License-Identifier: MIT
/*
 * The random-number generator.
 *
 * Input of every kind is hashed into a pool (BLAKE2s). The pool gives a key to the base generator, which gives keys to one
 * generator a CPU, each renewed when the base was reseeded. A CPU's generator makes a batch of ChaCha20 output whose first
 * 32 bytes become its next key at once (fast key erasure), so what was given out cannot be recomputed from memory later.
 * A caller that wants more than a batch has a stream: a key out of the batch, and blocks under it straight to the caller, so that
 * nothing is copied and a key serves 64 blocks, not 4. The key lives on the caller's stack and is wiped with the stream; until
 * then it tells at most the last 4 KiB, which are in the caller's own hands.
 *
 * Seeding: the CPU's instruction and the hypervisor's device when they are there, else the timing of interrupts; until 256 bits
 * are credited getrandom(2) waits. Reseeding: at once when seeded, then each minute.
 */
#include <lib/types.h>
#include <lib/bits.h>
#include <lib/crypto.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <arch/cpu.h>
#include <kernel/export.h>
#include <kernel/init.h>
#include <kernel/percpu.h>
#include <kernel/preempt.h>
#include <kernel/printk.h>
#include <kernel/random.h>
#include <kernel/spinlock.h>
#include <kernel/time.h>
#include <kernel/upcalls.h>

#define READY_BITS 256
#define RESEED_NS (60 * NSEC_PER_SEC)
#define BATCH 256

struct crng {
	u32 key[8];
	u64 generation;		/* of the base it was keyed from; 0: never */
	u8 batch[BATCH];
	unsigned int left;	/* unused bytes at the end of batch */
};

static DEFINE_PER_CPU_ALIGNED(struct crng, crngs);	/* own CPU, interrupts off */
static DEFINE_SPINLOCK(pool_lock);
static struct blake2s pool;				/* pool_lock */
static bool pool_started;				/* pool_lock */
static unsigned int pool_bits;				/* pool_lock, only up to READY_BITS */
static DEFINE_SPINLOCK(base_lock);
static u32 base_key[8];					/* base_lock */
static u64 base_generation = 1;				/* base_lock; read without */
static u64 base_born_ns;
static bool seeded;

bool rng_is_seeded(void)
{
	return READ_ONCE(seeded);
}

unsigned int rng_entropy_bits(void)
{
	return rng_is_seeded() ? READY_BITS : READ_ONCE(pool_bits);
}

/* pool_lock held. */
static void mix(const void *buf, size_t len)
{
	if (!pool_started) {
		blake2s_init(&pool, BLAKE2S_HASH_SIZE, NULL, 0);
		pool_started = true;
	}
	blake2s_update(&pool, buf, len);
}

/* Takes a seed out of the pool and keys it with another half, so that the pool keeps what it knew. */
static void extract(u8 seed[32])
{
	u64 block[8];
	u8 digest[32];
	unsigned long flags;
	struct blake2s b;

	for (unsigned int i = 0; i < 4; i++)
		if (!arch_random_u64(&block[i]))
			block[i] = arch_cycles();
	spin_lock_irqsave(&pool_lock, flags);
	mix(block, sizeof(block[0]) * 4);
	blake2s_final(&pool, digest);
	block[4] = 0;
	blake2s_init(&b, 32, digest, 32);
	blake2s_update(&b, block, 5 * sizeof(u64));
	blake2s_final(&b, seed);
	block[4] = 1;
	blake2s_init(&pool, BLAKE2S_HASH_SIZE, digest, 32);
	blake2s_update(&pool, block, 5 * sizeof(u64));
	spin_unlock_irqrestore(&pool_lock, flags);
	memzero_explicit(digest, sizeof(digest));
	memzero_explicit(block, sizeof(block));
}

void rng_reseed(void)
{
	unsigned long flags;
	u8 seed[32];

	extract(seed);
	spin_lock_irqsave(&base_lock, flags);
	memcpy(base_key, seed, sizeof(base_key));
	WRITE_ONCE(base_generation, base_generation + 1);
	base_born_ns = sched_clock();
	spin_unlock_irqrestore(&base_lock, flags);
	memzero_explicit(seed, sizeof(seed));
}

void add_entropy(const void *buf, size_t len, unsigned int credit_bits)
{
	bool now_ready = false;
	unsigned long flags;

	spin_lock_irqsave(&pool_lock, flags);
	mix(buf, len);
	if (credit_bits && pool_bits < READY_BITS) {
		pool_bits = min(pool_bits + credit_bits, (unsigned int)READY_BITS);
		now_ready = pool_bits == READY_BITS;
	}
	spin_unlock_irqrestore(&pool_lock, flags);
	if (now_ready && !rng_is_seeded()) {
		rng_reseed();
		WRITE_ONCE(seeded, true);
		random_ready();
	}
}

struct fast_pool {
	u64 v[4];
	unsigned int count;
};
static DEFINE_PER_CPU(struct fast_pool, fast_pools);

void add_interrupt_randomness(unsigned int irq)
{
	struct fast_pool *f = this_cpu_ptr(&fast_pools);

	f->v[f->count & 3] = rol64(f->v[f->count & 3], 7) ^ arch_cycles() ^ irq;
	/* A bit for each 64 interrupts: little, since a virtual machine's may be foreseeable. */
	if (++f->count & 63)
		return;
	if (!rng_is_seeded())
		add_entropy(f->v, sizeof(f->v), 1);
}

/* A fresh key for C from the base, which moves on. Interrupts off. */
static void rekey(struct crng *c)
{
	u8 block[CHACHA_BLOCK_SIZE];

	spin_lock(&base_lock);
	chacha20_block(base_key, 0, 0, block);
	memcpy(base_key, block, sizeof(base_key));
	memcpy(c->key, block + 32, sizeof(c->key));
	c->generation = base_generation;
	spin_unlock(&base_lock);
	memzero_explicit(block, sizeof(block));
	c->left = 0;
}

/* Own CPU, interrupts off. */
static void refill(struct crng *c)
{
	u8 first[CHACHA_BLOCK_SIZE];

	chacha20_block(c->key, 0, 0, first);
	for (unsigned int i = 0; i < BATCH / CHACHA_BLOCK_SIZE; i++)
		chacha20_block(c->key, i + 1, 0, c->batch + i * CHACHA_BLOCK_SIZE);
	memcpy(c->key, first, sizeof(c->key));
	memzero_explicit(first, sizeof(first));
	c->left = BATCH;
}

static inline void check_age(struct crng *c)
{
	if (unlikely(rng_is_seeded() && sched_clock() - READ_ONCE(base_born_ns) > RESEED_NS))
		rng_reseed();
	if (unlikely(c->generation != READ_ONCE(base_generation)))
		rekey(c);
}

/* Out of this CPU's batches, each byte wiped there as it is given out. */
static void batch_bytes(u8 *out, size_t len)
{
	unsigned long flags;

	while (len) {
		struct crng *c;
		size_t n;

		local_irq_save(flags);
		c = this_cpu_ptr(&crngs);
		check_age(c);
		if (!c->left)
			refill(c);
		n = min(len, (size_t)c->left);
		memcpy(out, c->batch + BATCH - c->left, n);
		memset(c->batch + BATCH - c->left, 0, n);
		c->left -= (unsigned int)n;
		local_irq_restore(flags);
		out += n;
		len -= n;
	}
}

static void stream_block(struct rng_stream *s, u8 *out)
{
	if (!s->counter || s->counter == RNG_STREAM_BLOCKS) {
		batch_bytes((u8 *)s->key, sizeof(s->key));
		s->counter = 0;
	}
	chacha20_block(s->key, s->counter++, 0, out);
}

void rng_stream_bytes(struct rng_stream *s, void *buf, size_t len)
{
	u8 *out = buf, last[CHACHA_BLOCK_SIZE];

	for (; len >= CHACHA_BLOCK_SIZE; out += CHACHA_BLOCK_SIZE, len -= CHACHA_BLOCK_SIZE)
		stream_block(s, out);
	if (!len)
		return;
	stream_block(s, last);
	memcpy(out, last, len);
	memzero_explicit(last, sizeof(last));
}

void rng_stream_end(struct rng_stream *s)
{
	memzero_explicit(s, sizeof(*s));
}

void get_random_bytes(void *buf, size_t len)
{
	struct rng_stream s = { 0 };

	if (len <= BATCH) {
		batch_bytes(buf, len);
		return;
	}
	rng_stream_bytes(&s, buf, len);
	rng_stream_end(&s);
}
EXPORT(get_random_bytes);

u64 get_random_u64(void)
{
	u64 v;

	get_random_bytes(&v, sizeof(v));
	return v;
}

u32 get_random_u32(void)
{
	u32 v;

	get_random_bytes(&v, sizeof(v));
	return v;
}

static int random_early(void)
{
	u64 seed[8];
	unsigned int bits = 0;

	for (unsigned int i = 0; i < 8; i++) {
		if (arch_random_u64(&seed[i]))
			bits += 64;
		else
			seed[i] = arch_cycles() ^ ktime_get_ns();
	}
	add_entropy(seed, sizeof(seed), bits);
	add_entropy(saved_command_line, strlen(saved_command_line), 0);
	if (!rng_is_seeded())
		rng_reseed();
	return 0;
}
INITCALL(early, random_early);
