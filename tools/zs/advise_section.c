/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * advise_section.c - stripes are ordered, and some are copied: for the survey and to train the dictionary.
 *
 * Stripes that are same-filled as a whole take no part, where there are others: no candidate differs in them. The
 * survey has the even ones of the rest, the lessons the odd ones.
 */
#include "advise_section.h"

#include <stdlib.h>
#include <string.h>
#include <zdict.h>

#include "advice.h"
#include "message.h"

enum {
	DICTIONARY_BYTES = 65536, /* the farthest that LZ4 can refer back */
	TRAINING_BYTES = 4 << 20, /* some sixty times the dictionary */
	QUICK_TRAINING_BYTES = 1 << 20,
	LEAST_TRAINING_BYTES = 1 << 19,
};

size_t section_pick(size_t i, size_t count, size_t n)
{
	return (size_t)(((unsigned __int128)i * 2 + 1) * n / (2 * (unsigned __int128)count));
}

/* The bits of i in reverse: halves first, then quarters, and so on. */
bool section_spread(size_t i, size_t count, size_t *number)
{
	size_t reversed = 0;
	for (size_t bit = 1; bit < count; bit *= 2) {
		reversed = reversed * 2 + (i & 1);
		i /= 2;
	}
	*number = reversed;
	return i == 0 && reversed < count;
}

size_t stripe_pages(const struct advice *advice, size_t stripe)
{
	size_t rest = advice->sample.pages - stripe * STRIPE_PAGES;
	return rest < STRIPE_PAGES ? rest : STRIPE_PAGES;
}

struct stripe {
	uint32_t number, size;
};

static int compare_stripes(const void *a, const void *b)
{
	const struct stripe *x = a, *y = b;
	if (x->size != y->size)
		return x->size < y->size ? -1 : 1;
	return (x->number > y->number) - (x->number < y->number);
}

bool section_order(struct advice *advice, const uint32_t *sizes)
{
	struct stripe *stripes = calloc(advice->stripes, sizeof(*stripes));
	advice->order = malloc(advice->stripes * sizeof(*advice->order));
	if (stripes == NULL || advice->order == NULL) {
		free(stripes);
		message("out of memory");
		return false;
	}
	for (size_t i = 0; i < advice->stripes; i++) {
		stripes[i].number = (uint32_t)i;
		for (size_t page = 0; page < stripe_pages(advice, i); page++)
			stripes[i].size += sizes[i * STRIPE_PAGES + page];
	}
	qsort(stripes, advice->stripes, sizeof(*stripes), compare_stripes);
	/* What has no size at all is same-filled. */
	advice->empty_stripes = 0;
	for (size_t i = 0; i < advice->stripes; i++) {
		advice->order[i] = stripes[i].number;
		advice->empty_stripes += stripes[i].size == 0;
	}
	free(stripes);
	return true;
}

/* The last stripe may be short: zeros follow, if the place has them. */
static void copy_stripe(const struct advice *advice, unsigned char *to, size_t rank)
{
	size_t stripe = advice->order[rank];
	memcpy(to, advice->sample.data + stripe * STRIPE_BYTES, stripe_pages(advice, stripe) * SAMPLE_PAGE);
}

/* Count stripes, evenly spread over the places first, first + step, ... in the order. */
static void copy_section(const struct advice *advice, unsigned char *to, size_t count, size_t first, size_t step)
{
	size_t empty = advice->empty_stripes == advice->stripes ? 0 : advice->empty_stripes;
	size_t of = (advice->stripes - empty - first + step - 1) / step, copied = 0;
	for (size_t i = 0; copied < count; i++) {
		size_t number;
		if (!section_spread(i, count, &number))
			continue;
		copy_stripe(advice, to + copied * STRIPE_BYTES, empty + first + section_pick(number, count, of) * step);
		copied++;
	}
}

bool section_take(struct advice *advice)
{
	size_t empty = advice->empty_stripes == advice->stripes ? 0 : advice->empty_stripes;
	size_t stripes = advice->stripes - empty, odd = stripes / 2;
	size_t most = (advice->settings.quick ? QUICK_TRAINING_BYTES : TRAINING_BYTES) / STRIPE_BYTES;
	size_t training = odd * STRIPE_BYTES >= LEAST_TRAINING_BYTES ? odd : 0;
	size_t step = training ? 2 : 1, of = training ? stripes - odd : stripes;
	size_t count = advice->settings.survey_bytes / STRIPE_BYTES;
	if (training > most)
		training = most;
	if (count > of)
		count = of;
	advice->survey = calloc(count, STRIPE_BYTES);
	advice->lessons = training ? calloc(training, STRIPE_BYTES) : NULL;
	if (advice->survey == NULL || (training && advice->lessons == NULL)) {
		message("out of memory");
		return false;
	}
	copy_section(advice, advice->survey, count, 0, step);
	/* A sample of less than a stripe is its own survey. */
	advice->survey_pages = advice->stripes == 1 ? advice->sample.pages : count * STRIPE_PAGES;
	advice->lesson_bytes = training * STRIPE_BYTES;
	if (training)
		copy_section(advice, advice->lessons, training, 1, 2);
	return true;
}

void section_train(struct advice *advice)
{
	size_t pages = advice->lesson_bytes / SAMPLE_PAGE, size = 0;
	size_t *sizes = malloc((pages + 1) * sizeof(*sizes));
	void *dictionary = pages ? malloc(DICTIONARY_BYTES) : NULL;
	if (sizes != NULL && dictionary != NULL) {
		for (size_t i = 0; i < pages; i++)
			sizes[i] = SAMPLE_PAGE;
		size = ZDICT_trainFromBuffer(dictionary, DICTIONARY_BYTES, advice->lessons, sizes, (unsigned)pages);
		if (ZDICT_isError(size))
			size = 0; /* pages that are too much alike, or have nothing in common */
	}
	free(sizes);
	free(advice->lessons);
	advice->lessons = NULL;
	advice->dictionary = (struct dictionary){ dictionary, size };
}
