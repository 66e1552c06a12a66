// SPDX-License-Identifier: MIT
/*
 * ELF programs: maps the segments of the file and of its interpreter, builds the stack that the ABI describes (argc, argv,
 * envp, auxiliary vector; System V ABI, AMD64 supplement, 3.4), and enters.
 *
 * Addresses: a position-independent program goes near two thirds of the address space, randomised; without an interpreter (the
 * dynamic linker run by itself) it goes where mmap puts things, so that what it loads can lie low.
 */
#include <lib/types.h>
#include <kernel/init.h>
#include <kernel/show.h>
#include <lib/elf.h>
#include <lib/err.h>
#include <lib/minmax.h>
#include <lib/string.h>
#include <alloc/slab.h>
#include <arch/elf.h>
#include <arch/pgtable.h>
#include <arch/ptrace.h>
#include <arch/signal.h>
#include <arch/switch.h>
#include <arch/vdso.h>
#include <kernel/bug.h>
#include <kernel/random.h>
#include <kernel/time.h>
#include <mm/mm.h>
#include <mm/uaccess.h>
#include <proc/rseq.h>
#include <proc/cred.h>
#include <proc/signal.h>
#include <sched/task.h>
#include <vfs/file.h>
#include <vfs/inode.h>
#include <abi/errno.h>
#include <linux/auxvec.h>
#include <linux/binfmts.h>
#include <linux/elf.h>
#include <linux/mman.h>
#include <linux/personality.h>
#include <linux/resource.h>
#include "exec_priv.h"

struct elf_file {
	struct file *file;
	struct elf_header h;
	struct elf_plan plan;
	void *phdrs;
	u64 bias;
	bool guarded;		/* its code says where jumps into it may go */
};

static int elf_open(struct elf_file *f, struct file *file, const void *head, size_t n)
{
	u64 size = (u64)i_size_read(file_inode(file));
	int e = elf_decode_header(head, n, ELF_ARCH, ELF_DATA, &f->h);

	if (e)
		return e;
	if (f->h.phoff > size || f->h.phnum * sizeof(struct elf64_phdr) > size - f->h.phoff)
		return -ENOEXEC;
	f->file = file;
	f->phdrs = kmalloc(f->h.phnum * sizeof(struct elf64_phdr), GFP_KERNEL);
	if (!f->phdrs)
		return -ENOMEM;
	e = exec_read(file, f->phdrs, f->h.phnum * sizeof(struct elf64_phdr), f->h.phoff);
	return e ?: elf_decode_plan(f->phdrs, f->h.phnum, f->h.phoff, size, TASK_SIZE_MAX, PAGE_SIZE, &f->plan);
}

static unsigned long seg_prot(const struct elf_file *f, u32 flags)
{
	return (flags & PF_R ? PROT_READ : 0) | (flags & PF_W ? PROT_WRITE : 0) | (flags & PF_X ? PROT_EXEC : 0) |
	       ((flags & PF_X) && f->guarded ? ARCH_PROT_GUARDED : 0);
}

#define MAX_PROPERTIES 1024

/* What the file that is entered says of itself; a program with an interpreter is left to that, which maps the rest alike. */
static int read_properties(struct elf_file *f)
{
	u64 offset, size;
	char *note;
	u32 v = 0;
	int e;

	if (!ARCH_PROT_GUARDED || !elf_find_properties(f->phdrs, f->h.phnum, &offset, &size))
		return 0;
	if (size > MAX_PROPERTIES || offset > (u64)S64_MAX - size)
		return -ENOEXEC;
	note = kmalloc(size + !size, GFP_KERNEL);
	if (!note)
		return -ENOMEM;
	e = exec_read(f->file, note, size, (loff_t)offset);
	e = e ?: elf_property_word(note, size, ELF_PROPERTY_GUARDED, &v);
	kfree(note);
	f->guarded = v & ELF_FEATURE_GUARDED;
	return e;
}

/* The rest of a segment beyond its file part: the end of the last page is cleared, whole pages are anonymous. */
static int map_bss(const struct elf_segment *s, u64 bias)
{
	unsigned long start = bias + s->vaddr + s->filesz, end = bias + s->vaddr + s->memsz, page = round_up(start, PAGE_SIZE);

	if (s->filesz && start < page && (s->flags & PF_W) && clear_user(UPTR(start), page - start))
		return -EFAULT;
	if (!s->filesz)
		page = round_down(start, PAGE_SIZE);
	end = round_up(end, PAGE_SIZE);
	if (end <= page)
		return 0;
	return vm_brk_flags(current->mm, page, end - page, s->flags & PF_X ? VM_EXEC : 0);
}

static int map_segment(struct elf_file *f, const struct elf_segment *s)
{
	u64 pad = s->vaddr & (PAGE_SIZE - 1);
	unsigned long r;

	if (s->filesz) {
		if ((s->vaddr ^ s->offset) & (PAGE_SIZE - 1))
			return -EINVAL;
		r = vm_mmap(current->mm, f->file, f->bias + s->vaddr - pad, s->filesz + pad, seg_prot(f, s->flags),
			    MAP_PRIVATE | MAP_FIXED, (loff_t)(s->offset - pad));
		if (IS_ERR_VALUE(r))
			return (int)r;
	}
	return s->memsz > s->filesz ? map_bss(s, f->bias) : 0;
}

/* Holds the whole span with one mapping first, so that what lies between segments is ours too, then puts them on top. */
static int map_image(struct elf_file *f, unsigned long want, bool fixed_noreplace)
{
	u64 span = f->plan.max_vaddr - f->plan.min_vaddr;
	struct elf_segment s;
	unsigned long r;
	u32 i = 0;
	int e;

	if (f->h.dyn) {
		/* Room to align within; the slack is unmapped again. */
		u64 slack = f->plan.align > PAGE_SIZE && !want ? f->plan.align : 0;

		r = vm_mmap(current->mm, NULL, want, span + slack, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE |
			    (want && fixed_noreplace ? MAP_FIXED_NOREPLACE : 0), 0);
		if (IS_ERR_VALUE(r))
			return (int)r;
		if (slack) {
			unsigned long a = round_up(r, f->plan.align);

			if (a > r)
				vm_munmap(current->mm, r, a - r);
			if (r + slack > a)
				vm_munmap(current->mm, a + span, r + slack - a);
			r = a;
		}
		f->bias = r - f->plan.min_vaddr;
		vm_munmap(current->mm, r, span);
	} else {
		f->bias = 0;
	}
	while (elf_next_load(f->phdrs, f->h.phnum, &i, &s)) {
		e = map_segment(f, &s);
		if (e)
			return e;
	}
	return 0;
}

/* ---- the interpreter ---- */

static int open_interp(struct elf_file *prog, struct elf_file *ld)
{
	char *path = kmalloc(prog->plan.interp_size, GFP_KERNEL);
	char head[EXEC_HEAD];
	struct file *f;
	loff_t pos = 0;
	ssize_t n;
	int e;

	if (!path)
		return -ENOMEM;
	e = exec_read(prog->file, path, prog->plan.interp_size, prog->plan.interp_offset);
	if (!e && path[prog->plan.interp_size - 1])
		e = -ENOEXEC;
	if (e) {
		kfree(path);
		return e;
	}
	f = open_exec(path);
	kfree(path);
	if (IS_ERR(f))
		return (int)PTR_ERR(f);
	ld->file = f;
	n = kernel_read(f, head, sizeof(head), &pos);
	if (n < 0)
		return (int)n;
	e = elf_open(ld, f, head, (size_t)n);
	return e == -ENOEXEC ? -ELIBBAD : e;
}

static void elf_close(struct elf_file *f, bool put_file)
{
	kfree(f->phdrs);
	if (put_file && f->file) {
		allow_write_access(f->file);
		fput(f->file);
	}
}

/* ---- the stack ---- */

static unsigned long copy_strings(struct exec_prog *p, unsigned long top)
{
	unsigned long at = top - p->used;
	size_t off = p->used;

	while (off) {
		size_t page = (off - 1) / PAGE_SIZE, in = PAGE_SIZE - 1 - (off - 1) % PAGE_SIZE, run = PAGE_SIZE - in;

		run = min(run, off);
		if (copy_to_user(UPTR(top - off), p->pages[page] + in, run))
			return 0;
		off -= run;
	}
	return at;
}

static unsigned long put_pointers(unsigned long at, unsigned long *s, int n, unsigned long *last)
{
	for (int i = 0; i < n; i++) {
		size_t len;

		if (put_user((u64)*s, UPTR(at)))
			return 0;
		at += 8;
		len = strnlen_user(UPTR(*s), MAX_ARG_STRLEN);
		if (!len || len > MAX_ARG_STRLEN)
			return 0;
		*s += len;
	}
	*last = *s;
	if (put_user((u64)0, UPTR(at)))
		return 0;
	return at + 8;
}

static int fill_auxv(struct exec_prog *p, struct elf_file *prog, struct elf_file *ld, unsigned long rnd, unsigned long platform,
		     unsigned long fn, u64 *v)
{
	const struct cred *c = current_cred();
	int n = 0;

#define AUX(k, x) do { v[n++] = (k); v[n++] = (u64)(x); } while (0)
#ifdef AT_SYSINFO_EHDR		/* an ABI without a vDSO has no word for it */
	if (current->mm->vdso)
		AUX(AT_SYSINFO_EHDR, current->mm->vdso);
#endif
	AUX(AT_MINSIGSTKSZ, arch_signal_frame_size());
	AUX(AT_HWCAP, arch_elf_hwcap());
	AUX(AT_PAGESZ, PAGE_SIZE);
	AUX(AT_CLKTCK, USER_HZ);
	AUX(AT_PHDR, prog->plan.phdr_vaddr ? prog->bias + prog->plan.phdr_vaddr : 0);
	AUX(AT_PHENT, sizeof(struct elf64_phdr));
	AUX(AT_PHNUM, prog->h.phnum);
	AUX(AT_BASE, ld->file ? ld->bias + ld->plan.min_vaddr : 0);
	AUX(AT_FLAGS, 0);
	AUX(AT_ENTRY, prog->bias + prog->h.entry);
	AUX(AT_UID, from_kuid_munged(c->user_ns, c->uid));
	AUX(AT_EUID, from_kuid_munged(c->user_ns, c->euid));
	AUX(AT_GID, from_kgid_munged(c->user_ns, c->gid));
	AUX(AT_EGID, from_kgid_munged(c->user_ns, c->egid));
	AUX(AT_SECURE, p->secure);
	AUX(AT_RANDOM, rnd);
	AUX(AT_HWCAP2, arch_elf_hwcap2());
	AUX(AT_RSEQ_FEATURE_SIZE, RSEQ_FEATURES);
	AUX(AT_RSEQ_ALIGN, RSEQ_ALIGN);
	AUX(AT_EXECFN, fn);
	AUX(AT_PLATFORM, platform);
	AUX(AT_NULL, 0);
#undef AUX
	return n;
}

static long build_stack(struct exec_prog *p, struct elf_file *prog, struct elf_file *ld, unsigned long top)
{
	struct mm *mm = current->mm;
	unsigned long s, sp, at, platform, rnd, fn;
	char random[16];
	u64 auxv[56];
	int n;

	top -= 8;			/* a null word ends the stack */
	s = copy_strings(p, top);
	if (!s)
		return -EFAULT;
	fn = top - strlen(p->path) - 1;
	platform = round_down(s - sizeof(ELF_PLATFORM), 16UL);
	get_random_bytes(random, sizeof(random));
	rnd = platform - sizeof(random);
	if (copy_to_user(UPTR(platform), ELF_PLATFORM, sizeof(ELF_PLATFORM)) || copy_to_user(UPTR(rnd), random, sizeof(random)))
		return -EFAULT;
	n = fill_auxv(p, prog, ld, rnd, platform, fn, auxv);
	memset(mm->saved_auxv, 0, sizeof(mm->saved_auxv));
	memcpy(mm->saved_auxv, auxv, (size_t)n * sizeof(u64));
	sp = rnd - (size_t)n * 8 - ((size_t)p->argc + 1 + (size_t)p->envc + 1 + 1) * 8;
	sp = round_down(sp, 16UL);
	if (put_user((u64)p->argc, UPTR(sp)))
		return -EFAULT;
	mm->arg_start = s;
	at = put_pointers(sp + 8, &s, p->argc, &mm->arg_end);
	if (!at)
		return -EFAULT;
	mm->env_start = mm->arg_end;
	at = put_pointers(at, &s, p->envc, &mm->env_end);
	if (!at || copy_to_user(UPTR(at), auxv, (size_t)n * sizeof(u64)))
		return -EFAULT;
	mm->start_stack = sp;
	return (long)sp;
}

/* ---- the vDSO ---- */

static struct page *vvar_pages[2], *vdso_pages[9];
static const struct special_mapping vvar_special = { .name = "[vvar]", .pages = vvar_pages };
static const struct special_mapping vdso_special = { .name = "[vdso]", .pages = vdso_pages };

static int map_vdso(struct mm *mm)
{
	size_t size;
	unsigned long at;
	unsigned int n;
	int e;

	if (!arch_vdso_image(&size))
		return 0;
	n = (unsigned int)(size / PAGE_SIZE);
	if (WARN_ON_ONCE(n >= ARRAY_SIZE(vdso_pages)))
		return 0;
	if (!vvar_pages[0]) {		/* the same each time: who writes first does not matter */
		for (unsigned int i = 0; i < n; i++)
			vdso_pages[i] = phys_to_page(arch_vdso_image_page(i));
		vvar_pages[0] = phys_to_page(arch_vdso_data_page());
	}
	if (mmap_write_lock_killable(mm))
		return -EINTR;
	at = get_unmapped_area(mm, NULL, 0, size + PAGE_SIZE, 0, 0);
	e = IS_ERR_VALUE(at) ? (int)at : install_special_mapping(mm, at, PAGE_SIZE, VM_READ | VM_MAYREAD | VM_DONTDUMP, &vvar_special);
	e = e ?: install_special_mapping(mm, at + PAGE_SIZE, size, VM_READ | VM_EXEC | VM_MAYREAD | VM_MAYEXEC | VM_MAYWRITE, &vdso_special);
	if (!e)
		mm->vdso = at + PAGE_SIZE;
	mmap_write_unlock(mm);
	return e;
}

/* ---- all of it ---- */

int randomize_va_space = 2;	/* kernel.randomize_va_space */

static void set_layout(struct exec_prog *p, struct elf_file *prog, unsigned long rnd)
{
	struct mm *mm = current->mm;

	mm->start_code = prog->bias + prog->plan.start_code;
	mm->end_code = prog->bias + prog->plan.end_code;
	mm->start_data = prog->bias + prog->plan.start_data;
	mm->end_data = prog->bias + prog->plan.end_data;
	mm->start_brk = mm->brk = round_up(prog->bias + prog->plan.brk, PAGE_SIZE);
	if (rnd && randomize_va_space > 1)
		mm->start_brk = mm->brk = mm->brk + (get_random_u64() % (32UL << 20) & PAGE_MASK);
}

static int load(struct exec_prog *p, struct elf_file *prog, struct elf_file *ld)
{
	unsigned long rnd, top = TASK_SIZE_MAX, want = 0, entry;
	struct pt_regs *regs = task_pt_regs(current);
	bool exec_stack = prog->plan.stack == 2, randomize;
	long sp;
	int e;

	e = exec_commit(p, exec_stack);
	if (e)
		return e;
	/* Only now: a program with more rights than its caller's is not laid out as he likes. */
	randomize = !(current->personality & ADDR_NO_RANDOMIZE) && randomize_va_space;
	rnd = randomize ? get_random_u64() : 0;
	if (randomize)
		current->flags |= PF_RANDOMIZE;
	else
		current->flags &= ~(unsigned int)PF_RANDOMIZE;
	mm_pick_layout(current->mm, p->stack_limit, rnd >> 8, current->personality & ADDR_COMPAT_LAYOUT);
	if (randomize)
		top -= (get_random_u64() & ARCH_STACK_RND_PAGES) << PAGE_SHIFT;
	top -= PAGE_SIZE;
	e = mm_setup_stack(current->mm, top, p->used + 128 * 1024, exec_stack ? VM_EXEC : 0);
	if (e)
		return e;
	if (prog->h.dyn && ld->file)
		want = round_down(ARCH_ET_DYN_BASE + ((rnd & ((1UL << ARCH_MMAP_RND_BITS) - 1)) << PAGE_SHIFT), prog->plan.align);
	e = map_image(prog, want, false);
	if (e)
		return e;
	entry = prog->bias + prog->h.entry;
	if (ld->file) {
		e = map_image(ld, 0, false);
		if (e)
			return e;
		entry = ld->bias + ld->h.entry;
	}
	if (entry >= TASK_SIZE_MAX)
		return -EINVAL;
	set_layout(p, prog, rnd);
	e = map_vdso(current->mm);
	if (e)
		return e;
	sp = build_stack(p, prog, ld, top);
	if (sp < 0)
		return (int)sp;
	return arch_thread_exec(regs, entry, (unsigned long)sp);
}

int exec_load_elf(struct exec_prog *p)
{
	struct elf_file prog = { 0 }, ld = { 0 };
	int e = elf_open(&prog, p->file, p->head, p->head_len);

	if (!e && prog.plan.interp_size)
		e = open_interp(&prog, &ld);
	if (!e && ld.file)
		exec_would_dump(p, ld.file);
	e = e ?: read_properties(ld.file ? &ld : &prog);
	e = e ?: load(p, &prog, &ld);
	elf_close(&prog, false);
	elf_close(&ld, true);
	return e;
}

static int elf_sysctl(void)
{
	sysctl_int("kernel/randomize_va_space", 0644, &randomize_va_space, INT_MIN, INT_MAX);
	return 0;
}
INITCALL(fs, elf_sysctl);
