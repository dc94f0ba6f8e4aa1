/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * completion_bash.c - for bash, without the package bash-completion.
 *
 * A function finds the command, the option before the cursor and the place among the arguments, in three tables: the
 * options that take a value, what that value is, and what the argument at each place is. A "=" is a word of its own.
 */
#include <stdio.h>

#include "completion_option.h"
#include "completion_write.h"

static const char head[] = "# SPDX-License-Identifier: BSD-3-Clause\n"
			   "# Completions of zs for bash, written by: zs completion bash\n"
			   "_zs() {\n"
			   "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command= place=0 kind= word i\n"
			   "\tlocal IFS=$'\\n'\n"
			   "\tCOMPREPLY=()\n"
			   "\tif [[ $prev == = ]]; then\n"
			   "\t\tprev=${COMP_WORDS[COMP_CWORD-2]}\n"
			   "\telif [[ $cur == = ]]; then\n"
			   "\t\tcur=\n"
			   "\tfi\n"
			   "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
			   "\t\tword=${COMP_WORDS[i]}\n"
			   "\t\tif [[ -z $command ]]; then\n"
			   "\t\t\t[[ $word == -* ]] || command=$word\n"
			   "\t\t\tcontinue\n"
			   "\t\tfi\n"
			   "\t\tcase \"$command $word\" in\n";

static const char middle[] = "\t\t\t((i++))\n"
			     "\t\t\t[[ ${COMP_WORDS[i]} != = ]] || ((i++))\n"
			     "\t\t\t;;\n"
			     "\t\t*' -'* | *' =') ;;\n"
			     "\t\t*) ((place++)) ;;\n"
			     "\t\tesac\n"
			     "\tdone\n";

static const char tail[] = "\tcase $kind in\n"
			   "\tfiles)\n"
			   "\t\tcompopt -o filenames 2>/dev/null\n"
			   "\t\tCOMPREPLY=($(compgen -f -- \"$cur\"))\n"
			   "\t\t;;\n"
			   "\tfolders)\n"
			   "\t\tcompopt -o filenames 2>/dev/null\n"
			   "\t\tCOMPREPLY=($(compgen -d -- \"$cur\"))\n"
			   "\t\t;;\n"
			   "\tcommands) COMPREPLY=($(compgen -c -- \"$cur\")) ;;\n"
			   "\tprocesses) COMPREPLY=($(cd /proc && compgen -d -X '[^0-9]*' -- \"$cur\")) ;;\n"
			   "\twords:*)\n"
			   "\t\tIFS=$' \\n'\n"
			   "\t\tCOMPREPLY=($(compgen -W \"${kind#words:}\" -- \"$cur\"))\n"
			   "\t\t;;\n"
			   "\tesac\n"
			   "}\n"
			   "complete -F _zs zs\n";

static void put_kind(const struct completion_value *value)
{
	static const char *const names[] = {
		[COMPLETION_NOTHING] = "nothing",     [COMPLETION_FILES] = "files",
		[COMPLETION_FOLDERS] = "folders",     [COMPLETION_PROCESSES] = "processes",
		[COMPLETION_COMMANDS] = "commands",
	};
	if (value->kind == COMPLETION_WORDS)
		printf("'words:%s'", value->words);
	else
		fputs(names[value->kind], stdout);
}

/* "NAME --long" | "NAME -l" */
static void put_pattern(const struct command *command, const struct completion_option *option)
{
	printf("'%s --%s'", command->name, option->name);
	if (option->letter != '\0')
		printf(" | '%s -%c'", command->name, option->letter);
}

/* One pattern of all options that take a value. */
static void put_valued(const struct completion_set *set)
{
	const char *before = "\t\t";
	for (size_t c = 0; c < set->count; c++) {
		struct completion_option option;
		for (size_t i = 0; completion_option_at(set->commands[c], i, &option); i++) {
			if (!option.takes_value)
				continue;
			fputs(before, stdout);
			put_pattern(set->commands[c], &option);
			before = " | \\\n\t\t\t";
		}
	}
	fputs(")\n", stdout);
}

static void put_value_kinds(const struct completion_set *set)
{
	fputs("\tcase \"$command $prev\" in\n", stdout);
	for (size_t c = 0; c < set->count; c++) {
		struct completion_option option;
		for (size_t i = 0; completion_option_at(set->commands[c], i, &option); i++) {
			if (!option.takes_value)
				continue;
			fputs("\t", stdout);
			put_pattern(set->commands[c], &option);
			fputs(") kind=", stdout);
			put_kind(&option.value);
			fputs(" ;;\n", stdout);
		}
	}
	fputs("\tesac\n", stdout);
}

static void put_option_names(const struct command *command)
{
	struct completion_option option;
	for (size_t i = 0; completion_option_at(command, i, &option); i++) {
		printf("%s--%s", i > 0 ? " " : "", option.name);
		if (option.letter != '\0')
			printf(" -%c", option.letter);
	}
}

static void put_options(const struct completion_set *set)
{
	fputs("\tif [[ -z $kind && $cur == -* ]]; then\n\t\tcase $command in\n"
	      "\t\t'') kind='words:--help -h --version -V' ;;\n",
	      stdout);
	for (size_t c = 0; c < set->count; c++) {
		printf("\t\t%s) kind='words:", set->commands[c]->name);
		put_option_names(set->commands[c]);
		fputs("' ;;\n", stdout);
	}
	fputs("\t\tesac\n\tfi\n", stdout);
}

static void put_arguments(const struct completion_set *set)
{
	fputs("\tif [[ -z $kind ]]; then\n\t\tcase \"$command $place\" in\n\t\t' 0' | 'help 0') kind='words:", stdout);
	completion_put_commands(set);
	fputs("' ;;\n", stdout);
	for (size_t c = 0; c < set->count; c++) {
		struct completion_arguments arguments;
		completion_arguments_of(set->commands[c], &arguments);
		for (unsigned place = 0; place < arguments.count; place++) {
			if (place + 1 == arguments.count && arguments.repeats)
				printf("\t\t'%s '*) kind=", set->commands[c]->name);
			else
				printf("\t\t'%s %u') kind=", set->commands[c]->name, place);
			put_kind(&arguments.places[place]);
			fputs(" ;;\n", stdout);
		}
	}
	fputs("\t\tesac\n\tfi\n", stdout);
}

void completion_bash(const struct completion_set *set)
{
	fputs(head, stdout);
	put_valued(set);
	fputs(middle, stdout);
	put_value_kinds(set);
	put_options(set);
	put_arguments(set);
	fputs(tail, stdout);
}
