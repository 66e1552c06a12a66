// SPDX-License-Identifier: MIT
/* /sys/fs/xfs/DEV/heal: on or off, and what is in work; heal_stats: counts since the mount. */
#include "fs/xfs/heal/policy.h"
#include "fs/xfs/heal/priv.h"
#include "fs/xfs/trans/trans.h"
#include <lib/format.h>

ssize_t xfs_heal_show(struct xfs_mount *mp, char *buf, size_t size)
{
	struct xfs_heal *h = mp->heal;
	struct xfs_sick work = { 0 };
	const char *kind;
	int n;

	if (h) {
		spin_lock(&h->lock);
		work = h->work;
		spin_unlock(&h->lock);
	}
	n = scnprintf(buf, size, "%s\n", h && READ_ONCE(h->on) && !xfs_is_down(mp) ? "on" : "off");
	if (!work.mask)
		return n;
	kind = xfs_heal_kind(work.domain, (u32)__builtin_ctz(work.mask))->name;
	if (work.domain == XFS_DOMAIN_FS)
		n += scnprintf(buf + n, size - (size_t)n, "working: %s\n", kind);
	else
		n += scnprintf(buf + n, size - (size_t)n, "working: %s %llu %s\n",
			       work.domain == XFS_DOMAIN_AG ? "AG" : "inode",
			       (unsigned long long)work.who, kind);
	return n;
}

ssize_t xfs_heal_show_stats(struct xfs_mount *mp, char *buf, size_t size)
{
	struct xfs_heal *h = mp->heal;
	u64 found = 0, repaired = 0, failed = 0;

	if (h) {
		spin_lock(&h->lock);
		found = h->found;
		repaired = h->repaired;
		failed = h->failed;
		spin_unlock(&h->lock);
	}
	return scnprintf(buf, size, "found %llu\nrepaired %llu\nfailed %llu\n",
			 (unsigned long long)found, (unsigned long long)repaired,
			 (unsigned long long)failed);
}
