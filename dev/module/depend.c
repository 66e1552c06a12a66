// SPDX-License-Identifier: MIT
/*
 * Modules that use what other modules export. A need is made while the user is linked, and goes
 * when its memory has gone: until then it is a use of the module that is needed, so that one stays.
 * The list of a module's needs is changed by who loads or unloads it alone, the other end under
 * modules_lock.
 */
#include <abi/errno.h>
#include <alloc/slab.h>
#include <dev/module.h>
#include <kernel/printk.h>
#include <kernel/show.h>
#include <kernel/time.h>
#include <sched/wait.h>
#include "dev/module/module_priv.h"

static DECLARE_WAIT_QUEUE_HEAD(waiting);
static atomic_t changes;

void module_states_changed(void)
{
	atomic_inc(&changes);
	wake_up_all(&waiting);
}

int module_changes(void)
{
	return atomic_read(&changes);
}

int module_wait_change(int seen)
{
	return wait_event_interruptible(waiting, atomic_read(&changes) != seen);
}

/* modules_lock is held. */
static struct module *exporter(const char *name, u64 *type, unsigned long *address)
{
	struct module *m;

	list_for_each_entry(m, &modules, list) {
		*address = m->state == MODULE_GOING ?
				   0 :
				   export_find_in(m->exports, m->nr_exports, name, type);
		if (*address)
			return m;
	}
	return NULL;
}

/* modules_lock is held. M needs OTHER, which is live. */
static int need(struct module *m, struct module *other)
{
	struct module_need *n;

	list_for_each_entry(n, &m->needs, of)
		if (n->needed == other)
			return 0;
	n = kmalloc(sizeof(*n), GFP_KERNEL);
	if (!n)
		return -ENOMEM;
	if (!owner_use(other->exports)) {
		kfree(n);
		return -EBUSY;
	}
	*n = (struct module_need){ .user = m, .needed = other };
	list_add_tail(&n->of, &m->needs);
	list_add_tail(&n->in, &other->users);
	return 0;
}

/* -EAGAIN: it is still coming. */
static int try_export(struct module *m, const char *name, u64 *type, unsigned long *address)
{
	struct module *other;
	int err = -ENOENT;

	mutex_lock(&modules_lock);
	other = exporter(name, type, address);
	if (other)
		err = other->state == MODULE_COMING ? -EAGAIN : need(m, other);
	mutex_unlock(&modules_lock);
	return err;
}

unsigned long module_find_export(struct module *m, const char *name, u64 *type, int *err)
{
	unsigned long address = 0;
	long left = 30 * HZ;
	int seen;

	for (;;) {
		seen = atomic_read(&changes);
		*err = try_export(m, name, type, &address);
		if (*err != -EAGAIN)
			return *err ? 0 : address;
		if (left <= 0)		/* or a signal */
			break;
		left = wait_event_interruptible_timeout(waiting, atomic_read(&changes) != seen,
							left);
	}
	pr_warn("%s: gave up waiting for the module that exports %s\n", m->name, name);
	*err = -EBUSY;
	return 0;
}

void module_forget_needs(struct module *m)
{
	struct module_need *n, *next;

	list_for_each_entry_safe(n, next, &m->needs, of) {
		show_remove_name(n->needed->holders, m->name);
		mutex_lock(&modules_lock);
		list_del(&n->in);
		mutex_unlock(&modules_lock);
		list_del(&n->of);
		owner_unuse(n->needed->exports);
		kfree(n);
	}
}

bool module_show_needs(struct module *m)
{
	struct module_need *n;

	list_for_each_entry(n, &m->needs, of)
		if (!show_link_to(n->needed->holders, NULL, m->dir))
			return false;
	return true;
}

const char *module_next_user(const struct module_facts *f, const void **cursor)
{
	const struct list_head *users = &f->module->users;
	const struct list_head *at = *cursor ? ((const struct list_head *)*cursor)->next :
					       users->next;

	*cursor = at;
	return at == users ? NULL : list_entry(at, struct module_need, in)->user->name;
}
