// SPDX-License-Identifier: MIT
/*
 * Parents and children. A parent's list of its children is under the lock of the parent's bus; a
 * step down takes a reference and lets the lock go, since the next list is under another one.
 *
 * A device goes after all below it. So it is closed first, after which it gets no children, and
 * what stands below is removed leaf by leaf: a leaf is closed in the same step that finds it
 * without children, so that none comes to it before it goes.
 */
#include "dev/core/core_priv.h"

bool child_join(struct device *d)
{
	struct device *parent = d->parent;
	bool ok;

	mutex_lock(&parent->bus->lock);
	ok = !parent->closed;
	if (ok)
		list_add_tail(&d->in_parent, &parent->children);
	mutex_unlock(&parent->bus->lock);
	return ok;
}

void child_leave(struct device *d)
{
	if (!d->parent)
		return;
	mutex_lock(&d->parent->bus->lock);
	list_del_init(&d->in_parent);
	mutex_unlock(&d->parent->bus->lock);
}

/* Which children are meant. */
enum which { ALL, OF_BUS, OF_DRIVER };

static bool is_meant(const struct device *child, enum which which)
{
	if (which == OF_BUS)
		return child->bus == child->parent->bus;
	return which == ALL || child->bus->ops->of_driver;
}

/*
 * D's newest child of those that are meant, with a reference; NULL: it has none, and if CLOSE, it
 * gets none any more.
 */
static struct device *newest(struct device *d, enum which which, bool close)
{
	struct device *c, *found = NULL;

	mutex_lock(&d->bus->lock);
	list_for_each_entry_reverse(c, &d->children, in_parent)
		if (is_meant(c, which)) {
			found = c;
			device_get(found);
			break;
		}
	if (!found && close)
		d->closed = true;
	mutex_unlock(&d->bus->lock);
	return found;
}

/* The newest that stands deepest below D, closed, with a reference; NULL: none is below D. */
static struct device *leaf_below(struct device *d, enum which which)
{
	struct device *at = newest(d, which, false), *next;

	while (at && (next = newest(at, which, true))) {
		device_put(at);
		at = next;
	}
	return at;
}

struct device *device_last_below(struct device *d)
{
	return leaf_below(d, OF_BUS);
}

bool device_has_below(struct device *d)
{
	struct device *c = newest(d, OF_BUS, false);

	if (c)
		device_put(c);
	return c;
}

void children_remove(struct device *d, bool gone)
{
	struct device *leaf;

	mutex_lock(&d->bus->lock);
	d->closed = true;
	mutex_unlock(&d->bus->lock);
	while ((leaf = leaf_below(d, ALL))) {
		device_remove(leaf, gone);
		device_put(leaf);
	}
}

void children_remove_made(struct device *d, bool gone)
{
	struct device *c;

	lockdep_assert_held(&d->lock);
	while ((c = newest(d, OF_DRIVER, false))) {
		device_remove(c, gone);
		device_put(c);
	}
}
