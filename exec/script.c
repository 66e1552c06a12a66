// SPDX-License-Identifier: MIT
/* "#!" files (execve(2), "Interpreter scripts"): INTERPRETER [ONE-ARGUMENT] PATH ARG... */
#include <lib/types.h>
#include <lib/err.h>
#include <lib/string.h>
#include <alloc/slab.h>
#include <vfs/file.h>
#include <abi/errno.h>
#include "exec_priv.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Splits the first line. 0, or -ENOEXEC when it holds no usable interpreter. */
static int parse_line(char *s, size_t n, char **name, char **arg)
{
	char *end = memchr(s, '\n', n), *p = s + 2;

	if (!end) {
		/* A cut line will do if the interpreter's name is whole. */
		char *q = p;

		end = s + n;
		while (q < end && is_blank(*q))
			q++;
		while (q < end && !is_blank(*q) && *q)
			q++;
		if (q == end)
			return -ENOEXEC;
	}
	while (end > p && is_blank(end[-1]))
		end--;
	*end = '\0';
	while (is_blank(*p))
		p++;
	if (!*p)
		return -ENOEXEC;
	*name = p;
	while (*p && !is_blank(*p))
		p++;
	*arg = NULL;
	if (*p) {
		*p++ = '\0';
		while (is_blank(*p))
			p++;
		if (*p)
			*arg = p;
	}
	return 0;
}

int exec_load_script(struct exec_prog *p)
{
	char line[EXEC_HEAD + 1], *name, *arg, *interp;
	struct file *f;
	int e;

	if (p->head_len < 2 || p->head[0] != '#' || p->head[1] != '!')
		return -ENOEXEC;
	if (p->interp_unreachable)
		return -ENOENT;
	memcpy(line, p->head, EXEC_HEAD);
	line[EXEC_HEAD] = '\0';
	e = parse_line(line, p->head_len, &name, &arg);
	if (e)
		return e;
	if (p->argc)
		exec_pop_front(p);
	else
		p->argc = 1;
	e = exec_push(p, p->interp, strlen(p->interp) + 1);
	if (!e && arg) {
		e = exec_push(p, arg, strlen(arg) + 1);
		p->argc++;
	}
	e = e ?: exec_push(p, name, strlen(name) + 1);
	if (e)
		return e;
	p->argc++;
	interp = kstrdup(name, GFP_KERNEL);
	if (!interp)
		return -ENOMEM;
	f = open_exec(name);
	if (IS_ERR(f)) {
		kfree(interp);
		return (int)PTR_ERR(f);
	}
	if (p->interp != p->path)
		kfree(p->interp);
	p->interp = interp;
	allow_write_access(p->file);
	fput(p->file);
	p->file = p->executable = f;
	return 0;
}
