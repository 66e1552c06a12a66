// SPDX-License-Identifier: MIT
/* Tasks that run guests: what is not done at each switch and entry (sched/guest.h). */
#include <lib/types.h>
#include <arch/fpu.h>
#include <sched/guest.h>
#include <sched/mutex.h>

DEFINE_STATIC_KEY_FALSE(guest_hooks_key);

/* Patching the kernel stops all CPUs: once, and not as guests come and go. */
void guest_hooks_prepare(void)
{
	static DEFINE_MUTEX(guest_first);
	static bool prepared;

	might_sleep();
	if (smp_load_acquire(&prepared))
		return;
	mutex_lock(&guest_first);
	if (!prepared) {
		static_key_enable(&guest_hooks_key);
		smp_store_release(&prepared, true);
	}
	mutex_unlock(&guest_first);
}

void guest_exit_task(void)
{
	guest_fpu_drop();
	if (likely(!current->guest))
		return;
	preempt_disable();
	WRITE_ONCE(current->guest, NULL);
	preempt_enable();
}
