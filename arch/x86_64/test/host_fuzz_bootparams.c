// SPDX-License-Identifier: MIT
/* sources: arch/x86_64/boot_decode.c */
/* with sources: boot/memmap.c lib/numbers.c lib/string.c */
/* What boot loaders hand over (PVH's start_info, Linux's boot_params): the input is memory from address 0x1000 on. */
/* fuzz: -max_len=8192 */
#define FUZZ_MAX 8192
#include <assert.h>
#include "lib/test/fuzz.h"
#include "arch/x86_64/boot_decode.h"
#include <asm/bootparam.h>

#define BASE 0x1000ULL
static const u8 *memory;
static size_t memory_len;
static void *lent[16];
static unsigned int nr_lent;

/* Each structure is a block of its own; one byte stands for the command line, which ends where the memory does. */
static const void *ptr(u64 pa, size_t len)
{
	void *p;

	if (pa < BASE || pa - BASE > memory_len || len > memory_len - (pa - BASE))
		return NULL;
	if (len == 1)
		return memory + (pa - BASE);
	assert(nr_lent < 16);
	p = malloc(len ? len : 1);
	memcpy(p, memory + (pa - BASE), len);
	return lent[nr_lent++] = p;
}

static void fuzz_one(const u8 *p, size_t n)
{
	static struct boot_info bi;

	if (!n)
		return;
	memory = p + 1;
	memory_len = n - 1;
	for (int pvh = 0; pvh < 2; pvh++) {
		bi.nr_map = 0;
		bi.cmdline[0] = '\0';
		if (pvh)
			x86_decode_pvh(&bi, BASE, ptr, BASE + memory_len);
		else
			x86_decode_boot_params(&bi, BASE, ptr, BASE + memory_len);
		assert(bi.nr_map <= BOOT_MAP_MAX && strlen(bi.cmdline) < BOOT_CMDLINE_MAX);
		while (nr_lent)
			free(lent[--nr_lent]);
		if (!(p[0] & 1))
			break;
	}
}

static size_t fuzz_seed(unsigned int i, u8 *buf)
{
	u8 *mem = buf + 1;
	u32 words[4] = { 0x336ec578, 1, 0, 1 };
	u64 at[4] = { BASE + 64, BASE + 200, 0xe0000, BASE + 100 }, module[2] = { 0x4000000, 0x1234 };
	struct boot_params *bp = (void *)mem;

	if (i > 2)
		return 0;
	memset(buf, 0, FUZZ_MAX);
	if (i < 2) {
		buf[0] = 1;
		memcpy(mem, words, 16);
		memcpy(mem + 16, at, 32);
		mem[48] = i ? 0 : 2;
		memcpy(mem + 64, module, 16);
		memcpy(mem + 100, (u64[]){ 0, 0x9f000, 1, 0x100000, 0x3ff00000, 1 }, 48);
		strcpy((char *)mem + 200, "console=ttyS0 quiet");
		return 1 + 240;
	}
	bp->hdr.cmd_line_ptr = (u32)BASE + 4096;
	bp->hdr.cmdline_size = 255;
	bp->hdr.ramdisk_image = 0x4000000;
	bp->hdr.ramdisk_size = 0x1234;
	bp->acpi_rsdp_addr = 0xe0000;
	bp->e820_entries = 2;
	bp->e820_table[0] = (struct boot_e820_entry){ 0, 0x9f000, 1 };
	bp->e820_table[1] = (struct boot_e820_entry){ 0x100000, 0x3ff00000, 1 };
	strcpy((char *)mem + 4096, "root=/dev/vda");
	return 1 + 4096 + 20;
}
