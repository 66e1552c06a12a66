// SPDX-License-Identifier: MIT
/* A module that another one uses (hello_user.c). */
#include <kernel/export.h>
#include <kernel/module.h>
#include <kernel/printk.h>
#include "tests/modules/hello_base.h"

MODULE_LICENSE("MIT");
MODULE_DESCRIPTION("greets for others");
MODULE_INFO(version, "1.5");
MODULE_INFO(srcversion, "0123456789ABCDEF0123456");

struct hello_words hello_words = { .greeting = "good day" };

int hello_say(struct hello_words *w, const char *whom)
{
	pr_info("hello_base: %s, %s\n", w->greeting, whom);
	return ++w->said;
}

EXPORT(hello_words);
EXPORT(hello_say);

static int base_init(void)
{
	return 0;
}

static void base_exit(void)
{
	pr_info("hello_base: said %d\n", hello_words.said);
}

module_init(base_init);
module_exit(base_exit);
