/* SPDX-License-Identifier: MIT */
/*
 * C that only Rust calls: what a macro does, and where a Rust panic goes. Nothing in C depends on
 * Rust.
 */
#pragma once

#include <lib/types.h>

/* A panic in Rust is an oops of the running task. The texts are not ended by NUL. */
void rust_panic_oops(const char *file, size_t file_len, u32 line, const char *text,
		     size_t text_len) __noreturn;

/* printk of text that is not ended by NUL. LEVEL is 0 (emergency) to 7 (debug). */
void rust_print(int level, const char *text, size_t len);

#include <kernel/spinlock.h>
#include <alloc/gfp.h>

enum {
	GFP_KERNEL_CONST = GFP_KERNEL,
	GFP_ATOMIC_CONST = GFP_ATOMIC,
	GFP_ACCOUNT_CONST = GFP_KERNEL_ACCOUNT
};
void *rust_kmalloc(size_t size, gfp_t gfp);
void rust_spin_lock_irq(spinlock_t *l);
void rust_spin_unlock_irq(spinlock_t *l);
bool rust_irqs_off(void);
u8 rust_inb(u16 port);
void rust_outb(u8 v, u16 port);
/* The I-th legacy serial line of the machine: first port and irq. False: no such line. */
/*
 * The irq of the line that a PCI function's register names; -ENXIO where that means nothing. Are
 * messages taken on this machine?
 */
int rust_pci_pic_irq(u8 line);
bool rust_takes_messages(void);
bool rust_legacy_uart(unsigned int i, u16 *port, int *irq);

struct bio;
struct tty;
/* Fields of struct tty; the caller of the second and third holds termios_lock. */
void *rust_tty_data(struct tty *t);
u32 rust_tty_cflag(struct tty *t);
u32 rust_tty_speed(struct tty *t);

u8 rust_readb(const void __iomem *p);
u16 rust_readw(const void __iomem *p);
u32 rust_readl(const void __iomem *p);
void rust_writeb(u8 v, void __iomem *p);
void rust_writew(u16 v, void __iomem *p);
void rust_writel(u32 v, void __iomem *p);
/* The last address of memory. */
u64 rust_dma_top(void);
/* Zeroed contiguous pages for a device that reaches addresses up to REACH; NULL: none. */
void *rust_dma_alloc(size_t len, u64 reach, u64 *phys, u32 *order);
void rust_dma_free(void *p, u32 order);
/* Whether a byte of the request's memory lies beyond REACH. */
bool rust_bio_beyond(const struct bio *b, u64 reach);
/* LEN bytes between the request's memory, from its begin, and BUF. How many. */
u32 rust_bio_copy(struct bio *b, void *buf, u32 len, bool to_bio);
/* Most bytes in one piece; 0: any number. */
u32 rust_bio_max_segment(const struct bio *b);
bool rust_acpi_ecam(u32 i, u64 *base, u8 *first_bus, u8 *last_bus);
/* The next PCI host bridge of the device tree; *NEXT starts as 0. BASE is the first bus's. */
bool rust_dt_pci_host(u32 *next, u32 *node, u64 *base, u8 *first_bus, u8 *last_bus);
struct rust_pci_window {
	bool memory;			/* else ports */
	u64 pci, cpu, size;
};
/* Its next window; the others are about a NODE that rust_dt_pci_host gave. */
bool rust_dt_pci_window(u32 node, u32 *next, struct rust_pci_window *out);
int rust_dt_pci_irq(u32 node, u8 bus, u8 devfn, u8 pin);
bool rust_dt_pci_msi(u32 node, u32 rid, u32 *device);
bool rust_has_ports(void);
u32 rust_pci_port_read(u8 bus, u8 devfn, u8 off);
void rust_pci_port_write(u8 bus, u8 devfn, u8 off, u32 v);
void rust_pci_port_write16(u8 bus, u8 devfn, u8 off, u16 v);
/* Piece I of B's memory; false: no more. */

struct disk;
struct disk_ops;
struct rust_disk_limits {
	u64 sectors;
	u32 block_size, physical_block, max_discard, max_zeroes, max_segments, max_segment,
		max_bytes;
	bool read_only, write_cache, fua, removable, no_partitions;
	struct show_node *parent;
};
/* One bio of LEN bytes, at most a page, between the disk and DATA. Sleeps. */
int rust_disk_rw(struct disk *d, bool write, u64 sector, void *data, size_t len);
void *rust_disk_data(struct disk *d);
void rust_disk_setup(struct disk *d, const struct rust_disk_limits *l, const struct disk_ops *ops,
		     void *data);

#include <kernel/printk.h>
#include <sched/mutex.h>
#include <sched/work.h>
#include <sched/completion.h>
#include <block/blk.h>
#include <tty/tty.h>
#include <fs/proc.h>
#include <vfs/chrdev.h>
#include <vfs/file.h>
#include <linux/capability.h>
#include <linux/rtc.h>
#include <linux/time.h>

void rust_spin_lock(spinlock_t *l);
bool rust_spin_trylock(spinlock_t *l);
void rust_spin_unlock(spinlock_t *l);
/* NAME lives for ever and is the lock's class. */
void rust_mutex_init(struct mutex *m, const char *name);
void rust_rwsem_init(struct rw_semaphore *s, const char *name);
void rust_init_wait(struct wait_queue_head *q);
void rust_wake_all(struct wait_queue_head *q);
void rust_init_completion(struct completion *c);
/*
 * Sleeps until *TURN is not SEEN, TICKS jiffies at most: ticks left (at least 1); 0: too late;
 * -ERESTARTSYS.
 */
long rust_wait(struct wait_queue_head *q, const u64 *turn, u64 seen, bool interruptible,
	       long ticks);
bool rust_has_waiters(struct wait_queue_head *q);
void rust_sleep(u32 ms);

struct task *rust_current(void);
int rust_task_pid(const struct task *t);
/* A thread NAME that runs FN(DATA); false: no memory. */
bool rust_spawn(const char *name, int (*fn)(void *), void *data);
void rust_init_work(struct work_struct *w, work_func_t f);
bool rust_schedule_work(struct work_struct *w);
bool rust_schedule_delayed_work(struct delayed_work *d, unsigned long ticks);
struct ktest_run;
void rust_ktest_fail(struct ktest_run *run);
void rust_ktest_skip(struct ktest_run *run, const char *why);
/* Calls the handlers of IRQ as if it had come, for tests of drivers. */
void rust_irq_simulate(int irq);
/* CPUs that are online, 1 at least; the Nth of them, counted round; IRQ comes to that one. */
u16 rust_cpus(void);
unsigned int rust_nth_cpu(u16 n);
void rust_irq_place(int irq, u16 n);

u32 rust_file_mode(const struct file *f);
bool rust_file_nonblock(const struct file *f);
bool rust_file_exclusive(const struct file *f);
/* Whether the running task has the very credentials that opened it. */
bool rust_file_is_openers(const struct file *f);
struct iter;
/* Where the next byte of I is in the running program's memory; nowhere for one of other memory. */
struct uptr rust_iter_place(const struct iter *i);
void rust_tell_listeners(struct fasync_struct **list);
void *rust_file_private(const struct file *f);
void *rust_seq_private(const struct seq_file *m);
struct show_node;
/* As if a program read, or wrote, the file NAME of DIR. */
/* Uses of the module that P lies in may begin, before its init has returned. */
void rust_owner_open(const void *p);
/* A hold of P's module begins or ends. */
void rust_owner_hold(const void *p, bool begin);
ssize_t rust_show_read(struct show_node *dir, const char *name, char *buf, size_t size);
ssize_t rust_show_write(struct show_node *dir, const char *name, const char *text, size_t len);
void *rust_show_data(const struct show_node *n);
/* Removes N, if it is owned; the link in DIR under that name. */
void rust_show_remove(struct show_node *n);
void rust_show_unlink(struct show_node *dir, const char *name);
/* From open: what the file is to hold, and that it has no position. */
void rust_file_opened(struct file *f, void *private);
/* As chrdev_create(); NULL on any failure. */
/* The same with DATA that is counted: DROP is called with it once, also where it fails (chrdev_create_counted()). */
struct cdev *rust_node_create(const char *name, dev_t dev, umode_t mode, const struct file_operations *ops, void *data, void (*drop)(void *));
struct cdev *rust_chrdev_create(const char *name, dev_t dev, umode_t mode,
				const struct file_operations *ops, void *data);
struct proc_dir_entry;
/*
 * The file /proc/driver/NAME, which rust_proc_remove() removes; NULL: no memory, or there is one.
 */
struct proc_dir_entry *rust_proc_driver(const char *name, int (*show)(struct seq_file *, void *),
					void *data);
void rust_proc_remove(struct proc_dir_entry *de);

/*
 * The battery clock of a PC: its two ports, its interrupt (negative: none), where its century is
 * (0: nowhere). False: there is none.
 */
bool rust_cmos_rtc(u16 *port, int *irq, u8 *century);

/* What Rust holds by value has these sizes, in bytes; none is aligned to more than 8. */
enum {
	RUST_SIZEOF_COMPLETION = sizeof(struct completion),
	RUST_SIZEOF_WORK = sizeof(struct work_struct),
	RUST_SIZEOF_DELAYED_WORK = sizeof(struct delayed_work),
	RUST_SIZEOF_MUTEX = sizeof(struct mutex),
	RUST_SIZEOF_RWSEM = sizeof(struct rw_semaphore),
	RUST_SIZEOF_WAIT_QUEUE = sizeof(wait_queue_head_t),
	RUST_SIZEOF_HRTIMER = sizeof(struct hrtimer),
	RUST_SIZEOF_RCU_HEAD = sizeof(struct rcu_head),
	RUST_SIZEOF_SPINLOCK = sizeof(spinlock_t),
	RUST_SIZEOF_REFCOUNT = sizeof(refcount_t),
	RUST_SIZEOF_KIOCB = sizeof(struct kiocb),
	RUST_SIZEOF_BIO = sizeof(struct bio),
	RUST_SIZEOF_FILE_OPS = sizeof(struct file_operations),
	RUST_SIZEOF_DISK_OPS = sizeof(struct disk_ops),
	RUST_SIZEOF_CONSOLE = sizeof(struct console),
	RUST_SIZEOF_TTY_OPS = sizeof(struct tty_ops),
};

/* Constants that are expressions in the user headers. */
enum {
	RUST_CLOCK_MONOTONIC = CLOCK_MONOTONIC,
	RUST_POLLIN = EPOLLIN | EPOLLRDNORM,
	RUST_POLLOUT = EPOLLOUT | EPOLLWRNORM,
	RUST_POLLERR = EPOLLERR,
	RUST_POLLHUP = EPOLLHUP,
	RUST_CAP_SYS_ADMIN = CAP_SYS_ADMIN,
	RUST_CAP_SYS_RAWIO = CAP_SYS_RAWIO,
	RUST_CAP_SYS_RESOURCE = CAP_SYS_RESOURCE,
	RUST_CAP_SYS_TIME = CAP_SYS_TIME,
};
enum {
	RUST_RTC_AIE_ON = RTC_AIE_ON,
	RUST_RTC_AIE_OFF = RTC_AIE_OFF,
	RUST_RTC_UIE_ON = RTC_UIE_ON,
	RUST_RTC_UIE_OFF = RTC_UIE_OFF,
	RUST_RTC_PIE_ON = RTC_PIE_ON,
	RUST_RTC_PIE_OFF = RTC_PIE_OFF,
	RUST_RTC_ALM_SET = RTC_ALM_SET,
	RUST_RTC_ALM_READ = RTC_ALM_READ,
	RUST_RTC_RD_TIME = RTC_RD_TIME,
	RUST_RTC_SET_TIME = RTC_SET_TIME,
	RUST_RTC_IRQP_READ = RTC_IRQP_READ,
	RUST_RTC_IRQP_SET = RTC_IRQP_SET,
	RUST_RTC_WKALM_SET = RTC_WKALM_SET,
	RUST_RTC_WKALM_RD = RTC_WKALM_RD,
	RUST_RTC_PARAM_GET = RTC_PARAM_GET,
};
