// SPDX-License-Identifier: MIT
/* Regular files: their extents for the room extent/, and its functions as theirs. */
#include "fs/xfs/file/file.h"
#include <vfs/file.h>
#include <lib/minmax.h>

static int map(struct inode *inode, loff_t off, u64 len, bool attr, struct extent *out)
{
	struct xfs_mount *mp = XFS_M(inode->i_sb);
	const struct xfs_node *n = &XFS_I(inode)->node;
	u8 bits = mp->vol.sb.blocklog;
	struct xfs_map m;
	int e;

	(void)len;
	/* told by fiemap: it lies in the inode */
	if (attr && n->core.forkoff && n->core.aformat == XFS_FMT_LOCAL && !off) {
		u64 in = (n->core.ino & ((1u << mp->vol.sb.inopblog) - 1)) << mp->vol.sb.inodelog;

		*out = (struct extent){
			.len = xfs_literal_size(&mp->vol.sb) - n->core.forkoff,
			.type = EXTENT_INLINE,
			.data = n->literal + n->core.forkoff,
			.addr = (xfs_fsb_daddr(&mp->vol.sb, n->core.ino >> mp->vol.sb.inopblog)
				 << 9) +
				in + sizeof(struct xfs_dinode) + n->core.forkoff,
		};
		return 0;
	}
	e = xfs_bmap(&mp->vol, n, attr, (u64)off >> bits, &m);
	if (e)
		return e;
	m.count = min(m.count, ((u64)LLONG_MAX >> bits) + 1 - m.off);
	*out = (struct extent){
		.off = (loff_t)(m.off << bits),
		.len = m.count << bits,
		.type = m.type == XFS_MAP_HOLE ? EXTENT_HOLE :
			m.type == XFS_MAP_DATA ? EXTENT_MAPPED :
						 EXTENT_UNWRITTEN,
	};
	if (m.type != XFS_MAP_HOLE)
		out->addr = xfs_fsb_daddr(&mp->vol.sb, m.fsb) << 9;
	return 0;
}

const struct extent_ops xfs_extent_ops = { .map = map };

const struct mapping_ops xfs_mapping_ops = {
	.read_folio = extent_read_folio,
	.readahead = extent_readahead,
	.invalidate_folio = extent_invalidate_folio,
	.release_folio = extent_release_folio,
};

static ssize_t read_iter(struct kiocb *k, struct iter *to)
{
	struct file *f = k->ki_filp;
	ssize_t n;

	if (k->ki_flags & IOCB_DIRECT)
		n = extent_direct_read(&XFS_I(file_inode(f))->file, k, to);
	else
		n = filemap_read(k, to, f->f_mapping, &f->f_ra);

	file_accessed(f);
	return n;
}

static loff_t llseek(struct file *file, loff_t off, int whence)
{
	struct inode *inode = file_inode(file);

	if (whence != SEEK_DATA && whence != SEEK_HOLE)
		return generic_file_llseek_size(file, off, whence, inode->i_sb->s_maxbytes,
						i_size_read(inode));
	off = extent_seek(&XFS_I(inode)->file, off, whence);
	return off < 0 ? off : vfs_setpos(file, off, inode->i_sb->s_maxbytes);
}

int xfs_fiemap(struct inode *inode, struct fiemap_extent_info *info, u64 start, u64 len)
{
	return extent_fiemap(&XFS_I(inode)->file, info, start, len);
}

static int open(struct inode *inode, struct file *file)
{
	(void)inode;
	file->f_mode |= FMODE_CAN_ODIRECT;
	return 0;
}

const struct file_operations xfs_file_fops = {
	.open = open,
	.llseek = llseek,
	.read_iter = read_iter,
	.mmap = generic_file_mmap,
	.splice_read = generic_file_splice_read,
	.fsync = noop_fsync,
	.ioctl = xfs_ioctl,
};
