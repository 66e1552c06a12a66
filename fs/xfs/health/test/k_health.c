// SPDX-License-Identifier: MIT
/* Marks: set, cleared, told of; inodes by number. */
#include "fs/xfs/health/health.h"
#include <kernel/ktest.h>
#include <lib/string.h>

struct heard {
	struct xfs_mark_event last;
	u32 n;
};

static void hear(void *ctx, const struct xfs_mark_event *ev)
{
	struct heard *h = ctx;

	h->last = *ev;
	h->n++;
}

static bool heard(struct heard *h, u32 n, enum xfs_mark what, enum xfs_domain domain, u64 who,
		  u32 mask, u32 was)
{
	const struct xfs_mark_event *ev = &h->last;

	return h->n == n && ev->what == what && ev->obj.domain == domain && ev->obj.who == who &&
	       ev->obj.mask == mask && ev->was == was;
}

KTEST(xfs_health_marks)
{
	struct xfs_marks words = { 0 }, m;
	struct xfs_ag_marks ag = { 3, &words };
	struct heard h = { 0 };
	struct xfs_health x;
	s64 since;

	xfs_health_init(&x);
	xfs_health_watch(&x, hear, &h);
	xfs_mark_ag(&x, &ag, XFS_MARK_SICK, XFS_SICK_AG_AGF);
	KT_ASSERT(heard(&h, 1, XFS_MARK_SICK, XFS_DOMAIN_AG, 3, XFS_SICK_AG_AGF, 0));
	m = xfs_health_of(&x, &words);
	since = m.since;
	KT_ASSERT(m.sick == XFS_SICK_AG_AGF && !m.checked && since > 0);
	xfs_mark_ag(&x, &ag, XFS_MARK_CORRUPT, XFS_SICK_AG_AGF | XFS_SICK_AG_AGI);
	KT_ASSERT(heard(&h, 2, XFS_MARK_CORRUPT, XFS_DOMAIN_AG, 3,
			XFS_SICK_AG_AGF | XFS_SICK_AG_AGI, XFS_SICK_AG_AGF));
	xfs_mark_ag(&x, &ag, XFS_MARK_HEALTHY, XFS_SICK_AG_AGF | XFS_SICK_AG_BNOBT);
	KT_ASSERT(heard(&h, 3, XFS_MARK_HEALTHY, XFS_DOMAIN_AG, 3,
			XFS_SICK_AG_AGF | XFS_SICK_AG_BNOBT, XFS_SICK_AG_AGF));
	m = xfs_health_of(&x, &words);
	KT_EQ(m.sick, XFS_SICK_AG_AGI);
	KT_EQ(m.checked, XFS_SICK_AG_AGF | XFS_SICK_AG_AGI | XFS_SICK_AG_BNOBT);
	KT_EQ(m.since, since);
	xfs_mark_ag(&x, &ag, XFS_MARK_HEALTHY, XFS_SICK_AG_AGI);
	KT_EQ(xfs_health_of(&x, &words).since, 0);
	xfs_health_watch(&x, NULL, NULL);
	xfs_mark_fs(&x, XFS_MARK_SICK, XFS_SICK_COUNTERS);
	KT_EQ(h.n, 4);
	KT_EQ(xfs_health_of(&x, &x.fs).sick, XFS_SICK_COUNTERS);
	xfs_health_destroy(&x);
}

KTEST(xfs_health_inodes_by_number)
{
	struct xfs_marks words = { 0 }, m;
	struct xfs_ag_marks ag = { 0, &words };
	struct heard h = { 0 };
	struct xfs_health x;
	u64 ino = 0;
	u32 gen;

	xfs_health_init(&x);
	xfs_health_watch(&x, hear, &h);
	for (u64 i = 0; i < 100; i++)
		xfs_mark_ino(&x, &ag, 200 + i * 37 % 100, 7, XFS_MARK_SICK, XFS_SICK_INO_DIR);
	/* A record that cannot be read does not know its generation. */
	xfs_mark_ino(&x, &ag, 250, 0, XFS_MARK_CORRUPT, XFS_SICK_INO_CORE);
	KT_ASSERT(heard(&h, 101, XFS_MARK_CORRUPT, XFS_DOMAIN_INO, 250, XFS_SICK_INO_CORE, 0));
	KT_EQ(xfs_health_of_ino(&x, 250).sick, XFS_SICK_INO_DIR | XFS_SICK_INO_CORE);
	KT_EQ(xfs_health_of_ino(&x, 250).checked, XFS_SICK_INO_CORE);
	KT_EQ(xfs_health_of_ino(&x, 300).sick, 0);
	xfs_mark_ino(&x, &ag, 299, 7, XFS_MARK_HEALTHY, XFS_SICK_INO_DIR);
	xfs_mark_ino_gone(&x, 200);
	xfs_mark_ino_gone(&x, 1000);
	for (u64 i = 201; i < 299; i++, ino++) {
		KT_ASSERT(xfs_health_next_ino(&x, &ino, &gen, &m));
		KT_ASSERT(ino == i && gen == 7 && m.sick & XFS_SICK_INO_DIR);
	}
	KT_EQ(xfs_health_next_ino(&x, &ino, &gen, &m), false);
	KT_EQ(words.sick, 0);
	/* Where there is no room the AG remembers that there is one; a healthy one needs none. */
	x.most_inodes = x.nr_inodes;
	xfs_mark_ino(&x, &ag, 5, 1, XFS_MARK_HEALTHY, XFS_SICK_INO_DIR);
	KT_EQ(words.sick, 0);
	xfs_mark_ino(&x, &ag, 5, 1, XFS_MARK_SICK, XFS_SICK_INO_DIR);
	KT_ASSERT(heard(&h, 105, XFS_MARK_SICK, XFS_DOMAIN_AG, 0, XFS_SICK_AG_INODES, 0));
	KT_EQ(xfs_health_of_ino(&x, 5).sick, 0);
	xfs_health_destroy(&x);
}
