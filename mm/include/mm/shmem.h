// SPDX-License-Identifier: MIT
#pragma once
/*
 * The data of files that live in memory: tmpfs, memfd, shared anonymous maps, System V segments.
 * tmpfs (fs/tmpfs) is names, inodes and mount options on top of this.
 */
#include <lib/types.h>
#include <mm/filemap.h>

/* One a mount (or one for the kernel's own mount): the size limit. */
struct shmem_sb {
	atomic64_t	used;		/* pages charged */
	u64		max_pages;	/* 0: unlimited; changed by remount under the caller's lock, at boot by adoption */
};

/* One an inode; shmem_inode_init() hangs it on mapping->private_data. */
struct shmem_inode {
	struct shmem_sb	*sb;
	struct address_space *mapping;
	loff_t		*i_size;
	atomic64_t	nr_pages;	/* folios charged (st_blocks = nr_pages * PAGE_SIZE / 512) */
	unsigned int	seals;		/* F_SEAL_* (inode lock) */
	unsigned long	flags;		/* SHMEM_NORESERVE.. */
	u64		acct_pages;	/* committed at creation; 0: each folio is charged by itself */
};
#define SHMEM_NORESERVE	1ul

extern const struct mapping_ops shmem_mapping_ops;
extern const struct vm_operations shmem_vm_ops, shmem_anon_vm_ops;

void shmem_inode_init(struct shmem_inode *si, struct shmem_sb *sb, struct address_space *mapping,
		      struct inode *host, loff_t *i_size);
/* Commit the whole size now (shared anonymous memory without MAP_NORESERVE). -ENOMEM. */
int shmem_sb_reserve(struct shmem_sb *sb, unsigned long nr);	/* of its pages, for what is not in a file; -ENOSPC */
void shmem_sb_release(struct shmem_sb *sb, unsigned long nr);
int shmem_acct_size(struct shmem_inode *si, loff_t size);
/* Drop all data. At eviction. */
void shmem_inode_evict(struct shmem_inode *si);

/* read_iter/write_iter bodies. The caller (tmpfs) holds the inode lock for write, has checked seals. */
ssize_t shmem_read_iter(struct kiocb *iocb, struct iter *to, struct shmem_inode *si);
ssize_t shmem_write_iter(struct kiocb *iocb, struct iter *from, struct shmem_inode *si);
/* Set the size: caller wrote *i_size already (shrinking drops data). Inode lock held. */
void shmem_truncate(struct shmem_inode *si, loff_t newsize);
/* mode as fallocate(2) (FALLOC_FL_*). Updates *i_size without KEEP_SIZE. Inode lock held.
 * -EOPNOTSUPP, -ENOSPC (undone), -EPERM (seals), -EFBIG, -EINTR. */
int shmem_fallocate(struct shmem_inode *si, int mode, loff_t offset, loff_t len);
/* SEEK_DATA/SEEK_HOLE: offset or -ENXIO. */
loff_t shmem_seek(struct shmem_inode *si, loff_t offset, int whence);
/* Up-to-date referenced folio (allocated if create); ERR_PTR; NULL for a hole without create. */
struct folio *shmem_get_folio(struct shmem_inode *si, pgoff_t index, bool create);
/* f_op->mmap body: sets vm_ops, applies seals (F_SEAL_WRITE, FUTURE_WRITE): -EPERM. */
int shmem_mmap(struct vma *vma, struct shmem_inode *si);
/* memfd seals. add: -EBUSY (writable maps or pins), -EPERM (F_SEAL_SEAL), -EINVAL. Inode lock held. */
int shmem_add_seals(struct shmem_inode *si, unsigned int seals);
unsigned int shmem_get_seals(struct shmem_inode *si);
/*
 * Adopt nr whole pages of boot memory (an initramfs member) at index as the file's data, in place.
 * The memory must be reserved in memblock and page-aligned; it is freed when the file drops it.
 * A mount's limit grows by as much. The tail of the last page beyond the file's size must be zero. 0 or -ENOMEM, -EEXIST.
 */
int shmem_adopt_pages(struct shmem_inode *si, pgoff_t index, phys_addr_t pa, unsigned long nr);

/* Give the VMA a new shared anonymous file of its size (mmap of /dev/zero, MAP_ANONYMOUS). */
int shmem_zero_setup(struct vma *vma);
/* pages of all shmem in the system (Shmem: in meminfo) */
unsigned long shmem_total_pages(void);

/*
 * An unlinked file for MAP_SHARED|MAP_ANONYMOUS, System V shm, memfd: made by vfs (upcall
 * mm_shmem_file_setup in mm/upcalls.h).
 */
