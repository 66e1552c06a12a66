/* SPDX-License-Identifier: MIT */
/* Keeps little of the machine's memory free, so that programs of a few calls use it up. */
#pragma once

/* Takes memory until so many KiB are free, and keeps it so: for good, in processes of its own. */
void balloon_start(long free_kib);
