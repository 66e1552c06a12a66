/* SPDX-License-Identifier: MIT */
/* Partition tables: GPT (UEFI 2.10, chapter 5) and MBR with extended partitions. Pure: sectors come through a callback. */
#pragma once

#include <lib/types.h>

struct partition {
	u32 number;		/* 1.. as Linux numbers them */
	u64 start, count;	/* in logical blocks */
	bool cut;		/* the table has it end behind the disk: COUNT is what there is */
	u8 mbr_type;		/* 0 for GPT */
	u32 mbr_signature;	/* of the disk; 0 for GPT */
	u8 type_guid[16], uuid[16];
	char name[37];		/* GPT, ASCII; other characters become '?' */
};

struct partition_reader {
	/* Reads logical block LBA into BUF. 0 or -errno. */
	int (*read)(void *ctx, u64 lba, void *buf);
	void *ctx;
	u32 block_size;		/* 512 .. 4096 */
	u64 blocks;		/* on the disk */
};

/*
 * Calls FN for each partition that lies wholly on the disk; others are left out. BUF is scratch of two blocks.
 * How many, 0: no table that we know, or -errno of a read or of FN.
 */
int partitions_scan(const struct partition_reader *r, u8 *buf, int (*fn)(void *arg, const struct partition *p), void *arg);
