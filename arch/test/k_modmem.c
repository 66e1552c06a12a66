// SPDX-License-Identifier: MIT
/* Memory for modules: in reach, with the rights it was given, and given back. */
#include <abi/errno.h>

#ifdef CONFIG_MODULES
#include <alloc/modmem.h>
#include <arch/module.h>
#include <arch/pgtable.h>
#include <kernel/ktest.h>
#include <lib/string.h>

static pte_t entry(const void *p)
{
	int level;
	pte_t *e = arch_kernel_pte((unsigned long)p, &level);

	return e ? ptep_read(e) : PTE_NONE;
}

/* A function that returns 42. */
#ifdef __x86_64__
static const u8 code[] = { 0xb8, 42, 0, 0, 0, 0xc3 };		/* mov $42, %eax; ret */
#elif defined(__aarch64__)
static const u32 code[] = { 0x52800540, 0xd65f03c0 };		/* mov w0, #42; ret */
#elif defined(__riscv)
static const u32 code[] = { 0x02a00513, 0x00008067 };		/* li a0, 42; ret */
#else
static const u32 code[] = { 0x0380a804, 0x4c000020 };		/* ori $a0, $zero, 42; ret */
#endif

KTEST(modmem_rights)
{
	unsigned long pages = modmem_nr_pages();
	char *text = modmem_alloc(sizeof(code)), *ro = modmem_alloc(PAGE_SIZE + 1);

	KT_ASSERT(text && ro);
	KT_EQ(modmem_nr_pages(), pages + 3);
	KT_ASSERT((unsigned long)text >= MODULES_START && (unsigned long)ro >= MODULES_START &&
		  (unsigned long)text + PAGE_SIZE < MODULES_END &&
		  (unsigned long)ro + 2 * PAGE_SIZE < MODULES_END);
	for (unsigned int i = 0; i <= PAGE_SIZE; i++)
		KT_EQ(ro[i], 0);
	KT_ASSERT(pte_write(entry(text)) && !pte_exec(entry(text)));
	KT_ASSERT(!pte_present(entry(text + PAGE_SIZE)));
	memcpy(text, code, sizeof(code));
	arch_module_text_written(text, sizeof(code));
	KT_EQ(modmem_protect(text, MODMEM_TEXT), 0);
	KT_EQ(modmem_protect(ro, MODMEM_RODATA), 0);
	KT_ASSERT(!pte_write(entry(text)) && pte_exec(entry(text)));
	for (unsigned int i = 0; i < 2; i++)
		KT_ASSERT(pte_present(entry(ro + i * PAGE_SIZE)) &&
			  !pte_write(entry(ro + i * PAGE_SIZE)) &&
			  !pte_exec(entry(ro + i * PAGE_SIZE)));
	KT_EQ(((int (*)(void))(unsigned long)text)(), 42);
	modmem_free(text);
	modmem_free(ro);
	KT_ASSERT(!pte_present(entry(text)) && !pte_present(entry(ro)));
	KT_EQ(modmem_nr_pages(), pages);
}

KTEST(modmem_limits)
{
	unsigned long pages = modmem_nr_pages();

	KT_ASSERT(!modmem_alloc(0));
	KT_ASSERT(!modmem_alloc(MODULES_END - MODULES_START));
	KT_ASSERT(!modmem_alloc(~(size_t)0));
	modmem_free(NULL);
	KT_EQ(modmem_nr_pages(), pages);
}
#endif
