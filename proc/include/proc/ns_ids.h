/* SPDX-License-Identifier: MIT */
/*
 * Namespaces by number: of all kinds, never given twice (listns(2), NS_GET_ID). Each namespace
 * holds a struct ns_id, which is in one tree from the time that it can be found until its last
 * reference is gone.
 */
#pragma once

#include <lib/rbtree.h>
#include <lib/types.h>

struct user_namespace;

struct ns_id {
	struct rb_node node;		/* tree's lock */
	u64 id;				/* c */
	u32 type;			/* c: CLONE_NEW* */
	/* c: kept by the namespace; of a user namespace its parent, NULL for the first */
	struct user_namespace *owner;
};

/* Gives N a number: the first of each TYPE has one that is part of the ABI (<linux/nsfs.h>). */
void ns_id_add(struct ns_id *n, u32 type, struct user_namespace *owner);
void ns_id_remove(struct ns_id *n);

/* One namespace as it was found: the owner is only to be compared. */
struct ns_found {
	u64 id;
	u32 type;
	const struct user_namespace *owner;
};
/* The first whose number is greater than AFTER. */
bool ns_id_next(u64 after, struct ns_found *found);
/* Referenced; NULL: no user namespace has that number. */
struct user_namespace *user_ns_by_id(u64 id);
/* The number of the only time namespace. */
u64 ns_id_of_time(void);
