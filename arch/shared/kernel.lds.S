/* SPDX-License-Identifier: MIT */
/*
 * The image, in the order of its rights: text (rx), rodata (r), data (rw), init (given back after boot), symbol names
 * (r), bss (rw). Everything before the symbol names has the same address in both link passes.
 *
 * Of a CPU's own, in arch_cpu/image.h: IMAGE_FORMAT, IMAGE_ARCH (the linker's names); IMAGE_VA, where it is linked; IMAGE_OFFSET, what that is
 * ahead of where an ELF loader puts it; IMAGE_ENTRY, its first instruction; IMAGE_MAX, how many bytes the early page tables map; where the image is an EFI
 * application IMAGE_EFI_ENTRY, what the firmware calls; where more than entry code must stay together IMAGE_ENTRY_TEXT, and what is to hold of the addresses IMAGE_CHECKS.
 */
#define __ASSEMBLY__
#include <arch_cpu/page.h>
#include <arch_cpu/image.h>

#ifndef IMAGE_ENTRY_TEXT
#define IMAGE_ENTRY_TEXT *(.entry.text)
#endif
#ifndef IMAGE_CHECKS
#define IMAGE_CHECKS
#endif

#define LMA(s) AT(ADDR(s) - (IMAGE_OFFSET))
#define TABLE(sec, name) \
	. = ALIGN(8); PROVIDE(__start_##name = .); KEEP(*(sec)) PROVIDE(__stop_##name = .);

OUTPUT_FORMAT(IMAGE_FORMAT)
OUTPUT_ARCH(IMAGE_ARCH)
ENTRY(entry_pa)

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
	. = IMAGE_VA;
	.text : LMA(.text) {
		_text = .;
		KEEP(*(.head.text))
		__entry_text_begin = .;
		IMAGE_ENTRY_TEXT
		__entry_text_end = .;
		__start_sched_text = .;
		*sched/core.o(.text .text.*) *sched/sleep.o(.text .text.*) *sched/wait.o(.text .text.*)
		*sched/mutex.o(.text .text.*) *sched/rwsem.o(.text .text.*) *sched_switch.o(.text .text.*)
		__stop_sched_text = .;
		*(.text.hot .text.hot.*)
		*(.text .text.[_a-zA-Z0-9]* .text.*)
		_etext = .;
	} :text
	image_pa = IMAGE_VA - (IMAGE_OFFSET);
	entry_pa = IMAGE_ENTRY - (IMAGE_OFFSET);

	. = ALIGN(PAGE_SIZE);
	.rodata : LMA(.rodata) {
		__start_rodata = .;
		*(.rodata .rodata.*)
		. = ALIGN(8);
		__start_extable = .; KEEP(*(.extable)) __stop_extable = .;
		TABLE(.export, export)
		TABLE(.ktest, ktest)
		__ktest_start = __start_ktest; __ktest_end = __stop_ktest;
	} :rodata
	.notes : LMA(.notes) {
		__start_notes = .;
		KEEP(*(.note.gnu.build-id))
		KEEP(*(.note.Xen))
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
		*(.sdata .sdata.* .lit8)
		. = ALIGN(8);
		__start_got = .; *(.got .got.plt) __stop_got = .;
		*(__sancov_gate)	/* debug builds: what asks whether comparisons are traced */
		. = ALIGN(8);
		_edata = .;
	} :data

	. = ALIGN(PAGE_SIZE);
	__init_begin = .;
	.init.text : LMA(.init.text) {
		_sinittext = .;
		*(.init.text .init.text.*)
		*(.alt_text)
		. = ALIGN(PAGE_SIZE);
		_einittext = .;
	} :init
	.init.data : LMA(.init.data) {
		KEEP(*(.init.pgtables))
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
		TABLE(.alternatives, alternatives)
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
		. = ALIGN(8);
		unwind_data = .;
		KEEP(*(.unwind))
	} :syms
	. = ALIGN(PAGE_SIZE);
	__relocs_begin = .;
	.relocs : LMA(.relocs) {
		__start_relocs = .; KEEP(*(.relocs)) __stop_relocs = .;
		. = ALIGN(4);
		__start_alt_relative = .; KEEP(*(.alt_relative)) __stop_alt_relative = .;
	} :syms
	_file_end = .;
	. = ALIGN(PAGE_SIZE);
	__relocs_end = .;

	. = ALIGN(PAGE_SIZE);
	.bss : LMA(.bss) {
		__bss_start = .;
		*(.bss..page_aligned)
		*(.sbss .sbss.* .scommon .bss .bss.* COMMON)
		. = ALIGN(16);
		__bss_stop = .;
	} :bss
	. = ALIGN(PAGE_SIZE);
	_end = .;
	image_size = _end - _text;
#ifdef IMAGE_EFI_ENTRY
	pe_text_size = _data - _text - PAGE_SIZE;
	pe_data_start = _data - _text;
	pe_data_size = _end - _data;
	pe_data_raw = _file_end - _data;
	pe_image_size = _end - _text;
	pe_entry = IMAGE_EFI_ENTRY - _text;
#endif

	/DISCARD/ : { *(.comment) *(.fini_array .fini_array.*) *(.eh_frame*) *(.note.GNU-stack) *(.note.gnu.property) *(.gnu.attributes) *(.gnu.hash) *(.hash) *(.interp) *(.dynamic) *(.dynsym) *(.dynstr) *(.ARM*) *(.iplt) *(.plt) *(.riscv.attributes) *(.rela.*) *(.llvm_addrsig) *(.discard.*) }
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
ASSERT(_end - _text <= IMAGE_MAX, "the image is larger than the early page tables map")
IMAGE_CHECKS
