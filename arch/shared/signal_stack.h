/* SPDX-License-Identifier: MIT */
/* Where the frame of a signal handler goes, and what it says of the alternate stack. */
#pragma once

#include <arch/signal.h>
#include <asm/signal.h>

#define ON_STACK 1			/* SS_ONSTACK */
#define DISABLED 2			/* SS_DISABLE */
#define AUTODISARM (1U << 31)

struct user_stack {
	u64 sp;
	s32 flags, pad;
	u64 size;
};

struct signal_stack {
	bool on_alt, switched;	/* the handler interrupts one on the alternate stack; it is its first */
	unsigned long sp;
};

/* The program's stack pointer is SP. */
static inline struct signal_stack signal_stack(const struct arch_sigframe *f, unsigned long sp)
{
	struct signal_stack s = { .on_alt = f->altstack_size && sp > f->altstack_sp && sp - f->altstack_sp <= f->altstack_size };

	s.switched = (f->flags & SA_ONSTACK) && f->altstack_size && (!s.on_alt || (f->altstack_flags & (int)AUTODISARM));
	s.sp = s.switched ? f->altstack_sp + f->altstack_size : sp;
	return s;
}

/* A handler that already runs on the alternate stack and no longer fits, with its frame at AT, must not run past its end. */
static inline bool signal_fits(const struct signal_stack *s, const struct arch_sigframe *f, unsigned long at)
{
	return at <= s->sp && (!(s->on_alt || s->switched) || (at >= f->altstack_sp && at - f->altstack_sp <= f->altstack_size));
}

static inline struct user_stack signal_user_stack(const struct arch_sigframe *f, bool on_alt)
{
	return (struct user_stack){
		.sp = f->altstack_sp, .size = f->altstack_size,
		.flags = f->altstack_flags | (f->altstack_size ? on_alt ? ON_STACK : 0 : DISABLED),
	};
}
