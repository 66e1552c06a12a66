/* SPDX-License-Identifier: MIT */
/* What the module hello_base exports. */
#pragma once

struct hello_words {
	const char *greeting;
	int said;
};

extern struct hello_words hello_words;
/* Greets WHOM; how often it has. */
int hello_say(struct hello_words *w, const char *whom);
