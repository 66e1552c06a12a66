// SPDX-License-Identifier: MIT
/*
 * Names of local sockets. Abstract ones are their network namespace's; a path is seen wherever its file is (unix(7)). A path's socket is found through the inode that it names, an abstract one by its bytes; both in one hash, each
 * name under its bucket's lock, which is outside of u->sk.lock. bind_lock makes sure that a socket gets one name.
 */
#include <lib/types.h>
#include <lib/err.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <alloc/slab.h>
#include <kernel/init.h>
#include <kernel/random.h>
#include <lib/hash.h>
#include <lib/siphash.h>
#include <proc/cred.h>
#include <vfs/dentry.h>
#include <vfs/fs.h>
#include <vfs/mount.h>
#include <vfs/namei.h>
#include <abi/errno.h>
#include "net/unix/unix_priv.h"

#define NAME_OFF offsetof(struct sockaddr_un, sun_path)

DEFINE_GHASH(all, 6);		/* every socket, by its address */
DEFINE_GHASH(names, 6);

void unix_list(struct unix_sock *u)
{
	u32 hash = hash_ptr(u, 32);
	unsigned long *b;

	ghash_reserve(&all);
	b = ghash_lock(&all, hash);
	ghash_add(&all, b, &u->all_node, hash);
	ghash_unlock(b);
}

/* No longer to be found. */
void unix_unlist(struct unix_sock *u)
{
	ghash_del(&all, &u->all_node);
	ghash_del(&names, &u->name_node);
}

void unix_walk(u64 *pos, void (*fn)(struct ghash_node *all_node, void *arg), void *arg)
{
	ghash_walk(&all, pos, fn, arg);
}

static struct siphash_key name_key __ro_after_init;

/* Of an abstract name: keyed, or a program could choose names that share a bucket. */
static u32 name_hash(const struct net *net, const struct unix_addr *a)
{
	return hash_64(siphash(&name_key, a->name.sun_path, (size_t)a->len - NAME_OFF) + net->cookie, 32);
}

static u32 inode_hash(const struct inode *i)
{
	return hash_ptr(i, 32);
}

/* Its bucket is locked. */
static struct unix_sock *find_abstract(struct net *net, unsigned long *bucket, u32 hash, const struct unix_addr *a, int type)
{
	struct unix_sock *u;

	ghash_for_each(u, bucket, hash, name_node)
		if (!u->path.dentry && u->sk.net == net && u->sk.type == type && u->addr->len == a->len &&
		    !memcmp(&u->addr->name, &a->name, (size_t)a->len))
			return u;
	return NULL;
}

/* A checked copy of a user's address. -EINVAL; -EAFNOSUPPORT-like is -EINVAL too (unix(7)). */
static struct unix_addr *addr_copy(const struct __kernel_sockaddr_storage *sa, int len)
{
	const struct sockaddr_un *un = (const void *)sa;
	struct unix_addr *a;

	if (len <= (int)NAME_OFF || len > (int)sizeof(*un) || un->sun_family != AF_UNIX)
		return ERR_PTR(-EINVAL);
	a = kzalloc(sizeof(*a) + sizeof(*un) + 1, GFP_KERNEL);
	if (!a)
		return ERR_PTR(-ENOMEM);
	refcount_set(&a->refs, 1);
	memcpy(&a->name, un, (size_t)len);
	if (a->name.sun_path[0]) {
		/* A path ends at its NUL, whether the caller counted it or not. */
		((char *)&a->name)[len] = '\0';
		a->len = (int)(NAME_OFF + strlen(a->name.sun_path) + 1);
	} else {
		a->len = len;
	}
	return a;
}

/* Who is bound to the inode; ERR_PTR(-ECONNREFUSED), -EPROTOTYPE. */
static struct unix_sock *find_inode(struct inode *inode, int type)
{
	u32 hash = inode_hash(inode);
	unsigned long *b = ghash_lock(&names, hash);
	struct unix_sock *u, *found = ERR_PTR(-ECONNREFUSED);

	ghash_for_each(u, b, hash, name_node) {
		if (!u->path.dentry || d_inode(u->path.dentry) != inode)
			continue;
		if (u->sk.type != type)
			found = ERR_PTR(-EPROTOTYPE);
		else if (refcount_inc_not_zero(&u->sk.refs))
			found = u;
		break;
	}
	ghash_unlock(b);
	return found;
}

static struct unix_sock *find_path(const char *path, int type)
{
	struct unix_sock *u;
	struct path p;
	int e = kern_path(path, LOOKUP_FOLLOW, &p);

	if (e)
		return ERR_PTR(e);
	e = path_permission(&p, MAY_WRITE);
	u = e ? ERR_PTR(e) : find_inode(d_inode(p.dentry), type);
	path_put(&p);
	return u;
}

/* Who is bound to the address, referenced; ERR_PTR. */
struct unix_sock *unix_find_other(struct net *net, const struct __kernel_sockaddr_storage *sa, int len, int type)
{
	struct unix_addr *a = addr_copy(sa, len);
	struct unix_sock *u;
	unsigned long *b;

	if (IS_ERR(a))
		return ERR_CAST(a);
	if (a->name.sun_path[0]) {
		u = find_path(a->name.sun_path, type);
	} else {
		u32 hash = name_hash(net, a);

		b = ghash_lock(&names, hash);
		u = find_abstract(net, b, hash, a, type);
		if (!u || !refcount_inc_not_zero(&u->sk.refs))
			u = ERR_PTR(-ECONNREFUSED);
		ghash_unlock(b);
	}
	unix_addr_put(a);
	return u;
}

/* u->bind_lock held, U has no name. A becomes U's. */
static int bind_abstract(struct unix_sock *u, struct unix_addr *a)
{
	u32 hash = name_hash(u->sk.net, a);
	unsigned long *b;
	int e = 0;

	ghash_reserve(&names);
	b = ghash_lock(&names, hash);
	if (find_abstract(u->sk.net, b, hash, a, u->sk.type)) {
		e = -EADDRINUSE;
	} else {
		smp_store_release(&u->addr, a);
		ghash_add(&names, b, &u->name_node, hash);
	}
	ghash_unlock(b);
	return e;
}

/* The same with a path, whose node is made: it has MODE, the socket's own, without the umask (unix(7)). */
static int bind_path(struct unix_sock *u, struct unix_addr *a, umode_t mode)
{
	struct path parent;
	struct dentry *d = kern_path_create(a->name.sun_path, &parent, 0);
	unsigned long *b;
	u32 hash;
	int e;

	if (IS_ERR(d))
		return PTR_ERR(d) == -EEXIST ? -EADDRINUSE : (int)PTR_ERR(d);
	e = vfs_mknod(mnt_idmap(parent.mnt), d_inode(parent.dentry), d,
		      S_IFSOCK | (mode & 0777 & ~(umode_t)current_umask()), 0);
	if (!e) {
		u->path.mnt = mntget(parent.mnt);
		u->path.dentry = dget(d);
		smp_store_release(&u->addr, a);
		ghash_reserve(&names);
		hash = inode_hash(d_inode(d));
		b = ghash_lock(&names, hash);
		ghash_add(&names, b, &u->name_node, hash);
		ghash_unlock(b);
	}
	end_creating_path(&parent, d);
	return e == -EEXIST ? -EADDRINUSE : e;
}

/* Of a socket that has a name: what is wrong with this one comes first. */
static int error_of_path(struct unix_addr *a)
{
	struct path parent;
	struct dentry *d = kern_path_create(a->name.sun_path, &parent, 0);
	int e;

	if (IS_ERR(d))
		return PTR_ERR(d) == -EEXIST ? -EADDRINUSE : (int)PTR_ERR(d);
	e = path_permission(&parent, MAY_WRITE | MAY_EXEC);
	end_creating_path(&parent, d);
	return e ?: -EINVAL;
}

/* A name of five hexadecimal digits in the abstract space. */
static int bind_any(struct unix_sock *u)
{
	static const char hex[] = "0123456789abcdef";
	static atomic_t next;

	for (u32 tries = 0; tries <= 0xfffff; tries++) {
		struct unix_addr *a = kzalloc(sizeof(*a), GFP_KERNEL);
		u32 n = (u32)atomic_inc_return(&next);
		int e;

		if (!a)
			return -ENOMEM;
		refcount_set(&a->refs, 1);
		a->name.sun_family = AF_UNIX;
		for (int i = 0; i < 5; i++)
			a->name.sun_path[5 - i] = hex[n >> 4 * i & 15];
		a->len = (int)NAME_OFF + 6;
		e = bind_abstract(u, a);
		if (!e)
			return 0;
		unix_addr_put(a);
		if (signal_pending(current))
			return -EINTR;
	}
	return -ENOSPC;
}

int unix_autobind(struct unix_sock *u)
{
	int e;

	if (READ_ONCE(u->addr))
		return 0;
	mutex_lock(&u->bind_lock);
	e = u->addr ? 0 : bind_any(u);
	mutex_unlock(&u->bind_lock);
	return e;
}

int unix_bind(struct socket *s, const struct __kernel_sockaddr_storage *sa, int len)
{
	struct unix_sock *u = s->sk;
	struct unix_addr *a;
	int e;

	if (len == (int)NAME_OFF && ((const struct sockaddr_un *)sa)->sun_family == AF_UNIX)
		return unix_autobind(u);
	a = addr_copy(sa, len);
	if (IS_ERR(a))
		return (int)PTR_ERR(a);
	mutex_lock(&u->bind_lock);
	if (u->addr)
		e = a->name.sun_path[0] ? error_of_path(a) : -EINVAL;
	else
		e = a->name.sun_path[0] ? bind_path(u, a, file_inode(s->file)->i_mode) : bind_abstract(u, a);
	mutex_unlock(&u->bind_lock);
	if (e)
		unix_addr_put(a);
	return e;
}

int unix_getname(struct socket *s, struct __kernel_sockaddr_storage *sa, bool peer)
{
	struct unix_sock *u = s->sk, *p = u;
	struct unix_addr *a;
	int len;

	if (peer) {
		p = unix_peer_get(u);
		if (!p)
			return -ENOTCONN;
	}
	a = smp_load_acquire(&p->addr);
	if (a) {
		len = a->len;
		memcpy(sa, &a->name, (size_t)len);
	} else {
		((struct sockaddr_un *)sa)->sun_family = AF_UNIX;
		len = (int)NAME_OFF;
	}
	if (peer)
		unix_put(p);
	return len;
}

static int names_init(void)
{
	get_random_bytes(&name_key, sizeof(name_key));
	return 0;
}
INITCALL(subsys, names_init);
