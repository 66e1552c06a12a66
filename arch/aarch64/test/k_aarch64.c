// SPDX-License-Identifier: MIT
#include <alloc/modmem.h>
#include <arch/module.h>
#include <arch/patch.h>
#include <arch/pgtable.h>
#include <arch_cpu/alternative.h>
#include <kernel/ktest.h>
#include <kernel/printk.h>
#include "arch/aarch64/a64_priv.h"

/* A user's entry lets nothing be fetched before its page was made coherent, where the CPU does not do that itself. */
KTEST(aarch64_code_entries)
{
	pte_t e = pte_make(5, PTE_P_READ | PTE_P_EXEC | PTE_P_USER, 0), data = pte_make(5, PTE_P_READ | PTE_P_WRITE | PTE_P_USER, 0);

	KT_ASSERT(pte_exec(e) && !pte_exec(data) && (data.v & A64_PTE_UXN) && (e.v & A64_PTE_PXN));
	KT_EQ(!(e.v & A64_PTE_UXN), a64_fetch_coherent);
	/* Whoever made it writable may have written: once more. */
	e.v &= ~A64_PTE_UXN;
	e = pte_modify(pte_modify(e, PTE_P_READ | PTE_P_WRITE | PTE_P_USER, 0), PTE_P_READ | PTE_P_EXEC | PTE_P_USER, 0);
	KT_EQ(!(e.v & A64_PTE_UXN), a64_fetch_coherent);
	e = pte_make(5, PTE_P_KERNEL_RX, 0);
	KT_ASSERT(pte_exec(e) && (e.v & A64_PTE_UXN) && !(e.v & A64_PTE_PXN));
	a64_sync_code((unsigned long)_text, PAGE_SIZE);
	arch_code_written(_text + 3, 1);
}

/* The image is where relocations say, at whole pieces of 2 MiB, and nothing is left where it was linked. */
KTEST(aarch64_image_moved)
{
	static const char *const volatile pointer = _text;

	KT_EQ((unsigned long)_text, KERNEL_IMAGE_VA + kernel_image_slide);
	KT_EQ((unsigned long)pointer, (unsigned long)_text);
	KT_ASSERT(!(kernel_image_slide & ((2UL << 20) - 1)) && kernel_image_slide < 1UL << 30);
	KT_EQ(*(u32 *)phys_to_virt(image_to_phys(_text)), *(u32 *)_text);
	KT_ASSERT(!kernel_image_slide || !arch_kernel_pte(KERNEL_IMAGE_VA, NULL));
}

/* The text that runs has the instructions of FEAT_LSE where the CPU does, and branches to exclusives where not. */
KTEST(aarch64_alternatives)
{
	bool lse = (read_sysreg(id_aa64isar0_el1) >> 20 & 15) >= 2;
	unsigned int sites = 0;

	KT_EQ(a64_alts[ALT_LSE], lse);
	KT_EQ(a64_alts[ALT_MOPS], a64_has_mops);
	KT_ASSERT(a64_fits_alternatives());
	for (const struct alt_entry *a = __start_alternatives; a < __stop_alternatives; a++, sites++) {
		u32 now = *(const u32 *)((unsigned long)&a->site + (long)a->site);

		KT_ASSERT(a->feature < NR_ALTS && (a64_alts[a->feature] ? now == a->code : now >> 26 == 5));
	}
	KT_ASSERT(sites > 1000);
	pr_info("%u atomic operations by %s\n", sites, lse ? "LSE" : "exclusives");
}

static int answer(void)
{
	return 42;
}

/* A branch that does not reach the image, as it seems: 128 MiB below its veneer, which is where it says. */
KTEST(aarch64_module_veneer)
{
	u32 branch = 0x94000000;
	u8 *text = modmem_alloc(ARCH_MODULE_VENEER);
	struct module_fix f = { .at = (u8 *)&branch, .room = 4, .type = 283 /* CALL26 */, .veneer = text };

	KT_ASSERT(text);
	f.veneer_pc = (u64)text;
	f.pc = (u64)text - (128UL << 20) + 4;
	f.value = (u64)answer;
	KT_EQ(arch_module_relocate(&f), MODULE_RELOC_DONE);
	KT_EQ(branch, 0x95ffffff);
	arch_module_text_written(text, ARCH_MODULE_VENEER);
	KT_EQ(modmem_protect(text, MODMEM_TEXT), 0);
	KT_EQ(((int (*)(void))(unsigned long)text)(), 42);
	modmem_free(text);
}

/* A module's table: what it says of its text alone is believed. */
KTEST(aarch64_module_alternatives)
{
	static struct {
		u32 text[4];
		struct alt_entry table[2];
	} m;
	u32 want = a64_alts[ALT_LSE] ? 0x12345678 : 7;

	for (int i = 0; i < 4; i++)
		m.text[i] = 7;
	m.table[0] = (struct alt_entry){ (s32)((long)&m.text[0] - (long)&m.table[0].site), ALT_LSE, 0x12345678 };
	m.table[1] = (struct alt_entry){ (s32)((long)&m.text[3] - (long)&m.table[1].site), ALT_LSE, 0x12345678 };
	KT_ASSERT(arch_module_apply_alternatives(m.table, sizeof(m.table), m.text, sizeof(m.text)));
	KT_ASSERT(m.text[0] == want && m.text[1] == 7 && m.text[2] == 7 && m.text[3] == want);
	KT_ASSERT(arch_module_apply_alternatives(m.table, 0, m.text, sizeof(m.text)));
	KT_ASSERT(!arch_module_apply_alternatives(m.table, sizeof(m.table) - 4, m.text, sizeof(m.text)));
	KT_ASSERT(!arch_module_apply_alternatives(m.table, sizeof(m.table), m.text, sizeof(m.text) - 1));
	KT_ASSERT(!arch_module_apply_alternatives(m.table, sizeof(m.table), m.text + 1, sizeof(m.text) - 4));
	m.table[1].site++;
	KT_ASSERT(!arch_module_apply_alternatives(m.table, sizeof(m.table), m.text, sizeof(m.text)));
	m.table[1].site--;
	m.table[1].feature = NR_ALTS;
	KT_ASSERT(!arch_module_apply_alternatives(m.table, sizeof(m.table), m.text, sizeof(m.text)));
}

/* Each size at the end of its type's range, with neighbours that stay as they are; and each order once. */
#define TEST_OPS(T, order) do {							\
	T m[3] = { (T)0x1111111111111111ULL, (T)-1, (T)0x2222222222222222ULL }, e; \
										\
	KT_ASSERT(__atomic_fetch_add(&m[1], 3, order) == (T)-1 && m[1] == (T)2); \
	KT_ASSERT(__atomic_fetch_sub(&m[1], 4, order) == (T)2 && m[1] == (T)-2); \
	KT_ASSERT(__atomic_add_fetch(&m[1], 1, order) == (T)-1 && __atomic_sub_fetch(&m[1], 1, order) == (T)-2); \
	KT_ASSERT(__atomic_fetch_and(&m[1], (T)0x7c, order) == (T)-2 && m[1] == (T)0x7c); \
	KT_ASSERT(__atomic_fetch_or(&m[1], 3, order) == (T)0x7c && m[1] == (T)0x7f); \
	KT_ASSERT(__atomic_fetch_xor(&m[1], 0x11, order) == (T)0x7f && m[1] == (T)0x6e); \
	KT_ASSERT(__atomic_or_fetch(&m[1], 1, order) == (T)0x6f && __atomic_and_fetch(&m[1], 0xf, order) == (T)0xf); \
	KT_ASSERT(__atomic_exchange_n(&m[1], (T)-5, order) == (T)0xf && m[1] == (T)-5); \
	e = (T)-4;								\
	KT_ASSERT(!__atomic_compare_exchange_n(&m[1], &e, (T)9, false, order, __ATOMIC_RELAXED) && e == (T)-5 && m[1] == (T)-5); \
	KT_ASSERT(__atomic_compare_exchange_n(&m[1], &e, (T)9, false, order, __ATOMIC_RELAXED) && e == (T)-5 && m[1] == (T)9); \
	KT_ASSERT(m[0] == (T)0x1111111111111111ULL && m[2] == (T)0x2222222222222222ULL); \
} while (0)

KTEST(aarch64_atomic_sizes)
{
	TEST_OPS(u8, __ATOMIC_RELAXED);
	TEST_OPS(s8, __ATOMIC_ACQUIRE);
	TEST_OPS(u16, __ATOMIC_RELEASE);
	TEST_OPS(s16, __ATOMIC_ACQ_REL);
	TEST_OPS(u32, __ATOMIC_SEQ_CST);
	TEST_OPS(s32, __ATOMIC_RELAXED);
	TEST_OPS(u64, __ATOMIC_ACQUIRE);
	TEST_OPS(s64, __ATOMIC_SEQ_CST);
}

/* Rust's, by the names that its compiler knows. */
u32 __aarch64_cas1_acq(u32 old, u32 new, u8 *p);
u64 __aarch64_cas8_rel(u64 old, u64 new, u64 *p);
u32 __aarch64_swp2_relax(u32 v, u16 *p);
u64 __aarch64_ldadd8_acq_rel(u64 v, u64 *p);
u32 __aarch64_ldclr1_acq_rel(u32 v, u8 *p);
u32 __aarch64_ldset2_acq(u32 v, u16 *p);
u32 __aarch64_ldeor4_rel(u32 v, u32 *p);

KTEST(aarch64_atomic_names)
{
	u64 m = 0x1122334455667788ULL;

	KT_EQ(__aarch64_cas1_acq(0xffffff89, 1, (u8 *)&m), 0x88);	/* only the low byte is its argument */
	KT_EQ(__aarch64_cas1_acq(0xffffff88, 0x99, (u8 *)&m), 0x88);
	KT_EQ(__aarch64_swp2_relax(0xabcd, (u16 *)&m + 1), 0x5566);
	KT_EQ(__aarch64_ldclr1_acq_rel(0x91, (u8 *)&m), 0x99);
	KT_EQ(__aarch64_ldset2_acq(0x1001, (u16 *)&m + 3), 0x1122);
	KT_EQ(__aarch64_ldeor4_rel(0xffffffff, (u32 *)&m), 0xabcd7708);
	KT_EQ(__aarch64_cas8_rel(1, 2, &m), 0x11233344543288f7ULL);
	KT_EQ(__aarch64_cas8_rel(0x11233344543288f7ULL, 5, &m), 0x11233344543288f7ULL);
	KT_EQ(__aarch64_ldadd8_acq_rel(~0ULL, &m), 5);
	KT_EQ(m, 4);
}
