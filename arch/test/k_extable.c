// SPDX-License-Identifier: MIT
/* The table of instructions that may fault. */
#include <kernel/ktest.h>
#include "arch/shared/sched_trap.h"

KTEST(arch_extable_is_found)
{
	unsigned long before = 0;

	KT_ASSERT(__stop_extable - __start_extable > 0);
	for (const struct extable_entry *e = __start_extable; e < __stop_extable; e++) {
		unsigned long at = extable_insn(e);

		KT_ASSERT(at > before);		/* two of one instruction would be two opinions */
		KT_ASSERT(find_fixup(at) == e);
		KT_ASSERT(at == before + 1 || !find_fixup(at - 1));
		KT_ASSERT(kernel_text_address(at) && kernel_text_address(fixup_target(e)));
		before = at;
	}
	KT_ASSERT(!find_fixup(0) && !find_fixup(before + 1) && !find_fixup(~0UL));
}
