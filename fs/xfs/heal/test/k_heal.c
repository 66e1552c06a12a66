// SPDX-License-Identifier: MIT
/*
 * Repairs by the kernel's own thread, without a file system: the order of parts, results, queues,
 * paths.
 */
#include "fs/xfs/heal/policy.h"
#include "fs/xfs/health/todo.h"
#include <kernel/ktest.h>
#include <lib/string.h>

/* Parts that others are made from come first: the checks' own order. */
KTEST(xfs_heal_order)
{
	static const struct {
		enum xfs_domain domain;
		u32 bit, type;
		const char *name;
	} some[] = {
		{ XFS_DOMAIN_AG, 0, XFS_SCRUB_SB, "sb" },
		{ XFS_DOMAIN_AG, 3, XFS_SCRUB_AGI, "agi" },
		{ XFS_DOMAIN_AG, 9, XFS_SCRUB_REFCNTBT, "refcountbt" },
		{ XFS_DOMAIN_AG, 10, XFS_SCRUB_TYPES, "inodes" },
		{ XFS_DOMAIN_INO, 0, XFS_SCRUB_INODE, "inode" },
		{ XFS_DOMAIN_INO, 1, XFS_SCRUB_BMBTD, "bmapbtd" },
		{ XFS_DOMAIN_INO, 4, XFS_SCRUB_DIR, "directory" },
		{ XFS_DOMAIN_FS, 0, XFS_SCRUB_FSCOUNTERS, "fscounters" },
		{ XFS_DOMAIN_FS, 7, XFS_SCRUB_NLINKS, "nlinks" },
		{ XFS_DOMAIN_FS, 31, XFS_SCRUB_TYPES, "unknown" },
	};

	for (u32 i = 0; i < ARRAY_SIZE(some); i++) {
		const struct xfs_heal_kind *k = xfs_heal_kind(some[i].domain, some[i].bit);

		KT_EQ(k->type, some[i].type);
		KT_EQ(strcmp(k->name, some[i].name), 0);
	}
	for (u32 bit = 1; bit < 10; bit++)
		KT_ASSERT(xfs_heal_kind(XFS_DOMAIN_AG, bit)->type >
			  xfs_heal_kind(XFS_DOMAIN_AG, bit - 1)->type);
	for (u32 bit = 1; bit < 9; bit++)
		KT_ASSERT(xfs_heal_kind(XFS_DOMAIN_INO, bit)->type >
			  xfs_heal_kind(XFS_DOMAIN_INO, bit - 1)->type);
}

KTEST(xfs_heal_results)
{
	unsigned long delay = XFS_HEAL_DELAY_FIRST;
	int err;

	KT_EQ(xfs_heal_judge(0, XFS_SCRUB_REPAIR | XFS_SCRUB_NO_NEED, &err), XFS_HEAL_DONE);
	KT_EQ(xfs_heal_judge(0, XFS_SCRUB_REPAIR | XFS_SCRUB_CORRUPT, &err), XFS_HEAL_FAILED);
	KT_EQ(err, XFS_CORRUPT);
	KT_EQ(xfs_heal_judge(0, XFS_SCRUB_XFAIL, &err), XFS_HEAL_FAILED);
	KT_EQ(xfs_heal_judge(-ENOSPC, 0, &err), XFS_HEAL_FAILED);
	KT_EQ(err, ENOSPC);
	KT_EQ(xfs_heal_judge(-EBUSY, XFS_SCRUB_CORRUPT, &err), XFS_HEAL_BUSY);
	KT_EQ(xfs_heal_judge(-ENOMEM, 0, &err), XFS_HEAL_BUSY);
	KT_EQ(xfs_heal_judge(-EOPNOTSUPP, 0, &err), XFS_HEAL_NEVER);
	KT_EQ(xfs_heal_judge(-ESHUTDOWN, 0, &err), XFS_HEAL_GONE);
	KT_EQ(xfs_heal_longer(delay), 2 * delay);
	for (u32 i = 0; i < 100; i++)
		delay = xfs_heal_longer(delay);
	KT_EQ(delay, XFS_HEAL_DELAY_MOST);
}

KTEST(xfs_heal_paths)
{
	char buf[24];
	int at;

	buf[23] = 0;
	at = xfs_heal_prepend(buf, 23, (const u8 *)"b\n\\", 3);
	KT_EQ(at, 13);
	at = xfs_heal_prepend(buf, at, (const u8 *)"a \xff", 3);
	KT_EQ(at, 6);
	KT_EQ(strcmp(buf + at, "/a \\377/b\\012\\134"), 0);
	KT_EQ(xfs_heal_prepend(buf, at, (const u8 *)"123456", 6), -ENAMETOOLONG);
	KT_EQ(xfs_heal_prepend(buf, at, (const u8 *)"12345", 5), 0);
	KT_EQ(xfs_heal_prepend(buf, 0, (const u8 *)"", 0), -ENAMETOOLONG);
	KT_EQ(xfs_heal_prepend(buf, 3, (const u8 *)"\x01", 1), -ENAMETOOLONG);
}

#define AGF XFS_SICK_AG_AGF
#define AGI XFS_SICK_AG_AGI

/* The next object of RIPE, where all of NEW comes to. */
static bool next(struct xfs_health *h, struct xfs_sick *obj)
{
	xfs_todo_move(h, XFS_TODO_NEW, XFS_TODO_RIPE);
	return xfs_todo_take(h, obj);
}

KTEST(xfs_heal_queues)
{
	struct xfs_marks words = { 0 };
	struct xfs_ag_marks ag = { 3, &words };
	struct xfs_health x;
	struct xfs_sick o;

	xfs_health_init(&x);
	xfs_mark_ag(&x, &ag, XFS_MARK_SICK, AGF);
	/* Nobody heals; what only a check found is not queued either. */
	KT_EQ(xfs_todo_has(&x, XFS_TODO_NEW), false);
	xfs_todo_heal(&x, true);
	xfs_todo_again_ag(&x, &ag);
	xfs_mark_fs(&x, XFS_MARK_CORRUPT, XFS_SICK_COUNTERS);
	KT_ASSERT(next(&x, &o) && o.domain == XFS_DOMAIN_AG && o.who == 3 && o.mask == AGF);
	KT_EQ(next(&x, &o), false);
	/*
	 * Met once more it is no news; another part is. AGs come before inodes, those before sums.
	 */
	xfs_mark_ag(&x, &ag, XFS_MARK_SICK, AGF);
	KT_EQ(next(&x, &o), false);
	xfs_mark_fs(&x, XFS_MARK_SICK, XFS_SICK_COUNTERS);
	xfs_mark_ino(&x, &ag, 77, 5, XFS_MARK_SICK, XFS_SICK_INO_BMBTD);
	xfs_mark_ag(&x, &ag, XFS_MARK_SICK, AGI);
	KT_ASSERT(next(&x, &o) && o.domain == XFS_DOMAIN_AG && o.mask == (AGF | AGI));
	KT_ASSERT(next(&x, &o) && o.domain == XFS_DOMAIN_INO && o.who == 77 && o.gen == 5);
	KT_ASSERT(next(&x, &o) && o.domain == XFS_DOMAIN_FS && o.mask == XFS_SICK_COUNTERS);
	/* What became whole, or went, is in no queue. */
	xfs_mark_ino(&x, &ag, 78, 5, XFS_MARK_SICK, XFS_SICK_INO_BMBTD);
	xfs_mark_ino(&x, &ag, 79, 5, XFS_MARK_SICK, XFS_SICK_INO_BMBTD);
	xfs_mark_ino(&x, &ag, 78, 5, XFS_MARK_HEALTHY, XFS_SICK_INO_BMBTD);
	xfs_mark_ino_gone(&x, 79);
	KT_EQ(next(&x, &o), false);
	xfs_health_destroy(&x);
}

KTEST(xfs_heal_tries)
{
	struct xfs_marks words = { 0 };
	struct xfs_ag_marks ag = { 0, &words };
	struct xfs_health x;
	struct xfs_sick o;

	xfs_health_init(&x);
	xfs_todo_heal(&x, true);
	xfs_mark_ag(&x, &ag, XFS_MARK_SICK, AGF | AGI);
	KT_ASSERT(next(&x, &o) && o.mask == (AGF | AGI));
	KT_ASSERT(xfs_todo_say(&x, &ag, &o, 1) && !xfs_todo_say(&x, &ag, &o, 1));
	KT_EQ(xfs_todo_tried(&x, &ag, &o, 3, XFS_TRIED_NEVER), 3);
	KT_EQ(xfs_todo_tried(&x, &ag, &o, 1, XFS_TRIED_BUSY), 0);
	for (u32 i = 1; i <= 3; i++) {
		KT_EQ(next(&x, &o), false);
		KT_ASSERT(xfs_todo_has(&x, XFS_TODO_LATER));
		xfs_todo_move(&x, XFS_TODO_LATER, XFS_TODO_RIPE);
		KT_ASSERT(next(&x, &o) && o.mask == AGF);
		KT_EQ(xfs_todo_tried(&x, &ag, &o, 1, XFS_TRIED_FAILED), i);
	}
	/* Given up, whatever is met of it; a check that finds it whole begins anew. */
	xfs_mark_ag(&x, &ag, XFS_MARK_SICK, AGF);
	KT_ASSERT(!xfs_todo_has(&x, XFS_TODO_LATER) && !next(&x, &o));
	KT_EQ(xfs_todo_wants(&x, &ag, &o, 1), false);
	xfs_mark_ag(&x, &ag, XFS_MARK_HEALTHY, AGF);
	xfs_mark_ag(&x, &ag, XFS_MARK_SICK, AGF);
	KT_ASSERT(next(&x, &o) && o.mask == AGF && xfs_todo_say(&x, &ag, &o, 1));
	KT_EQ(xfs_todo_tried(&x, &ag, &o, 1, XFS_TRIED_FAILED), 1);
	/* The other is still given up, until all is tried again. */
	xfs_todo_again_ag(&x, &ag);
	KT_ASSERT(next(&x, &o) && o.mask == (AGF | AGI));
	/* Of what is whole no failure is counted. */
	xfs_mark_ag(&x, &ag, XFS_MARK_HEALTHY, AGF | AGI);
	KT_EQ(xfs_todo_tried(&x, &ag, &o, 1, XFS_TRIED_FAILED), 0);
	xfs_health_destroy(&x);
}
