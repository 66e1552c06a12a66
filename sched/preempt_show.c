// SPDX-License-Identifier: MIT
/* /sys/kernel/debug/sched/preempt: the preemption models, the one that runs in parentheses. Writing one changes to it. */
#include <lib/types.h>
#include <abi/errno.h>
#include <lib/format.h>
#include <lib/string.h>
#include <kernel/init.h>
#include <kernel/show.h>
#include <sched/sched.h>

static ssize_t preempt_show(struct show_node *n, char *buf, size_t size)
{
	return snprintf(buf, size, preempt_model == PREEMPT_FULL ? "(full) lazy \n" : "full (lazy) \n");
}

static ssize_t preempt_store(struct show_node *n, const char *text, size_t len)
{
	size_t end = len && text[len - 1] == '\n' ? len - 1 : len;

	if (end != 4)
		return -EINVAL;
	if (!memcmp(text, "full", 4))
		WRITE_ONCE(preempt_model, PREEMPT_FULL);
	else if (!memcmp(text, "lazy", 4))
		WRITE_ONCE(preempt_model, PREEMPT_LAZY);
	else
		return -EINVAL;
	return (ssize_t)len;
}

static int preempt_show_init(void)
{
	struct show_node *dir = show_path(SHOW_DEBUG, "sched");

	if (!dir || !show_attr(dir, "preempt", 0644, preempt_show, preempt_store, NULL))
		return -ENOMEM;
	return 0;
}
INITCALL(late, preempt_show_init);
