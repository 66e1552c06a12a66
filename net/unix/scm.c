// SPDX-License-Identifier: MIT
/*
 * Control messages of local sockets: descriptors and credentials (unix(7)). What a sender gives is taken from his memory and checked
 * before the message is made; a receiver gets what his buffer has room for and MSG_CTRUNC for the rest.
 */
#include <lib/types.h>
#include <lib/err.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <alloc/slab.h>
#include <mm/uaccess.h>
#include <proc/cred.h>
#include <proc/ns.h>
#include <proc/pid.h>
#include <proc/upcalls.h>
#include <vfs/file.h>
#include <abi/errno.h>
#include <linux/capability.h>
#include "net/unix/unix_priv.h"

void unix_control_free(struct unix_control *c)
{
	if (c->fds)
		unix_fds_free(c->fds);
	put_pid(c->creds.pid);
}

static int take_rights(struct unix_control *c, struct uptr data, size_t bytes)
{
	unsigned int n = (unsigned int)(bytes / sizeof(int));

	if (!n)
		return 0;
	if (n > SCM_MAX_FD || (c->fds && c->fds->count + n > SCM_MAX_FD))
		return -EINVAL;
	if (!c->fds) {
		c->fds = kzalloc(sizeof(*c->fds), GFP_KERNEL);
		if (!c->fds)
			return -ENOMEM;
		INIT_LIST_HEAD(&c->fds->all);
		c->fds->user = current_cred()->user;
		refcount_inc(&c->fds->user->refs);
	}
	for (unsigned int i = 0; i < n; i++) {
		s32 fd;
		struct file *f;

		if (get_user(fd, uptr_add(data, i * sizeof(fd))))
			return -EFAULT;
		f = fget_raw((unsigned int)fd);
		if (!f)
			return -EBADF;
		if (f->f_op->fop_flags & FOP_NOT_SENT) {
			fput(f);
			return -EINVAL;
		}
		c->fds->file[c->fds->count++] = f;
	}
	return 0;
}

static int take_creds(struct unix_control *c, struct uptr data, size_t bytes)
{
	struct { s32 pid; u32 uid, gid; } u;
	const struct cred *cr = current_cred();
	kuid_t uid;
	kgid_t gid;

	if (bytes != sizeof(u))
		return -EINVAL;
	if (copy_from_user(&u, data, sizeof(u)))
		return -EFAULT;
	uid = make_kuid(cr->user_ns, u.uid);
	gid = make_kgid(cr->user_ns, u.gid);
	if (!uid_valid(uid) || !gid_valid(gid))
		return -EINVAL;
	if ((u.pid != task_tgid_vnr(current) && !ns_capable(task_active_pid_ns(current)->user_ns, CAP_SYS_ADMIN)) ||
	    (!uid_eq(uid, cr->uid) && !uid_eq(uid, cr->euid) && !uid_eq(uid, cr->suid) && !ns_capable(cr->user_ns, CAP_SETUID)) ||
	    (!gid_eq(gid, cr->gid) && !gid_eq(gid, cr->egid) && !gid_eq(gid, cr->sgid) && !ns_capable(cr->user_ns, CAP_SETGID)))
		return -EPERM;
	put_pid(c->creds.pid);
	c->creds.pid = find_get_pid(u.pid);
	if (!c->creds.pid)
		return -ESRCH;
	c->creds.uid = uid;
	c->creds.gid = gid;
	return 0;
}

int unix_read_control(struct sock_msg *m, struct unix_control *c)
{
	size_t off = 0;
	int e = 0;

	while (!e && off + sizeof(struct user_cmsghdr) <= m->control_len) {
		struct uptr at = uptr_add(m->control, off);
		struct user_cmsghdr h;

		if (copy_from_user(&h, at, sizeof(h)))
			return -EFAULT;
		if (h.len < sizeof(h) || h.len > m->control_len - off)
			return -EINVAL;
		if (h.level == SOL_SOCKET && h.type == SCM_RIGHTS)
			e = take_rights(c, uptr_add(at, sizeof(h)), h.len - sizeof(h));
		else if (h.level == SOL_SOCKET && h.type == SCM_CREDENTIALS)
			e = take_creds(c, uptr_add(at, sizeof(h)), h.len - sizeof(h));
		else if (h.level == SOL_SOCKET)
			e = -EINVAL;
		off += ALIGN(h.len, 8UL);
	}
	return e;
}

static void give_rights(struct sock_msg *m, struct unix_fds *f)
{
	size_t room = m->control_len - m->control_done;
	int fds[SCM_MAX_FD];
	unsigned int max_fds, n = 0;

	max_fds = room > sizeof(struct user_cmsghdr) ? (unsigned int)((room - sizeof(struct user_cmsghdr)) / sizeof(int)) : 0;
	while (n < f->count && n < max_fds) {
		int fd = receive_fd(f->file[n], UPTR_NULL, m->flags & MSG_CMSG_CLOEXEC ? O_CLOEXEC : 0);

		if (fd < 0)
			break;
		fds[n++] = fd;
	}
	if (n)
		put_cmsg(m, SOL_SOCKET, SCM_RIGHTS, n * sizeof(int), fds);
	if (n < f->count)
		m->out_flags |= MSG_CTRUNC;
}

void unix_give_creds(struct unix_sock *u, struct sock_msg *m, const struct unix_msg *q)
{
	struct { s32 pid; u32 uid, gid; } c;

	if (!sock_flag(&u->sk, SOCK_F_PASSCRED))
		return;
	c.pid = pid_vnr(q->pid);
	c.uid = from_kuid_munged(current_user_ns(), q->uid);
	c.gid = from_kgid_munged(current_user_ns(), q->gid);
	put_cmsg(m, SOL_SOCKET, SCM_CREDENTIALS, sizeof(c), &c);
}

void unix_give_pidfd(struct sock_msg *m, struct pid *sender)
{
	size_t before = m->control_done;
	struct file *file = NULL;
	int fd;

	if (!sender)
		return;
	if (m->control_len - m->control_done < sizeof(struct user_cmsghdr) + sizeof(fd)) {
		m->out_flags |= MSG_CTRUNC;
		return;
	}
	fd = proc_pidfd_prepare(sender, false, &file);
	put_cmsg(m, SOL_SOCKET, SCM_PIDFD, sizeof(fd), &fd);	/* or the error, in its place */
	if (fd < 0)
		return;
	if (m->control_done == before)
		proc_pidfd_abort(fd, file);
	else
		proc_pidfd_install(fd, file);
}

/* Those of Q, in the queue of U or just off it, whose io_lock is held. See gc.c for the order of things. */
void unix_give_fds(struct unix_sock *u, struct sock_msg *m, struct unix_msg *q)
{
	bool peek = m->flags & MSG_PEEK;
	struct unix_fds *f;

	spin_lock(&u->sk.lock);
	f = q->fds;
	if (!peek)
		q->fds = NULL;
	for (unsigned int i = 0; peek && f && i < f->count; i++)
		get_file(f->file[i]);
	spin_unlock(&u->sk.lock);
	if (!f)
		return;
	if (!peek) {
		unix_fds_detach(f);
		give_rights(m, f);
		unix_fds_free(f);
		return;
	}
	unix_gc_pass();
	give_rights(m, f);
	for (unsigned int i = 0; i < f->count; i++)
		fput(f->file[i]);
}
