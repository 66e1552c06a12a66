// SPDX-License-Identifier: MIT
/*
 * Initcall levels and the kernel command line (kernel-parameters.txt, bootparam(7)).
 *
 * Words are separated by white space; double quotes hide it. Words we know are ours, "--" ends our part, a word with a dot is a
 * module's and is dropped, "name=value" goes to init's environment and anything else to its arguments.
 */
#include <lib/types.h>
#include <lib/cmdline.h>
#include <lib/string.h>
#include <lib/format.h>
#include <kernel/bug.h>
#include <kernel/init.h>
#include <kernel/printk.h>
#include <abi/errno.h>

extern const struct initcall __initcall_start[], __initcall_level_1[], __initcall_level_2[], __initcall_level_3[],
	__initcall_level_4[], __initcall_level_5[], __initcall_level_6[], __initcall_end[];
extern const struct kernel_param __kernel_param_start[], __kernel_param_end[];

#define CMDLINE_MAX 8192
#define INIT_WORDS 64

int system_state;
char *saved_command_line;
const char *init_argv[INIT_WORDS + 2];
const char *init_envp[INIT_WORDS + 3] = { "HOME=/", "TERM=linux" };
static int init_argc = 1, init_envc = 2;

static char saved_line[CMDLINE_MAX], words[CMDLINE_MAX];
static const char *word_list[CMDLINE_MAX / 2 + 1];
static unsigned int nr_words;

void do_initcalls(int level)
{
	static const struct initcall *const starts[] = {
		__initcall_start, __initcall_level_1, __initcall_level_2, __initcall_level_3,
		__initcall_level_4, __initcall_level_5, __initcall_level_6, __initcall_end,
	};

	for (const struct initcall *c = starts[level]; c < starts[level + 1]; c++) {
		int e = c->fn();

		if (e && e != -ENODEV)
			pr_err("init: %s failed: %d\n", c->name, e);
	}
}

static bool take_param(const char *word)
{
	bool known = false;
	const char *value;

	for (const struct kernel_param *p = __kernel_param_start; p < __kernel_param_end; p++) {
		if (!cmdline_name_matches(p->name, word, &value))
			continue;
		known = true;
		if (p->set(value))
			pr_warn("init: cannot use \"%s\" on the command line\n", word);
	}
	return known;
}

static void give_to_init(const char *word, bool as_env)
{
	if (as_env) {
		size_t n = strcspn(word, "=") + 1;

		for (int i = 0; i < init_envc; i++) {
			if (!strncmp(init_envp[i], word, n)) {
				init_envp[i] = word;
				return;
			}
		}
		if (init_envc < INIT_WORDS + 2)
			init_envp[init_envc++] = word;
		else
			panic("init: too many environment words on the command line at \"%s\"", word);
		return;
	}
	if (init_argc < INIT_WORDS + 1)
		init_argv[init_argc++] = word;
	else
		panic("init: too many words for init on the command line at \"%s\"", word);
}

void parse_command_line(const char *cmdline)
{
	bool after_dashes = false;
	char *p = words, *w;

	strscpy(saved_line, cmdline, sizeof(saved_line));
	strscpy(words, cmdline, sizeof(words));
	saved_command_line = saved_line;
	while ((w = cmdline_next_word(&p))) {
		if (after_dashes) {
			give_to_init(w, false);
			continue;
		}
		if (!strcmp(w, "--")) {
			after_dashes = true;
			continue;
		}
		word_list[nr_words++] = w;
		if (take_param(w))
			continue;
		if (strchr(w, '.') && (!strchr(w, '=') || strchr(w, '.') < strchr(w, '=')))
			continue;
		give_to_init(w, strchr(w, '=') != NULL);
	}
}

const char *command_line_get(const char *name)
{
	const char *value, *found = NULL;

	for (unsigned int i = 0; i < nr_words; i++)
		if (cmdline_name_matches(name, word_list[i], &value))
			found = value ? value : "";
	return found;
}

/* Known words whose value is asked for where it is needed. */
static int take(const char *v)
{
	return 0;
}
KERNEL_PARAM("ktest", take);
KERNEL_PARAM("init", take);
KERNEL_PARAM("rdinit", take);
KERNEL_PARAM("root", take);
KERNEL_PARAM("rootfstype", take);
KERNEL_PARAM("rootflags", take);
KERNEL_PARAM("rootwait", take);
KERNEL_PARAM("rootdelay", take);
KERNEL_PARAM("console", take);
KERNEL_PARAM("earlyprintk", take);
KERNEL_PARAM("earlycon", take);
KERNEL_PARAM("mem", take);
KERNEL_PARAM("maxcpus", take);
KERNEL_PARAM("nr_cpus", take);
KERNEL_PARAM("nosmp", take);
KERNEL_PARAM("nokaslr", take);
KERNEL_PARAM("kaslr", take);
KERNEL_PARAM("mitigations", take);
KERNEL_PARAM("clearcpuid", take);
KERNEL_PARAM("setcpuid", take);
KERNEL_PARAM("tsc", take);
KERNEL_PARAM("clocksource", take);
KERNEL_PARAM("trace", take);
KERNEL_PARAM("noapic", take);
KERNEL_PARAM("nox2apic", take);
KERNEL_PARAM("acpi", take);
KERNEL_PARAM("pci", take);
KERNEL_PARAM("reboot", take);
KERNEL_PARAM("rootwait", take);
KERNEL_PARAM("BOOT_IMAGE", take);
KERNEL_PARAM("initrd", take);
