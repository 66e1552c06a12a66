/* SPDX-License-Identifier: MIT */
/* Device numbers: 12 bits of major, 20 of minor; and the two forms in which the ABI carries them. */
#pragma once

#include <lib/types.h>

#define MINORBITS 20
#define MINORMASK ((1u << MINORBITS) - 1)
#define MAJOR(dev) ((unsigned int)((dev) >> MINORBITS))
#define MINOR(dev) ((unsigned int)((dev) & MINORMASK))
#define MKDEV(ma, mi) ((dev_t)((unsigned int)(ma) << MINORBITS | (unsigned int)(mi)))

/* mknod(2), stat(2), tty_nr: minor's low byte, major, minor's high bits. */
static inline u32 new_encode_dev(dev_t dev)
{
	unsigned int major = MAJOR(dev), minor = MINOR(dev);

	return (minor & 0xff) | major << 8 | (minor & ~0xffu) << 12;
}

static inline dev_t new_decode_dev(u32 dev)
{
	return MKDEV((dev & 0xfff00) >> 8, (dev & 0xff) | ((dev >> 12) & 0xfff00));
}

static inline u64 huge_encode_dev(dev_t dev) { return new_encode_dev(dev); }
static inline bool new_valid_dev(dev_t dev) { (void)dev; return true; }
