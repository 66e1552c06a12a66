// SPDX-License-Identifier: MIT
#include <kernel/module.h>
#include <kernel/printk.h>

static const char *who = "world";
module_param(who, charp, 0444);
MODULE_LICENSE("MIT");

static int hello_init(void)
{
	pr_info("hello_c: hello, %s\n", who);
	return 0;
}

static void hello_exit(void)
{
	pr_info("hello_c: goodbye, %s\n", who);
}

module_init(hello_init);
module_exit(hello_exit);
