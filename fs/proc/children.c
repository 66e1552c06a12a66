// SPDX-License-Identifier: MIT
/* /proc/PID/task/TID/children: the processes that this thread made, or was given as their reaper (proc_pid_children(5)). */
#include "proc_priv.h"
#include <alloc/slab.h>

struct children {
	struct inode	*inode;		/* of the thread */
	struct pid	*at;		/* referenced; NULL: the end */
	loff_t		index;		/* of AT, from where a read goes on without counting again */
};

static struct task *nth_child(struct task *parent, loff_t n)
{
	struct task *t;

	list_for_each_entry(t, &parent->children, sibling) {
		if (!n--)
			return t;
	}
	return NULL;
}

/* The child at INDEX, taken to be BEHIND places behind the one of before, unless that one has gone. */
static struct pid *child_at(struct children *c, loff_t index, int behind)
{
	struct task *parent, *t;
	struct pid *pid = NULL;

	read_lock(&tasklist_lock);
	rcu_read_lock();
	parent = pid_task(PROC_I(c->inode)->pid, PIDTYPE_PID);
	t = c->at && c->index + behind == index ? pid_task(c->at, PIDTYPE_PID) : NULL;
	if (!parent)
		t = NULL;
	else if (!t || task_real_parent(t) != parent || list_empty(&t->sibling))
		t = nth_child(parent, index);
	else if (behind)
		t = list_is_last(&t->sibling, &parent->children) ? NULL : list_next_entry(t, sibling);
	if (t)
		pid = get_pid(task_own_pid(t));
	rcu_read_unlock();
	read_unlock(&tasklist_lock);
	put_pid(c->at);
	c->at = pid;
	c->index = index;
	return pid;
}

static void *children_start(struct seq_file *m, loff_t *pos)
{
	return child_at(m->private, *pos, 0);
}

static void *children_next(struct seq_file *m, void *v, loff_t *pos)
{
	(void)v;
	return child_at(m->private, ++*pos, 1);
}

static void children_stop(struct seq_file *m, void *v)
{
	(void)m;
	(void)v;
}

static int children_show(struct seq_file *m, void *v)
{
	struct children *c = m->private;

	seq_printf(m, "%d ", pid_nr_ns(v, proc_pid_ns(c->inode->i_sb)));
	return 0;
}

static const struct seq_operations children_ops = {
	.start = children_start, .next = children_next, .stop = children_stop, .show = children_show,
};

static int children_open(struct inode *inode, struct file *file)
{
	struct children *c = __seq_open_private(file, &children_ops, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->inode = inode;
	return 0;
}

static int children_release(struct inode *inode, struct file *file)
{
	struct children *c = ((struct seq_file *)file->private_data)->private;

	put_pid(c->at);
	return seq_release_private(inode, file);
}

const struct file_operations proc_children_fops = {
	.open = children_open, .read_iter = seq_read_iter, .llseek = seq_lseek, .release = children_release,
};
