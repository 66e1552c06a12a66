// SPDX-License-Identifier: MIT
/*
 * Types of filesystems, a list of few, by name. Whoever asks for one that is not there has its
 * module asked for first.
 */
#include <lib/types.h>
#include <dev/module.h>
#include <lib/string.h>
#include <vfs/fs.h>
#include <vfs/seq_file.h>

static struct file_system_type *file_systems;	/* file_systems_lock */
static DEFINE_RWLOCK(file_systems_lock);

static struct file_system_type **find_type(const char *name, size_t len)
{
	struct file_system_type **p;

	for (p = &file_systems; *p; p = &(*p)->next) {
		if (strlen((*p)->name) == len && !memcmp((*p)->name, name, len))
			break;
	}
	return p;
}

int register_filesystem(struct file_system_type *type)
{
	struct file_system_type **p;
	int err = 0;

	write_lock(&file_systems_lock);
	p = find_type(type->name, strlen(type->name));
	if (*p)
		err = -EBUSY;
	else
		*p = type;
	write_unlock(&file_systems_lock);
	return err;
}

int unregister_filesystem(struct file_system_type *type)
{
	struct file_system_type **p;
	int err = -EINVAL;

	write_lock(&file_systems_lock);
	for (p = &file_systems; *p; p = &(*p)->next) {
		if (*p == type) {
			*p = type->next;
			type->next = NULL;
			err = 0;
			break;
		}
	}
	write_unlock(&file_systems_lock);
	return err;
}

static struct file_system_type *known_type(const char *name, size_t len)
{
	struct file_system_type *type;

	read_lock(&file_systems_lock);
	type = *find_type(name, len);
	read_unlock(&file_systems_lock);
	return type;
}

struct file_system_type *get_fs_type(const char *name)
{
	const char *dot = strchr(name, '.');
	size_t len = dot ? (size_t)(dot - name) : strlen(name);
	struct file_system_type *type = known_type(name, len);

	if (!type && !request_module("fs-%.*s", (int)len, name))
		type = known_type(name, len);
	return type;
}

int filesystems_show(struct seq_file *m)
{
	read_lock(&file_systems_lock);
	for (struct file_system_type *t = file_systems; t; t = t->next)
		seq_printf(m, "%s\t%s\n", t->fs_flags & FS_REQUIRES_DEV ? "" : "nodev", t->name);
	read_unlock(&file_systems_lock);
	return 0;
}

/* A registered type at or after the I-th that needs a device; *I moves behind it. NULL: no more. */
const char *fs_next_dev_type(int *i)
{
	const char *name = NULL;
	int n = 0;

	read_lock(&file_systems_lock);
	for (struct file_system_type *t = file_systems; t && !name; t = t->next, n++)
		if (n >= *i && t->fs_flags & FS_REQUIRES_DEV)
			name = t->name;
	*i = n;
	read_unlock(&file_systems_lock);
	return name;
}

/* sysfs(2) lives on in old programs: index, name, count. */
int fs_type_index(const char *name)
{
	int i = 0;

	read_lock(&file_systems_lock);
	for (struct file_system_type *t = file_systems; t; t = t->next, i++) {
		if (!strcmp(t->name, name)) {
			read_unlock(&file_systems_lock);
			return i;
		}
	}
	read_unlock(&file_systems_lock);
	return -EINVAL;
}

int fs_type_name(unsigned long i, char *name, size_t size)
{
	int err = -EINVAL;

	read_lock(&file_systems_lock);
	for (struct file_system_type *t = file_systems; t; t = t->next) {
		if (i--)
			continue;
		strscpy(name, t->name, size);
		err = 0;
		break;
	}
	read_unlock(&file_systems_lock);
	return err;
}

int fs_type_count(void)
{
	int n = 0;

	read_lock(&file_systems_lock);
	for (struct file_system_type *t = file_systems; t; t = t->next)
		n++;
	read_unlock(&file_systems_lock);
	return n;
}
