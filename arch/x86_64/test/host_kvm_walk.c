// SPDX-License-Identifier: MIT
/* sources: arch/x86_64/kvm_walk.c */
/* A guest's page tables, made by hand, in each mode: addresses, error codes, accessed and dirty. */
#include <assert.h>
#include <errno.h>
#include <string.h>
#include "arch/x86_64/kvm_walk.h"

#define PG (1ULL << 31 | 1)
#define WP (1ULL << 16)
#define PSE (1ULL << 4)
#define PAE (1ULL << 5)
#define LA57 (1ULL << 12)
#define SMEP (1ULL << 20)
#define SMAP (1ULL << 21)
#define LONG (1ULL << 8 | 1ULL << 10)
#define NXE (1ULL << 11)
#define NX (1ULL << 63)
#define AC (1ULL << 18)

static u8 memory[0x10000];
static int races;			/* exchanges that fail first */

static int read_memory(void *arg, u64 gpa, void *to, size_t size)
{
	if (gpa + size > sizeof(memory))
		return -ENXIO;
	memcpy(to, memory + gpa, size);
	return 0;
}

static int exchange(void *arg, u64 gpa, const void *old, const void *fresh, u32 size)
{
	if (races && races--)
		return -EAGAIN;
	assert(!memcmp(memory + gpa, old, size));
	memcpy(memory + gpa, fresh, size);
	return 0;
}

static void put(u64 at, u64 value, u32 size)
{
	memcpy(memory + at, &value, size);
}

static u64 get(u64 at, u32 size)
{
	u64 v = 0;

	memcpy(&v, memory + at, size);
	return v;
}

static struct kvm_walk walker(u64 cr4, u64 efer, u8 cpl)
{
	return (struct kvm_walk){ .cr0 = PG | WP,
				  .cr3 = 0x1000,
				  .cr4 = cr4,
				  .efer = efer,
				  .cpl = cpl,
				  .phys_bits = 40,
				  .read = read_memory,
				  .exchange = exchange };
}

/* The address, or ~code. */
static u64 walk(struct kvm_walk w, u64 linear, unsigned int how)
{
	u64 gpa = 0;
	u32 code = 0;
	int e = kvm_walk(&w, linear, how, &gpa, &code);

	assert(e >= 0);
	return e ? ~(u64)code : gpa;
}

/* LEVELS of tables at 1000h, 2000h, ...: address 0's page has ENTRY. */
static void tables(unsigned int levels, u64 entry, u64 upper)
{
	memset(memory, 0, sizeof(memory));
	for (unsigned int i = 1; i < levels; i++)
		put(i * 0x1000, (i + 1) * 0x1000 | upper, 8);
	put(levels * 0x1000, entry, 8);
}

static void no_paging(void)
{
	struct kvm_walk w = walker(0, 0, 0);

	w.cr0 = 0;
	assert(walk(w, 0x123456789, KVM_WALK_WRITE) == 0x23456789);
}

static void two_levels(void)
{
	struct kvm_walk w = walker(PSE, 0, 3);

	memset(memory, 0, sizeof(memory));
	put(0x1004, 0x2007, 4);
	put(0x200c, 0x5007, 4);
	put(0x1008, 0x00c03087 & ~0x3000u, 4);	/* 4 MiB, at 0x00c00000 */
	assert(walk(w, 0x403abc, 0) == 0x5abc);
	assert(get(0x1004, 4) == 0x2027 && get(0x200c, 4) == 0x5027);
	assert(walk(w, 0x403abc, KVM_WALK_WRITE) == 0x5abc && get(0x200c, 4) == 0x5067);
	assert(walk(w, 0x812345, 0) == 0xc12345);
	assert(walk(w, 0x404000, 0) == ~(u64)PF_USER);
	put(0x1008, 0x00c02087, 4);		/* PSE-36: bit 32 of the address */
	assert(walk(w, 0x812345, 0) == 0x100c12345);
}

static void pae(void)
{
	struct kvm_walk w = walker(PAE, NXE, 3);

	tables(3, 0x9007 | NX, 7);
	put(0x1000, 0x2001, 8);
	assert(walk(w, 0x10, 0) == 0x9010 && get(0x1000, 8) == 0x2001);
	assert(walk(w, 0x10, KVM_WALK_FETCH) == ~(u64)(PF_FETCH | PF_USER | PF_PRESENT));
	put(0x1000, 0x2007, 8);			/* reserved bits of a PDPTE */
	assert(walk(w, 0x10, 0) == ~(u64)(PF_RESERVED | PF_USER | PF_PRESENT));
}

static void long_modes(void)
{
	for (unsigned int levels = 4; levels <= 5; levels++) {
		u64 cr4 = PAE | (levels == 5 ? LA57 : 0), last = levels * 0x1000;

		tables(levels, 0x9003, 7);
		assert(walk(walker(cr4, LONG, 0), 8, KVM_WALK_WRITE) == 0x9008);
		assert(get(0x1000, 8) == 0x2027 && get(last, 8) == 0x9063);
		assert(walk(walker(cr4, LONG, 3), 8, 0) == ~(u64)(PF_USER | PF_PRESENT));
		assert(walk(walker(cr4, LONG, 3), 8, KVM_WALK_SYSTEM) == 0x9008);
		put(last, 0x9003 | NX, 8);	/* without EFER.NX it is reserved */
		assert(walk(walker(cr4, LONG, 0), 8, 0) == ~(u64)(PF_RESERVED | PF_PRESENT));
		put(last, 0x9003 | 1ULL << 41, 8);
		assert(walk(walker(cr4, LONG, 0), 8, 0) == ~(u64)(PF_RESERVED | PF_PRESENT));
		put(last - 0x1000, 0x40000000 | 0x83, 8);
		assert(walk(walker(cr4, LONG, 0), 0x1234, 0) == 0x40001234);
		put(last - 0x1000, 0x40002000 | 0x83, 8);
		assert(walk(walker(cr4, LONG, 0), 8, 0) == ~(u64)(PF_RESERVED | PF_PRESENT));
		put(last - 0x2000, 0x80000083, 8);	/* 1 GiB */
		assert(walk(walker(cr4, LONG, 0), 0x1234567, 0) == 0x81234567);
	}
}

static void rights(void)
{
	struct kvm_walk w = walker(PAE, LONG, 0);

	tables(4, 0x9005, 7);
	assert(walk(w, 0, KVM_WALK_WRITE) == ~(u64)(PF_WRITE | PF_PRESENT));
	assert(!(get(0x4000, 8) & 0x60));	/* nothing is marked by what is refused */
	w.cr0 &= ~WP;
	assert(walk(w, 0, KVM_WALK_WRITE) == 0x9000);
	w.cr4 |= SMEP;
	assert(walk(w, 0, KVM_WALK_FETCH) == ~(u64)(PF_FETCH | PF_PRESENT));
	w.cr4 |= SMAP;
	assert(walk(w, 0, 0) == ~(u64)PF_PRESENT);
	w.rflags = AC;
	assert(walk(w, 0, 0) == 0x9000);
	assert(walk(w, 0, KVM_WALK_SYSTEM) == ~(u64)PF_PRESENT);
	/* A table that another CPU changes meanwhile is walked again, not for ever. */
	tables(4, 0x9007, 7);
	races = 3;
	assert(walk(w, 0, 0) == 0x9000 && !races);
}

int main(void)
{
	no_paging();
	two_levels();
	pae();
	long_modes();
	rights();
	return 0;
}
