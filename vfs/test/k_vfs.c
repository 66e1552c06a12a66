// SPDX-License-Identifier: MIT
/* Files, names and mounts as the kernel itself uses them, in the root that is there before any program. */
#include <lib/types.h>
#include <vfs/fs.h>
#include <vfs/file.h>
#include <vfs/namei.h>
#include <vfs/names.h>
#include <vfs/pipe.h>
#include <vfs/xattr.h>
#include "../dcache_priv.h"
#include <kernel/ktest.h>
#include <sched/task.h>

KTEST(vfs_file_write_read)
{
	struct file *f = filp_open("/ktest-a", O_CREAT | O_EXCL | O_RDWR, 0640);
	char buf[16] = "";
	loff_t pos = 0;

	KT_ASSERT(!IS_ERR(f));
	KT_EQ(kernel_write(f, "hello, world", 12, &pos), 12);
	KT_EQ(pos, 12);
	pos = 7;
	KT_EQ(kernel_read(f, buf, sizeof(buf), &pos), 5);
	KT_ASSERT(!memcmp(buf, "world", 5));
	KT_EQ(i_size_read(file_inode(f)), 12);
	fput(f);
	KT_EQ(PTR_ERR(filp_open("/ktest-a", O_CREAT | O_EXCL | O_RDWR, 0640)), -EEXIST);
	KT_EQ(PTR_ERR(filp_open("/ktest-a/b", O_RDONLY, 0)), -ENOTDIR);
	KT_EQ(init_unlink("/ktest-a"), 0);
	KT_EQ(init_unlink("/ktest-a"), -ENOENT);
}

KTEST(vfs_names)
{
	struct path path;

	KT_EQ(init_mkdir("/ktest-d", 0755), 0);
	KT_EQ(init_mkdir("/ktest-d", 0755), -EEXIST);
	KT_EQ(init_mkdir("/ktest-d/sub", 0755), 0);
	KT_EQ(init_symlink("sub/../sub/./", "/ktest-d/link"), 0);
	KT_EQ(init_symlink("/ktest-d/loop2", "/ktest-d/loop1"), 0);
	KT_EQ(init_symlink("loop1", "/ktest-d/loop2"), 0);
	KT_EQ(kern_path("/ktest-d/link/../link", LOOKUP_FOLLOW, &path), 0);
	KT_ASSERT(S_ISDIR(path.dentry->d_inode->i_mode));
	path_put(&path);
	KT_EQ(kern_path("/ktest-d/loop1", LOOKUP_FOLLOW, &path), -ELOOP);
	KT_EQ(kern_path("/ktest-d/nothing/x", LOOKUP_FOLLOW, &path), -ENOENT);
	KT_EQ(kern_path("/../../ktest-d/sub/..//.", LOOKUP_FOLLOW, &path), 0);
	path_put(&path);
	KT_EQ(init_rmdir("/ktest-d"), -ENOTEMPTY);
	KT_EQ(init_rmdir("/ktest-d/link"), -ENOTDIR);
	KT_EQ(init_unlink("/ktest-d/sub"), -EISDIR);
	KT_EQ(init_unlink("/ktest-d/link"), 0);
	KT_EQ(init_unlink("/ktest-d/loop1"), 0);
	KT_EQ(init_unlink("/ktest-d/loop2"), 0);
	KT_EQ(init_rmdir("/ktest-d/sub"), 0);
	KT_EQ(init_rmdir("/ktest-d"), 0);
}

static int do_rename(const char *from, const char *to, unsigned int flags)
{
	struct filename a, b;

	getname_kernel(&a, from);
	getname_kernel(&b, to);
	return do_renameat2(AT_FDCWD, &a, AT_FDCWD, &b, flags);
}

KTEST(vfs_rename)
{
	KT_EQ(init_mkdir("/ktest-r", 0755), 0);
	KT_EQ(init_mkdir("/ktest-r/a", 0755), 0);
	KT_EQ(init_mkdir("/ktest-r/b", 0755), 0);
	KT_EQ(init_mknod("/ktest-r/a/f", S_IFREG | 0600, 0), 0);
	KT_EQ(do_rename("/ktest-r/a/f", "/ktest-r/b/g", 0), 0);
	KT_EQ(do_rename("/ktest-r/a/f", "/ktest-r/b/g", 0), -ENOENT);
	KT_EQ(do_rename("/ktest-r/b/g", "/ktest-r/a", RENAME_NOREPLACE), -EEXIST);
	KT_EQ(do_rename("/ktest-r/b/g", "/ktest-r/a", 0), -EISDIR);
	KT_EQ(do_rename("/ktest-r/a", "/ktest-r/b/g", 0), -ENOTDIR);
	KT_EQ(do_rename("/ktest-r/a", "/ktest-r/a/below", 0), -EINVAL);
	KT_EQ(do_rename("/ktest-r/a", "/ktest-r/b", RENAME_EXCHANGE), 0);
	KT_EQ(init_unlink("/ktest-r/a/g"), 0);
	KT_EQ(do_rename("/ktest-r/b", "/ktest-r/a", 0), 0);
	KT_EQ(init_rmdir("/ktest-r/a"), 0);
	KT_EQ(init_rmdir("/ktest-r"), 0);
}

KTEST(vfs_many_names)
{
	char name[64];
	struct path path;

	KT_EQ(init_mkdir("/ktest-m", 0755), 0);
	/* Enough to make the hash grow. */
	for (int i = 0; i < 1500; i++) {
		snprintf(name, sizeof(name), "/ktest-m/some-longish-name-number-%d%s", i,
			 i & 1 ? "-that-is-kept-outside" : "");
		KT_EQ(init_mknod(name, S_IFREG | 0600, 0), 0);
	}
	for (int i = 0; i < 1500; i++) {
		snprintf(name, sizeof(name), "/ktest-m/some-longish-name-number-%d%s", i,
			 i & 1 ? "-that-is-kept-outside" : "");
		KT_EQ(kern_path(name, 0, &path), 0);
		path_put(&path);
		KT_EQ(init_unlink(name), 0);
	}
	KT_EQ(init_rmdir("/ktest-m"), 0);
}

static unsigned int name_buckets(void)
{
	unsigned int n;

	rcu_read_lock();
	n = rcu_dereference(dhash)->mask + 1;
	rcu_read_unlock();
	return n;
}

/* Names that are made and never looked up along a path, as by link(2) and mkdir(2): the table of names grows for them, too. */
KTEST(vfs_names_that_are_only_made)
{
	unsigned int before = name_buckets(), n = 0;
	char name[40];

	KT_EQ(init_mkdir("/ktest-g", 0755), 0);
	for (; n < 5 * before && name_buckets() == before; n++) {
		snprintf(name, sizeof(name), "/ktest-g/%u", n);
		KT_EQ(init_mknod(name, S_IFREG | 0600, 0), 0);
	}
	KT_ASSERT(name_buckets() > before);
	while (n--) {
		snprintf(name, sizeof(name), "/ktest-g/%u", n);
		KT_EQ(init_unlink(name), 0);
	}
	KT_EQ(init_rmdir("/ktest-g"), 0);
}

/* As a walk finds it that only reads. */
static struct dentry *find_word_by_word(struct dentry *dir, const char *name)
{
	struct dentry *d;
	u64 tail, hashlen = nh_hashlen(dir, name, &tail);
	u32 seq;

	rcu_read_lock();
	d = d_find_rcu(dir, name, hashlen, tail, &seq);
	if (d && read_seqcount_retry(&d->d_seq, seq))
		d = NULL;
	rcu_read_unlock();
	return d;
}

KTEST(vfs_name_words)
{
	static char a[300], b[300];
	const size_t prefix = strlen("/ktest-w/");
	struct path dir, path;

	KT_EQ(init_mkdir("/ktest-w", 0755), 0);
	KT_EQ(kern_path("/ktest-w", 0, &dir), 0);
	/* Every length, in dentries whose memory had longer names before; then under another name, and back. */
	for (unsigned int len = NAME_MAX; len; len--) {
		memcpy(a, "/ktest-w/", prefix);
		memset(a + prefix, 'a', len);
		a[prefix + len] = '\0';
		memcpy(b, a, sizeof(b));
		b[prefix + len - 1] = 'b';
		KT_EQ(init_mknod(a, S_IFREG | 0600, 0), 0);
		KT_EQ(kern_path(b, 0, &path), -ENOENT);
		KT_EQ(kern_path(a, 0, &path), 0);
		KT_ASSERT(find_word_by_word(dir.dentry, a + prefix) == path.dentry);
		KT_ASSERT(!find_word_by_word(dir.dentry, b + prefix));
		KT_EQ(do_rename(a, "/ktest-w/x", 0), 0);
		KT_ASSERT(find_word_by_word(dir.dentry, "x") == path.dentry);
		KT_EQ(do_rename("/ktest-w/x", b, 0), 0);
		KT_ASSERT(find_word_by_word(dir.dentry, b + prefix) == path.dentry);
		path_put(&path);
		KT_EQ(init_unlink(b), 0);
	}
	path_put(&dir);
	KT_EQ(init_rmdir("/ktest-w"), 0);
}

struct count_ctx {
	struct dir_context ctx;
	int names, stop_after;
};

static bool count_actor(struct dir_context *ctx, const char *name, int len, loff_t pos, u64 ino,
			unsigned int type)
{
	struct count_ctx *c = container_of(ctx, struct count_ctx, ctx);

	if (c->names == c->stop_after)
		return false;
	c->names++;
	return true;
}

KTEST(vfs_readdir)
{
	struct count_ctx c = { .ctx.actor = count_actor, .stop_after = 5 };
	struct file *f;
	char name[32];

	KT_EQ(init_mkdir("/ktest-l", 0755), 0);
	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "/ktest-l/%d", i);
		KT_EQ(init_mknod(name, S_IFREG | 0600, 0), 0);
	}
	f = filp_open("/ktest-l", O_RDONLY | O_DIRECTORY, 0);
	KT_ASSERT(!IS_ERR(f));
	KT_EQ(iterate_dir(f, &c.ctx), 0);
	KT_EQ(c.names, 5);
	c.stop_after = 1000;
	KT_EQ(iterate_dir(f, &c.ctx), 0);
	KT_EQ(c.names, 22);
	KT_EQ(iterate_dir(f, &c.ctx), 0);
	KT_EQ(c.names, 22);
	fput(f);
	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "/ktest-l/%d", i);
		KT_EQ(init_unlink(name), 0);
	}
	KT_EQ(init_rmdir("/ktest-l"), 0);
}

KTEST(vfs_mounts)
{
	struct path path;
	char opts[] = "size=64k,mode=0700";
	struct kstatfs st;

	KT_EQ(init_mkdir("/ktest-mnt", 0755), 0);
	KT_EQ(init_mount("x", "/ktest-mnt", "tmpfs", 0, opts), 0);
	KT_EQ(init_mkdir("/ktest-mnt/in", 0755), 0);
	KT_EQ(init_rmdir("/ktest-mnt"), -EBUSY);
	KT_EQ(kern_path("/ktest-mnt/in/../..", 0, &path), 0);
	KT_ASSERT(path_equal(&path, &current->fs->root));
	path_put(&path);
	KT_EQ(kern_path("/ktest-mnt", 0, &path), 0);
	KT_EQ(vfs_statfs(&path, &st), 0);
	KT_EQ(st.f_blocks, 65536 / PAGE_SIZE);
	KT_EQ(init_umount("/ktest-mnt", 0), -EBUSY);
	path_put(&path);
	KT_EQ(init_mkdir("/ktest-bind", 0755), 0);
	KT_EQ(init_mount("/ktest-mnt/in", "/ktest-bind", NULL, MS_BIND, NULL), 0);
	KT_EQ(init_mount(NULL, "/ktest-bind", NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL), 0);
	KT_EQ(init_mkdir("/ktest-bind/no", 0755), -EROFS);
	KT_EQ(init_mkdir("/ktest-mnt/in/yes", 0755), 0);
	KT_EQ(kern_path("/ktest-bind/yes", 0, &path), 0);
	path_put(&path);
	KT_EQ(init_umount("/ktest-bind", 0), 0);
	KT_EQ(init_umount("/ktest-mnt", 0), 0);
	KT_EQ(kern_path("/ktest-mnt/in", 0, &path), -ENOENT);
	KT_EQ(init_rmdir("/ktest-mnt"), 0);
	KT_EQ(init_rmdir("/ktest-bind"), 0);
}

KTEST(vfs_shared_mounts)
{
	struct path path;

	KT_EQ(init_mkdir("/ktest-s", 0755), 0);
	KT_EQ(init_mkdir("/ktest-t", 0755), 0);
	KT_EQ(init_mount("x", "/ktest-s", "tmpfs", 0, NULL), 0);
	KT_EQ(init_mount(NULL, "/ktest-s", NULL, MS_SHARED, NULL), 0);
	KT_EQ(init_mount("/ktest-s", "/ktest-t", NULL, MS_BIND, NULL), 0);
	KT_EQ(init_mkdir("/ktest-s/m", 0755), 0);
	KT_EQ(init_mount("y", "/ktest-s/m", "tmpfs", 0, NULL), 0);
	KT_EQ(init_mkdir("/ktest-s/m/seen", 0755), 0);
	KT_EQ(kern_path("/ktest-t/m/seen", 0, &path), 0);
	path_put(&path);
	KT_EQ(init_umount("/ktest-t/m", 0), 0);
	KT_EQ(kern_path("/ktest-s/m/seen", 0, &path), -ENOENT);
	KT_EQ(init_umount("/ktest-t", 0), 0);
	KT_EQ(init_umount("/ktest-s", 0), 0);
	KT_EQ(init_rmdir("/ktest-s"), 0);
	KT_EQ(init_rmdir("/ktest-t"), 0);
}

KTEST(vfs_pivot_root)
{
	struct path path;

	/* The way every initramfs goes, and back again. */
	KT_EQ(init_mkdir("/ktest-p", 0755), 0);
	KT_EQ(init_mount("new", "/ktest-p", "tmpfs", 0, NULL), 0);
	KT_EQ(init_mkdir("/ktest-p/old", 0755), 0);
	KT_EQ(init_pivot_root("/ktest-p", "/ktest-p/old"), 0);
	KT_EQ(kern_path("/old/ktest-p", 0, &path), 0);
	path_put(&path);
	KT_EQ(kern_path("/ktest-p", 0, &path), -ENOENT);
	KT_EQ(init_mkdir("/old/ktest-q", 0755), 0);
	KT_EQ(init_pivot_root("/old", "/old/ktest-q"), 0);
	KT_EQ(init_umount("/ktest-q", 0), 0);
	KT_EQ(init_rmdir("/ktest-q"), 0);
	KT_EQ(init_rmdir("/ktest-p"), 0);
}

KTEST(vfs_xattr)
{
	struct path path;
	char buf[32];

	KT_EQ(init_mknod("/ktest-x", S_IFREG | 0600, 0), 0);
	KT_EQ(kern_path("/ktest-x", 0, &path), 0);
	KT_EQ(vfs_getxattr(&nop_mnt_idmap, path.dentry, "user.a", buf, sizeof(buf)), -ENODATA);
	KT_EQ(vfs_setxattr(&nop_mnt_idmap, path.dentry, "user.a", "value", 5, XATTR_REPLACE), -ENODATA);
	KT_EQ(vfs_setxattr(&nop_mnt_idmap, path.dentry, "user.a", "value", 5, 0), 0);
	KT_EQ(vfs_getxattr(&nop_mnt_idmap, path.dentry, "user.a", buf, sizeof(buf)), 5);
	KT_EQ(vfs_getxattr(&nop_mnt_idmap, path.dentry, "user.a", buf, 2), -ERANGE);
	KT_EQ(vfs_listxattr(path.dentry, buf, sizeof(buf)), 7);
	KT_EQ(vfs_setxattr(&nop_mnt_idmap, path.dentry, "system.posix_acl_access", "v", 1, 0), -EINVAL);
	KT_EQ(vfs_setxattr(&nop_mnt_idmap, path.dentry, "system.other", "v", 1, 0), -EOPNOTSUPP);
	KT_EQ(vfs_removexattr(&nop_mnt_idmap, path.dentry, "user.a"), 0);
	KT_EQ(vfs_listxattr(path.dentry, buf, sizeof(buf)), 0);
	path_put(&path);
	KT_EQ(init_unlink("/ktest-x"), 0);
}

KTEST(vfs_pipe)
{
	struct file *p[2];
	char buf[64];

	KT_EQ(create_pipe_files(p, O_NONBLOCK), 0);
	KT_EQ(kernel_read(p[0], buf, sizeof(buf), NULL), -EAGAIN);
	KT_EQ(kernel_write(p[1], "abc", 3, NULL), 3);
	KT_EQ(kernel_write(p[1], "defg", 4, NULL), 4);
	KT_EQ(kernel_read(p[0], buf, 5, NULL), 5);
	KT_ASSERT(!memcmp(buf, "abcde", 5));
	KT_EQ(kernel_read(p[0], buf, sizeof(buf), NULL), 2);
	fput(p[1]);
	task_work_flush_deferred();
	KT_EQ(kernel_read(p[0], buf, sizeof(buf), NULL), 0);
	fput(p[0]);
}

/* Whoever flushes finds what was deferred done, though a kworker took it first. */
KTEST(vfs_deferred_is_flushed)
{
	int late = 0;

	for (int i = 0; i < 800; i++) {
		struct file *p[2];
		char buf[1];

		KT_EQ(create_pipe_files(p, O_NONBLOCK), 0);
		fput(p[1]);
		for (int n = 0; n < i % 64 * 8; n++)
			cpu_relax();
		task_work_flush_deferred();
		late += kernel_read(p[0], buf, sizeof(buf), NULL) != 0;
		fput(p[0]);
	}
	KT_EQ(late, 0);
}

static struct list_head dying;

static void shrink_now(struct dentry *d)
{
	shrink_dentry_list(&dying);
}

/* A shrinker comes by one that is just being killed, and was on its list: it is freed once, by who has it last. */
KTEST(vfs_killed_on_a_shrink_list)
{
	static const struct dentry_operations ops = { .d_release = shrink_now };
	struct path root;
	struct dentry *d;

	KT_EQ(kern_path("/", 0, &root), 0);
	INIT_LIST_HEAD(&dying);
	for (int i = 0; i < 100; i++) {
		d = d_alloc_name(root.dentry, "ktest-dying");
		KT_ASSERT(d);
		d_set_d_op(d, &ops);
		spin_lock(&d->d_lock);
		d_to_shrink_list(d, &dying);
		spin_unlock(&d->d_lock);
		dput(d);
		KT_ASSERT(list_empty(&dying));
	}
	path_put(&root);
	rcu_barrier();
}

/* What syncfs(2) asks: a write that failed is told to each file of the file system once. */
KTEST(vfs_error_of_a_file_system)
{
	struct file *a = filp_open("/ktest-e", O_CREAT | O_EXCL | O_RDWR, 0640), *b = filp_open("/", O_RDONLY, 0);
	struct super_block *sb = file_inode(a)->i_sb;

	KT_ASSERT(!IS_ERR(a) && !IS_ERR(b));
	KT_EQ(errseq_check_and_advance(&sb->s_wb_err, &a->f_sb_err), 0);
	mapping_set_error(a->f_mapping, -EIO);
	KT_EQ(errseq_check_and_advance(&sb->s_wb_err, &a->f_sb_err), -EIO);
	KT_EQ(errseq_check_and_advance(&sb->s_wb_err, &a->f_sb_err), 0);
	KT_EQ(errseq_check_and_advance(&sb->s_wb_err, &b->f_sb_err), -EIO);
	KT_EQ(errseq_check_and_advance(&sb->s_wb_err, &b->f_sb_err), 0);
	KT_EQ(filemap_check_wb_err(a->f_mapping, &a->f_wb_err), -EIO);
	KT_EQ(filemap_check_wb_err(a->f_mapping, &a->f_wb_err), 0);
	fput(a);
	fput(b);
	KT_EQ(init_unlink("/ktest-e"), 0);
}
