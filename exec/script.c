// SPDX-License-Identifier: MIT
/* "#!" files (execve(2), "Interpreter scripts"): INTERPRETER [ONE-ARGUMENT] PATH ARG... */
#include <lib/types.h>
#include <lib/err.h>
#include <lib/script.h>
#include <lib/string.h>
#include <alloc/slab.h>
#include <vfs/file.h>
#include <abi/errno.h>
#include "exec_priv.h"

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
	e = script_parse_line(line, p->head_len, p->head_len < EXEC_HEAD, &name, &arg);
	if (e)
		return e;
	if (!*name)
		return -EACCES;		/* no name is the working directory, and that is no program */
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
