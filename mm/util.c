// SPDX-License-Identifier: MIT
/* Commit accounting, and the numbers of /proc/meminfo and /proc/vmstat. */
#include "mm_priv.h"
#include <alloc/vmalloc.h>
#include <mm/lasting.h>
#include <linux/capability.h>

int sysctl_overcommit_memory;
int sysctl_overcommit_ratio = 50;
unsigned long sysctl_overcommit_kbytes;
unsigned long sysctl_user_reserve_kbytes = 1ul << 17;
unsigned long sysctl_admin_reserve_kbytes = 1ul << 13;
static atomic64_t committed;

unsigned long vm_commit_limit(void)
{
	if (sysctl_overcommit_kbytes)
		return sysctl_overcommit_kbytes >> (PAGE_SHIFT - 10);
	return totalram_pages() * (unsigned long)sysctl_overcommit_ratio / 100;
}

unsigned long vm_committed(void)
{
	long n = (long)atomic64_read(&committed);

	return n < 0 ? 0 : (unsigned long)n;
}

void vm_unacct_memory(unsigned long pages)
{
	atomic64_sub((s64)pages, &committed);
}

unsigned long sysctl_user_lasting_kbytes = ULONG_MAX;
static atomic64_t lasting;		/* bytes */

int lasting_charge(size_t bytes)
{
	u64 now = (u64)atomic64_add_return((s64)bytes, &lasting);

	if (likely(now >> 10 <= READ_ONCE(sysctl_user_lasting_kbytes)) || mm_capable(CAP_SYS_ADMIN))
		return 0;
	lasting_uncharge(bytes);
	return -ENOSPC;
}

void lasting_uncharge(size_t bytes)
{
	atomic64_sub((s64)bytes, &lasting);
}

void lasting_begin_limit(void)
{
	u64 used = (u64)atomic64_read(&lasting) >> 10;

	WRITE_ONCE(sysctl_user_lasting_kbytes, used + (nr_free_pages() / 4 * 3 << (PAGE_SHIFT - 10)));
}

int vm_enough_memory(struct mm *mm, unsigned long pages)
{
	long now = (long)atomic64_add_return((s64)pages, &committed);
	unsigned long allowed;

	if (likely(sysctl_overcommit_memory == 0)) {
		if (pages <= totalram_pages())
			return 0;
		goto fail;
	}
	if (sysctl_overcommit_memory == 1)
		return 0;
	allowed = vm_commit_limit();
	if (!mm_capable(CAP_SYS_ADMIN)) {
		unsigned long reserve = sysctl_admin_reserve_kbytes >> (PAGE_SHIFT - 10);

		allowed -= min(reserve, allowed / 32);
	}
	if (mm)
		allowed -= min3(allowed, mm->total_vm / 32, sysctl_user_reserve_kbytes >> (PAGE_SHIFT - 10));
	if (now < (long)allowed)
		return 0;
fail:
	vm_unacct_memory(pages);
	return -ENOMEM;
}

/* What could be had without swapping: free memory above the reserves, most of the cache and slabs. */
static unsigned long available_pages(unsigned long free, unsigned long cache, unsigned long reclaimable)
{
	unsigned long reserve = totalreserve_pages(), wmark = reserve / 2;
	unsigned long n = free > reserve ? free - reserve : 0;

	n += cache - min(cache / 2, wmark);
	n += reclaimable - min(reclaimable / 2, wmark);
	return n;
}

void mm_meminfo(struct meminfo *mi)
{
	*mi = (struct meminfo){
		.total = totalram_pages(),
		.free = nr_free_pages(),
		.cached = vm_stat_sum(NR_FILE_PAGES),
		.active_file = lru_nr(LRU_ACTIVE_FILE),
		.inactive_file = lru_nr(LRU_INACTIVE_FILE),
		.mlocked = vm_stat_sum(NR_MLOCK),
		.dirty = vm_stat_sum(NR_DIRTY),
		.writeback = vm_stat_sum(NR_WRITEBACK),
		.anon_mapped = vm_stat_sum(NR_ANON_MAPPED),
		.file_mapped = vm_stat_sum(NR_FILE_MAPPED),
		.shmem = vm_stat_sum(NR_SHMEM),
		.slab_reclaimable = slab_pages_reclaimable(),
		.slab_unreclaimable = slab_pages_unreclaimable(),
		.kernel_stacks = kstack_nr_pages(),
		.page_tables = vm_stat_sum(NR_PAGE_TABLES) + kernel_table_pages(),
		.secondary_tables = vm_stat_sum(NR_SECONDARY_TABLES),
		.commit_limit = vm_commit_limit(),
		.committed = vm_committed(),
		.vmalloc_total = (VMALLOC_END - VMALLOC_START) >> PAGE_SHIFT,
		.vmalloc_used = vmalloc_nr_pages(),
	};
	mi->kreclaimable = mi->slab_reclaimable;
	mi->unevictable = mi->mlocked;
	/* Anonymous and shmem memory is on no list; it counts as inactive. */
	mi->inactive_anon = mi->anon_mapped + mi->shmem;
	mi->available = available_pages(mi->free, mi->active_file + mi->inactive_file, mi->slab_reclaimable);
}

void mm_count_secondary_tables(long pages)
{
	mod_stat(NR_SECONDARY_TABLES, pages);
}

const char *mm_vmstat(unsigned int i, unsigned long *value)
{
	static const struct {
		const char *name;
		int stat, event;
	} tab[] = {
		{ "nr_free_pages", -2, -1 },
		{ "nr_inactive_file", -3, -1 },
		{ "nr_active_file", -4, -1 },
		{ "nr_mlock", NR_MLOCK, -1 },
		{ "nr_anon_pages", NR_ANON_MAPPED, -1 },
		{ "nr_mapped", NR_FILE_MAPPED, -1 },
		{ "nr_file_pages", NR_FILE_PAGES, -1 },
		{ "nr_dirty", NR_DIRTY, -1 },
		{ "nr_writeback", NR_WRITEBACK, -1 },
		{ "nr_shmem", NR_SHMEM, -1 },
		{ "nr_page_table_pages", -7, -1 },
		{ "nr_sec_page_table_pages", NR_SECONDARY_TABLES, -1 },
		{ "nr_kernel_page_table_pages", -8, -1 },	/* of those, the kernel's; Linux does not tell them apart */
		{ "nr_slab_reclaimable", -5, -1 },
		{ "nr_slab_unreclaimable", -6, -1 },
		{ "pgpgin", -1, PGPGIN },
		{ "pgfault", -1, PGFAULT },
		{ "pgmajfault", -1, PGMAJFAULT },
		{ "pgactivate", -1, PGACTIVATE },
		{ "pgdeactivate", -1, PGDEACTIVATE },
		{ "pglazyfreed", -1, PGLAZYFREED },
		{ "pgscan_kswapd", -1, PGSCAN },
		{ "pgscan_direct", -1, PGSCAN_DIRECT },
		{ "pgsteal_kswapd", -1, PGSTEAL },
		{ "allocstall_normal", -1, ALLOCSTALL },
		{ "oom_kill", -1, OOM_KILL },
	};

	if (i >= ARRAY_SIZE(tab))
		return NULL;
	if (tab[i].event >= 0)
		*value = vm_event_sum((enum vm_event)tab[i].event);
	else if (tab[i].stat >= 0)
		*value = vm_stat_sum((enum vm_stat)tab[i].stat);
	else
		switch (tab[i].stat) {
		case -2: *value = nr_free_pages(); break;
		case -3: *value = lru_nr(LRU_INACTIVE_FILE); break;
		case -4: *value = lru_nr(LRU_ACTIVE_FILE); break;
		case -5: *value = slab_pages_reclaimable(); break;
		case -6: *value = slab_pages_unreclaimable(); break;
		case -7: *value = vm_stat_sum(NR_PAGE_TABLES) + kernel_table_pages(); break;
		default: *value = kernel_table_pages(); break;
		}
	return tab[i].name;
}
