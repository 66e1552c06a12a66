/* SPDX-License-Identifier: MIT */
/* Which flags there are; what a program asks for without a ring. */
#pragma once

#include <lib/types.h>
#include <linux/io_uring.h>

/* What programs may say. */
#define URING_MOST_SQ 32768u
#define URING_MOST_CQ (2 * URING_MOST_SQ)
#define URING_SETUP_KNOWN                                                                     \
	(IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP | IORING_SETUP_ATTACH_WQ |                  \
	 IORING_SETUP_R_DISABLED | IORING_SETUP_SUBMIT_ALL | IORING_SETUP_COOP_TASKRUN |      \
	 IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_SQE128 | IORING_SETUP_CQE32 |               \
	 IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_NO_SQARRAY)
#define URING_ENTER_KNOWN                                                                     \
	(IORING_ENTER_GETEVENTS | IORING_ENTER_SQ_WAKEUP | IORING_ENTER_SQ_WAIT |             \
	 IORING_ENTER_EXT_ARG | IORING_ENTER_REGISTERED_RING | IORING_ENTER_ABS_TIMER |       \
	 IORING_ENTER_NO_IOWAIT)
#define URING_SQE_FLAGS                                                                       \
	(IOSQE_FIXED_FILE | IOSQE_IO_DRAIN | IOSQE_IO_LINK | IOSQE_IO_HARDLINK |              \
	 IOSQE_ASYNC | IOSQE_CQE_SKIP_SUCCESS)
/* What they may rely on. */
#define URING_FEATURES                                                                        \
	(IORING_FEAT_SINGLE_MMAP | IORING_FEAT_NODROP | IORING_FEAT_SUBMIT_STABLE |           \
	 IORING_FEAT_RW_CUR_POS | IORING_FEAT_FAST_POLL | IORING_FEAT_POLL_32BITS |           \
	 IORING_FEAT_CUR_PERSONALITY | IORING_FEAT_RSRC_TAGS | IORING_FEAT_EXT_ARG |          \
	 IORING_FEAT_CQE_SKIP | IORING_FEAT_LINKED_FILE | IORING_FEAT_NATIVE_WORKERS |        \
	 IORING_FEAT_REG_REG_RING | IORING_FEAT_MIN_TIMEOUT | IORING_FEAT_NO_IOWAIT)

/* query.c: IORING_REGISTER_QUERY. 0; -EINVAL, -EFAULT, -ERANGE, -EINTR. */
int uring_query(struct uptr arg, unsigned int nr);
/* msg.c: IORING_REGISTER_SEND_MSG_RING. 0, -errno. */
int uring_msg_send(const struct io_uring_sqe *sqe);
