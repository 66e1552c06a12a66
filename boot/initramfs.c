// SPDX-License-Identifier: MIT
/*
 * The initramfs: one or more archives, each a newc cpio, plain or in a gzip member or zstd frame, with zero bytes between them.
 *
 * The image is boot memory. Whole pages of a member of a plain archive that lies page-aligned become the file's own
 * pages; everything else is copied. What was not taken goes back to the page allocator as soon as it is copied, so that
 * an archive and its copy need not fit beside each other. The image comes from outside: what cannot be is reported, skipped or ends the
 * unpacking; what is there by then stays.
 */
#include <boot/info.h>
#include <abi/errno.h>
#include <alloc/page.h>
#include <alloc/slab.h>
#include <alloc/vmalloc.h>
#include <kernel/init.h>
#include <kernel/printk.h>
#include <lib/cpio.h>
#include <lib/err.h>
#include <lib/inflate.h>
#include <lib/list.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <linux/fcntl.h>
#include <linux/stat.h>
#include <mm/shmem.h>
#include <sched/sched.h>
#include <vfs/file.h>
#include <vfs/fs.h>
#include <vfs/inode.h>
#include <vfs/mount.h>
#include <vfs/namei.h>
#include "boot/boot_priv.h"

/* The first name of a file that has several (newc stores the data with the last). */
struct link {
	struct hlist_node node;
	u32 ino, major, minor;
	char name[];
};

#define LINK_BUCKETS 64
#define STEP (256u << 10)		/* what is copied goes back by so much at a time */

/* What a compressed archive becomes, by pages: they are given back one by one, before the mapping of them all goes. */
struct buffer {
	struct decomp_out out;
	struct page **pages;
	unsigned long nr, freed;
};

struct unpack {
	struct hlist_head links[LINK_BUCKETS];
	phys_addr_t kept;		/* the image below here was freed or taken */
	u64 taken;			/* bytes used in place */
	bool in_place;			/* the archive lies in boot memory itself */
	struct buffer *buffer;		/* or here */
	unsigned int entries, failed;
	char name[CPIO_NAME_MAX];
};

static void complain(struct unpack *u, const struct cpio_entry *e, int err)
{
	if (u->failed++ < 10)
		pr_err("initramfs: /%s: error %d\n", e->name, err);
}

/* ---- names ---- */

static struct hlist_head *bucket(struct unpack *u, const struct cpio_entry *e)
{
	return &u->links[(e->ino ^ e->dev_major * 31 ^ e->dev_minor) % LINK_BUCKETS];
}

/* The earlier name of this inode; remembers it when there is none. */
static const char *find_link(struct unpack *u, const struct cpio_entry *e)
{
	struct link *l;
	size_t n;

	hlist_for_each_entry(l, bucket(u, e), node)
		if (l->ino == e->ino && l->major == e->dev_major && l->minor == e->dev_minor)
			return l->name;
	n = strlen(e->name) + 1;
	l = kmalloc(sizeof(*l) + n, GFP_KERNEL);
	if (l) {
		l->ino = e->ino;
		l->major = e->dev_major;
		l->minor = e->dev_minor;
		memcpy(l->name, e->name, n);
		hlist_add_head(&l->node, bucket(u, e));
	}
	return NULL;
}

static void drop_links(struct unpack *u)
{
	for (unsigned int i = 0; i < LINK_BUCKETS; i++)
		while (u->links[i].first) {
			struct link *l = container_of(u->links[i].first, struct link, node);

			hlist_del(&l->node);
			kfree(l);
		}
}

static int set_attributes(const struct cpio_entry *e)
{
	struct iattr a = {
		.ia_valid = ATTR_MODE | ATTR_MTIME | ATTR_MTIME_SET | ATTR_FORCE,
		.ia_mode = (umode_t)e->mode,
		.ia_mtime = { .tv_sec = e->mtime },
	};
	struct path p;
	int err = kern_path(e->name, 0, &p);

	if (err)
		return err;
	if (e->uid || e->gid) {
		a.ia_valid |= ATTR_UID | ATTR_GID;
		a.ia_uid = KUIDT_INIT(e->uid);
		a.ia_gid = KGIDT_INIT(e->gid);
	}
	if (S_ISLNK(e->mode))
		a.ia_valid &= ~ATTR_MODE;
	inode_lock(d_inode(p.dentry));
	err = notify_change(mnt_idmap(p.mnt), p.dentry, &a);
	inode_unlock(d_inode(p.dentry));
	path_put(&p);
	return err;
}

/* ---- contents ---- */

/* Frees the image from where it was last used up to PA (a page boundary). */
static void release_until(struct unpack *u, phys_addr_t pa)
{
	while (pa > u->kept) {
		phys_addr_t end = min(pa, u->kept + STEP);

		free_reserved_area(u->kept, end);
		u->kept = end;
		cond_resched();
	}
}

static void buffer_release(struct buffer *b, unsigned long end)
{
	for (; b->freed < end; b->freed++) {
		__free_page(b->pages[b->freed]);
		cond_resched();
	}
}

/* Nobody reads the archive below P any more. */
static void consumed(struct unpack *u, const u8 *p)
{
	phys_addr_t pa;

	if (u->buffer) {
		buffer_release(u->buffer, (unsigned long)(p - u->buffer->out.buf) >> PAGE_SHIFT);
		return;
	}
	pa = virt_to_phys(p) & PAGE_MASK;
	if (pa > u->kept && pa - u->kept >= STEP)
		release_until(u, pa);
}

/* Takes the whole pages of E's data as the file's pages. How many bytes that was. */
static u32 adopt(struct unpack *u, struct file *f, const struct cpio_entry *e)
{
	struct address_space *m = file_inode(f)->i_mapping;
	unsigned long pages = e->size >> PAGE_SHIFT;
	phys_addr_t pa;

	if (!u->in_place || !pages || !PAGE_ALIGNED(e->data) || m->ops != &shmem_mapping_ops)
		return 0;
	pa = virt_to_phys(e->data);
	if (pa < u->kept || shmem_adopt_pages(m->private_data, 0, pa, pages))
		return 0;
	i_size_write(file_inode(f), (loff_t)pages << PAGE_SHIFT);
	release_until(u, pa);
	u->kept = pa + ((phys_addr_t)pages << PAGE_SHIFT);
	u->taken += (u64)pages << PAGE_SHIFT;
	return (u32)(pages << PAGE_SHIFT);
}

static int write_contents(struct unpack *u, struct file *f, const struct cpio_entry *e)
{
	u32 done = adopt(u, f, e);

	while (done < e->size) {
		loff_t pos = done;
		ssize_t n = kernel_write(f, e->data + done, min(e->size - done, STEP), &pos);

		if (n <= 0)
			return n ? (int)n : -EIO;
		done += (u32)n;
		consumed(u, e->data + done);
		cond_resched();
	}
	return 0;
}

static int make_file(struct unpack *u, const struct cpio_entry *e)
{
	const char *first = e->nlink > 1 ? find_link(u, e) : NULL;
	struct file *f;
	int err;

	if (first) {
		init_unlink(e->name);
		err = init_link(first, e->name);
		if (err || !e->size)
			return err;
	}
	f = filp_open(e->name, O_WRONLY | O_CREAT | O_LARGEFILE | (e->size || !first ? O_TRUNC : 0), e->mode & 07777);
	if (IS_ERR(f))
		return (int)PTR_ERR(f);
	err = write_contents(u, f, e);
	__fput_sync(f);
	if (err)
		init_unlink(e->name);	/* half a file is none */
	return err;
}

static int make_symlink(const struct cpio_entry *e)
{
	char *target;
	int err;

	if (!e->size || e->size >= PATH_MAX || memchr(e->data, 0, e->size))
		return -EINVAL;
	target = kmemdup_nul((const char *)e->data, e->size, GFP_KERNEL);
	if (!target)
		return -ENOMEM;
	init_unlink(e->name);
	err = init_symlink(target, e->name);
	kfree(target);
	return err;
}

static void make_entry(struct unpack *u, const struct cpio_entry *e)
{
	int err;

	u->entries++;
	if (!*e->name)			/* the root itself */
		return;
	switch (e->mode & S_IFMT) {
	case S_IFREG:
		err = make_file(u, e);
		break;
	case S_IFDIR:
		err = init_mkdir(e->name, e->mode & 07777);
		if (err == -EEXIST)
			err = 0;
		break;
	case S_IFLNK:
		err = make_symlink(e);
		break;
	case S_IFCHR:
	case S_IFBLK:
	case S_IFIFO:
	case S_IFSOCK:
		init_unlink(e->name);
		err = init_mknod(e->name, (umode_t)e->mode, e->rdev_major << 20 | (e->rdev_minor & 0xfffff));
		break;
	default:
		err = -EINVAL;
	}
	if (!err && !S_ISLNK(e->mode))
		err = set_attributes(e);
	if (err)
		complain(u, e, err);
}

/* ---- archives ---- */

static int unpack_cpio(struct unpack *u, const u8 *p, size_t len, size_t *off)
{
	struct cpio_entry e;
	int r;

	while ((r = cpio_next(p, len, off, u->name, &e)) == 1) {
		make_entry(u, &e);
		consumed(u, p + *off);
		cond_resched();
	}
	drop_links(u);
	return r;
}

static int unpack_plain(struct unpack *u, const u8 *p, size_t len, size_t *off);

static int grow(struct decomp_out *o, size_t want)
{
	struct buffer *b = container_of(o, struct buffer, out);
	unsigned long need = PFN_UP(want), nr = max(need, b->nr + b->nr / 2), left = nr_free_pages();
	struct page **pages;

	/* Not to the last page: there is nothing yet to reclaim, and nobody to kill. */
	left -= min(left, b->nr / 256 + totalram_pages() / 16);
	if (nr - b->nr > left)		/* by less and less, not by a page each time: all of it is mapped anew */
		nr = max(need, b->nr + left / 2);
	if (nr - b->nr > left)
		return -ENOMEM;
	pages = kvmalloc_array(nr, sizeof(*pages), GFP_KERNEL);
	if (!pages)
		return -ENOMEM;
	if (b->nr)
		memcpy(pages, b->pages, b->nr * sizeof(*pages));
	kvfree(b->pages);
	b->pages = pages;
	vunmap(o->buf);
	o->buf = NULL;
	while (b->nr < nr) {
		pages[b->nr] = alloc_page(GFP_KERNEL);
		if (!pages[b->nr])
			return -ENOMEM;
		b->nr++;
		cond_resched();
	}
	o->buf = vmap(pages, (unsigned int)nr, 0);
	o->cap = nr << PAGE_SHIFT;
	return o->buf ? 0 : -ENOMEM;
}

static void let_others_run(void)
{
	cond_resched();
}

static int unpack_compressed(struct unpack *u, const u8 *p, size_t len, size_t *off)
{
	struct buffer b = { .out = { .grow = grow, .pause = let_others_run } };
	bool zstd = p[*off] != 0x1f;
	void *work = zstd ? vmalloc(unzstd_workspace()) : NULL;
	size_t used = 0, inner = 0;
	int err = -ENOMEM;

	if ((!zstd || work) && !grow(&b.out, max(len - *off, (size_t)64 << 10)))
		err = zstd ? unzstd(p + *off, len - *off, &used, &b.out, work) : gunzip(p + *off, len - *off, &used, &b.out);
	vfree(work);
	if (!err) {
		while (b.nr > PFN_UP(b.out.len))
			__free_page(b.pages[--b.nr]);
		*off += used;
		consumed(u, p + *off);
		u->in_place = false;
		u->buffer = &b;
		err = unpack_plain(u, b.out.buf, b.out.len, &inner);
		u->buffer = NULL;
		u->in_place = true;
	}
	vunmap(b.out.buf);
	buffer_release(&b, b.nr);
	kvfree(b.pages);
	return err;
}

static bool is_compressed(const u8 *p, size_t len)
{
	if (len >= 2 && p[0] == 0x1f && p[1] == 0x8b)
		return true;
	return len >= 4 && p[1] == 0xb5 && p[2] == 0x2f && p[3] == 0xfd && p[0] == 0x28;
}

/* Archives with zeros between them, as far as they go. */
static int unpack_plain(struct unpack *u, const u8 *p, size_t len, size_t *off)
{
	int err = 0;

	while (!err) {
		while (*off < len && !p[*off])
			if (!(++*off % STEP))
				cond_resched();
		if (*off == len)
			return 0;
		if (cpio_is_header(p + *off, len - *off)) {
			/* Padding counts from the archive's own start. */
			size_t inner = 0;

			err = unpack_cpio(u, p + *off, len - *off, &inner);
			*off += inner;
		} else if (u->in_place && is_compressed(p + *off, len - *off)) {
			err = unpack_compressed(u, p, len, off);
		} else {
			err = -EINVAL;
		}
	}
	return err;
}

static const char *reason(int err)
{
	switch (err) {
	case -EINVAL: return "not an archive that is known, or damaged";
	case -E2BIG:
	case -ENODATA: return "cut short";
	case -EBADMSG: return "wrong checksum";
	case -ENOMEM: return "not enough memory";
	}
	return "error";
}

/* What is there before any archive: enough for init to find its console. */
static void default_root(void)
{
	init_mkdir("/dev", 0755);
	init_mknod("/dev/console", S_IFCHR | 0600, 5 << 20 | 1);
	init_mkdir("/root", 0700);
}

void boot_unpack_initramfs(void)
{
	phys_addr_t start = boot_info.initrd & PAGE_MASK, end = PAGE_ALIGN(boot_info.initrd + boot_info.initrd_size);
	struct unpack *u;
	size_t off = 0;
	int err;

	default_root();
	if (!boot_info.initrd_size)
		return;
	u = kvzalloc(sizeof(*u), GFP_KERNEL);
	if (!u) {
		pr_err("initramfs: not enough memory\n");
		return;
	}
	u->in_place = true;
	u->kept = start;
	err = unpack_plain(u, phys_to_virt(boot_info.initrd), boot_info.initrd_size, &off);
	if (err)
		pr_err("initramfs: %s (%d), %zu bytes in\n", reason(err), err, off);
	release_until(u, end);
	pr_info("initramfs: %u entries, %llu KiB in place\n", u->entries, u->taken >> 10);
	kvfree(u);
}
