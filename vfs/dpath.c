// SPDX-License-Identifier: MIT
/*
 * From a dentry back to its name, for getcwd, /proc and messages. The text grows from the end of the
 * buffer; the whole walk is repeated if a rename or a change of mounts happened meanwhile.
 */
#include <lib/types.h>
#include <lib/format.h>
#include <lib/minmax.h>
#include "dcache_priv.h"
#include "mount_priv.h"
#include <sched/task.h>

struct outbuf {
	char *p;	/* start of the text so far */
	int left;	/* bytes before it; < 0: did not fit */
};

static void put_back(struct outbuf *b, const char *s, int len)
{
	b->left -= len;
	if (b->left < 0)
		return;
	b->p -= len;
	memcpy(b->p, s, len);
}

/* A name may change under us: copy it by its own NUL, at most its length; the caller checks later. False: it does not fit, nor does what is above. */
static bool put_name(struct outbuf *b, const struct dentry *d)
{
	const char *name = rcu_dereference_untyped(d->d_name.name);
	int len = (int)strnlen(name, min(READ_ONCE(d->d_name.len), (u32)NAME_MAX));

	b->left -= len + 1;
	if (b->left < 0)
		return false;
	b->p -= len + 1;
	*b->p = '/';
	memcpy(b->p + 1, name, len);
	return true;
}

/*
 * 0: reached @root, or the text is too long and the rest of the way is not looked at: how long a path is is the user's choice; 1: the global
 * root of the namespace; 2: a detached mount; 3: outside of @root's tree; or @mseq has changed.
 */
static int put_path(const struct dentry *d, const struct mount *mnt, const struct path *root,
		    struct outbuf *b, u32 mseq) __must_hold(RCU)
{
	unsigned int steps = 0;

	while (d != root->dentry || &mnt->mnt != root->mnt) {
		const struct dentry *parent = READ_ONCE(d->d_parent);
		const struct mnt_namespace *ns;

		if (d == mnt->mnt.mnt_root) {
			struct mount *m = READ_ONCE(mnt->mnt_parent);

			if (likely(mnt != m)) {
				d = READ_ONCE(mnt->mnt_mountpoint);
				mnt = m;
				if (!mnt_step_rcu(&steps, mseq))
					return 3;
				continue;
			}
			ns = READ_ONCE(mnt->mnt_ns);
			return ns && !is_anon_ns(ns) ? 1 : 2;
		}
		if (unlikely(d == parent))
			return 3;
		if (unlikely(!put_name(b, d)))
			return 0;
		d = parent;
	}
	return 0;
}

/*
 * What put_path() says. RCU is let go of on a long way. -ECHILD: a mount or a name has changed, and of @path and @root is left what the
 * caller has references of.
 */
static int prepend_path_rcu(const struct path *path, const struct path *root, struct outbuf *out) __must_hold(RCU)
{
	u32 mseq = read_seqbegin(&mount_lock), rseq = read_seqbegin(&rename_lock);
	struct outbuf b = *out;
	int err = put_path(path->dentry, real_mount(path->mnt), root, &b, mseq);

	if (read_seqretry(&rename_lock, rseq) || read_seqretry(&mount_lock, mseq))
		return -ECHILD;
	if (err == 3)
		b = *out;
	if (b.left == out->left)
		put_back(&b, "/", 1);
	*out = b;
	return err;
}

/* The same with references of @path and @root. */
static int prepend_path(const struct path *path, const struct path *root, struct outbuf *out)
{
	int err;

	do {
		rcu_read_lock();
		err = prepend_path_rcu(path, root, out);
		rcu_read_unlock();
	} while (err == -ECHILD);
	return err;
}

static char *finish(struct outbuf *b)
{
	return b->left < 0 ? ERR_PTR(-ENAMETOOLONG) : b->p;
}

char *__d_path(const struct path *path, const struct path *root, char *buf, int buflen)
{
	struct outbuf b = { buf + buflen, buflen };

	put_back(&b, "", 1);
	if (prepend_path(path, root, &b) > 0)
		return NULL;
	return finish(&b);
}

char *d_absolute_path(const struct path *path, char *buf, int buflen)
{
	struct path root = { NULL, NULL };
	struct outbuf b = { buf + buflen, buflen };

	put_back(&b, "", 1);
	if (prepend_path(path, &root, &b) > 1)
		return ERR_PTR(-EINVAL);
	return finish(&b);
}

/* A path under RCU alone, of which it lets go; "(unreachable)" in front where @path is not below @root. -ECHILD: take both again. */
char *d_path_root_rcu(const struct path *path, const struct path *root, char *buf, int buflen)
{
	struct outbuf b = { buf + buflen, buflen };
	int err;

	put_back(&b, "", 1);
	err = prepend_path_rcu(path, root, &b);
	if (unlikely(err < 0))
		return ERR_PTR(err);
	if (err > 0)
		put_back(&b, "(unreachable)", 13);
	return finish(&b);
}

/* With both referenced. */
static char *d_path_root(const struct path *path, const struct path *root, char *buf, int buflen)
{
	struct outbuf b = { buf + buflen, buflen };

	put_back(&b, "", 1);
	if (d_unlinked(path->dentry))
		put_back(&b, " (deleted)", 10);
	prepend_path(path, root, &b);
	return finish(&b);
}

char *d_path(const struct path *path, char *buf, int buflen)
{
	const struct dentry *d = path->dentry;
	struct path root;
	char *res;

	if (d->d_op && d->d_op->d_dname && (!IS_ROOT(d) || d != path->mnt->mnt_root))
		return d->d_op->d_dname(path->dentry, buf, buflen);
	if (current->fs) {
		get_fs_root(current->fs, &root);
	} else {
		get_fs_root(&init_fs, &root);
	}
	res = d_path_root(path, &root, buf, buflen);
	path_put(&root);
	return res;
}

char *dentry_path(const struct dentry *dentry, char *buf, int buflen)
{
	const struct dentry *d;
	struct outbuf b;
	u32 seq;

	do {
		b = (struct outbuf){ buf + buflen, buflen };
		put_back(&b, "", 1);
		if (d_unlinked(dentry))
			put_back(&b, "//deleted", 9);
		seq = read_seqbegin(&rename_lock);
		rcu_read_lock();
		for (d = dentry; !IS_ROOT(d) && put_name(&b, d);)
			d = READ_ONCE(d->d_parent);
		rcu_read_unlock();
	} while (read_seqretry(&rename_lock, seq));
	if (dentry == d)
		put_back(&b, "/", 1);
	return finish(&b);
}

char *dynamic_dname(char *buf, int buflen, const char *fmt, ...)
{
	char tmp[64];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(tmp, sizeof(tmp), fmt, ap) + 1;
	va_end(ap);
	if (n > (int)sizeof(tmp) || n > buflen)
		return ERR_PTR(-ENAMETOOLONG);
	return memcpy(buf + buflen - n, tmp, n);
}

/* "/memfd:x (deleted)": for files that never had a place. */
char *simple_dname(struct dentry *d, char *buf, int buflen)
{
	struct outbuf b = { buf + buflen, buflen };

	put_back(&b, " (deleted)", 11);
	put_back(&b, d->d_name.name, d->d_name.len);
	put_back(&b, "/", 1);
	return finish(&b);
}
