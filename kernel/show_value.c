// SPDX-License-Identifier: MIT
/*
 * Values of /proc/sys: attributes of the tree of published names (show.c) over an int, an unsigned
 * long or a text. One that belongs to a namespace says by of_caller() where the caller's lies.
 */
#include <lib/types.h>
#include <lib/format.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <kernel/show.h>
#include <kernel/upcalls.h>
#include <abi/errno.h>

static void *value_of(const struct show_node *n, void *value)
{
	return n->of_caller ? n->of_caller(value) : value;
}

static ssize_t int_show(struct show_node *n, char *buf, size_t size)
{
	struct show_int *i = n->data;

	return scnprintf(buf, size, "%d\n", READ_ONCE(*(int *)value_of(n, i->value)));
}

static ssize_t int_store(struct show_node *n, const char *text, size_t len)
{
	struct show_int *i = n->data;
	int v, e = kstrtoint(skip_spaces(text), 10, &v);

	if (e)
		return e;
	if (v < i->min || v > i->max)
		return -EINVAL;
	WRITE_ONCE(*(int *)value_of(n, i->value), v);
	return (ssize_t)len;
}

/* The directory of PATH below /proc/sys; *NAME is its last part. */
static struct show_node *sysctl_dir(const char *path, const char **name)
{
	const char *slash = strrchr(path, '/');
	char dir[128];

	*name = slash ? slash + 1 : path;
	if (!slash)
		return show_root_node(SHOW_SYSCTL);
	if (strscpy(dir, path, min((size_t)(slash - path) + 1, sizeof(dir))) == -E2BIG &&
	    (size_t)(slash - path) >= sizeof(dir))
		return NULL;
	return show_path(SHOW_SYSCTL, dir);
}

struct show_node *sysctl_int(const char *path, umode_t mode, int *value, int min_v, int max_v)
{
	struct show_int *i = kernel_zalloc(sizeof(*i));
	const char *name;
	struct show_node *dir = sysctl_dir(path, &name);

	if (!i || !dir)
		return NULL;
	*i = (struct show_int){ value, min_v, max_v };
	return show_attr(dir, name, mode, int_show, int_store, i);
}

struct show_ulong {
	unsigned long *value;
	unsigned long min, max;
};

static ssize_t ulong_show(struct show_node *n, char *buf, size_t size)
{
	struct show_ulong *i = n->data;

	return scnprintf(buf, size, "%lu\n", READ_ONCE(*(unsigned long *)value_of(n, i->value)));
}

static ssize_t ulong_store(struct show_node *n, const char *text, size_t len)
{
	struct show_ulong *i = n->data;
	unsigned long v;
	int e = kstrtoul(skip_spaces(text), 10, &v);

	if (e)
		return e;
	if (v < i->min || v > i->max)
		return -EINVAL;
	WRITE_ONCE(*(unsigned long *)value_of(n, i->value), v);
	return (ssize_t)len;
}

struct show_node *sysctl_ulong(const char *path, umode_t mode, unsigned long *value,
			       unsigned long min_v, unsigned long max_v)
{
	struct show_ulong *i = kernel_zalloc(sizeof(*i));
	const char *name;
	struct show_node *dir = sysctl_dir(path, &name);

	if (!i || !dir)
		return NULL;
	*i = (struct show_ulong){ value, min_v, max_v };
	return show_attr(dir, name, mode, ulong_show, ulong_store, i);
}

static ssize_t string_show(struct show_node *n, char *buf, size_t size)
{
	return scnprintf(buf, size, "%s\n", (const char *)n->data);
}

struct show_node *sysctl_string(const char *path, umode_t mode, const char *value)
{
	const char *name;
	struct show_node *dir = sysctl_dir(path, &name);

	return dir ? show_attr(dir, name, mode, string_show, NULL, (void *)value) : NULL;
}
