/* SPDX-License-Identifier: BSD-3-Clause */
/* completion_option.c - reads a command's --help beside its table of options. */
#include "completion_option.h"

#include <ctype.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

/* Texts are cut where they don't fit: they are for people to read. */
static void append(char *to, const char *from, size_t len)
{
	size_t used = strlen(to);
	size_t room = COMPLETION_TEXT_BYTES - 1 - used;
	len = len < room ? len : room;
	memcpy(to + used, from, len);
	to[used + len] = '\0';
}

/* SOCKET|DIRECTORY has both names. */
static bool has_name(const struct completion_value *value, const char *name)
{
	size_t wanted = strlen(name);
	for (const char *part = value->name; *part != '\0';) {
		size_t len = strcspn(part, "|");
		if (len == wanted && strncmp(part, name, len) == 0)
			return true;
		part += len + (part[len] == '|');
	}
	return false;
}

/* dense|linux: those words. SIZE|all: all. */
static void take_words(struct completion_value *value)
{
	for (const char *part = value->name; *part != '\0';) {
		size_t len = strcspn(part, "|");
		if (islower((unsigned char)*part)) {
			if (value->words[0] != '\0')
				append(value->words, " ", 1);
			append(value->words, part, len);
		}
		part += len + (part[len] == '|');
	}
}

/* What zs ctl gets and sets, libzram's; tests/nbd/ctl.sh compares. */
static const char attributes[] =
	"algorithm_params backing_dev bd_stat block_state comp_algorithm compact compressed_writeback debug_stat disksize "
	"evict idle initstate io_stat last_error max_comp_streams mem_limit mem_used_max mm_stat recomp_algorithm "
	"recompress reset writeback writeback_batch_size writeback_limit writeback_limit_enable";

static void set_kind(struct completion_value *value)
{
	if (has_name(value, "ATTR"))
		append(value->words, attributes, strlen(attributes));
	else
		take_words(value);
	if (value->words[0] != '\0')
		value->kind = COMPLETION_WORDS;
	else if (has_name(value, "PID"))
		value->kind = COMPLETION_PROCESSES;
	else if (has_name(value, "CMD"))
		value->kind = COMPLETION_COMMANDS;
	else if (has_name(value, "FILE") || has_name(value, "PATH") || has_name(value, "LIST") ||
		 has_name(value, "SOCKET") || has_name(value, "NAME=VALUE"))
		value->kind = COMPLETION_FILES;
	else if (has_name(value, "DIRECTORY"))
		value->kind = COMPLETION_FOLDERS;
}

/* After "--name" on the option's line in help; NULL where it has none. */
static const char *line_of(const char *help, const char *name)
{
	size_t len = strlen(name);
	for (const char *line = help; line != NULL; line = strchr(line, '\n')) {
		line += *line == '\n';
		const char *at = line + strspn(line, " ");
		if (at == line)
			continue;
		if (at[0] == '-' && at[1] != '-' && at[1] != '\0' && strncmp(at + 2, ", ", 2) == 0)
			at += strlen("-x, ");
		if (strncmp(at, "--", 2) == 0 && strncmp(at + 2, name, len) == 0 && (at[2 + len] == ' ' || at[2 + len] == '\n'))
			return at + 2 + len;
	}
	return NULL;
}

/* The words of the text from at on, through the lines that continue it: as far as they say what the option is. */
static void take_text(char *text, const char *at)
{
	for (;;) {
		size_t len = strcspn(at, "\n");
		append(text, at, len);
		at += len;
		if (strncmp(at, "\n          ", strlen("\n          ")) != 0)
			break;
		at += 1 + strspn(at + 1, " ");
		if (text[0] != '\0')
			append(text, " ", 1);
	}
	static const char *const ends[] = { "; ", ": ", " (", ", " };
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		char *end = strstr(text, ends[i]);
		if (end != NULL)
			*end = '\0';
	}
}

static void describe(const char *at, struct completion_option *option)
{
	if (option->takes_value) {
		at += strspn(at, " ");
		size_t len = strcspn(at, " \n");
		append(option->value.name, at, len);
		at += len;
		set_kind(&option->value);
	}
	at += strspn(at, " ");
	/* Where the names leave no room the text begins on the next line. */
	if (*at == '\n')
		at += 1 + strspn(at + 1, " ");
	const char *repeated = strstr(at, "may be repeated"), *line_end = strchr(at, '\n');
	option->repeats = repeated != NULL && (line_end == NULL || repeated < line_end);
	take_text(option->text, at);
}

bool completion_option_at(const struct command *command, size_t index, struct completion_option *option)
{
	const struct option *known = &command->options[index];
	if (known->name == NULL)
		return false;
	*option = (struct completion_option){ .name = known->name, .takes_value = known->has_arg != no_argument };
	option->letter = known->val > ' ' && known->val < 127 ? (char)known->val : '\0';
	const char *at = line_of(command->help, known->name);
	if (at != NULL)
		describe(at, option);
	return true;
}

/* What another usage line has at a place is added: words to words, and what can be completed to what can't. */
static void merge(struct completion_value *place, const char *name, size_t len)
{
	struct completion_value value = { .kind = COMPLETION_NOTHING };
	append(value.name, name, len);
	set_kind(&value);
	if (place->kind == COMPLETION_NOTHING) {
		*place = value;
	} else if (place->kind == COMPLETION_WORDS && value.kind == COMPLETION_WORDS &&
		   strstr(place->words, value.words) == NULL) {
		append(place->words, " ", 1);
		append(place->words, value.words, strlen(value.words));
	}
}

/* "[OPTION]..." and "[--json | --classes]" are no arguments. Past the word at at; *name and *len: it without brackets. */
static const char *next_word(const char *at, const char **name, size_t *len)
{
	bool optional = *at == '[';
	*name = at + optional;
	*len = strcspn(*name, optional ? "]\n" : " \n");
	const char *end = *name + *len;
	end += optional && *end == ']';
	if (strncmp(*name, "OPTION", *len) == 0 || (*name)[0] == '-')
		*len = 0;
	return end + strcspn(end, " \n");
}

static void take_usage(const char *line, struct completion_arguments *arguments)
{
	unsigned place = 0;
	bool option_before = false;
	while (*line != '\0' && *line != '\n') {
		const char *name, *end, *start = line;
		size_t len;
		end = next_word(line, &name, &len);
		/* "--pid PID": the option's value, but for "[--list]". */
		bool value = option_before;
		option_before = *start == '-';
		if (len > 0 && !value) {
			size_t word = len > 3 && strncmp(name + len - 3, "...", 3) == 0 ? len - 3 : len;
			arguments->repeats = arguments->repeats || strncmp(end - 3, "...", 3) == 0;
			if (place < COMPLETION_PLACES)
				merge(&arguments->places[place++], name, word);
		}
		line = end + strspn(end, " ");
	}
	arguments->count = place > arguments->count ? place : arguments->count;
}

void completion_arguments_of(const struct command *command, struct completion_arguments *arguments)
{
	memset(arguments, 0, sizeof(*arguments));
	char usage[COMPLETION_TEXT_BYTES];
	snprintf(usage, sizeof(usage), "zs %s ", command->name);
	/* The usage lines are the first of the help, up to an empty one. */
	for (const char *line = command->help; *line != '\n' && *line != '\0';) {
		const char *at = strstr(line, usage), *end = strchr(line, '\n');
		if (at != NULL && end != NULL && at < end)
			take_usage(at + strlen(usage), arguments);
		line = end == NULL ? "" : end + 1;
	}
}
