// SPDX-License-Identifier: MIT
/*
 * KVM_GET_STATS_FD: counts as a file of a header, the name of whose they are, a descriptor of each
 * count, and the counts. All but the counts is the same at each read, and is made for each read:
 * such a file is read rarely, and kept open for long.
 */
#include <abi/errno.h>
#include <alloc/slab.h>
#include <kvm/stat.h>
#include <kvm/vcpu.h>
#include <kvm/vm.h>
#include <lib/err.h>
#include <lib/format.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <linux/kvm.h>
#include <mm/iter.h>
#include <vfs/file.h>
#include "kvm/api/api_priv.h"

#define NAME_SIZE 48			/* Linux's KVM_STATS_NAME_SIZE */

#define COUNT (KVM_STATS_TYPE_CUMULATIVE | KVM_STATS_UNIT_NONE | KVM_STATS_BASE_POW10)
#define TIME (KVM_STATS_TYPE_CUMULATIVE | KVM_STATS_UNIT_SECONDS | KVM_STATS_BASE_POW10)
#define NOW (KVM_STATS_TYPE_INSTANT | KVM_STATS_UNIT_BOOLEAN | KVM_STATS_BASE_POW10)

/* A struct kvm_stats_desc with its name, as it is in the file. */
struct row {
	__u32 flags;
	__s16 exponent;
	__u16 size;
	__u32 offset;
	__u32 bucket_size;
	char name[NAME_SIZE];
};
static_assert(offsetof(struct row, offset) == offsetof(struct kvm_stats_desc, offset) &&
		      offsetof(struct row, name) == offsetof(struct kvm_stats_desc, name),
	      "as in the file");

#define ROW(of, what, how, power)                                                               \
	{ .flags = (how), .exponent = (power), .size = 1, .offset = offsetof(struct of, what), \
	  .name = #what }
#define VCPU(what) ROW(kvm_vcpu_stat, what, COUNT, 0)
#define VM(what) ROW(kvm_vm_stat, what, COUNT, 0)

static const struct row vcpu_rows[] = {
	VCPU(halt_wakeup),
	ROW(kvm_vcpu_stat, halt_wait_ns, TIME, -9),
	ROW(kvm_vcpu_stat, blocking, NOW, 0),
	VCPU(pf_taken),
	VCPU(pf_fixed),
	VCPU(pf_emulate),
	VCPU(tlb_flush),
	VCPU(exits),
	VCPU(io_exits),
	VCPU(mmio_exits),
	VCPU(signal_exits),
	VCPU(irq_window_exits),
	VCPU(nmi_window_exits),
	VCPU(halt_exits),
	VCPU(irq_exits),
	VCPU(insn_emulation),
	VCPU(insn_emulation_fail),
	VCPU(hypercalls),
	VCPU(irq_injections),
	VCPU(nmi_injections),
};
static const struct row vm_rows[] = { VM(remote_tlb_flush), VM(remote_tlb_flush_requests) };

static_assert(ARRAY_SIZE(vcpu_rows) == sizeof(struct kvm_vcpu_stat) / 8, "each has a row");
static_assert(ARRAY_SIZE(vm_rows) == sizeof(struct kvm_vm_stat) / 8, "each has a row");

/* ---- the file ---- */

/* A read under way: it is at POS of the file. */
struct reading {
	struct iter *to;
	u64 pos;
	bool fault;
};

/* The next part of the file, SIZE bytes at START: what of it is wanted. */
static void part(struct reading *r, size_t start, const void *from, size_t size)
{
	size_t at = r->pos - start, n, done;

	if (r->pos >= start + size || r->fault)
		return;
	n = min(size - at, iter_count(r->to));
	done = copy_to_iter((const char *)from + at, n, r->to);
	r->pos += done;
	r->fault = done < n;
}

static ssize_t show(struct kiocb *k, struct iter *to, const char *id, const struct row *rows,
		    size_t n, const u64 *counts)
{
	struct kvm_stats_header h = { .name_size = NAME_SIZE,
				      .num_desc = (u32)n,
				      .id_offset = sizeof(h),
				      .desc_offset = sizeof(h) + NAME_SIZE };
	struct reading r = { .to = to, .pos = (u64)k->ki_pos };
	ssize_t done;

	h.data_offset = h.desc_offset + (u32)(n * sizeof(*rows));
	part(&r, 0, &h, sizeof(h));
	part(&r, h.id_offset, id, NAME_SIZE);
	part(&r, h.desc_offset, rows, n * sizeof(*rows));
	for (size_t i = 0; i < n; i++) {
		u64 value = READ_ONCE(counts[i]);

		part(&r, h.data_offset + sizeof(value) * i, &value, sizeof(value));
	}
	if (r.fault)
		return -EFAULT;
	done = (ssize_t)(r.pos - (u64)k->ki_pos);
	k->ki_pos = (loff_t)r.pos;
	return done;
}

static ssize_t vm_read(struct kiocb *k, struct iter *to)
{
	const struct kvm_vm *vm = k->ki_filp->private_data;
	char id[NAME_SIZE] = { 0 };

	snprintf(id, sizeof(id), "kvm-%d", vm->pid);
	return show(k, to, id, vm_rows, ARRAY_SIZE(vm_rows), (const u64 *)&vm->stat);
}

static int vm_release(struct inode *inode, struct file *file)
{
	kvm_vm_put(file->private_data);
	return 0;
}

static ssize_t vcpu_read(struct kiocb *k, struct iter *to)
{
	const struct kvm_vcpu *v = k->ki_filp->private_data;
	char id[NAME_SIZE] = { 0 };

	snprintf(id, sizeof(id), "kvm-%d/vcpu-%u", v->vm->pid, v->id);
	return show(k, to, id, vcpu_rows, ARRAY_SIZE(vcpu_rows), (const u64 *)&v->stat);
}

static int vcpu_release(struct inode *inode, struct file *file)
{
	const struct kvm_vcpu *v = file->private_data;

	kvm_vm_put(v->vm);
	return 0;
}

static const struct file_operations vm_fops = { .llseek = noop_llseek,
						.read_iter = vm_read,
						.release = vm_release };
static const struct file_operations vcpu_fops = { .llseek = noop_llseek,
						  .read_iter = vcpu_read,
						  .release = vcpu_release };

/* A descriptor that holds VM. */
static int stats_fd(struct kvm_vm *vm, const char *name, const struct file_operations *fops,
		    void *what)
{
	int fd = get_unused_fd_flags(O_CLOEXEC);
	struct file *f;

	if (fd < 0)
		return fd;
	refcount_inc(&vm->refs);
	f = anon_inode_getfile(name, fops, what, O_RDONLY);
	if (IS_ERR(f)) {
		refcount_dec(&vm->refs);
		put_unused_fd((unsigned int)fd);
		return (int)PTR_ERR(f);
	}
	f->f_mode |= FMODE_PREAD;
	fd_install((unsigned int)fd, f);
	return fd;
}

int kvm_vm_stats_fd(struct kvm_vm *vm)
{
	return stats_fd(vm, "kvm-vm-stats", &vm_fops, vm);
}

int kvm_vcpu_stats_fd(struct kvm_vcpu *v)
{
	char name[28];

	snprintf(name, sizeof(name), "kvm-vcpu-stats:%u", v->id);
	return stats_fd(v->vm, name, &vcpu_fops, v);
}
