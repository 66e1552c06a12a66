// SPDX-License-Identifier: MIT
#pragma once
/* Mounts devtmpfs on @dir (as seen by the running task): -EBUSY when it is there already. */
int devtmpfs_mount(const char *dir);
