// SPDX-License-Identifier: MIT
/*
 * Writing by extents, against a model: a filesystem in memory with holes and with blocks that are
 * reserved, unwritten, written or shared. The seed and the operations on the file decide which are
 * which. The disk begins with other bytes than the file's, so that a block that is read without
 * having been written is noticed. After each of many writes, truncations, zeroings, mapped writes
 * and writebacks the file has the same bytes as a plain array; at the end the disk has them too.
 */
#include <alloc/page.h>
#include <alloc/vmalloc.h>
#include <kernel/ktest.h>
#include <sched/task.h>
#include "extent/test/write_model.h"

/* ---- what the file needs around it ---- */

static int init_context(struct fs_context *fc)
{
	static const struct super_operations sops = { .statfs = simple_statfs };
	static const struct pseudo_fs p = { .name = "ktest_extent_w", .magic = 1, .ops = &sops };

	return pseudo_init_fs_context(fc, &p);
}

static struct file_system_type type = { .name = "ktest_extent_w",
					.init_fs_context = init_context,
					.kill_sb = kill_anon_super };

struct around {
	struct vfsmount *mnt;
	struct bdev *bdev;
	struct inode *inode;
	struct extent_file x;
	struct folio *held;		/* or NULL */
	struct page *pages;
	u8 *data;			/* FILE_MOST bytes, contiguous */
};

/* A file whose first half has all kinds of blocks. */
static void lay_out(struct around *a, u64 seed)
{
	u32 size = 1 << fs.bits;

	chance_state = seed;
	for (u32 i = 0; i < DISK_BYTES; i++)
		platter[i] = (u8)(i * 7 + i / 251) | 1;
	memset(want, 0, FILE_MOST);
	i_size_write(a->inode, FILE_MOST / 2);
	fs.disk_size = FILE_MOST / 2;
	for (u32 b = 0; b < fs.blocks / 2; b++) {
		u32 kind = chance(8);

		if (kind < 3)
			continue;
		fs.map[b].addr = take(chance(DISK_BYTES >> fs.bits));
		fs.map[b].type = kind < 5 ? EXTENT_UNWRITTEN : EXTENT_MAPPED;
		if (kind >= 5)
			memcpy(want + b * size, platter + fs.map[b].addr * size, size);
		fs.map[b].shared = kind == 7 && !chance(4);
	}
}

static bool begin(struct around *a, u8 bits, u64 seed)
{
	platter = vmalloc(DISK_BYTES);
	want = vmalloc(FILE_MOST);
	a->pages = alloc_pages(GFP_KERNEL, 6);
	a->data = a->pages ? page_address(a->pages) : NULL;
	memset(&fs, 0, sizeof(fs));
	a->held = NULL;
	mutex_init(&fs.lock);
	fs.bits = bits;
	fs.blocks = FILE_MOST >> bits;
	fs.left = U32_MAX / 2;	/* blocks that are freed do not come back to it */
	fs.wq = alloc_workqueue("ktest_extent", WQ_UNBOUND, 0);
	fail_writes = false;
	disk = disk_alloc_numbered("ktestextw", BLKEXT_MAJOR, 1048001, 1, 8);
	if (!disk || !platter || !want || !a->data || !fs.wq)
		return false;
	disk->ops = &disk_ops;
	disk->sectors = DISK_BYTES / SECTOR_SIZE;
	disk->max_bytes = 3 * PAGE_SIZE;
	if (disk_add(disk))
		return false;
	a->bdev = bdev_get_by_name("ktestextw");
	if (!a->bdev || register_filesystem(&type))
		return false;
	a->mnt = kern_mount(&type);
	if (IS_ERR(a->mnt))
		return false;
	a->inode = new_inode(a->mnt->mnt_sb);
	if (!a->inode)
		return false;
	a->inode->i_blkbits = bits;
	a->inode->i_data.ops = &mapping_ops;
	extent_file_init(&a->x, a->inode, a->bdev, &extent_ops);
	lay_out(a, seed);
	return true;
}

static void end(struct around *a)
{
	if (a->held)
		folio_put(a->held);
	truncate_inode_pages_final(&a->inode->i_data);
	extent_file_destroy(&a->x);
	iput(a->inode);
	kern_unmount(a->mnt);
	unregister_filesystem(&type);
	bdev_put(a->bdev);
	if (!disk_remove_unless_open(disk))
		disk_put(disk);
	destroy_workqueue(fs.wq);
	vfree(platter);
	vfree(want);
	__free_pages(a->pages, 6);
}

/* ---- what is done to it ---- */

static ssize_t do_write(struct around *a, loff_t pos, size_t len, bool direct)
{
	size_t part = direct ? round_down(len / 2, 1024u) : len / 3;
	struct kvec v[2] = { { a->data, part }, { a->data + part, len - part } };
	struct kiocb k = { .ki_pos = pos };
	struct iter it;
	ssize_t n = 0;

	for (size_t i = 0; i < len; i++)
		a->data[i] = (u8)chance(256);
	iter_init_kvec(&it, ITER_SOURCE, v, 2, len);
	inode_lock(a->inode);
	if (pos > i_size_read(a->inode)) {
		loff_t old = i_size_read(a->inode);

		n = extent_extend(&a->x, pos);
		if (!n)
			memset(want + old, 0, (size_t)(pos - old));
	}
	if (!n)
		n = direct ? extent_direct_write(&a->x, &k, &it) :
			     extent_buffered_write(&a->x, &k, &it);
	inode_unlock(a->inode);
	if (n > 0)
		memcpy(want + pos, a->data, (size_t)n);
	return n;
}

static int do_resize(struct around *a, loff_t size)
{
	loff_t old = i_size_read(a->inode);
	int e;

	inode_lock(a->inode);
	filemap_invalidate_lock(&a->inode->i_data);
	e = extent_resize(&a->x, size);
	if (!e && size < old) {
		/* As a filesystem does: blocks behind the end go. */
		mutex_lock(&fs.lock);
		for (u32 b = (u32)(((u64)size + (1u << fs.bits) - 1) >> fs.bits); b < fs.blocks;
		     b++) {
			if (fs.map[b].type == EXTENT_DELAYED)
				fs.left++;
			else if (fs.map[b].type != EXTENT_HOLE)
				fs.taken[fs.map[b].addr] = false;
			fs.map[b] = (struct block){ EXTENT_HOLE, false, 0 };
		}
		fs.cookie++;
		mutex_unlock(&fs.lock);
	}
	if (!e)
		fs.disk_size = size;
	filemap_invalidate_unlock(&a->inode->i_data);
	inode_unlock(a->inode);
	if (!e)
		memset(want + min(old, size), 0, FILE_MOST - (size_t)min(old, size));
	return e;
}

/* A store through a mapping to the page of POS. */
static int do_map(struct around *a, loff_t pos)
{
	struct address_space *m = &a->inode->i_data;
	struct folio *f = read_mapping_folio(m, (pgoff_t)(pos >> PAGE_SHIFT), NULL);
	struct extent_change c = { .x = &a->x };
	struct extent_state *s;
	size_t off;
	int e;

	if (IS_ERR(f))
		return (int)PTR_ERR(f);
	folio_lock(f);
	off = (size_t)(pos - folio_pos(f));
	e = folio_order(f) ? extent_state_get(&a->x, f, &s) : 0;
	e = e	  ?:
		    extent_change_pages(&c, f, round_down(off, PAGE_SIZE),
					round_down(off, PAGE_SIZE) + PAGE_SIZE);
	if (!e) {
		*((u8 *)folio_address(f) + off) = want[pos] = (u8)chance(256);
		folio_mark_page_dirty(f, folio_page(f, off >> PAGE_SHIFT));
	}
	folio_unlock(f);
	folio_put(f);
	return e;
}

/*
 * Whole pages become a hole, as a filesystem does it: what is dirty is written, then the cache
 * goes.
 */
static int do_punch(struct around *a, loff_t pos, u32 len)
{
	struct address_space *m = &a->inode->i_data;
	loff_t from = round_up((u64)pos, PAGE_SIZE), to = round_down((u64)pos + len, PAGE_SIZE);
	int e;

	if (from >= to)
		return 0;
	inode_lock(a->inode);
	filemap_invalidate_lock(m);
	e = filemap_write_and_wait_range(m, from, to - 1);
	if (!e) {
		truncate_pagecache_range(m, from, to - 1);
		mutex_lock(&fs.lock);
		for (u32 b = (u32)(from >> fs.bits); b < (u32)(to >> fs.bits); b++) {
			if (fs.map[b].type == EXTENT_UNWRITTEN || fs.map[b].type == EXTENT_MAPPED)
				fs.taken[fs.map[b].addr] = false;
			fs.map[b] = (struct block){ EXTENT_HOLE, false, 0 };
		}
		fs.cookie++;
		mutex_unlock(&fs.lock);
		memset(want + from, 0, (size_t)(to - from));
	}
	filemap_invalidate_unlock(m);
	inode_unlock(a->inode);
	return e;
}

/* The folio of POS is in use for a while. */
static void do_hold(struct around *a, loff_t pos)
{
	if (a->held)
		folio_put(a->held);
	a->held = filemap_get_entry(&a->inode->i_data, (pgoff_t)(pos >> PAGE_SHIFT));
}

static bool cache_is_right(struct around *a)
{
	loff_t size = i_size_read(a->inode);

	for (loff_t pos = 0; pos < size; pos += PAGE_SIZE) {
		struct folio *f =
			read_mapping_folio(&a->inode->i_data, (pgoff_t)(pos >> PAGE_SHIFT), NULL);
		bool same = !IS_ERR(f) &&
			    !memcmp((u8 *)folio_address(f) + (pos - folio_pos(f)), want + pos,
				    (size_t)min((loff_t)PAGE_SIZE, size - pos));

		if (!IS_ERR(f))
			folio_put(f);
		if (!same)
			return false;
	}
	return true;
}

/* The file without its cache, as it would be after a power cut. */
static bool disk_is_right(struct around *a)
{
	loff_t size = i_size_read(a->inode);

	if (fs.disk_size > size)
		return false;
	for (u32 i = 0; i < (u32)size; i++) {
		struct block *m = &fs.map[i >> fs.bits];
		u32 in = i & ((1u << fs.bits) - 1);
		u8 is = m->type == EXTENT_MAPPED ? platter[(m->addr << fs.bits) + in] : 0;

		if (is != want[i])
			return false;
	}
	return true;
}

static int step(struct around *a)
{
	loff_t size = i_size_read(a->inode), pos = chance(FILE_MOST);
	u32 len = 1 + chance(chance(4) ? 3000 : 40000), block = 1u << fs.bits;
	struct address_space *m = &a->inode->i_data;
	ssize_t n = 0;

	len = min(len, FILE_MOST - (u32)pos);
	switch (chance(11)) {
	case 0:
	case 1:
	case 2:
		n = do_write(a, pos, len, false);
		break;
	case 3:
		pos &= -(loff_t)block;
		len = round_up(len, block);
		len = min(len, FILE_MOST - (u32)pos);
		n = do_write(a, pos, len, true);
		if (n == -ENOTBLK)	/* a page is in use */
			n = do_write(a, pos, len, false);
		break;
	case 4:
		n = chance(3) ? 0 : do_resize(a, chance(2) ? pos : size - size % 5000);
		break;
	case 5:
		if (pos + 1 < size) {
			loff_t to = min(size, pos + (loff_t)len);

			inode_lock(a->inode);
			n = extent_zero(&a->x, pos, to);
			inode_unlock(a->inode);
			if (!n)
				memset(want + pos, 0, (size_t)(to - pos));
		}
		break;
	case 6:
		n = pos < size ? do_map(a, pos) : 0;
		break;
	case 7:
		n = filemap_write_and_wait_range(m, pos, pos + len);
		break;
	case 8:
		invalidate_mapping_pages(m, 0, (pgoff_t)-1);
		break;
	case 9:
		n = do_punch(a, pos, len);
		break;
	case 10:
		do_hold(a, chance(2) ? pos : -1);
		break;
	}
	/* A shared block ends it early; how much was zeroed before that is not known here. */
	return n == -EOPNOTSUPP ? 1 : n < 0 ? (int)n : 0;
}

static bool compare(struct around *a, u8 bits)
{
	for (u64 seed = 2; seed < 6; seed++) {
		if (!begin(a, bits, seed))
			return false;
		if (seed > 2)	/* zeroing stops at a shared block without telling where */
			for (u32 b = 0; b < fs.blocks; b++)
				fs.map[b].shared = false;
		for (u32 i = 0; i < 150; i++) {
			int e = seed > 2 ? step(a) : 0;

			if (seed <= 2)
				e = chance(3) ? (int)min(do_write(a, chance(FILE_MOST / 2),
								  1 + chance(5000), false),
							 0l) :
						filemap_write_and_wait(&a->inode->i_data);
			if (e < 0 && e != -EOPNOTSUPP) {
				pr_info("seed %llu step %u: %d\n", (unsigned long long)seed, i, e);
				end(a);
				return false;
			}
			if (i % 10 == 9 && !cache_is_right(a)) {
				pr_info("seed %llu step %u: cache\n", (unsigned long long)seed, i);
				end(a);
				return false;
			}
		}
		if (filemap_write_and_wait(&a->inode->i_data) || !disk_is_right(a) ||
		    fs.disk_size != i_size_read(a->inode) || !cache_is_right(a)) {
			pr_info("seed %llu: end\n", (unsigned long long)seed);
			end(a);
			return false;
		}
		end(a);
	}
	return true;
}

KTEST(extent_writes_are_the_model)
{
	struct around a;

	KT_ASSERT(compare(&a, PAGE_SHIFT));
}

KTEST(extent_writes_of_small_blocks_are_the_model)
{
	struct around a;

	KT_ASSERT(compare(&a, 10));
}

static bool compare_orders(struct around *a, u8 bits)
{
	enum folio_orders old = filemap_orders;
	bool same;

	filemap_orders = FOLIO_ORDERS_RANDOM;
	same = compare(a, bits);
	filemap_orders = old;
	return same;
}

KTEST(extent_writes_of_random_orders_are_the_model)
{
	struct around a;

	KT_ASSERT(compare_orders(&a, PAGE_SHIFT));
}

KTEST(extent_writes_of_small_blocks_and_random_orders_are_the_model)
{
	struct around a;

	KT_ASSERT(compare_orders(&a, 10));
}

static u32 delayed(void)
{
	u32 n = 0;

	for (u32 b = 0; b < fs.blocks; b++)
		n += fs.map[b].type == EXTENT_DELAYED;
	return n;
}

/* Space ends in the middle of a write: what was written stays, no reservation is left over. */
KTEST(extent_write_gives_back_what_it_does_not_use)
{
	struct around a;
	ssize_t n;

	KT_ASSERT(begin(&a, PAGE_SHIFT, 7));
	fs.left = 5;
	KT_EQ(do_write(&a, FILE_MOST / 2, 20 * PAGE_SIZE, false), 5 * PAGE_SIZE);
	KT_EQ(delayed(), 5);
	KT_EQ(do_write(&a, FILE_MOST / 2 + 6 * PAGE_SIZE, 1, false), -ENOSPC);
	KT_EQ(delayed(), 5);
	KT_EQ(do_resize(&a, FILE_MOST / 2), 0);
	KT_EQ(fs.left, 5);
	/* Less than the filesystem reserved for it: a fatal signal has the same effect. */
	fs.left = 1;
	n = do_write(&a, FILE_MOST / 2, 2 * PAGE_SIZE, false);
	KT_EQ(n, PAGE_SIZE);
	KT_EQ(delayed(), 1);
	end(&a);
}

/* Only the given range is rewritten: holes beside it in the same folio stay. */
KTEST(extent_rewrite_leaves_its_folio_alone)
{
	enum folio_orders old = filemap_orders;
	loff_t pos = FILE_MOST / 2 + 3 * PAGE_SIZE;
	struct address_space *m;
	struct around a;
	struct folio *f;
	u32 left;

	KT_ASSERT(begin(&a, PAGE_SHIFT, 7));
	m = &a.inode->i_data;
	KT_EQ(do_resize(&a, FILE_MOST), 0);
	KT_EQ(do_write(&a, pos, PAGE_SIZE, false), (ssize_t)PAGE_SIZE);
	KT_EQ(filemap_write_and_wait(m), 0);
	/* The end of its writeback, which woke us, may have the folio still. */
	for (int tries = 0; tries < 1000 && m->nrpages; tries++) {
		invalidate_mapping_pages(m, 0, (pgoff_t)-1);
		schedule_timeout_uninterruptible(1);
	}
	KT_EQ(m->nrpages, 0);
	left = fs.left;
	filemap_orders = FOLIO_ORDERS_USE;
	f = filemap_get_folio_order(m, (pgoff_t)(FILE_MOST / 2) >> PAGE_SHIFT, FGP_CREAT, 0, 3);
	filemap_orders = old;
	KT_ASSERT(!IS_ERR(f) && folio_order(f) == 3);
	folio_put(f);
	KT_EQ(extent_rewrite(&a.x, pos, pos + PAGE_SIZE), 0);
	KT_EQ(delayed(), 0);
	KT_EQ(fs.left, left);
	KT_EQ(filemap_write_and_wait(m), 0);
	KT_ASSERT(cache_is_right(&a) && disk_is_right(&a));
	end(&a);
}

/* Space ends in a page of several blocks, of which one has data. */
KTEST(extent_write_gives_back_blocks_of_a_dirty_page)
{
	struct around a;

	KT_ASSERT(begin(&a, 10, 7));
	KT_EQ(do_write(&a, FILE_MOST / 2, 1, false), 1);
	KT_EQ(delayed(), 1);
	fs.left = 2;
	KT_EQ(do_write(&a, FILE_MOST / 2 + 1024, 3072, false), -ENOSPC);
	KT_EQ(delayed(), 1);
	KT_EQ(fs.left, 2);
	end(&a);
}

/*
 * Space ends in the middle of a page that becomes writable: the part that was reserved goes back.
 */
KTEST(extent_fault_gives_back_what_it_does_not_use)
{
	struct around a;

	KT_ASSERT(begin(&a, 10, 9));
	KT_EQ(do_resize(&a, FILE_MOST / 2 + PAGE_SIZE), 0);
	fs.left = 2;
	KT_EQ(do_map(&a, FILE_MOST / 2), -ENOSPC);
	KT_EQ(delayed(), 0);
	KT_EQ(fs.left, 2);
	/* But for a block of it that has dirty data. */
	KT_EQ(do_write(&a, FILE_MOST / 2, 1, false), 1);
	KT_EQ(do_map(&a, FILE_MOST / 2), -ENOSPC);
	KT_EQ(fs.map[fs.blocks / 2].type, EXTENT_DELAYED);
	KT_EQ(delayed(), 1);
	KT_EQ(fs.left, 1);
	end(&a);
}

/* The device fails: the error is reported once, the folio is clean, its block stays unwritten. */
KTEST(extent_write_errors_are_told)
{
	struct around a;
	errseq_t since;

	KT_ASSERT(begin(&a, PAGE_SHIFT, 8));
	since = errseq_sample(&a.inode->i_data.wb_err);
	fail_writes = true;
	KT_EQ(do_write(&a, FILE_MOST / 2, PAGE_SIZE, false), PAGE_SIZE);
	KT_EQ(filemap_write_and_wait(&a.inode->i_data), -EIO);
	KT_EQ(filemap_check_wb_err(&a.inode->i_data, &since), -EIO);
	KT_EQ(filemap_check_wb_err(&a.inode->i_data, &since), 0);
	KT_EQ(fs.map[fs.blocks / 2].type, EXTENT_UNWRITTEN);
	KT_EQ(fs.disk_size, FILE_MOST / 2);
	fail_writes = false;
	KT_EQ(filemap_write_and_wait(&a.inode->i_data), 0);
	end(&a);
}

/*
 * extent_direct_overwrites() says yes for whole, written blocks before both ends of the file (its
 * size in memory and on disk), and no otherwise.
 */
KTEST(extent_overwrites_are_known)
{
	struct around a;
	struct iter it;
	struct kvec v;

	KT_ASSERT(begin(&a, 10, 12));
	v = (struct kvec){ a.data, FILE_MOST };
#define KNOWN(pos, bytes)                                                           \
	({                                                                          \
		struct kiocb k = { .ki_pos = (pos) };                               \
									            \
		iter_init_kvec(&it, ITER_SOURCE, &v, 1, bytes);                     \
		extent_direct_overwrites(&a.x, &k, &it);                            \
	})
	KT_EQ(do_resize(&a, 0), 0);
	KT_EQ(do_resize(&a, 16 * 1024), 0);
	KT_EQ(do_write(&a, 0, 4 * 1024, true), 4 * 1024);
	KT_EQ(do_write(&a, 4 * 1024, 4 * 1024, true), 4 * 1024);
	KT_ASSERT(KNOWN(0, 8 * 1024));
	KT_ASSERT(KNOWN(7 * 1024, 1024));
	KT_ASSERT(!KNOWN(0, 9 * 1024));			/* a hole */
	KT_ASSERT(!KNOWN(512, 1024));			/* parts of blocks */
	KT_ASSERT(!KNOWN(0, 512));
	fs.map[6].type = EXTENT_UNWRITTEN;
	KT_ASSERT(!KNOWN(4 * 1024, 4 * 1024));
	KT_ASSERT(KNOWN(4 * 1024, 2 * 1024));
	fs.map[6].type = EXTENT_MAPPED;
	fs.disk_size = 6 * 1024;			/* the size is still to be written */
	KT_ASSERT(!KNOWN(0, 8 * 1024));
	KT_ASSERT(KNOWN(0, 6 * 1024));
	fs.disk_size = 16 * 1024;
	KT_EQ(do_resize(&a, 7 * 1024 + 100), 0);
	KT_ASSERT(!KNOWN(0, 8 * 1024));			/* over the end */
	KT_ASSERT(KNOWN(0, 7 * 1024));
#undef KNOWN
	end(&a);
}
