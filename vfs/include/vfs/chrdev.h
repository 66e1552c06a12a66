// SPDX-License-Identifier: MIT
#pragma once
/*
 * Character devices: who answers for which number. A cdev covers a range of device numbers with one
 * set of file operations; opening a node finds it, pins it and replaces the file's operations.
 * Removing one (cdev_del) makes later opens fail with ENXIO; the owner's operations must cope with
 * files already open until their release.
 */
#include <lib/types.h>
#include <lib/kdev.h>
#include <lib/list.h>
#include <lib/atomic.h>

struct file_operations;
struct seq_file;
struct inode;
struct file;

struct cdev {
	const struct file_operations *ops;	/* constant */
	const char		*name;		/* constant */
	void			*private;	/* the owner's: file->private_data before open */
	dev_t			dev;
	unsigned int		count;
	struct list_head	list;		/* chrdevs_lock */
	atomic_t		refs;
	bool			dead;		/* chrdevs_lock */
	void (*release)(struct cdev *);		/* last reference gone; may be NULL */
};

int register_chrdev_region(dev_t from, unsigned int count, const char *name);	/* EBUSY */
int alloc_chrdev_region(dev_t *dev, unsigned int baseminor, unsigned int count, const char *name);
void unregister_chrdev_region(dev_t from, unsigned int count);
void cdev_init(struct cdev *cdev, const struct file_operations *fops);
int cdev_add(struct cdev *cdev, dev_t dev, unsigned int count);
void cdev_del(struct cdev *cdev);
/* All in one: region, cdev and /dev/@name with @mode. @minor < 0: next free minor of the misc major. */
struct cdev *chrdev_create(const char *name, dev_t dev, umode_t mode, const struct file_operations *fops,
			   void *priv);
/* The same with a PRIV that DROP is called for, once: after chrdev_destroy(), when no open is on its way any more; or at once where this fails. */
struct cdev *chrdev_create_counted(const char *name, dev_t dev, umode_t mode, const struct file_operations *fops,
				   void *priv, void (*drop)(void *));
struct cdev *misc_create(const char *name, int minor, umode_t mode, const struct file_operations *fops,
			 void *priv);
void chrdev_destroy(struct cdev *cdev);		/* undoes either */
void chrdev_show(struct seq_file *m);		/* "Character devices:" of /proc/devices */
extern const struct file_operations def_chr_fops;
extern const struct file_operations def_blk_node_fops;

/*
 * Nodes of /dev. @name may hold directories ("input/event0"). Callable from any sleeping context from
 * the core init level on; nodes made before devtmpfs exists appear with it.
 */
int devtmpfs_create_node(const char *name, umode_t mode, dev_t dev);
int devtmpfs_delete_node(const char *name);
