/* SPDX-License-Identifier: MIT */
/*
 * The one guest of the tests at a time: a page of code in real mode (k_kvm_svm.c). svm_get() is
 * held.
 */
#pragma once

#include <lib/types.h>

struct svm_world;

/* False: no memory. */
bool test_guest_begin(const char *code, size_t n);
struct svm_world *test_guest_world(void);
void test_guest_end(void);
