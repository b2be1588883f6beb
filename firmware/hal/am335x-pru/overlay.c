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
/* Cycles of the period that have to be left when a turn begins. */
static const uint16_t room[QS1_TURNS] = { QS1_ROOM_TABLE };

/* The turn after each turn; QS1_TURN_PORT also stands for the mailbox's turn. */
#define AFTER(slot)                                                                                \
	[slot] = (slot) == QS1_PAIR_SLOT ? QS1_TURN_TELEMETRY : ((slot) + 1) % QS1_TICKS_PER_MS
static const uint8_t after[QS1_TURNS] = {
	AFTER(0),
	AFTER(1),
	AFTER(2),
	AFTER(3),
	AFTER(4),
	AFTER(5),
	AFTER(6),
	AFTER(7),
	AFTER(8),
	AFTER(9),
	AFTER(10),
	AFTER(11),
	AFTER(12),
	AFTER(13),
	AFTER(14),
	AFTER(15),
	AFTER(16),
	AFTER(17),
	AFTER(18),
	AFTER(19),
	[QS1_TURN_TELEMETRY] = QS1_TURN_PORT,
	[QS1_TURN_DISARM] = QS1_PAIR_SLOT + 1,
	[QS1_TURN_COMMAND] = QS1_PAIR_SLOT + 1,
	[QS1_TURN_REPLY] = QS1_PAIR_SLOT + 1,
};

#define NONE 32

/* Bytes copied between two checks of the time: three bursts of memcpy(). */
#define CHUNK 144u

/* Upper bound for search_step() and the way to it (make pru-wcet-pru0). */
#define SEARCH_STEP_CYCLES 510

/*
 * State of the loads, in one structure, so that one address serves all members.
 * present: loaded pieces, as bits; begun: the piece being loaded, up to done;
 * written: address of the last word written, whose source is at copied; longest:
 * most cycles that a CHUNK has taken so far. The search: it began for slot, ends
 * with the turn last and has reached turn; guard: pieces that the turns so far need;
 * refused: pieces that would displace one of these.
 */
static struct {
	uint32_t present;
	uint32_t begun;
	uint32_t done;
	uint32_t written;
	uint32_t copied;
	uint32_t longest;
	uint32_t slot;
	uint32_t last;
	uint32_t turn;
	uint32_t guard;
	uint32_t refused;
	bool halted;
} code = { .begun = NONE, .slot = NONE };

/*
 * Have all writes arrived? The read takes the same path as the writes and stays
 * behind them. The control register is on another path: without the read PRU1 could
 * start before the last write has arrived.
 */
static bool arrived(void)
{
	return qs1_io_read32(code.written) == qs1_io_read32(code.copied);
}

void qs1_overlay_run(void)
{
	if (!code.halted)
		return;
	if (!arrived())
		qs1_stop();
	qs1_io_write32(AM335X_PRU1_CTRL, AM335X_PRU_ENABLE | AM335X_PRU_FROM(1));
	code.halted = false;
}

/*
 * Load a piece, or the next part of it, while more than @then cycles are left.
 * Return: the piece is complete.
 */
static bool load(uint32_t n, uint32_t then)
{
	const struct piece *p = &piece[n];
	uint32_t from, to, size, begin;

	if (n != code.begun) {
		code.begun = n;
		code.done = 0;
		code.present &= ~p->displaces;
	}
	do {
		begin = qs1_io_read32(AM335X_PRU0_CYCLE);
		if (!qs1_time_for(code.longest + then))
			return false;
		if (!code.halted)
			qs1_io_write32(AM335X_PRU1_CTRL, 0);
		code.halted = true;
		size = p->bytes - code.done < CHUNK ? p->bytes - code.done : CHUNK;
		from = p->copy + code.done;
		to = AM335X_PRU1_IRAM + p->place + code.done;
		__builtin_memcpy((void *)to, (const void *)from, size);
		code.written = to + size - 4;
		code.copied = from + size - 4;
		code.done += size;
		if (code.done == p->bytes) {
			code.begun = NONE;
			code.present |= 1u << n;
		}
		begin = qs1_io_read32(AM335X_PRU0_CYCLE) - begin;
		if (begin > code.longest)
			code.longest = begin;
	} while (code.begun == n);
	return true;
}

bool qs1_overlay_there(uint32_t turn)
{
	return !(need[turn] & ~code.present);
}

bool qs1_overlay_ready(uint32_t turn)
{
	return qs1_overlay_there(turn) && qs1_time_for(room[turn]);
}

bool qs1_overlay_for(uint32_t turn)
{
	uint32_t missing, n;

	while ((missing = need[turn] & ~code.present)) {
		n = code.begun;
		if (n == NONE || !(missing >> n & 1))
			n = qs1_highest(missing);
		if (!load(n, room[turn]))
			return false;
	}
	return qs1_overlay_ready(turn);
}

/*
 * One step of the search, for the next turn. Return: a missing piece that the turn
 * needs and that displaces nothing needed earlier; else NONE, and the search goes on
 * to the following turn.
 */
__attribute__((noinline)) static uint32_t search_step(void)
{
	uint32_t turn = after[code.turn], missing, n;

	if (turn == QS1_TURN_TELEMETRY && !qs1_pair.telemetry)
		turn = QS1_TURN_PORT;
	if (turn == QS1_TURN_PORT)
		turn = qs1_pair.mailbox;
	if (turn == QS1_TURN_PORT)
		turn = QS1_PAIR_SLOT + 1;
	while ((missing = need[turn] & ~(code.present | code.refused))) {
		n = qs1_highest(missing);
		if (!(piece[n].displaces & code.guard))
			return n;
		code.refused |= 1u << n;
	}
	code.guard |= need[turn];
	code.turn = turn;
	return NONE;
}

void qs1_overlay_ahead(uint32_t then)
{
	uint32_t slot = qs1_pair.core.slot, n;

	if (code.slot != slot) {
		code.slot = slot;
		code.last = slot ? slot - 1 : QS1_TICKS_PER_MS - 1;
		code.turn = code.last;
		code.guard = 0;
		code.refused = 0;
	}
	while (qs1_time_for(SEARCH_STEP_CYCLES + then)) {
		n = code.begun == NONE ? search_step() : code.begun;
		if (n == NONE ? code.turn == code.last : !load(n, then))
			return;
	}
}
