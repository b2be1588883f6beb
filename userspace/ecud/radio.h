/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The gateway's radio; pure: bytes and time go in, bytes and readings come out. It puts the plan
 * (plan.h) on a modem (host.h) and speaks both dialects. What a command says is asked for when it
 * is sent, so that it is never older than the wish behind it.
 */
#ifndef ECUD_RADIO_H
#define ECUD_RADIO_H

#include "host.h"
#include "join.h"
#include "l2.h"
#include "model.h"
#include "own.h"
#include "plan.h"
#include "seal.h"

/* A unit answers a reading within this time of its request, and a command within the other one. */
#define RADIO_REPLY_US 500000
#define RADIO_COMMAND_US 3000000
#define RADIO_COMMAND_MAX 1024
/* A unit that was silent so often may have another short address. */
#define RADIO_FIND_FAILURES 3
/* Other networks on our channel are looked for this often. */
#define RADIO_SCAN_US UINT64_C(600000000)

/**
 * struct radio_reply - what came with an answer
 * @unit: index
 * @asked_us, @now_us: request sent, answer here
 * @lqi: 0 to 255
 */
struct radio_reply {
	int unit;
	uint64_t asked_us;
	uint64_t now_us;
	uint8_t lqi;
};

/**
 * struct radio_command - a command to a unit
 * @frame, @n: a stock unit: an L2 frame
 * @body: ours: a request of qs1d's socket, JSON
 * @timeout_us: for the answer
 */
struct radio_command {
	uint8_t frame[32];
	size_t n;
	char body[RADIO_COMMAND_MAX];
	uint64_t timeout_us;
};

/**
 * struct radio_ops - what the owner does
 * @to_modem, @hard_reset: as in host.h
 * @random: random bytes for nonces
 * @state: the radio is up, or down and why
 * @foreign: coordinator of another network on our channel
 * @status, @telemetry, @info, @page: answers
 * @events: body of an answer to JOB_EVENTS
 * @events_from: number of the first event that is wanted
 * @angles: body of an answer to JOB_ANGLES
 * @angles_from: number of the first mark whose angle is wanted
 * @marked: the mark of radio_mark() was sent, or was not
 * @command: fill what JOB_COMMAND or JOB_LIMIT sends, or JOB_READ_BACK to one of ours; false for
 *           nothing
 * @done: the unit's answer to it: 0 and the JSON text of ours; or a negative errno: -EKEYREJECTED
 *        the unit has another key, -EPERM a stock unit refused, others as the unit says
 * @failed: a job had no answer
 * @link: the plan has changed how well the unit is heard
 * @paired: pairing done: @key NULL for a stock unit
 * @pair_failed: and why; a unit that does not answer is tried again
 * @forged: an answer had a wrong seal
 */
struct radio_ops {
	void (*to_modem)(void *ctx, const uint8_t *bytes, size_t n);
	void (*hard_reset)(void *ctx);
	void (*random)(void *ctx, uint8_t *bytes, size_t n);
	void (*state)(void *ctx, bool up, const char *text);
	void (*foreign)(void *ctx, uint16_t pan);
	void (*status)(void *ctx, const struct radio_reply *reply,
		       const struct own_identity *identity, const int64_t raw[OWN_STATUS_COUNT]);
	void (*telemetry)(void *ctx, const struct radio_reply *reply,
			  const int64_t raw[L2_TELEMETRY_COUNT]);
	void (*info)(void *ctx, const struct radio_reply *reply, const struct l2_info *info);
	void (*page)(void *ctx, const struct radio_reply *reply, double panel_w);
	void (*events)(void *ctx, const struct radio_reply *reply, const uint8_t *body, size_t n);
	uint32_t (*events_from)(void *ctx, int unit);
	void (*angles)(void *ctx, const struct radio_reply *reply, const uint8_t *body, size_t n);
	uint16_t (*angles_from)(void *ctx, int unit);
	void (*marked)(void *ctx, bool sent, uint64_t now_us);
	bool (*command)(void *ctx, int unit, enum plan_job job, struct radio_command *ret);
	void (*done)(void *ctx, const struct radio_reply *reply, enum plan_job job, int error,
		     const char *text);
	void (*failed)(void *ctx, int unit, enum plan_job job, uint64_t now_us);
	void (*link)(void *ctx, int unit, enum model_link link);
	void (*paired)(void *ctx, int unit, uint16_t address, const struct seal_key *key);
	void (*pair_failed)(void *ctx, int unit, const char *why);
	void (*forged)(void *ctx, int unit, const char *why);
};

/* The modem confirms a mark within this time. */
#define RADIO_MARK_US UINT64_C(1000000)

/* Where a mark is. */
enum radio_mark {
	RADIO_MARK_NONE,
	RADIO_MARK_WAITS, /* for the end of the exchanges under way */
	RADIO_MARK_SENT,  /* until the modem confirms it, nothing else begins */
};

/* Where a pairing is. */
enum radio_pair {
	RADIO_PAIR_ASK,	    /* ours: looked for by a broadcast */
	RADIO_PAIR_CONFIRM, /* ours: proof sent */
	RADIO_PAIR_JOIN,    /* stock: broadcasts under way */
};

/**
 * struct radio_unit - one unit
 * @serial, @make, @address: as in the model
 * @probe: nobody knows which dialect it speaks: both are tried in turn
 * @has_key, @key: of the pairing
 * @has_code, @code: install code of the label, for a pairing that is wanted
 * @known, @identity: of its last status
 * @counter: of the last command that we have sealed
 * The other members are those of the exchange under way.
 */
struct radio_unit {
	struct serial serial;
	enum model_make make;
	uint16_t address;
	bool probe;
	bool has_key;
	struct seal_key key;
	bool has_code;
	uint8_t code[INSTALL_CODE_BYTES];
	bool known;
	struct own_identity identity;
	uint32_t counter;
	enum plan_job job;
	uint64_t asked_us;
	uint64_t deadline_us; /* PLAN_NEVER without an exchange */
	uint64_t timeout_us;
	uint64_t step_us; /* next broadcast of a stock pairing */
	bool on_modem;
	uint8_t transaction;
	uint8_t id;
	uint8_t type;
	uint8_t lqi;
	enum radio_pair pair;
	enum join_step step;
	uint8_t nonce[SEAL_NONCE_BYTES];
	struct seal_key offered;
	unsigned int part;
	size_t n;
	uint8_t body[RADIO_COMMAND_MAX + SEAL_OVERHEAD];
	struct own_message message;
};

/**
 * struct radio - state
 * @due_us: radio_run() is to be called by then
 * @exchange_us: mean time of a poll, for plan_cadence()
 * @mark: where the mark is, and its number
 */
struct radio {
	const struct radio_ops *ops;
	void *ctx;
	struct host host;
	struct plan plan;
	uint8_t ecu[JOIN_ECU_BYTES];
	uint64_t due_us;
	uint64_t scan_us;
	double exchange_us;
	uint64_t late;	  /* answers to what is no longer under way */
	uint64_t refused; /* payloads that are no answer */
	uint8_t transaction;
	enum radio_mark mark;
	uint16_t mark_number;
	uint8_t mark_transaction;
	uint64_t mark_us; /* RADIO_MARK_SENT: lost without a confirmation by then */
	struct radio_unit unit[MODEL_UNITS_MAX];
};

/**
 * radio_init() - nothing is sent before radio_open()
 * @ecu: identity on the air, which gives the PAN
 * @channel: 11 to 26
 * @seed: of the plan's jitter
 */
void radio_init(struct radio *radio, const uint8_t ecu[JOIN_ECU_BYTES], uint8_t channel,
		uint64_t cadence_us, uint64_t seed, const struct radio_ops *ops, void *ctx);

void radio_open(struct radio *radio, uint64_t now_us);
void radio_close(struct radio *radio, uint64_t now_us);
void radio_bytes(struct radio *radio, const uint8_t *bytes, size_t n, uint64_t now_us);
void radio_run(struct radio *radio, uint64_t now_us);

/**
 * radio_add() - one more unit, index as in the model
 * @address: 0 when unknown: it is looked for
 * @key: NULL without a pairing
 */
int radio_add(struct radio *radio, const struct serial *serial, enum model_make make,
	      uint16_t address, const struct seal_key *key, uint64_t now_us);
void radio_remove(struct radio *radio, int unit);

/* Pair a unit, with its install code; NULL for a stock unit, or one of ours that is only read: the
 * dialect that it answers in becomes its make. */
void radio_pair(struct radio *radio, int unit, const uint8_t *code, uint64_t now_us);

/* A job is wanted, see plan_want(). */
void radio_want(struct radio *radio, int unit, enum plan_job job, uint64_t now_us);

/* Broadcast a mark with radius 1, when nothing else is on the air. */
void radio_mark(struct radio *radio, uint16_t number, uint64_t now_us);

#endif /* ECUD_RADIO_H */
