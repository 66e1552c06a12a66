// SPDX-License-Identifier: MIT
/* PROCMAP_QUERY on /proc/PID/maps: one mapping by its address, without the text. */
#include "proc_priv.h"
#include <lib/elf.h>
#include <alloc/slab.h>
#include <mm/mm.h>
#include <mm/uaccess.h>
#include <linux/elf.h>
#include <linux/fs.h>

#define PERMISSIONS (PROCMAP_QUERY_VMA_READABLE | PROCMAP_QUERY_VMA_WRITABLE | PROCMAP_QUERY_VMA_EXECUTABLE | PROCMAP_QUERY_VMA_SHARED)
#define KNOWN_FLAGS (PERMISSIONS | PROCMAP_QUERY_COVERING_OR_NEXT_VMA | PROCMAP_QUERY_FILE_BACKED_VMA)
#define NOTES_MAX (64U << 10)	/* of one segment; more than any linker writes */

static u64 permissions(const struct vma *vma)
{
	return (vma->vm_flags & VM_READ ? PROCMAP_QUERY_VMA_READABLE : 0U) | (vma->vm_flags & VM_WRITE ? PROCMAP_QUERY_VMA_WRITABLE : 0U) |
	       (vma->vm_flags & VM_EXEC ? PROCMAP_QUERY_VMA_EXECUTABLE : 0U) | (vma->vm_flags & VM_MAYSHARE ? PROCMAP_QUERY_VMA_SHARED : 0U);
}

/* NULL: none. The mmap_lock is held. */
static struct vma *matching(struct mm *mm, const struct procmap_query *q)
{
	struct vma *vma;

	for (vma = find_vma(mm, (unsigned long)q->query_addr); vma; vma = vma_next(vma)) {
		bool fits = !(q->query_flags & PERMISSIONS & ~permissions(vma)) &&
			    (vma->vm_file || !(q->query_flags & PROCMAP_QUERY_FILE_BACKED_VMA));

		if (q->query_flags & PROCMAP_QUERY_COVERING_OR_NEXT_VMA) {
			if (fits)
				return vma;
		} else {
			return fits && vma->vm_start <= q->query_addr ? vma : NULL;
		}
	}
	return NULL;
}

static bool read_all(struct file *file, void *buf, size_t n, u64 pos)
{
	loff_t at = (loff_t)pos;

	return pos <= (u64)S64_MAX - n && kernel_read(file, buf, n, &at) == (ssize_t)n;
}

static size_t id_in_notes(struct file *file, const Elf64_Phdr *p, u8 *id)
{
	size_t n = min(p->p_filesz, (u64)NOTES_MAX), len = 0;
	void *buf = n ? kvmalloc(n, GFP_KERNEL) : NULL;

	if (buf && read_all(file, buf, n, p->p_offset))
		len = elf_build_id(buf, n, id);
	kvfree(buf);
	return len;
}

/* The build ID that a mapped file's linker gave it: its length, 0: none. */
static size_t build_id(struct file *file, u8 *id)
{
	Elf64_Ehdr h;
	Elf64_Phdr p;
	size_t len = 0;

	if (!S_ISREG(file_inode(file)->i_mode) || !read_all(file, &h, sizeof(h), 0) || memcmp(h.e_ident, ELFMAG, SELFMAG) ||
	    h.e_ident[EI_CLASS] != ELFCLASS64 || (h.e_type != ET_EXEC && h.e_type != ET_DYN) ||
	    h.e_phentsize != sizeof(p) || h.e_phnum > ELF_MAX_PHDRS)
		return 0;
	for (unsigned int i = 0; !len && i < h.e_phnum; i++) {
		if (h.e_phoff > (u64)S64_MAX || !read_all(file, &p, sizeof(p), h.e_phoff + i * sizeof(p)))
			break;
		if (p.p_type == PT_NOTE)
			len = id_in_notes(file, &p, id);
	}
	return len;
}

/* The mapping's name into @buf, which @size bytes long is: where it starts, NULL: it has none. */
static char *name_of(struct vma *vma, char *buf, size_t size)
{
	char of_vma[96];
	const char *name = vma_name(vma, of_vma, sizeof(of_vma));

	if (!name)
		return vma->vm_file ? d_path(&vma->vm_file->f_path, buf, (int)size) : NULL;
	return strscpy(buf, name, size) < 0 ? ERR_PTR(-ENAMETOOLONG) : buf;
}

struct answer {
	char *buf, *name;	/* of PATH_MAX at most; the start of the text in it */
	u8 id[ELF_BUILD_ID_MAX];
};

static int fill(struct mm *mm, struct procmap_query *q, struct answer *a)
{
	struct file *file = NULL;
	struct vma *vma;
	size_t len;
	int err = 0;

	mmap_read_lock(mm);
	vma = matching(mm, q);
	if (!vma) {
		mmap_read_unlock(mm);
		return -ENOENT;
	}
	q->vma_start = vma->vm_start;
	q->vma_end = vma->vm_end;
	q->vma_flags = permissions(vma);
	q->vma_page_size = PAGE_SIZE;
	q->vma_offset = q->inode = q->dev_major = q->dev_minor = 0;
	if (vma->vm_file) {
		const struct inode *inode = file_inode(vma->vm_file);

		q->vma_offset = (u64)vma->vm_pgoff << PAGE_SHIFT;
		q->inode = inode->i_ino;
		q->dev_major = MAJOR(inode->i_sb->s_dev);
		q->dev_minor = MINOR(inode->i_sb->s_dev);
		if (q->build_id_size)
			file = get_file(vma->vm_file);
	}
	if (a->buf) {
		a->name = name_of(vma, a->buf, min(q->vma_name_size, (u32)PATH_MAX));
		err = IS_ERR(a->name) ? (int)PTR_ERR(a->name) : 0;
		q->vma_name_size = !err && a->name ? (u32)strlen(a->name) + 1 : 0;
	}
	mmap_read_unlock(mm);
	/* Reading sleeps, and may fault. */
	len = file && !err ? build_id(file, a->id) : 0;
	if (file)
		fput(file);
	if (len > q->build_id_size)
		err = -ENAMETOOLONG;
	q->build_id_size = (u32)len;
	return err;
}

long proc_maps_query(struct mm *mm, struct uptr arg)
{
	struct procmap_query q;
	struct answer a = { };
	u64 size;
	long err;

	if (get_user(size, arg))
		return -EFAULT;
	if (size > PAGE_SIZE)
		return -E2BIG;
	if (size < offsetof(struct procmap_query, vma_start))
		return -EINVAL;
	err = copy_struct_from_user(&q, sizeof(q), arg, (size_t)size);
	if (err)
		return err;
	if (q.query_flags & ~(u64)KNOWN_FLAGS || !q.vma_name_size != !q.vma_name_addr || !q.build_id_size != !q.build_id_addr)
		return -EINVAL;
	if (!mm || !mmget_not_zero(mm))
		return -ESRCH;
	if (q.vma_name_size)
		a.buf = kmalloc(min(q.vma_name_size, (u32)PATH_MAX), GFP_KERNEL);
	err = q.vma_name_size && !a.buf ? -ENOMEM : fill(mm, &q, &a);
	mmput(mm);
	if (!err && ((q.vma_name_size && copy_to_user(UPTR(q.vma_name_addr), a.name, q.vma_name_size)) ||
		     (q.build_id_size && copy_to_user(UPTR(q.build_id_addr), a.id, q.build_id_size)) ||
		     copy_to_user(arg, &q, min((size_t)size, sizeof(q)))))
		err = -EFAULT;
	kfree(a.buf);
	return err;
}
