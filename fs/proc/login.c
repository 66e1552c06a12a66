// SPDX-License-Identifier: MIT
/*
 * /proc/PID/loginuid and sessionid: the user who logged in, and a number for that login. pam_loginuid(8) writes the uid when a session begins;
 * children inherit both. A task sets its own uid once; to change it again takes CAP_AUDIT_CONTROL.
 */
#include <lib/types.h>
#include <lib/format.h>
#include <lib/minmax.h>
#include "proc_priv.h"
#include <mm/iter.h>
#include <proc/cred.h>
#include <proc/pid.h>
#include <vfs/file.h>
#include <abi/errno.h>
#include <linux/capability.h>

static ssize_t show_login(struct kiocb *iocb, struct iter *to, bool session)
{
	struct file *file = iocb->ki_filp;
	struct task *task = get_proc_task(file_inode(file));
	char text[12];
	size_t len, n;
	u32 v;

	if (!task)
		return -ESRCH;
	v = READ_ONCE(*(session ? &task->login_session : &task->login_uid));
	put_task_struct(task);
	if (!session)
		v = from_kuid(file->f_cred->user_ns, (kuid_t){ v });
	len = (size_t)scnprintf(text, sizeof(text), "%u", v);
	if (iocb->ki_pos >= (loff_t)len)
		return 0;
	n = copy_to_iter(text + iocb->ki_pos, min(len - (size_t)iocb->ki_pos, iter_count(to)), to);
	iocb->ki_pos += (loff_t)n;
	return n || !iter_count(to) ? (ssize_t)n : -EFAULT;
}

static ssize_t loginuid_read(struct kiocb *iocb, struct iter *to) { return show_login(iocb, to, false); }
static ssize_t sessionid_read(struct kiocb *iocb, struct iter *to) { return show_login(iocb, to, true); }

static ssize_t loginuid_write(struct kiocb *iocb, struct iter *from)
{
	static atomic_t sessions = ATOMIC_INIT(0);
	ssize_t ret = (ssize_t)iter_count(from);
	char text[16] = "";
	unsigned int nr;
	bool own;
	kuid_t uid;
	int err;

	rcu_read_lock();
	own = pid_task(PROC_I(file_inode(iocb->ki_filp))->pid, PIDTYPE_PID) == current;
	rcu_read_unlock();
	if (!own)
		return -EPERM;
	if (iocb->ki_pos || iter_count(from) >= sizeof(text))
		return -EINVAL;
	if (!copy_from_iter_full(text, (size_t)ret, from))
		return -EFAULT;
	err = kstrtouint(text, 10, &nr);
	if (err)
		return err;
	uid = nr == (u32)-1 ? INVALID_UID : make_kuid(iocb->ki_filp->f_cred->user_ns, nr);
	if (nr != (u32)-1 && !uid_valid(uid))
		return -EINVAL;
	if (current->login_uid != (u32)-1 && !capable(CAP_AUDIT_CONTROL))
		return -EPERM;
	WRITE_ONCE(current->login_session, uid_valid(uid) ? (u32)atomic_inc_return(&sessions) : (u32)-1);
	WRITE_ONCE(current->login_uid, uid.val);
	return ret;
}

const struct file_operations proc_loginuid_fops = {
	.read_iter = loginuid_read, .write_iter = loginuid_write, .llseek = generic_file_llseek,
};
const struct file_operations proc_sessionid_fops = { .read_iter = sessionid_read, .llseek = generic_file_llseek };
