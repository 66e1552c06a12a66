/* SPDX-License-Identifier: MIT */
/* Planted bugs of the debug build (sched/plant.c) that need more than lies below this room. */
#pragma once

struct plant {
	const char *name;
	void (*fn)(void);
	struct plant *next;
};

/* For ever; while one CPU boots. */
void plant_register(struct plant *p);
