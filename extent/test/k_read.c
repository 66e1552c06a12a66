// SPDX-License-Identifier: MIT
/*
 * Reading by extents, against a model: a file of 1 KiB blocks whose map follows from a seed, on a
 * disk whose every byte follows from its address and whose sectors can be made bad. Folios of one
 * page and of four are compared byte by byte; where a read failed, only what is missing is read
 * again.
 */
#include <lib/err.h>
#include <lib/hash.h>
#include <lib/minmax.h>
#include <alloc/upcalls.h>
#include <block/blk.h>
#include <extent/file.h>
#include <kernel/ktest.h>
#include <mm/folio.h>
#include <vfs/fs.h>
#include <abi/errno.h>

#define BLOCK 1024u
#define DISK_BLOCKS 8192u
#define RUN 3u			/* blocks of an extent */

static struct disk *disk;
static u64 bad_from, bad_to;	/* sectors */
static unsigned int reads;	/* bytes, in KiB */

static u8 disk_byte(u64 at)
{
	return (u8)(hash_64(at >> 9, 20) + at);
}

static int queue(struct disk *d, unsigned int q, struct bio *b)
{
	u64 at = b->disk_sector << SECTOR_SHIFT;
	int status = b->disk_sector < bad_to &&
				     b->disk_sector + (b->len >> SECTOR_SHIFT) > bad_from ?
			     -EIO :
			     0;

	(void)d;
	(void)q;
	reads += b->len / 1024;
	for (unsigned int i = 0; i < b->nvecs; i++) {
		u8 *p = (u8 *)page_address(b->vecs[i].bv_page) + b->vecs[i].bv_offset;

		for (unsigned int k = 0; k < b->vecs[i].bv_len; k++)
			p[k] = disk_byte(at++);
	}
	bio_done(b, status);
	return 0;
}

static const struct disk_ops ops = { .queue = queue };

/* ---- the model ---- */

static u64 seed;

static u32 run_hash(u64 run)
{
	return hash_64(seed ^ run * 0x9e3779b97f4a7c15ull, 31);
}

static int map(struct inode *inode, loff_t off, u64 len, bool attr, struct extent *out)
{
	u64 run = (u64)off / (RUN * BLOCK);
	u32 h = run_hash(run);

	(void)inode;
	(void)len;
	(void)attr;
	*out = (struct extent){ .off = (loff_t)(run * RUN * BLOCK),
				.len = RUN * BLOCK,
				.type = h % 5 == 0 ? EXTENT_HOLE :
					h % 5 == 1 ? EXTENT_UNWRITTEN :
						     EXTENT_MAPPED };
	out->addr = (u64)(h / 8 % (DISK_BLOCKS - RUN)) * BLOCK;
	return 0;
}

static u8 model_byte(const struct inode *inode, u64 off)
{
	struct extent at;

	map(NULL, (loff_t)off, 1, false, &at);
	return off >= (u64)i_size_read(inode) || at.type != EXTENT_MAPPED ?
		       0 :
		       disk_byte(at.addr + (off - (u64)at.off));
}

static const struct extent_ops extent_ops = { .map = map };
static const struct mapping_ops mapping_ops = {
	.read_folio = extent_read_folio,
	.readahead = extent_readahead,
	.invalidate_folio = extent_invalidate_folio,
	.release_folio = extent_release_folio,
};

static bool equals(struct folio *folio, const struct inode *inode)
{
	const u8 *p = folio_address(folio);

	for (size_t i = 0; i < folio_size(folio); i++)
		if (p[i] != model_byte(inode, (u64)folio_pos(folio) + i))
			return false;
	return true;
}

/* ---- what the file needs around it ---- */

static int init_context(struct fs_context *fc)
{
	static const struct super_operations sops = { .statfs = simple_statfs };
	static const struct pseudo_fs p = { .name = "ktest_extent", .magic = 1, .ops = &sops };

	return pseudo_init_fs_context(fc, &p);
}

static struct file_system_type type = { .name = "ktest_extent",
					.init_fs_context = init_context,
					.kill_sb = kill_anon_super };

struct around {
	struct vfsmount *mnt;
	struct bdev *bdev;
	struct inode *inode;
	struct extent_file x;
};

static bool begin(struct around *a, loff_t size)
{
	disk = disk_alloc_numbered("ktestext", BLKEXT_MAJOR, 1048000, 1, 8);
	if (!disk)
		return false;
	disk->ops = &ops;
	disk->sectors = DISK_BLOCKS * BLOCK / SECTOR_SIZE;
	disk->max_bytes = 3 * PAGE_SIZE;
	bad_from = bad_to = 0;
	if (disk_add(disk))
		return false;
	a->bdev = bdev_get_by_name("ktestext");
	if (register_filesystem(&type))
		return false;
	a->mnt = kern_mount(&type);
	if (!a->bdev || IS_ERR(a->mnt))
		return false;
	a->inode = new_inode(a->mnt->mnt_sb);
	if (!a->inode)
		return false;
	a->inode->i_blkbits = 10;
	i_size_write(a->inode, size);
	a->inode->i_data.ops = &mapping_ops;
	extent_file_init(&a->x, a->inode, a->bdev, &extent_ops);
	return true;
}

static void end(struct around *a)
{
	truncate_inode_pages_final(&a->inode->i_data);
	extent_file_destroy(&a->x);
	iput(a->inode);
	kern_unmount(a->mnt);
	unregister_filesystem(&type);
	bdev_put(a->bdev);
	if (!disk_remove_unless_open(disk))
		disk_put(disk);
}

KTEST(extent_reads_are_the_model)
{
	struct around a;
	loff_t size = 40 * (loff_t)PAGE_SIZE + 1500;

	KT_ASSERT(begin(&a, size));
	for (seed = 1; seed < 6; seed++) {
		for (pgoff_t i = 0; i <= (pgoff_t)(size - 1) >> PAGE_SHIFT; i++) {
			struct folio *f = read_mapping_folio(&a.inode->i_data, i, NULL);

			KT_ASSERT(!IS_ERR(f) && equals(f, a.inode));
			folio_put(f);
		}
		KT_ASSERT(xa_empty(&a.x.states));
		truncate_inode_pages_range(&a.inode->i_data, 0, -1);
	}
	end(&a);
}

KTEST(extent_reads_larger_folios)
{
	struct around a;

	KT_ASSERT(begin(&a, 64 * (loff_t)PAGE_SIZE - 700));
	for (seed = 10; seed < 14; seed++) {
		for (pgoff_t i = 0; i < 64; i += 4) {
			struct folio *f = folio_alloc(GFP_KERNEL, 2);

			KT_ASSERT(f && !filemap_add_folio(&a.inode->i_data, f, i, GFP_KERNEL));
			KT_EQ(extent_read_folio(NULL, f), 0);
			folio_wait_locked(f);
			KT_ASSERT(folio_test_uptodate(f) && equals(f, a.inode));
			folio_put(f);
		}
		truncate_inode_pages_range(&a.inode->i_data, 0, -1);
	}
	end(&a);
}

/* A bad sector under one block: the others stay valid, and the next try reads that run alone. */
KTEST(extent_failed_part_is_read_again)
{
	struct around a;
	struct extent at;
	struct folio *f;
	u64 run = 0;

	KT_ASSERT(begin(&a, 64 * (loff_t)PAGE_SIZE));
	seed = 3;
	/*
	 * a run that begins a page's part and is mapped, with another mapped one in the same page
	 */
	do {
		map(NULL, (loff_t)(++run * RUN * BLOCK), 1, false, &at);
	} while (at.type != EXTENT_MAPPED ||
		 (u64)at.off / PAGE_SIZE != ((u64)at.off + at.len - 1) / PAGE_SIZE);
	bad_from = at.addr >> SECTOR_SHIFT;
	bad_to = bad_from + 1;
	KT_EQ(PTR_ERR(read_mapping_folio(&a.inode->i_data, (pgoff_t)at.off >> PAGE_SHIFT, NULL)),
	      -EIO);
	KT_ASSERT(!xa_empty(&a.x.states));
	bad_to = bad_from = 0;
	reads = 0;
	f = read_mapping_folio(&a.inode->i_data, (pgoff_t)at.off >> PAGE_SHIFT, NULL);
	KT_ASSERT(!IS_ERR(f) && equals(f, a.inode));
	KT_EQ(reads, RUN);
	KT_ASSERT(xa_empty(&a.x.states));
	folio_put(f);
	end(&a);
}

/*
 * An allocation that may not enter the file system takes clean folios of files too, with what is
 * known of their blocks: giving that up waits for nothing.
 */
KTEST(extent_reclaim_without_fs)
{
	const pgoff_t pages = 64;
	struct around a;
	struct address_space *m;
	unsigned long left;

	KT_ASSERT(begin(&a, (loff_t)pages * PAGE_SIZE));
	seed = 3;
	m = &a.inode->i_data;
	bad_to = DISK_BLOCKS * BLOCK / SECTOR_SIZE / 2;
	for (pgoff_t i = 0; i < pages; i++) {
		struct folio *f = read_mapping_folio(m, i, NULL);

		if (!IS_ERR(f))
			folio_put(f);
	}
	KT_ASSERT(m->nrpages == pages && !xa_empty(&a.x.states));
	lru_add_drain_all();
	for (int round = 0; m->nrpages && round < 4096 && reclaim_direct(GFP_NOFS, 0); round++)
		;
	left = m->nrpages + !xa_empty(&a.x.states);
	end(&a);
	KT_EQ(left, 0);
}
