// SPDX-License-Identifier: MIT
/*
 * Character device numbers. Regions reserve numbers for a name; cdevs answer opens within them. Both are
 * short lists under one mutex: an open looks its cdev up once, the inode remembers nothing, so a device
 * that goes away needs to chase nobody.
 */
#include <kernel/owner.h>
#include <kernel/export.h>
#include <lib/types.h>
#include <vfs/fs.h>
#include <vfs/file.h>
#include <vfs/chrdev.h>
#include <vfs/upcalls.h>
#include <alloc/slab.h>
#include <sched/mutex.h>

#define MISC_MAJOR 10
#define DYN_MAJOR_FIRST 511
#define DYN_MAJOR_LAST 234
#define MISC_DYN_FIRST 128
#define MISC_MINORS (256 + (1 << 16))

struct region {
	struct list_head list;		/* by number */
	dev_t from;
	unsigned int count;
	const char *name;
};

static DEFINE_MUTEX(chrdevs_lock);
static LIST_HEAD(regions);		/* chrdevs_lock */
static LIST_HEAD(cdevs);		/* chrdevs_lock */
static DEFINE_SPINLOCK(cdev_lock);	/* guards cdevs for the open path, too */

static struct region *region_of(dev_t from, unsigned int count)
{
	struct region *r;

	list_for_each_entry(r, &regions, list) {
		if (from < r->from + r->count && r->from < from + count)
			return r;
	}
	return NULL;
}

static int add_region(dev_t from, unsigned int count, const char *name)
{
	struct region *r = kmalloc(sizeof(*r), GFP_KERNEL), *pos;

	if (!r)
		return -ENOMEM;
	if (region_of(from, count)) {
		kfree(r);
		return -EBUSY;
	}
	r->from = from;
	r->count = count;
	r->name = name;
	list_for_each_entry(pos, &regions, list) {
		if (pos->from > from)
			break;
	}
	list_add_tail(&r->list, &pos->list);
	return 0;
}

int register_chrdev_region(dev_t from, unsigned int count, const char *name)
{
	int err;

	mutex_lock(&chrdevs_lock);
	err = add_region(from, count, name);
	mutex_unlock(&chrdevs_lock);
	return err;
}

int alloc_chrdev_region(dev_t *dev, unsigned int baseminor, unsigned int count, const char *name)
{
	int err = -EBUSY;

	mutex_lock(&chrdevs_lock);
	for (unsigned int major = DYN_MAJOR_FIRST; major >= DYN_MAJOR_LAST; major--) {
		if (region_of(MKDEV(major, 0), 1u << MINORBITS))
			continue;
		*dev = MKDEV(major, baseminor);
		err = add_region(*dev, count, name);
		break;
	}
	mutex_unlock(&chrdevs_lock);
	return err;
}

void unregister_chrdev_region(dev_t from, unsigned int count)
{
	struct region *r;

	mutex_lock(&chrdevs_lock);
	list_for_each_entry(r, &regions, list) {
		if (r->from == from && r->count == count) {
			list_del(&r->list);
			kfree(r);
			break;
		}
	}
	mutex_unlock(&chrdevs_lock);
}

/* Majors with several regions are listed once. */
void chrdev_show(struct seq_file *m)
{
	unsigned int last = ~0u;
	struct region *r;

	seq_puts(m, "Character devices:\n");
	mutex_lock(&chrdevs_lock);
	list_for_each_entry(r, &regions, list) {
		if (MAJOR(r->from) != last)
			seq_printf(m, "%3u %s\n", MAJOR(r->from), r->name);
		last = MAJOR(r->from);
	}
	mutex_unlock(&chrdevs_lock);
}

/* cdevs. */

void cdev_init(struct cdev *c, const struct file_operations *fops)
{
	c->ops = fops;
	c->dead = false;
	INIT_LIST_HEAD(&c->list);
	atomic_set(&c->refs, 1);
}

static void cdev_put(struct cdev *c)
{
	if (atomic_dec_and_test(&c->refs) && c->release)
		c->release(c);
}

int cdev_add(struct cdev *c, dev_t dev, unsigned int count)
{
	struct cdev *other;
	int err = 0;

	c->dev = dev;
	c->count = count;
	spin_lock(&cdev_lock);
	list_for_each_entry(other, &cdevs, list) {
		if (dev < other->dev + other->count && other->dev < dev + count)
			err = -EBUSY;
	}
	if (!err) {
		list_add(&c->list, &cdevs);
		owner_hold(c->ops);
	}
	spin_unlock(&cdev_lock);
	return err;
}

void cdev_del(struct cdev *c)
{
	const struct file_operations *ops = c->ops;

	spin_lock(&cdev_lock);
	c->dead = true;
	list_del_init(&c->list);
	spin_unlock(&cdev_lock);
	cdev_put(c);
	owner_unhold(ops);
}

static struct cdev *cdev_get(dev_t dev)
{
	struct cdev *c;

	spin_lock(&cdev_lock);
	list_for_each_entry(c, &cdevs, list) {
		if (dev >= c->dev && dev - c->dev < c->count) {
			if (!owner_use(c->ops))
				break;
			atomic_inc(&c->refs);
			spin_unlock(&cdev_lock);
			return c;
		}
	}
	spin_unlock(&cdev_lock);
	return NULL;
}

static int chrdev_open(struct inode *inode, struct file *filp)
{
	struct cdev *c = cdev_get(inode->i_rdev);
	const struct file_operations *ops;
	int err = 0;

	if (!c)
		return -ENXIO;
	ops = c->ops;
	replace_fops(filp, ops);
	filp->private_data = c->private;
	if (ops->open)
		err = ops->open(inode, filp);
	/* The operations are the driver's for good; what it allocates it pins itself. Its function for the last reference may be a module's: used until then. */
	cdev_put(c);
	if (err)
		owner_unuse(ops);
	return err;
}

const struct file_operations def_chr_fops = {
	.open = chrdev_open,
	.llseek = noop_llseek,
};

static int blkdev_node_open(struct inode *inode, struct file *filp)
{
	return blkdev_open_inode(inode, filp);
}

const struct file_operations def_blk_node_fops = { .open = blkdev_node_open };

/* block/ takes its place as soon as it is there. */
__weak int blkdev_open_inode(struct inode *inode, struct file *filp)
{
	(void)inode;
	(void)filp;
	return -ENXIO;
}

/* All in one. */

struct simple_cdev {
	struct cdev cdev;
	char node[48];
	bool region;
	void (*drop)(void *private);	/* or NULL */
};

static void free_simple(struct cdev *c)
{
	struct simple_cdev *s = container_of(c, struct simple_cdev, cdev);

	if (s->drop)
		s->drop(c->private);
	kfree(s);
}

/* DROP, where there is one, is called with PRIV once: at the end of the last open that found it, or here where it fails. */
static struct cdev *create(const char *name, dev_t dev, umode_t mode, const struct file_operations *fops,
			   void *priv, void (*drop)(void *), bool region)
{
	struct simple_cdev *s = kzalloc(sizeof(*s), GFP_KERNEL);
	int err;

	if (!s) {
		if (drop)
			drop(priv);
		return ERR_PTR(-ENOMEM);
	}
	s->drop = drop;
	strscpy(s->node, name, sizeof(s->node));
	cdev_init(&s->cdev, fops);
	s->cdev.name = s->node;
	s->cdev.private = priv;
	s->cdev.release = free_simple;
	s->region = region;
	err = region ? register_chrdev_region(dev, 1, s->node) : 0;
	if (err)
		goto free;
	err = cdev_add(&s->cdev, dev, 1);
	if (err)
		goto unregister;
	err = devtmpfs_create_node(s->node, S_IFCHR | mode, dev);
	if (err)
		goto del;
	return &s->cdev;
del:
	if (region)
		unregister_chrdev_region(dev, 1);
	cdev_del(&s->cdev);
	return ERR_PTR(err);
unregister:
	if (region)
		unregister_chrdev_region(dev, 1);
free:
	free_simple(&s->cdev);
	return ERR_PTR(err);
}

struct cdev *chrdev_create(const char *name, dev_t dev, umode_t mode, const struct file_operations *fops,
			   void *priv)
{
	return chrdev_create_counted(name, dev, mode, fops, priv, NULL);
}

struct cdev *chrdev_create_counted(const char *name, dev_t dev, umode_t mode, const struct file_operations *fops,
				   void *priv, void (*drop)(void *))
{
	bool covered;

	mutex_lock(&chrdevs_lock);
	covered = region_of(dev, 1);
	mutex_unlock(&chrdevs_lock);
	return create(name, dev, mode, fops, priv, drop, !covered);
}

struct cdev *misc_create(const char *name, int minor, umode_t mode, const struct file_operations *fops,
			 void *priv)
{
	static bool registered;
	struct cdev *c;

	if (!xchg(&registered, true))
		register_chrdev_region(MKDEV(MISC_MAJOR, 0), MISC_MINORS, "misc");
	if (minor >= 0)
		return create(name, MKDEV(MISC_MAJOR, minor), mode, fops, priv, NULL, false);
	/* The lowest one that nobody has: modules come and go. */
	minor = MISC_DYN_FIRST;
	do {
		c = create(name, MKDEV(MISC_MAJOR, minor), mode, fops, priv, NULL, false);
	} while (IS_ERR(c) && PTR_ERR(c) == -EBUSY && ++minor < MISC_MINORS);
	return c;
}

void chrdev_destroy(struct cdev *c)
{
	struct simple_cdev *s = container_of(c, struct simple_cdev, cdev);

	devtmpfs_delete_node(s->node);
	if (s->region)
		unregister_chrdev_region(c->dev, 1);
	cdev_del(c);
}

EXPORT(misc_create);
EXPORT(chrdev_destroy);
