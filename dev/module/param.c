// SPDX-License-Identifier: MIT
/* A module's parameters: words NAME=VALUE, as on the kernel's command line. */
#include <abi/errno.h>
#include <kernel/printk.h>
#include <lib/cmdline.h>
#include <lib/format.h>
#include <lib/string.h>
#include "dev/module/module_priv.h"

static int set_one(const struct module_param *p, const char *value)
{
	if (p->type == PARAM_bool)
		return value ? kstrtobool(value, p->value) : (*(bool *)p->value = true, 0);
	if (!value)
		return -EINVAL;
	switch (p->type) {
	case PARAM_int:
		return kstrtoint(value, 0, p->value);
	case PARAM_uint:
		return kstrtouint(value, 0, p->value);
	case PARAM_charp:
		*(const char **)p->value = value;
		return 0;
	}
	return -EINVAL;
}

static int set_word(struct module *m, const char *word)
{
	const char *value;

	for (u32 i = 0; i < m->nr_params; i++) {
		if (!cmdline_name_matches(m->params[i].name, word, &value))
			continue;
		if (!set_one(&m->params[i], value))
			return 0;
		pr_err("%s: '%s' invalid for parameter '%s'\n", m->name, value ? value : "",
		       m->params[i].name);
		return -EINVAL;
	}
	pr_warn("%s: unknown parameter '%s' ignored\n", m->name, word);
	return 0;
}

int module_set_params(struct module *m)
{
	char *at = m->args, *word;
	int err = 0;

	while (!err && (word = cmdline_next_word(&at)) && strcmp(word, "--"))
		err = set_word(m, word);
	return err;
}

ssize_t module_show_param(const struct module_param *p, char *buf, size_t size)
{
	switch (p->type) {
	case PARAM_int:
		return scnprintf(buf, size, "%d\n", *(int *)p->value);
	case PARAM_uint:
		return scnprintf(buf, size, "%u\n", *(unsigned int *)p->value);
	case PARAM_bool:
		return scnprintf(buf, size, "%c\n", *(bool *)p->value ? 'Y' : 'N');
	case PARAM_charp:
		return scnprintf(buf, size, "%s\n", *(const char **)p->value ?: "(null)");
	}
	return -EINVAL;
}
