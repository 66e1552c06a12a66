// SPDX-License-Identifier: MIT
/* Names and numbers of disks: each prefix counts for itself, the lowest free letters come first. */
#include <lib/types.h>
#include <lib/string.h>
#include <block/blk.h>
#include <kernel/ktest.h>
#include "block/blk_priv.h"

KTEST(block_names_of_letters)
{
	static const struct {
		unsigned int index;
		const char *name;
	} rows[] = {
		{ 0, "sda" },	{ 25, "sdz" },	 { 26, "sdaa" },   { 51, "sdaz" },
		{ 52, "sdba" }, { 701, "sdzz" }, { 702, "sdaaa" }, { 65535, "sdcrxp" },
	};
	char name[32];

	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		disk_letters(name, sizeof(name), "sd", rows[i].index);
		KT_ASSERT(!strcmp(name, rows[i].name));
	}
}

KTEST(block_numbers_of_scsi_disks)
{
	static const struct {
		unsigned int index;
		int major;
		unsigned int first;
	} rows[] = {
		{ 0, 8, 0 },	   { 1, 8, 16 },     { 15, 8, 240 },
		{ 16, 65, 0 },	   { 127, 71, 240 }, { 128, 128, 0 },
		{ 255, 135, 240 }, { 256, 8, 256 },  { 272, 65, 256 },
	};
	unsigned int first, minors;
	int major;

	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		disk_numbers("sd", rows[i].index, &major, &first, &minors);
		KT_EQ(major, rows[i].major);
		KT_EQ(first, rows[i].first);
		KT_EQ(minors, 16U);
	}
	disk_numbers("vd", 2, &major, &first, &minors);
	KT_EQ(major, 254);
	KT_EQ(first, 32U);
	disk_numbers("ktest", 2, &major, &first, &minors);
	KT_EQ(major, BLKEXT_MAJOR);
	KT_EQ(minors, 0U);
}

KTEST(block_prefixes_count_apart)
{
	struct disk *a = disk_alloc("kta", 1, 1), *b = disk_alloc("kta", 1, 1);
	struct disk *other = disk_alloc("ktb", 1, 1), *again;

	KT_ASSERT(a && b && other);
	KT_ASSERT(!strcmp(a->name, "ktaa") && !strcmp(b->name, "ktab"));
	KT_ASSERT(!strcmp(other->name, "ktba"));
	disk_put(a);
	again = disk_alloc("kta", 1, 1);
	KT_ASSERT(again && !strcmp(again->name, "ktaa"));
	disk_put(again);
	disk_put(b);
	disk_put(other);
}
