// SPDX-License-Identifier: MIT
/*
 * Owners of code that are modules: a list, changed under a lock and read under RCU. There are few,
 * and only addresses of modules are looked for.
 */
#include <kernel/owner.h>

#ifdef CONFIG_MODULES
#include <kernel/bug.h>
#include <kernel/rcu.h>
#include <kernel/spinlock.h>
#include <lib/string.h>

static DEFINE_SPINLOCK(owner_lock);
static LIST_HEAD(owners);		/* owner_lock */

#define CLOSED S32_MIN

void owner_add(struct owner *o)
{
	o->uses = CLOSED;
	atomic_set(&o->holds, 0);
	spin_lock(&owner_lock);
	list_add_rcu(&o->list, &owners);
	spin_unlock(&owner_lock);
}

void owner_remove(struct owner *o)
{
	spin_lock(&owner_lock);
	list_del_rcu(&o->list);
	spin_unlock(&owner_lock);
	synchronize_rcu();
}

void owner_open(struct owner *o)
{
	s32 none = CLOSED;

	/* One that was opened in its init has uses already. */
	(void)try_cmpxchg(&o->uses, &none, 0);
}

bool owner_close(struct owner *o)
{
	s32 none = 0;

	return try_cmpxchg(&o->uses, &none, CLOSED);
}

bool owner_shut(struct owner *o)
{
	return READ_ONCE(o->uses) == CLOSED || owner_close(o);
}

/* Within RCU. */
static struct owner *find(unsigned long addr)
{
	struct owner *o;

	list_for_each_entry_rcu(o, &owners, list)
		for (int i = 0; i < OWNER_PARTS; i++)
			if (addr - o->part[i].start < o->part[i].size)
				return o;
	return NULL;
}

bool owner_module_use(unsigned long addr)
{
	struct owner *o;
	bool got = false;
	s32 n;

	rcu_read_lock();
	o = find(addr);
	n = o ? READ_ONCE(o->uses) : CLOSED;
	while (n >= 0 && n < S32_MAX && !got)
		got = try_cmpxchg(&o->uses, &n, n + 1);
	rcu_read_unlock();
	return got;
}

void owner_module_unuse(unsigned long addr)
{
	struct owner *o;

	rcu_read_lock();
	o = find(addr);
	if (!WARN_ON(!o))
		__atomic_sub_fetch(&o->uses, 1, __ATOMIC_RELEASE);
	rcu_read_unlock();
}

void owner_module_open(unsigned long addr)
{
	struct owner *o;

	rcu_read_lock();
	o = find(addr);
	if (!WARN_ON(!o))
		owner_open(o);
	rcu_read_unlock();
}

void owner_module_hold(unsigned long addr, int by)
{
	struct owner *o;

	rcu_read_lock();
	o = find(addr);
	if (!WARN_ON(!o))
		__atomic_add_fetch(&o->holds.counter, by, __ATOMIC_ACQ_REL);
	rcu_read_unlock();
}

bool owner_describe(unsigned long addr, char *name, size_t size, unsigned long *offset)
{
	struct owner *o;

	if (!owned_by_module((const void *)addr))
		return false;
	rcu_read_lock();
	o = find(addr);
	if (o) {
		strscpy(name, o->name, size);
		*offset = addr - o->part[0].start;
	}
	rcu_read_unlock();
	return o;
}

bool owner_is_text(unsigned long addr)
{
	struct owner *o;
	bool text;

	if (!owned_by_module((const void *)addr))
		return false;
	rcu_read_lock();
	o = find(addr);
	text = o && addr - o->part[0].start < o->part[0].size;
	rcu_read_unlock();
	return text;
}
#endif
