// SPDX-License-Identifier: MIT
/* A module that uses another one (hello_base.c): its variable and its function. */
#include <abi/errno.h>
#include <kernel/module.h>
#include "tests/modules/hello_base.h"

static bool fail;
static const char *who = "user";

module_param(fail, bool, 0);
module_param(who, charp, 0444);
MODULE_LICENSE("MIT");
MODULE_DESCRIPTION("has others greet");

static int user_init(void)
{
	if (fail)
		return -ENOSPC;
	return hello_say(&hello_words, who) > 0 ? 0 : -EINVAL;
}

static void user_exit(void)
{
	hello_say(&hello_words, "and good bye");
}

module_init(user_init);
module_exit(user_exit);
