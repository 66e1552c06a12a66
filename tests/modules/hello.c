// SPDX-License-Identifier: MIT
/*
 * The module that tests load: it says hello from a work item, has parameters of each kind and a
 * device to open. `fail=N` makes its init answer -N; `stuck=1` leaves work behind that its exit
 * does not wait for.
 */
#include <alloc/slab.h>
#include <kernel/module.h>
#include <kernel/printk.h>
#include <abi/errno.h>
#include <lib/err.h>
#include <lib/format.h>
#include <sched/work.h>
#include <vfs/chrdev.h>
#include <vfs/file.h>

static int times = 1, fail;
static unsigned int limit = 10;
static bool stuck, device = true;
static const char *who = "world";

module_param(times, int, 0444);
module_param(fail, int, 0);
module_param(limit, uint, 0400);
module_param(stuck, bool, 0444);
module_param(device, bool, 0444);
module_param(who, charp, 0444);
MODULE_PARM_DESC(who, "whom it greets");
MODULE_LICENSE("MIT");
MODULE_AUTHOR("Ochre");
MODULE_DESCRIPTION("says hello");

static struct cdev *node;
static char *text;
static const struct file_operations ops;
static int greeted;

static void greet(struct work_struct *w)
{
	for (int i = 0; i < times; i++)
		pr_info("hello: %s, %s\n", text, who);
	/* Longer than grace periods take: without its hold the module would be gone meanwhile. */
	for (int i = 0; stuck && text && i < 100000; i++)
		snprintf(text, 16, "late %d", i);
	greeted++;
}

static DECLARE_WORK(greeting, greet);

static int hello_init(void)
{
	if (fail)
		return -fail;
	text = kzalloc(16, GFP_KERNEL);
	if (!text)
		return -ENOMEM;
	snprintf(text, 16, "hello %u", limit);
	if (device) {
		node = misc_create("hello", -1, 0600, &ops, NULL);
		if (IS_ERR(node)) {
			kfree(text);
			return (int)PTR_ERR(node);
		}
	}
	queue_work(system_wq, &greeting);
	return 0;
}

static void hello_exit(void)
{
	if (node)
		chrdev_destroy(node);
	if (stuck)
		queue_work(system_wq, &greeting);
	else
		flush_work(&greeting);
	pr_info("hello: bye\n");
	if (stuck)
		return;			/* TEXT is the item's, which frees nothing: 16 bytes stay */
	kfree(text);
}

module_init(hello_init);
module_exit(hello_exit);
