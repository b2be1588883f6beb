// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "overlay.h"

#include "io.h"
#include "overlays.h"
#include "pair.h"
#include "regs.h"

/**
 * struct piece - of PRU1's code
 * @copy: its address in data memory
 * @place: its address in PRU1's instruction memory
 * @bytes: its size
 * @displaces: pieces with which it shares its place, as bits
 */
struct piece {
	uint32_t copy;
	uint16_t place;
	uint16_t bytes;
	uint32_t displaces;
};

static const struct piece piece[QS1_PIECES] = { QS1_PIECES_TABLE };
static const uint32_t need[QS1_TURNS] = { QS1_NEED_TABLE };

#define NONE 32

/* So much is copied between two looks at the time: four bursts of memcpy(). */
#define CHUNK 192u
/*
 * What it takes at the most, in counts of the timers, 10 ns: 48 words are read in
 * 56 cycles of 5 ns and written in 8 each when the interconnect is full; to find
 * what to load takes 150.
 */
#define CHUNK_COUNTS 300u

static uint32_t present;
static uint32_t begun = NONE; /* a piece of which some is there, up to done */
static uint32_t done;
static uint32_t written, copied; /* the last word, and what it was copied from */
static bool halted;

/*
 * Is what was written there? The read goes where the writes went, behind them,
 * while the control register is reached by another way: without it PRU1 could run
 * before the last of them has arrived.
 */
static bool arrived(void)
{
	return qs1_io_read32(written) == qs1_io_read32(copied);
}

static bool run(void)
{
	if (!halted)
		return true;
	if (!arrived())
		return false;
	qs1_io_write32(AM335X_PRU1_CTRL, AM335X_PRU_ENABLE | AM335X_PRU_FROM(1));
	halted = false;
	return true;
}

/* Some more of a piece. Return: false when the memory does not hold it. */
static bool load(uint32_t n)
{
	const struct piece *p = &piece[n];
	uint32_t from, to, size;

	if (!halted)
		qs1_io_write32(AM335X_PRU1_CTRL, 0);
	halted = true;
	if (n != begun) {
		begun = n;
		done = 0;
		present &= ~p->displaces;
	}
	size = p->bytes - done < CHUNK ? p->bytes - done : CHUNK;
	from = p->copy + done;
	to = AM335X_PRU1_IRAM + p->place + done;
	__builtin_memcpy((void *)to, (const void *)from, size);
	written = to + size - 4;
	copied = from + size - 4;
	done += size;
	if (done < p->bytes)
		return true;
	begun = NONE;
	present |= 1u << n;
	return arrived();
}

bool qs1_overlay_for(uint32_t turn)
{
	uint32_t missing;

	while ((missing = need[turn] & ~present)) {
		if (!load(qs1_highest(missing)))
			return false;
	}
	return run();
}

/* A piece that a slot to come needs, unless what it displaces is needed before. */
static uint32_t next(uint32_t slot)
{
	uint32_t guard = 0, turn = need[qs1_pair.port], missing, n;

	for (int k = 1; k < QS1_TICKS_PER_MS; k++) {
		if (++slot == QS1_TICKS_PER_MS)
			slot = 0;
		turn |= need[slot];
		for (missing = turn & ~present; missing; missing &= ~(1u << n)) {
			n = qs1_highest(missing);
			if (!(piece[n].displaces & guard))
				return n;
		}
		guard |= turn;
		turn = 0;
	}
	return NONE;
}

bool qs1_overlay_ahead(uint32_t slot, uint32_t counts)
{
	for (; counts >= CHUNK_COUNTS; counts -= CHUNK_COUNTS) {
		uint32_t n = begun == NONE ? next(slot) : begun;

		if (n == NONE)
			break;
		if (!load(n))
			return false;
	}
	return run();
}
