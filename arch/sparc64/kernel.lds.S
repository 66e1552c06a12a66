/* SPDX-License-Identifier: MIT */
/*
 * The image, in the order of its rights: text (rx), rodata (r), data (rw), init (given back after boot), symbol names
 * (r), bss (rw).
 * Everything before the symbol names has the same address in both link passes.
 */
#define __ASSEMBLY__
#include <arch_cpu/page.h>

#define LMA(s) AT(ADDR(s))		/* physical and virtual addresses are the same */
#define TABLE(sec, name) \
	. = ALIGN(8); PROVIDE(__start_##name = .); KEEP(*(sec)) PROVIDE(__stop_##name = .);

OUTPUT_FORMAT("elf64-sparc")
OUTPUT_ARCH(sparc:v9)
ENTRY(boot_entry)

PHDRS
{
	text PT_LOAD FLAGS(5);
	rodata PT_LOAD FLAGS(4);
	data PT_LOAD FLAGS(6);
	init PT_LOAD FLAGS(7);
	syms PT_LOAD FLAGS(4);
	bss PT_LOAD FLAGS(6);
	note PT_NOTE FLAGS(4);
}

SECTIONS
{
	. = KERNEL_IMAGE_VA;
	.text KERNEL_IMAGE_VA : LMA(.text) {
		_text = .;
		KEEP(*(.head.text))
		*(.entry.text)
		. = ALIGN(0x8000);		/* the second half of the locked 64 KiB (mm_tlb.c) */
		*(.trap_table)
		__start_sched_text = .;
		*sched/core.o(.text .text.*) *sched/sleep.o(.text .text.*) *sched/wait.o(.text .text.*)
		*sched/mutex.o(.text .text.*) *sched/rwsem.o(.text .text.*)
		__stop_sched_text = .;
		*(.text.hot .text.hot.*)
		*(.text .text.[_a-zA-Z0-9]* .text.*)
		_etext = .;
	} :text

	. = ALIGN(PAGE_SIZE);
	.rodata : LMA(.rodata) {
		__start_rodata = .;
		*(.rodata .rodata.*)
		. = ALIGN(8);
		__start_extable = .; KEEP(*(.extable)) __stop_extable = .;
		TABLE(.ktest, ktest)
		__ktest_start = __start_ktest; __ktest_end = __stop_ktest;
	} :rodata
	.notes : LMA(.notes) {
		__start_notes = .;
		KEEP(*(.note.gnu.build-id))
		__stop_notes = .;
	} :rodata :note

	. = ALIGN(PAGE_SIZE);
	__end_rodata = .;
	.data : LMA(.data) {
		_data = .;
		*(.data..page_aligned)
		. = ALIGN(PAGE_SIZE);
		__start_ro_after_init = .;
		*(.data..ro_after_init)
		TABLE(.jump_table, jump_table)
		. = ALIGN(PAGE_SIZE);
		__end_ro_after_init = .;
		*(.data..read_mostly)
		. = ALIGN(64);
		*(.data..cacheline_aligned)
		*(.data .data.*)
		*(.got .got.plt .rela.* .rela.dyn)
		. = ALIGN(8);
		_edata = .;
	} :data

	. = ALIGN(PAGE_SIZE);
	__init_begin = .;
	.init.text : LMA(.init.text) {
		_sinittext = .;
		*(.init.text .init.text.*)
		. = ALIGN(PAGE_SIZE);
		_einittext = .;
	} :init
	.init.data : LMA(.init.data) {
		*(.init.data .init.data.* .init.rodata .init.rodata.*)
		. = ALIGN(8);
		__initcall_start = .;
		KEEP(*(.initcall.0))
		__initcall_level_1 = .; KEEP(*(.initcall.1))
		__initcall_level_2 = .; KEEP(*(.initcall.2))
		__initcall_level_3 = .; KEEP(*(.initcall.3))
		__initcall_level_4 = .; KEEP(*(.initcall.4))
		__initcall_level_5 = .; KEEP(*(.initcall.5))
		__initcall_level_6 = .; KEEP(*(.initcall.6))
		__initcall_end = .;
		TABLE(.kernel_param, kernel_param)
		__kernel_param_start = __start_kernel_param; __kernel_param_end = __stop_kernel_param;
		. = ALIGN(8);
		__start_init_array = .; KEEP(*(.init_array .init_array.*)) __stop_init_array = .;
	} :init
	. = ALIGN(64);
	.percpu_init : LMA(.percpu_init) {
		__per_cpu_start = .;
		*(.percpu..first)
		. = ALIGN(64);
		*(.percpu..aligned)
		*(.percpu .percpu.*)
		. = ALIGN(64);
		__per_cpu_end = .;
	} :init
	. = ALIGN(PAGE_SIZE);
	__init_end = .;

	.ksyms : LMA(.ksyms) {
		ksyms_data = .;
		KEEP(*(.ksyms))
	} :syms
	_file_end = .;
	. = ALIGN(PAGE_SIZE);
	__syms_end = .;

	. = ALIGN(PAGE_SIZE);
	.bss : LMA(.bss) {
		__bss_start = .;
		*(.bss..page_aligned)
		*(.bss .bss.* COMMON)
		. = ALIGN(16);
		__bss_stop = .;
	} :bss
	. = ALIGN(PAGE_SIZE);
	_end = .;

	/DISCARD/ : { *(.comment) *(.fini_array .fini_array.*) *(.eh_frame*) *(.note.GNU-stack) *(.note.gnu.property) *(.interp) *(.dynamic) *(.iplt) *(.llvm_addrsig) *(.discard.*) *(.gnu.attributes) }
	.debug_info 0 : { *(.debug_info) }
	.debug_abbrev 0 : { *(.debug_abbrev) }
	.debug_line 0 : { *(.debug_line) }
	.debug_str 0 : { *(.debug_str) }
	.debug_str_offsets 0 : { *(.debug_str_offsets) }
	.debug_line_str 0 : { *(.debug_line_str) }
	.debug_addr 0 : { *(.debug_addr) }
	.debug_rnglists 0 : { *(.debug_rnglists) }
	.debug_ranges 0 : { *(.debug_ranges) }
	.debug_loclists 0 : { *(.debug_loclists) }
	.debug_loc 0 : { *(.debug_loc) }
	.debug_aranges 0 : { *(.debug_aranges) }
	.debug_frame 0 : { *(.debug_frame) }
	.debug_names 0 : { *(.debug_names) }
	.debug_macro 0 : { *(.debug_macro) }
	.symtab 0 : { *(.symtab) }
	.strtab 0 : { *(.strtab) }
	.shstrtab 0 : { *(.shstrtab) }
}
ASSERT(_end <= 0x4000000, "the image is larger than the locked entries of head.S map")
ASSERT(trap_table == 0x408000, "the code of traps and their table are not in the 64 KiB that the TLB keeps")
