// SPDX-License-Identifier: MIT
/* Mount options (mount(2), "data"): "a,b=c". */
#include <lib/options.h>
#include <lib/string.h>
#include <abi/errno.h>

char *option_next(char **text, char **value)
{
	char *key;

	while (*text) {
		key = strsep(text, ",");
		if (!*key || *key == '=')
			continue;
		*value = strchr(key, '=');
		if (*value)
			*(*value)++ = 0;
		return key;
	}
	return NULL;
}

int fs_param_u64(const char *value, u64 *out)
{
	return value && *value && !kstrtoull(value, 0, out) ? 0 : -EINVAL;
}

int fs_param_u32(const char *value, int base, u32 *out)
{
	u64 v;

	if (!value || !*value || kstrtoull(value, (unsigned int)base, &v) || v > U32_MAX)
		return -EINVAL;
	*out = (u32)v;
	return 0;
}

int fs_param_size(const char *value, u64 *out)
{
	char *end;

	if (!value || !*value)
		return -EINVAL;
	*out = memparse(value, &end);
	return *end ? -EINVAL : 0;
}
