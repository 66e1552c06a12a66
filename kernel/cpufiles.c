// SPDX-License-Identifier: MIT
/*
 * /sys/devices/system/cpu: which CPUs there are, as lists, a directory for each, and what is known of the hardware's
 * vulnerabilities. What a CPU is vulnerable to is arch's to say; this only presents it.
 */
#include <lib/types.h>
#include <abi/errno.h>
#include <lib/bitmap.h>
#include <lib/format.h>
#include <lib/string.h>
#include <kernel/cpumask.h>
#include <kernel/init.h>
#include <kernel/show.h>
#include <arch/cpu.h>

static ssize_t list_show(struct show_node *n, char *buf, size_t size)
{
	const struct cpumask *m = n->data;
	int len = bitmap_print_list(buf, size - 1, m->bits, nr_cpu_ids);

	if (len < 0)
		return len;
	buf[len] = '\n';
	return len + 1;
}

static ssize_t offline_show(struct show_node *n, char *buf, size_t size)
{
	struct cpumask off;
	unsigned int cpu;
	int len;

	cpumask_copy(&off, cpu_possible_mask);
	for_each_online_cpu(cpu)
		__cpumask_clear_cpu(cpu, &off);
	len = bitmap_print_list(buf, size - 1, off.bits, nr_cpu_ids);
	if (len < 0)
		return len;
	buf[len] = '\n';
	return len + 1;
}

static ssize_t kernel_max_show(struct show_node *n, char *buf, size_t size)
{
	return snprintf(buf, size, "%d\n", NR_CPUS - 1);
}

static ssize_t vulnerability_show(struct show_node *n, char *buf, size_t size)
{
	return arch_vulnerability_show(buf, size, (unsigned int)(unsigned long)n->data);
}

static int cpu_files_init(void)
{
	struct show_node *dir = show_path(SHOW_SYS, "devices/system/cpu"), *sub;
	unsigned int cpu;

	if (!dir)
		return -ENOMEM;
	show_attr(dir, "online", 0444, list_show, NULL, &cpu_online_mask_);
	show_attr(dir, "possible", 0444, list_show, NULL, &cpu_possible_mask_);
	show_attr(dir, "present", 0444, list_show, NULL, &cpu_present_mask_);
	show_attr(dir, "offline", 0444, offline_show, NULL, NULL);
	show_attr(dir, "kernel_max", 0444, kernel_max_show, NULL, NULL);
	for_each_possible_cpu(cpu) {
		char name[16];

		snprintf(name, sizeof(name), "cpu%u", cpu);
		show_dir(SHOW_SYS, dir, name);
	}
	sub = show_dir(SHOW_SYS, dir, "vulnerabilities");
	for (unsigned int i = 0; sub && arch_vulnerability_name(i); i++)
		show_attr(sub, arch_vulnerability_name(i), 0444, vulnerability_show, NULL, (void *)(unsigned long)i);
	return 0;
}
INITCALL(late, cpu_files_init);
