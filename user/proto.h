/* SPDX-License-Identifier: MIT */
/*
 * How our init and ./ochre talk over the second serial port: frames of a type byte, a length of two bytes (little-endian)
 * and so many bytes. The line is in raw mode. tools/ochre/run.py is the other end.
 */
#pragma once

#define FRAME_MAX 4096

/* To the host. */
#define F_READY 'R'	/* init runs, or took a part of the command; payload: the program's version of the protocol, one byte */
#define F_STDOUT 'O'
#define F_STDERR 'E'
#define F_ACK 'A'	/* u32: so many bytes of stdin were taken in all */
#define F_EXIT 'X'	/* two bytes: 0 and the exit status, or 1 and the signal's number */
/* F_TASKS: all was said */

/* To the guest. */
#define F_PART 'P'	/* a part of argv; the next one is sent once this is answered with F_READY */
#define F_COMMAND 'C'	/* argv, or its last part: each argument ended by NUL */
#define F_SHELL 'S'	/* u16 rows, u16 columns, then TERM */
#define F_WINSIZE 'W'	/* u16 rows, u16 columns */
#define F_STDIN 'D'
#define F_EOF 'Z'	/* stdin has ended */
#define F_HANGUP 'H'	/* the user is gone: end */
#define F_TASKS 'T'	/* say as the command's stderr where each task is, and end that with this frame */

#define STDIN_WINDOW 2048	/* the host sends no more than this beyond what was acknowledged */
