/* SPDX-License-Identifier: BSD-3-Clause */
/* linux_reference.c - see linux_reference.h. */
#include "linux_reference.h"

#include <stdbool.h>
#include <stdlib.h>

#include "check.h"

#define MIN_SIZE 32u
#define HANDLE_SIZE 8u
#define STEPS 256u
#define MAX_CANDIDATES 260u
#define GROUPS 12u
#define GROUP_FULL 11u

struct ref_class {
	size_t size;
	unsigned pages, objs;
	unsigned long allocated, used; /* slots */
	struct ref_zspage *groups[GROUPS];
};

struct ref_zspage {
	struct ref_zspage *next, *prev;
	struct ref_class *class;
	unsigned inuse, group;
	unsigned nr_free;
	uint16_t *free_slots;        /* a stack of nr_free */
	struct ref_object **objects; /* of each slot; NULL: free */
};

struct ref_pool {
	struct ref_class *of_candidate[MAX_CANDIDATES];
	struct ref_class classes[MAX_CANDIDATES];
	unsigned nr_classes, nr_candidates;
	size_t page_size, step, huge_class_size;
	unsigned long pages;
};

static unsigned pages_for(const struct ref_pool *p, unsigned chain_size, size_t size)
{
	size_t least = SIZE_MAX;
	unsigned best = 1;

	if ((size & (size - 1)) == 0)
		return 1;
	for (unsigned n = 1; n <= chain_size; n++) {
		if (n * p->page_size % size < least) {
			least = n * p->page_size % size;
			best = n;
		}
	}
	return best;
}

struct ref_pool *ref_create(size_t page_size, unsigned chain_size)
{
	struct ref_pool *p = calloc(1, sizeof(*p));
	struct ref_class *last = NULL;

	CHECK(p != NULL);
	p->page_size = page_size;
	p->step = page_size / STEPS;
	p->nr_candidates = (unsigned)((page_size - MIN_SIZE + p->step - 1) / p->step) + 1;
	CHECK(p->nr_candidates <= MAX_CANDIDATES);
	for (unsigned i = p->nr_candidates; i-- > 0;) {
		size_t size = MIN_SIZE + i * p->step;

		if (size > page_size)
			size = page_size;
		unsigned pages = pages_for(p, chain_size, size);
		unsigned objs = (unsigned)(pages * page_size / size);

		if (pages != 1 && objs != 1 && p->huge_class_size == 0)
			p->huge_class_size = size - (HANDLE_SIZE - 1);
		if (last == NULL || last->pages != pages || last->objs != objs) {
			last = &p->classes[p->nr_classes++];
			*last = (struct ref_class){ .size = size, .pages = pages, .objs = objs };
		}
		p->of_candidate[i] = last;
	}
	return p;
}

static void zspage_free(struct ref_zspage *z)
{
	free(z->free_slots);
	free(z->objects);
	free(z);
}

void ref_destroy(struct ref_pool *p)
{
	for (unsigned i = 0; i < p->nr_classes; i++) {
		for (unsigned g = 0; g < GROUPS; g++) {
			struct ref_zspage *next;

			for (struct ref_zspage *z = p->classes[i].groups[g]; z != NULL; z = next) {
				next = z->next;
				zspage_free(z);
			}
		}
	}
	free(p);
}

static unsigned group_of(const struct ref_zspage *z)
{
	if (z->inuse == 0)
		return 0;
	if (z->inuse == z->class->objs)
		return GROUP_FULL;
	return 100 * z->inuse / z->class->objs / 10 + 1;
}

static void link_head(struct ref_zspage *z)
{
	struct ref_zspage **head;

	z->group = group_of(z);
	head = &z->class->groups[z->group];
	z->prev = NULL;
	z->next = *head;
	if (*head != NULL)
		(*head)->prev = z;
	*head = z;
}

static void unlink_zspage(struct ref_zspage *z)
{
	if (z->prev != NULL)
		z->prev->next = z->next;
	else
		z->class->groups[z->group] = z->next;
	if (z->next != NULL)
		z->next->prev = z->prev;
}

static void put(struct ref_zspage *z, struct ref_object *object)
{
	unsigned slot = z->free_slots[--z->nr_free];

	z->objects[slot] = object;
	z->inuse++;
	*object = (struct ref_object){ z, slot };
}

static void take_out(struct ref_zspage *z, unsigned slot)
{
	z->objects[slot] = NULL;
	z->free_slots[z->nr_free++] = (uint16_t)slot;
	z->inuse--;
}

static struct ref_zspage *zspage_new(struct ref_pool *p, struct ref_class *c)
{
	struct ref_zspage *z = calloc(1, sizeof(*z));

	CHECK(z != NULL);
	z->class = c;
	z->free_slots = calloc(c->objs, sizeof(*z->free_slots));
	z->objects = calloc(c->objs, sizeof(struct ref_object *));
	CHECK(z->free_slots != NULL && z->objects != NULL);
	while (z->nr_free < c->objs) {
		z->free_slots[z->nr_free] = (uint16_t)(c->objs - 1 - z->nr_free);
		z->nr_free++;
	}
	c->allocated += c->objs;
	p->pages += c->pages;
	return z;
}

static void zspage_drop(struct ref_pool *p, struct ref_zspage *z)
{
	z->class->allocated -= z->class->objs;
	p->pages -= z->class->pages;
	zspage_free(z);
}

void ref_malloc(struct ref_pool *p, struct ref_object *object, size_t size)
{
	size_t wanted = size + HANDLE_SIZE;
	size_t i = wanted <= MIN_SIZE ? 0 : (wanted - MIN_SIZE + p->step - 1) / p->step;
	struct ref_class *c = p->of_candidate[i < p->nr_candidates ? i : p->nr_candidates - 1];
	struct ref_zspage *z = NULL;

	for (unsigned g = GROUP_FULL - 1; g > 0 && z == NULL; g--)
		z = c->groups[g];
	c->used++;
	if (z == NULL) {
		z = zspage_new(p, c);
		put(z, object);
		link_head(z);
		return;
	}
	put(z, object);
	if (group_of(z) != z->group) {
		unlink_zspage(z);
		link_head(z);
	}
}

void ref_free(struct ref_pool *p, struct ref_object *object)
{
	struct ref_zspage *z = object->zspage;

	take_out(z, object->slot);
	z->class->used--;
	if (group_of(z) == z->group)
		return;
	unlink_zspage(z);
	if (z->inuse == 0)
		zspage_drop(p, z);
	else
		link_head(z);
}

static unsigned long can_compact(const struct ref_class *c)
{
	return (c->allocated - c->used) / c->objs * c->pages;
}

/* Take the first zspage of the groups from `from` to `to` out of its list. */
static struct ref_zspage *isolate(struct ref_class *c, unsigned from, unsigned to)
{
	for (unsigned g = from;; g = from < to ? g + 1 : g - 1) {
		if (c->groups[g] != NULL) {
			struct ref_zspage *z = c->groups[g];

			unlink_zspage(z);
			return z;
		}
		if (g == to)
			return NULL;
	}
}

static unsigned long compact_class(struct ref_pool *p, struct ref_class *c)
{
	struct ref_zspage *dst = NULL;
	unsigned long freed = 0;

	while (can_compact(c) > 0) {
		if (dst == NULL)
			dst = isolate(c, GROUP_FULL - 1, 1);
		struct ref_zspage *src = dst == NULL ? NULL : isolate(c, 1, GROUP_FULL - 1);

		if (src == NULL)
			break;
		for (unsigned slot = 0; slot < c->objs && dst->inuse < c->objs; slot++) {
			struct ref_object *object = src->objects[slot];

			if (object == NULL)
				continue;
			take_out(src, slot);
			put(dst, object);
		}
		if (src->inuse == 0) {
			zspage_drop(p, src);
			freed += c->pages;
		} else {
			link_head(src);
		}
		if (dst->inuse == c->objs) {
			link_head(dst);
			dst = NULL;
		}
	}
	if (dst != NULL)
		link_head(dst);
	return freed;
}

unsigned long ref_compact(struct ref_pool *p)
{
	unsigned long freed = 0;

	for (unsigned i = 0; i < p->nr_classes; i++)
		freed += compact_class(p, &p->classes[i]);
	return freed;
}

unsigned long ref_total_pages(const struct ref_pool *p)
{
	return p->pages;
}

unsigned long ref_freeable_pages(const struct ref_pool *p)
{
	unsigned long pages = 0;

	for (unsigned i = 0; i < p->nr_classes; i++)
		pages += can_compact(&p->classes[i]);
	return pages;
}

unsigned ref_classes(const struct ref_pool *p)
{
	return p->nr_classes;
}

size_t ref_huge_class_size(const struct ref_pool *p)
{
	return p->huge_class_size;
}
