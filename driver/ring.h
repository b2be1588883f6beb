/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Arithmetic on the indices of a ring whose writer never waits.
 *
 * Indices are free-running and wrap at 2^32; the entry of index n is at
 * n modulo the ring's size. An entry holds while head - n < size.
 */
#ifndef QS1_RING_H
#define QS1_RING_H

#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/types.h>

/**
 * struct qs1_ring_window - what a reader may take
 * @first: index of the first entry
 * @count: entries from there on, all below the ring's size
 * @lost: entries that were overtaken before the reader came
 * @broken: the head is no continuation of what was read before
 */
struct qs1_ring_window {
	u32 first;
	u32 count;
	u32 lost;
	bool broken;
};

/**
 * qs1_ring_window() - what is there to be read
 * @tail: index of the next entry to read
 * @head: entries ever written, as claimed by the writer
 * @size: entries of the ring, a power of two
 *
 * The other side writes @head, which may be anything. One that is behind
 * @tail, which shows as a distance of 2^31 or more, is answered with an empty
 * window at @head.
 *
 * Return: the window.
 */
static inline struct qs1_ring_window qs1_ring_window(u32 tail, u32 head, u32 size)
{
	u32 behind = head - tail;
	struct qs1_ring_window w = { .first = tail, .count = behind };

	if (behind > S32_MAX) {
		w.first = head;
		w.count = 0;
		w.broken = true;
	} else if (behind >= size) {
		w.lost = behind - (size - 1);
		w.first = tail + w.lost;
		w.count = size - 1;
	}
	return w;
}

/**
 * qs1_ring_overtaken() - how many of the entries copied are no longer certain
 * @first: index of the first entry copied
 * @count: entries copied
 * @head: head, read after the copy
 * @size: entries of the ring
 *
 * Return: number of entries from @first on that the writer has meanwhile
 * overwritten, or begun to, 0..@count.
 */
static inline u32 qs1_ring_overtaken(u32 first, u32 count, u32 head, u32 size)
{
	u32 behind = head - first;

	if (behind < size)
		return 0;
	return min(behind - (size - 1), count);
}

/**
 * qs1_ring_chunk() - entries up to the end of the memory
 * @first: index of the first entry
 * @count: entries wanted
 * @size: entries of the ring
 *
 * Return: how many of them can be copied in one piece.
 */
static inline u32 qs1_ring_chunk(u32 first, u32 count, u32 size)
{
	return min(count, size - (first & (size - 1)));
}

#endif /* QS1_RING_H */
