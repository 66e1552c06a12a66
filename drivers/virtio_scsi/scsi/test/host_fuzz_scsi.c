// SPDX-License-Identifier: MIT
/* with rust: drivers/virtio_scsi/scsi/test/fuzz.rs */
/*
 * What SCSI devices answer: sense data, INQUIRY and its pages, units, capacity, modes, CD drives.
 * The decoders and what must hold are in that file.
 */
/* fuzz: -max_len=600 */
#define FUZZ_MAX 600
#include "lib/test/fuzz.h"

void rust_fuzz_one(const u8 *p, size_t n);
void rust_says(const u8 *text, size_t n);

void rust_says(const u8 *text, size_t n)
{
	fwrite(text, 1, n, stderr);
}

static void fuzz_one(const u8 *p, size_t n)
{
	rust_fuzz_one(p, n);
}

enum { SENSE, INQUIRY, PAGES, DISKS, DRIVES };

static const struct {
	u8 kind;
	u8 len;
	u8 bytes[60];
} good[] = {
	/* fixed and descriptor format */
	{ SENSE, 18, { 0xf0, 0, 3, 0, 0, 0x12, 0x34, 10, 0, 0, 0, 0, 0x11, 4 } },
	{ SENSE, 32, { 0x72, 3, 0x11, 4,  0,	0, 0, 24, 2, 6, 0, 0, 0, 0,
		       0,    0, 0,    10, 0x80, 0, 0, 0,  0, 1, 2, 3, 4, 5 } },
	{ INQUIRY, 36, "\0\0\5\2\37\0\0\2QEMU    QEMU HARDDISK   2.5+" },
	/* limits, identity, provisioning; two units of each kind of address */
	{ PAGES, 60, { 0, 0xb0, 0, 56, 0, 8, 0,	   0, 0, 0, 0xff, 0xff, 0,    0, 0,
		       0, 0,	0, 0,  0, 0, 0x20, 0, 0, 0, 0,	  0,	0xff, 0, 0,
		       0, 1,	0, 0,  0, 0, 0,	   0, 0, 0, 0,	  0x10, 0,    0 } },
	{ PAGES,
	  40,
	  { 0, 0x83, 0, 36, 2, 0, 0, 4, 'n', 'a', 'm', 'e', 1, 3, 0, 8, 0x50, 1,    2, 3,
	    4, 5,    6, 7,  1, 2, 0, 8, 1,   2,	  3,   4,   5, 6, 7, 8, 1,    0x14, 0, 0 } },
	{ PAGES, 8, { 0, 0xb2, 0, 4, 0, 0xe4, 2, 0 } },
	{ PAGES, 8, { 0, 0xb1, 0, 4, 0, 1, 0, 0 } },
	{ PAGES, 40, { 0, 0, 0, 32, 0,	  0, 0, 0, 0, 0, 0, 0, 0,    0, 0, 0, 0, 3, 0, 0,
		       0, 0, 0, 0,  0x41, 0, 0, 0, 0, 0, 0, 0, 0x40, 1, 0, 0, 0, 0, 0, 1 } },
	{ DISKS, 32, { 0, 0, 0, 0, 0, 3, 0xff, 0xff, 0, 0, 2, 0, 0, 3, 0xc0, 0 } },
	{ DISKS,
	  16,
	  { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe, 0, 0, 0x10, 0, 0, 0, 0x80, 0 } },
	/* a page with subpages before that of caching */
	{ DISKS, 40, { 39, 0, 0x90, 8, 0, 0,  0, 0, 0, 0, 2,  0, 0x41,
		       1,  0, 2,    0, 0, 10, 2, 0, 0, 8, 18, 4 } },
	{ DRIVES, 28, { 27, 0, 0, 0, 0x2a, 20, 0x3b, 0, 0x7f, 0xff, 0x2d } },
	{ DRIVES, 8, { 0, 6, 4, 0x5e, 2, 2 } },
	{ DRIVES, 8, { 0, 0, 2, 87, 0, 0, 8, 0 } },
	{ DRIVES, 12, { 0, 10, 1, 2, 0, 0x14, 2, 0, 0, 0, 10, 0 } },
	{ DRIVES, 12, { 0, 10, 1, 2, 0, 0x14, 2, 0, 0x7f, 0xff, 0xff, 0xff } },
};

static size_t fuzz_seed(unsigned int i, u8 *buf)
{
	if (i >= sizeof(good) / sizeof(*good))
		return 0;
	buf[0] = good[i].kind;
	memcpy(buf + 1, good[i].bytes, good[i].len);
	return good[i].len + 1U;
}
