// SPDX-License-Identifier: MIT
/* What /sys says of CPUs, and debugfs of preemption. */
#include <lib/types.h>
#include <lib/format.h>
#include <lib/string.h>
#include <arch/cpu.h>
#include <kernel/cpumask.h>
#include <kernel/init.h>
#include <kernel/show.h>
#include <sched/sched.h>
#include <abi/errno.h>

static ssize_t show_mask(struct show_node *n, char *buf, size_t size)
{
	int len = bitmap_print_list(buf, size, ((const struct cpumask *)n->data)->bits, nr_cpu_ids);

	return len + scnprintf(buf + len, size - (size_t)len, "\n");
}

static ssize_t show_kernel_max(struct show_node *n, char *buf, size_t size)
{
	return scnprintf(buf, size, "%d\n", NR_CPUS - 1);
}

static ssize_t show_empty(struct show_node *n, char *buf, size_t size)
{
	return scnprintf(buf, size, "\n");
}

static ssize_t show_vulnerability(struct show_node *n, char *buf, size_t size)
{
	return arch_vulnerability_show(buf, size, (unsigned int)(unsigned long)n->data);
}

static ssize_t show_online(struct show_node *n, char *buf, size_t size)
{
	return scnprintf(buf, size, "%d\n", cpu_online((unsigned int)(unsigned long)n->data));
}

static ssize_t show_preempt(struct show_node *n, char *buf, size_t size)
{
	return scnprintf(buf, size, preempt_model == PREEMPT_FULL ? "(full) lazy\n" : "full (lazy)\n");
}

/* The model may change at any time: it is read where a wake-up decides. */
static ssize_t store_preempt(struct show_node *n, const char *text, size_t len)
{
	if (sysfs_streq(text, "full"))
		WRITE_ONCE(preempt_model, PREEMPT_FULL);
	else if (sysfs_streq(text, "lazy"))
		WRITE_ONCE(preempt_model, PREEMPT_LAZY);
	else
		return -EINVAL;
	return (ssize_t)len;
}

static int publish_cpus(void)
{
	struct show_node *cpus = show_path(SHOW_SYS, "devices/system/cpu"), *bugs;
	unsigned int cpu;
	const char *name;

	show_attr(cpus, "online", 0444, show_mask, NULL, &cpu_online_mask_);
	show_attr(cpus, "possible", 0444, show_mask, NULL, &cpu_possible_mask_);
	show_attr(cpus, "present", 0444, show_mask, NULL, &cpu_present_mask_);
	show_attr(cpus, "offline", 0444, show_empty, NULL, NULL);
	show_attr(cpus, "isolated", 0444, show_empty, NULL, NULL);
	show_attr(cpus, "kernel_max", 0444, show_kernel_max, NULL, NULL);
	for_each_possible_cpu(cpu) {
		struct show_node *dir;
		char buf[16];

		snprintf(buf, sizeof(buf), "cpu%u", cpu);
		dir = cpus ? show_dir(SHOW_SYS, cpus, buf) : NULL;
		if (cpu)	/* the first one cannot go offline, and has no such file */
			show_attr(dir, "online", 0444, show_online, NULL, (void *)(unsigned long)cpu);
	}
	bugs = cpus ? show_dir(SHOW_SYS, cpus, "vulnerabilities") : NULL;
	for (unsigned int i = 0; bugs && (name = arch_vulnerability_name(i)); i++)
		show_attr(bugs, name, 0444, show_vulnerability, NULL, (void *)(unsigned long)i);
	show_attr(show_path(SHOW_DEBUG, "sched"), "preempt", 0644, show_preempt, store_preempt, NULL);
	return cpus && bugs ? 0 : -ENOMEM;
}
INITCALL(late, publish_cpus);
