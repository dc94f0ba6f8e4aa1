/* SPDX-License-Identifier: BSD-3-Clause */
/* completion_zsh.c - for zsh: a function for its completion system, which takes each command's options by _arguments. */
#include <stdio.h>

#include "completion_option.h"
#include "completion_write.h"

/* Of what _arguments reads these end a part; a quote ends the string that is in. */
static const char special[] = "[]:\\";
static const char quote[] = "'\\''";

static void put_action(const struct completion_value *value)
{
	static const char *const actions[] = {
		[COMPLETION_NOTHING] = " ",         [COMPLETION_FILES] = "_files",
		[COMPLETION_FOLDERS] = "_files -/", [COMPLETION_PROCESSES] = "_pids",
		[COMPLETION_COMMANDS] = "_command_names -e",
	};
	putchar(':');
	completion_put_text(value->name, quote, special);
	if (value->kind == COMPLETION_WORDS)
		printf(":(%s)", value->words);
	else
		printf(":%s", actions[value->kind]);
}

static void put_spec(const struct completion_option *option, const char *name)
{
	fputs(" \\\n\t\t\t\t'", stdout);
	if (option->repeats)
		putchar('*');
	else if (option->letter != '\0')
		printf("(-%c --%s)", option->letter, option->name);
	printf("%s%s[", name, !option->takes_value ? "" : name[1] == '-' ? "=" : "+");
	completion_put_text(option->text, quote, special);
	putchar(']');
	if (option->takes_value)
		put_action(&option->value);
	putchar('\'');
}

static void put_command(const struct command *command)
{
	struct completion_option option;
	struct completion_arguments arguments;
	printf("\t\t%s)\n\t\t\t_arguments -s", command->name);
	for (size_t i = 0; completion_option_at(command, i, &option); i++) {
		char name[COMPLETION_TEXT_BYTES];
		snprintf(name, sizeof(name), "--%s", option.name);
		put_spec(&option, name);
		snprintf(name, sizeof(name), "-%c", option.letter);
		if (option.letter != '\0')
			put_spec(&option, name);
	}
	completion_arguments_of(command, &arguments);
	for (unsigned place = 0; place < arguments.count; place++) {
		if (place + 1 == arguments.count && arguments.repeats)
			fputs(" \\\n\t\t\t\t'*", stdout);
		else
			printf(" \\\n\t\t\t\t'%u", place + 1);
		put_action(&arguments.places[place]);
		putchar('\'');
	}
	fputs("\n\t\t\t;;\n", stdout);
}

void completion_zsh(const struct completion_set *set)
{
	fputs("#compdef zs\n"
	      "# SPDX-License-Identifier: BSD-3-Clause\n"
	      "# Completions of zs for zsh, written by: zs completion zsh\n"
	      "_zs() {\n"
	      "\tlocal curcontext=\"$curcontext\" state line\n"
	      "\tlocal -a commands\n"
	      "\tcommands=(\n",
	      stdout);
	for (size_t c = 0; c < set->count; c++) {
		printf("\t\t'%s:", set->commands[c]->name);
		completion_put_text(set->commands[c]->summary, quote, "\\");
		fputs("'\n", stdout);
	}
	fputs("\t\t'help:show the help of a command'\n"
	      "\t)\n"
	      "\t_arguments -C '(-h --help)'{-h,--help}'[show the commands]' '(-V --version)'{-V,--version}'[show the version]' \\\n"
	      "\t\t'1: :->command' '*:: :->argument'\n"
	      "\tcase $state in\n"
	      "\tcommand) _describe command commands ;;\n"
	      "\targument)\n"
	      "\t\tcase $words[1] in\n"
	      "\t\thelp) (( CURRENT > 2 )) || _describe command commands ;;\n",
	      stdout);
	for (size_t c = 0; c < set->count; c++)
		put_command(set->commands[c]);
	fputs("\t\tesac\n\t\t;;\n\tesac\n}\n_zs \"$@\"\n", stdout);
}
