// SPDX-License-Identifier: MIT
/* Fields 43 and 44 of /proc/PID/stat. No guest runs: the test says how long one ran. */
#include <lib/types.h>
#include <alloc/slab.h>
#include <kernel/ktest.h>
#include <lib/string.h>
#include <proc/pid.h>
#include <proc/signal.h>
#include <sched/task.h>
#include <vfs/seq_file.h>
#include <linux/time.h>
#include "fs/proc/proc_priv.h"

#define ROOM 4096
#define TICKS_A_SECOND 100

static char *text;

/* What SHOW writes of the running task. NULL: no memory, or it failed. */
static const char *line(int (*show)(struct seq_file *, struct pid_namespace *, struct pid *,
				    struct task *))
{
	struct seq_file m = { .buf = text, .size = ROOM - 1 };

	memset(text, 0, ROOM);
	return show(&m, &init_pid_ns, task_own_pid(current), current) ? NULL : text;
}

/* The number after N spaces that follow the name; the first after the name is field 3. */
static u64 field(const char *s, int n)
{
	u64 v = 0;

	s = strrchr(s, ')');
	for (int i = 2; s && i < n; i++)
		s = strchr(s + 1, ' ');
	for (s = s ? s + 1 : ""; *s >= '0' && *s <= '9'; s++)
		v = v * 10 + (u64)(*s - '0');
	return v;
}

KTEST(guest_time_in_proc_stat)
{
	u64 mine = current->gtime_ns, children = current->signal->cgtime_ns, all = 0;
	u64 thread[2] = { 0 }, whole[2] = { 0 };

	text = kmalloc(ROOM, GFP_KERNEL);
	KT_ASSERT(text);
	current->gtime_ns = 5 * NSEC_PER_SEC;
	current->signal->cgtime_ns = 9 * NSEC_PER_SEC;
	all = (u64)atomic64_read(&current->group_times->gtime_ns);
	atomic64_add(7 * NSEC_PER_SEC, &current->group_times->gtime_ns);
	if (line(proc_show_thread_stat))
		for (int i = 0; i < 2; i++)
			thread[i] = field(text, 43 + i);
	if (line(proc_show_stat))
		for (int i = 0; i < 2; i++)
			whole[i] = field(text, 43 + i);
	current->gtime_ns = mine;
	current->signal->cgtime_ns = children;
	atomic64_add(-7 * (s64)NSEC_PER_SEC, &current->group_times->gtime_ns);
	kfree(text);
	KT_EQ(thread[0], 5 * TICKS_A_SECOND);
	KT_EQ(thread[1], 9 * TICKS_A_SECOND);
	KT_EQ(whole[0], (all + 7 * NSEC_PER_SEC) / (NSEC_PER_SEC / TICKS_A_SECOND));
	KT_EQ(whole[1], 9 * TICKS_A_SECOND);
}
