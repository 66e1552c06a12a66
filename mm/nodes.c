// SPDX-License-Identifier: MIT
/*
 * /sys/devices/system/node: which nodes of memory there are. All memory is one, node 0, and all CPUs are its; programs that
 * place their memory (libnuma) look here first, and take a machine without the directory for one that cannot say.
 */
#include <abi/errno.h>
#include <lib/bitmap.h>
#include <lib/format.h>
#include <kernel/cpumask.h>
#include <kernel/init.h>
#include <kernel/show.h>
#include <mm/mm.h>

static ssize_t node_list_show(struct show_node *n, char *buf, size_t size)
{
	return scnprintf(buf, size, "0\n");
}

static ssize_t cpulist_show(struct show_node *n, char *buf, size_t size)
{
	int len = bitmap_print_list(buf, size - 1, cpu_online_mask_.bits, nr_cpu_ids);

	if (len < 0)
		return len;
	buf[len] = '\n';
	return len + 1;
}

static ssize_t cpumap_show(struct show_node *n, char *buf, size_t size)
{
	int len = bitmap_print_mask(buf, size - 1, cpu_online_mask_.bits, nr_cpu_ids);

	buf[len] = '\n';
	return len + 1;
}

static ssize_t distance_show(struct show_node *n, char *buf, size_t size)
{
	return scnprintf(buf, size, "10\n");
}

static ssize_t meminfo_show(struct show_node *n, char *buf, size_t size)
{
	struct meminfo i;
	ssize_t len = 0;

	mm_meminfo(&i);
	const struct {
		const char *name;
		unsigned long pages;
	} rows[] = {
		{ "MemTotal:", i.total },
		{ "MemFree:", i.free },
		{ "MemUsed:", i.total - i.free },
		{ "SwapCached:", 0 },
		{ "Active:", i.active_anon + i.active_file },
		{ "Inactive:", i.inactive_anon + i.inactive_file },
		{ "Active(anon):", i.active_anon },
		{ "Inactive(anon):", i.inactive_anon },
		{ "Active(file):", i.active_file },
		{ "Inactive(file):", i.inactive_file },
		{ "Unevictable:", i.unevictable },
		{ "Mlocked:", i.mlocked },
		{ "Dirty:", i.dirty },
		{ "Writeback:", i.writeback },
		{ "FilePages:", i.cached },
		{ "Mapped:", i.file_mapped },
		{ "AnonPages:", i.anon_mapped },
		{ "Shmem:", i.shmem },
		{ "KernelStack:", i.kernel_stacks },
		{ "PageTables:", i.page_tables },
		{ "SecPageTables:", i.secondary_tables },
		{ "NFS_Unstable:", 0 },
		{ "Bounce:", 0 },
		{ "WritebackTmp:", 0 },
		{ "KReclaimable:", i.kreclaimable },
		{ "Slab:", i.slab_reclaimable + i.slab_unreclaimable },
		{ "SReclaimable:", i.slab_reclaimable },
		{ "SUnreclaim:", i.slab_unreclaimable },
	};

	for (unsigned int r = 0; r < ARRAY_SIZE(rows); r++)
		len += scnprintf(buf + len, size - (size_t)len, "Node 0 %-15s%8lu kB\n", rows[r].name, rows[r].pages << (PAGE_SHIFT - 10));
	return len;
}

static int publish_nodes(void)
{
	static const char *const lists[] = { "online", "possible", "has_cpu", "has_memory", "has_normal_memory" };
	struct show_node *nodes = show_path(SHOW_SYS, "devices/system/node"), *node;

	for (unsigned int i = 0; i < ARRAY_SIZE(lists); i++)
		show_attr(nodes, lists[i], 0444, node_list_show, NULL, NULL);
	node = nodes ? show_dir(SHOW_SYS, nodes, "node0") : NULL;
	show_attr(node, "cpumap", 0444, cpumap_show, NULL, NULL);
	show_attr(node, "cpulist", 0444, cpulist_show, NULL, NULL);
	show_attr(node, "distance", 0444, distance_show, NULL, NULL);
	show_attr(node, "meminfo", 0444, meminfo_show, NULL, NULL);
	return node ? 0 : -ENOMEM;
}
INITCALL(late, publish_nodes);
