/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * completion_fish.c - for fish: a line for each option and each argument.
 *
 * Fish knows of no places, so a function counts the arguments before the cursor: those that are no options, nor the
 * value of one.
 */
#include <stdio.h>

#include "completion_option.h"
#include "completion_write.h"

static const char head[] = "# SPDX-License-Identifier: BSD-3-Clause\n"
			   "# Completions of zs for fish, written by: zs completion fish\n"
			   "\n"
			   "# __zs_at COMMAND LEAST MOST OPTION...: the cursor is at such an argument; the options take values.\n"
			   "function __zs_at\n"
			   "\tset -l words (commandline -opc)\n"
			   "\tset -l command ''\n"
			   "\tset -l place 0\n"
			   "\tset -l value 0\n"
			   "\tfor word in $words[2..-1]\n"
			   "\t\tif test $value = 1\n"
			   "\t\t\tset value 0\n"
			   "\t\telse if contains -- $word $argv[4..-1]\n"
			   "\t\t\tset value 1\n"
			   "\t\telse if string match -q -- '-*' $word\n"
			   "\t\t\tcontinue\n"
			   "\t\telse if test -z \"$command\"\n"
			   "\t\t\tset command $word\n"
			   "\t\telse\n"
			   "\t\t\tset place (math $place + 1)\n"
			   "\t\tend\n"
			   "\tend\n"
			   "\ttest \"$command\" = \"$argv[1]\" -a $place -ge $argv[2] -a $place -le $argv[3]\n"
			   "end\n"
			   "\n"
			   "complete -c zs -f\n"
			   "complete -c zs -n '__zs_at \"\" 0 0' -s h -l help -d 'show the commands'\n"
			   "complete -c zs -n '__zs_at \"\" 0 0' -s V -l version -d 'show the version'\n"
			   "complete -c zs -n '__zs_at \"\" 0 0' -a help -d 'show the help of a command'\n";

static void put_text(const char *text)
{
	putchar('\'');
	completion_put_text(text, "\\'", "\\");
	putchar('\'');
}

/* -r: a value comes, -F: files complete it, -x: only what is listed here does. */
static void put_kind(const struct completion_value *value, bool is_option)
{
	switch (value->kind) {
	case COMPLETION_WORDS:
		printf(" %s -a '%s'", is_option ? "-x" : "-f", value->words);
		break;
	case COMPLETION_FILES:
		fputs(is_option ? " -r -F" : " -F", stdout);
		break;
	case COMPLETION_FOLDERS:
		printf(" %s -a '(__fish_complete_directories)'", is_option ? "-x" : "-f");
		break;
	case COMPLETION_PROCESSES:
		printf(" %s -a '(__fish_complete_pids)'", is_option ? "-x" : "-f");
		break;
	case COMPLETION_COMMANDS:
		printf(" %s -a '(__fish_complete_command)'", is_option ? "-x" : "-f");
		break;
	case COMPLETION_NOTHING:
		fputs(is_option ? " -x" : " -f", stdout);
		break;
	}
}

static void put_option(const struct command *command, const struct completion_option *option)
{
	printf("complete -c zs -n '__fish_seen_subcommand_from %s' -l %s", command->name, option->name);
	if (option->letter != '\0')
		printf(" -s %c", option->letter);
	if (option->takes_value)
		put_kind(&option->value, true);
	fputs(" -d ", stdout);
	put_text(option->text);
	putchar('\n');
}

static void put_arguments(const struct command *command)
{
	struct completion_arguments arguments;
	struct completion_option option;
	completion_arguments_of(command, &arguments);
	for (unsigned place = 0; place < arguments.count; place++) {
		bool last = place + 1 == arguments.count && arguments.repeats;
		printf("complete -c zs -n '__zs_at %s %u %u", command->name, place, last ? 1000000 : place);
		for (size_t i = 0; completion_option_at(command, i, &option); i++) {
			if (!option.takes_value)
				continue;
			printf(" --%s", option.name);
			if (option.letter != '\0')
				printf(" -%c", option.letter);
		}
		putchar('\'');
		put_kind(&arguments.places[place], false);
		putchar('\n');
	}
}

void completion_fish(const struct completion_set *set)
{
	fputs(head, stdout);
	for (size_t c = 0; c < set->count; c++) {
		const struct command *command = set->commands[c];
		struct completion_option option;
		printf("complete -c zs -n '__zs_at \"\" 0 0' -a %s -d ", command->name);
		put_text(command->summary);
		printf("\ncomplete -c zs -n '__zs_at help 0 0' -a %s -d ", command->name);
		put_text(command->summary);
		putchar('\n');
		for (size_t i = 0; completion_option_at(command, i, &option); i++)
			put_option(command, &option);
		put_arguments(command);
	}
}
