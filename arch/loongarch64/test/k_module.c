// SPDX-License-Identifier: MIT
#include <alloc/modmem.h>
#include <arch/module.h>
#include <kernel/ktest.h>

static int answer(void)
{
	return 42;
}

/*
 * A branch that does not reach the image, as it seems: 128 MiB below its veneer, which goes where
 * it says.
 */
KTEST(loongarch64_module_veneer)
{
	u32 branch = 0x54000000;
	u8 *text = modmem_alloc(ARCH_MODULE_VENEER);
	struct module_fix f = {
		.at = (u8 *)&branch, .room = 4, .type = 66 /* B26 */, .veneer = text
	};

	KT_ASSERT(text);
	f.veneer_pc = (u64)text;
	f.pc = (u64)text - (128UL << 20) + 4;
	f.value = (u64)answer;
	KT_EQ(arch_module_relocate(&f), MODULE_RELOC_DONE);
	KT_EQ(branch, 0x57fffdff);
	arch_module_text_written(text, ARCH_MODULE_VENEER);
	KT_EQ(modmem_protect(text, MODMEM_TEXT), 0);
	KT_EQ(((int (*)(void))(unsigned long)text)(), 42);
	modmem_free(text);
}
