// SPDX-License-Identifier: MIT
/* The files about the whole system. Formats: proc(5), as procps and busybox read them. */
#include "proc_priv.h"
#include <alloc/page.h>
#include <alloc/slab.h>
#include <arch/cpu.h>
#include <dev/module.h>
#include <kernel/cpumask.h>
#include <kernel/init.h>
#include <kernel/irq.h>
#include <kernel/printk.h>
#include <kernel/time.h>
#include <mm/mm.h>
#include <mm/uaccess.h>
#include <proc/cred.h>
#include <sched/sched.h>
#include <vfs/chrdev.h>
#include <vfs/locks.h>
#include <linux/capability.h>

/* Memory. */

static void kb(struct seq_file *m, const char *name, unsigned long pages)
{
	seq_printf(m, "%-16s%8lu kB\n", name, pages << (PAGE_SHIFT - 10));
}

static int show_meminfo(struct seq_file *m, void *v)
{
	struct meminfo i;

	(void)v;
	mm_meminfo(&i);
	kb(m, "MemTotal:", i.total);
	kb(m, "MemFree:", i.free);
	kb(m, "MemAvailable:", i.available);
	kb(m, "Buffers:", i.buffers);
	kb(m, "Cached:", i.cached);
	kb(m, "SwapCached:", 0);
	kb(m, "Active:", i.active_anon + i.active_file);
	kb(m, "Inactive:", i.inactive_anon + i.inactive_file);
	kb(m, "Active(anon):", i.active_anon);
	kb(m, "Inactive(anon):", i.inactive_anon);
	kb(m, "Active(file):", i.active_file);
	kb(m, "Inactive(file):", i.inactive_file);
	kb(m, "Unevictable:", i.unevictable);
	kb(m, "Mlocked:", i.mlocked);
	kb(m, "SwapTotal:", 0);
	kb(m, "SwapFree:", 0);
	kb(m, "Dirty:", i.dirty);
	kb(m, "Writeback:", i.writeback);
	kb(m, "AnonPages:", i.anon_mapped);
	kb(m, "Mapped:", i.file_mapped);
	kb(m, "Shmem:", i.shmem);
	kb(m, "KReclaimable:", i.kreclaimable);
	kb(m, "Slab:", i.slab_reclaimable + i.slab_unreclaimable);
	kb(m, "SReclaimable:", i.slab_reclaimable);
	kb(m, "SUnreclaim:", i.slab_unreclaimable);
	kb(m, "KernelStack:", i.kernel_stacks);
	kb(m, "PageTables:", i.page_tables);
	kb(m, "SecPageTables:", i.secondary_tables);
	kb(m, "NFS_Unstable:", 0);
	kb(m, "Bounce:", 0);
	kb(m, "WritebackTmp:", 0);
	kb(m, "CommitLimit:", i.commit_limit);
	kb(m, "Committed_AS:", i.committed);
	kb(m, "VmallocTotal:", i.vmalloc_total);
	kb(m, "VmallocUsed:", i.vmalloc_used);
	kb(m, "VmallocChunk:", 0);
	kb(m, "Percpu:", i.percpu);
	return 0;
}

static int show_vmstat(struct seq_file *m, void *v)
{
	unsigned long value;
	const char *name;

	(void)v;
	for (unsigned int i = 0; (name = mm_vmstat(i, &value)); i++)
		seq_printf(m, "%s %lu\n", name, value);
	return 0;
}

static int show_buddyinfo(struct seq_file *m, void *v)
{
	struct zone_info z;

	(void)v;
	for (unsigned int i = 0; i < MAX_NR_ZONES; i++) {
		if (!zone_info((enum zone_type)i, &z))
			continue;
		seq_printf(m, "Node 0, zone %8s ", z.name);
		for (unsigned int o = 0; o < NR_PAGE_ORDERS; o++)
			seq_printf(m, "%6lu ", z.nr_free[o]);
		seq_putc(m, '\n');
	}
	return 0;
}

static int show_zoneinfo(struct seq_file *m, void *v)
{
	struct zone_info z;

	(void)v;
	for (unsigned int i = 0; i < MAX_NR_ZONES; i++) {
		if (!zone_info((enum zone_type)i, &z))
			continue;
		seq_printf(m, "Node 0, zone %8s\n  pages free     %lu\n        min      %lu\n        low      %lu\n"
			      "        high     %lu\n        spanned  %lu\n        managed  %lu\n  start_pfn:           %lu\n",
			   z.name, z.free, z.wmark_min, z.wmark_low, z.wmark_high, z.spanned, z.managed, z.start_pfn);
	}
	return 0;
}

static int slab_line(const struct slab_stat *s, void *arg)
{
	seq_printf(arg, "%-17s %6lu %6lu %6u %4u %4u : tunables %4u %4u %4u : slabdata %6lu %6lu %6u\n", s->name,
		   s->active_objs, s->num_objs, s->slot_size, s->objs_per_slab, s->pages_per_slab, 0u, 0u, 0u,
		   s->active_slabs, s->num_slabs, 0u);
	return 0;
}

static int show_slabinfo(struct seq_file *m, void *v)
{
	(void)v;
	seq_puts(m, "slabinfo - version: 2.1\n# name            <active_objs> <num_objs> <objsize> <objperslab> "
		    "<pagesperslab> : tunables <limit> <batchcount> <sharedfactor> : slabdata <active_slabs> "
		    "<num_slabs> <sharedavail>\n");
	return slab_for_each(slab_line, m);
}

static int show_swaps(struct seq_file *m, void *v)
{
	(void)v;
	seq_puts(m, "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n");
	return 0;
}

/* Processors and time. */

static void cpu_line(struct seq_file *m, const struct cpu_times *t)
{
	const u64 v[] = { t->user, t->nice, t->system, t->idle, t->iowait, t->irq, t->softirq, t->steal,
			  t->guest, t->guest_nice };

	for (unsigned int i = 0; i < ARRAY_SIZE(v); i++)
		seq_put_decimal_ull(m, " ", nsec_to_clock_t(v[i]));
	seq_puts(m, "\n");
}

static void add_times(struct cpu_times *sum, const struct cpu_times *t)
{
	sum->user += t->user;
	sum->nice += t->nice;
	sum->system += t->system;
	sum->idle += t->idle;
	sum->iowait += t->iowait;
	sum->irq += t->irq;
	sum->softirq += t->softirq;
	sum->steal += t->steal;
	sum->guest += t->guest;
	sum->guest_nice += t->guest_nice;
}

static u64 total_interrupts(void)
{
	u64 sum = 0;

	for (int irq = irq_next(0); irq >= 0; irq = irq_next(irq + 1)) {
		unsigned int cpu;

		for_each_possible_cpu(cpu)
			sum += irq_count(irq, (int)cpu);
	}
	return sum;
}

static int show_stat(struct seq_file *m, void *v)
{
	struct cpu_times sum = { 0 }, t;
	unsigned int cpu;

	(void)v;
	for_each_online_cpu(cpu) {
		cpu_times_get((int)cpu, &t);
		add_times(&sum, &t);
	}
	seq_puts(m, "cpu ");
	cpu_line(m, &sum);
	for_each_online_cpu(cpu) {
		cpu_times_get((int)cpu, &t);
		seq_printf(m, "cpu%u", cpu);
		cpu_line(m, &t);
	}
	seq_printf(m, "intr %llu\nctxt %llu\nbtime %llu\nprocesses %llu\nprocs_running %u\nprocs_blocked %u\n"
		      "softirq 0 0 0 0 0 0 0 0 0 0 0\n",
		   total_interrupts(), nr_context_switches(),
		   (ktime_get_real_ns() - ktime_get_boottime_ns()) / NSEC_PER_SEC, READ_ONCE(total_forks), nr_running(),
		   nr_iowait());
	return 0;
}

static int show_uptime(struct seq_file *m, void *v)
{
	u64 up = ktime_get_boottime_ns(), idle = 0;
	struct cpu_times t;
	unsigned int cpu;

	(void)v;
	for_each_online_cpu(cpu) {
		cpu_times_get((int)cpu, &t);
		idle += t.idle + t.iowait;
	}
	seq_printf(m, "%llu.%02llu %llu.%02llu\n", up / NSEC_PER_SEC, up % NSEC_PER_SEC / 10000000,
		   idle / NSEC_PER_SEC, idle % NSEC_PER_SEC / 10000000);
	return 0;
}

static int show_loadavg(struct seq_file *m, void *v)
{
	struct pid_namespace *ns = task_active_pid_ns(current);
	unsigned long avg[3];

	(void)v;
	get_avenrun(avg);
	for (int i = 0; i < 3; i++) {
		/* Rounded to hundredths. */
		unsigned long x = avg[i] + 2048 / 200;

		seq_printf(m, "%lu.%02lu ", x >> 11, (x & 2047) * 100 >> 11);
	}
	seq_printf(m, "%u/%u %d\n", nr_running(), READ_ONCE(ns->pid_allocated), READ_ONCE(ns->last_pid));
	return 0;
}

static void *cpu_start(struct seq_file *m, loff_t *pos)
{
	(void)m;
	while (*pos < nr_cpu_ids && !cpu_online((unsigned int)*pos))
		++*pos;
	return *pos < nr_cpu_ids ? (void *)(unsigned long)(*pos + 1) : NULL;
}

static void *cpu_next_one(struct seq_file *m, void *v, loff_t *pos)
{
	(void)v;
	++*pos;
	return cpu_start(m, pos);
}

static void cpu_stop(struct seq_file *m, void *v)
{
	(void)m;
	(void)v;
}

static int cpu_show(struct seq_file *m, void *v)
{
	char *buf;
	size_t size = seq_get_buf(m, &buf);
	int n;

	if (!buf)
		return 0;
	n = arch_cpuinfo_show(buf, size, (unsigned int)(unsigned long)v - 1);
	seq_commit(m, n >= (int)size ? -1 : n);
	return 0;
}

static const struct seq_operations cpuinfo_ops = {
	.start = cpu_start, .next = cpu_next_one, .stop = cpu_stop, .show = cpu_show,
};

static int show_interrupts(struct seq_file *m, void *v)
{
	unsigned int cpu;
	char name[64];

	(void)v;
	seq_puts(m, "           ");
	for_each_online_cpu(cpu)
		seq_printf(m, "CPU%-8u", cpu);
	seq_putc(m, '\n');
	for (int irq = irq_next(0); irq >= 0; irq = irq_next(irq + 1)) {
		seq_printf(m, "%4d: ", irq);
		for_each_online_cpu(cpu)
			seq_printf(m, "%10llu ", irq_count(irq, (int)cpu));
		seq_printf(m, " %s\n", irq_name(irq, name, sizeof(name)));
	}
	return 0;
}

/* Names. */

static int show_version(struct seq_file *m, void *v)
{
	struct uts_namespace *u = utsname_ns();

	(void)v;
	seq_printf(m, "%s version %s (ochre@ochre) (%s) %s\n", u->name.sysname, u->name.release, __VERSION__,
		   u->name.version);
	return 0;
}

static int show_cmdline(struct seq_file *m, void *v)
{
	(void)v;
	seq_puts(m, saved_command_line);
	seq_putc(m, '\n');
	return 0;
}

static int show_filesystems(struct seq_file *m, void *v)
{
	(void)v;
	return filesystems_show(m);
}

__weak void block_show_majors(struct seq_file *m);
__weak void block_show_partitions(struct seq_file *m);
__weak void block_show_diskstats(struct seq_file *m);

static int show_devices(struct seq_file *m, void *v)
{
	(void)v;
	chrdev_show(m);
	seq_puts(m, "\nBlock devices:\n");
	if (block_show_majors)
		block_show_majors(m);
	return 0;
}

static int show_partitions(struct seq_file *m, void *v)
{
	(void)v;
	seq_puts(m, "major minor  #blocks  name\n\n");
	if (block_show_partitions)
		block_show_partitions(m);
	return 0;
}

static int show_diskstats(struct seq_file *m, void *v)
{
	(void)v;
	if (block_show_diskstats)
		block_show_diskstats(m);
	return 0;
}

static int show_locks(struct seq_file *m, void *v)
{
	(void)v;
	return locks_show(m, proc_pid_ns(file_inode(m->file)->i_sb));
}

#ifdef CONFIG_MODULES
bool module_addresses_allowed(void)
{
	return capable(CAP_SYSLOG);
}
#endif

static void show_module(const struct module_facts *f, void *m)
{
#ifdef CONFIG_MODULES
	bool addresses = module_addresses_allowed();

	const void *cursor = NULL;
	const char *user;

	seq_printf(m, "%s %zu %d ", f->name, f->size, f->uses);
	while ((user = module_next_user(f, &cursor)))
		seq_printf(m, "%s,", user);
	if (f->is_permanent)
		seq_puts(m, "[permanent],");
	else if (!f->has_users)
		seq_puts(m, "-");
	seq_printf(m, *f->taints ? " %s 0x%016lx (%s)\n" : " %s 0x%016lx%s\n", f->state, addresses ? f->start : 0, f->taints);
#endif
}

static int show_modules(struct seq_file *m, void *v)
{
	module_for_each(show_module, m);
	return 0;
}

static int proc_system_init(void)
{
	static const struct {
		const char *name;
		umode_t mode;
		int (*show)(struct seq_file *, void *);
	} files[] = {
		{ "buddyinfo", 0, show_buddyinfo }, { "cmdline", 0, show_cmdline },
		{ "devices", 0, show_devices }, { "diskstats", 0, show_diskstats },
		{ "filesystems", 0, show_filesystems }, { "interrupts", 0, show_interrupts },
		{ "loadavg", 0, show_loadavg }, { "locks", 0, show_locks }, { "meminfo", 0, show_meminfo },
		{ "modules", 0, show_modules }, { "partitions", 0, show_partitions },
		{ "slabinfo", 0400, show_slabinfo }, { "stat", 0, show_stat }, { "swaps", 0, show_swaps },
		{ "uptime", 0, show_uptime }, { "version", 0, show_version }, { "vmstat", 0, show_vmstat },
		{ "zoneinfo", 0, show_zoneinfo },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(files); i++)
		proc_create_single(files[i].name, files[i].mode, NULL, files[i].show);
	proc_create_seq("cpuinfo", 0, NULL, &cpuinfo_ops);
	return 0;
}
INITCALL(fs, proc_system_init);
