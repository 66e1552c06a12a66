// SPDX-License-Identifier: MIT
/* /proc/PID/uid_map and its like: "first lower count" a line (user_namespaces(7)). */
#include <lib/idmap.h>
#include <lib/string.h>
#include <abi/errno.h>

static int parse_line(char *line, struct uid_gid_extent *e)
{
	u32 v[3];
	char *end;

	for (int i = 0; i < 3; i++) {
		u64 n;

		line = skip_spaces(line);
		n = simple_strtoull(line, &end, 10);
		if (end == line || n > U32_MAX || (*end && *end != ' ' && *end != '\t'))
			return -EINVAL;
		v[i] = (u32)n;
		line = end;
	}
	if (*skip_spaces(line))
		return -EINVAL;
	*e = (struct uid_gid_extent){ v[0], v[1], v[2] };
	if (e->first == ~0u || e->lower_first == ~0u || !e->count || e->first + e->count <= e->first ||
	    e->lower_first + e->count <= e->lower_first)
		return -EINVAL;
	return 0;
}

/* Inserts in order; two that overlap on either side are refused. */
static int add_extent(struct uid_gid_extent *ext, u32 *nr, const struct uid_gid_extent *e)
{
	u32 at = *nr;

	if (*nr == UID_GID_MAP_MAX_EXTENTS)
		return -EINVAL;
	for (u32 i = 0; i < *nr; i++) {
		if ((ext[i].first < e->first + e->count && e->first < ext[i].first + ext[i].count) ||
		    (ext[i].lower_first < e->lower_first + e->count &&
		     e->lower_first < ext[i].lower_first + ext[i].count))
			return -EINVAL;
	}
	while (at && ext[at - 1].first > e->first) {
		ext[at] = ext[at - 1];
		at--;
	}
	ext[at] = *e;
	++*nr;
	return 0;
}

int idmap_parse(char *text, struct uid_gid_extent *ext, u32 *nr)
{
	struct uid_gid_extent e;
	char *line;
	int err = 0;

	*nr = 0;
	while (!err && (line = strsep(&text, "\n"))) {
		if (!*line && !text)
			break;
		err = parse_line(line, &e);
		if (!err)
			err = add_extent(ext, nr, &e);
	}
	return err ?: *nr ? 0 : -EINVAL;
}
