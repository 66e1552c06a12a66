/* SPDX-License-Identifier: MIT */
/* Between the files of this part. */
#pragma once

#include "fs/xfs/buf/wbuf.h"

int __must_check xfs_read_runs(struct bdev *bdev, const struct xfs_run *runs, u32 n, void *buf);
