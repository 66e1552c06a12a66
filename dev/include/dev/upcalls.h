/* SPDX-License-Identifier: MIT */
/* What this room needs of the rooms above. Each is defined by the room named. */
#pragma once

/*
 * exec/: runs the program PATH with the rights, namespaces and root of the kernel, and waits for
 * its end. By a kernel thread that may wait long. The wait status, or -errno: it was not started.
 */
int helper_run(const char *path, const char *const *argv, const char *const *envp);
