// SPDX-License-Identifier: MIT
/* /proc/sysvipc: the System V objects of the reader's namespace (proc(5)). */
#include <lib/types.h>
#include <fs/proc.h>
#include <ipc/sysv.h>
#include <kernel/init.h>
#include <vfs/seq_file.h>

static int show_sem(struct seq_file *m, void *v) { sysv_show(SYSV_SEM, m); return 0; }
static int show_msg(struct seq_file *m, void *v) { sysv_show(SYSV_MSG, m); return 0; }
static int show_shm(struct seq_file *m, void *v) { sysv_show(SYSV_SHM, m); return 0; }

static int sysvipc_init(void)
{
	struct proc_dir_entry *dir = proc_mkdir("sysvipc", NULL);

	if (!dir)
		return -1;
	proc_create_single("sem", 0, dir, show_sem);
	proc_create_single("msg", 0, dir, show_msg);
	proc_create_single("shm", 0, dir, show_shm);
	return 0;
}
INITCALL(fs, sysvipc_init);
