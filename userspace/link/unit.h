/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The inverter's end of the link: it decodes a request, and builds the answer if the answer follows
 * from the state of the unit. Pure functions, so that a board and a simulated unit in the same
 * state answer with the same bytes.
 */
#ifndef QS1_LINK_UNIT_H
#define QS1_LINK_UNIT_H

#include "l2.h"
#include "marks.h"
#include "own.h"

#define UNIT_ECU_BYTES 6

enum unit_kind {
	UNIT_NONE, /* not for us, unknown, or parts are missing */
	UNIT_L2,   /* a stock request */
	UNIT_OWN,  /* one of ours */
};

/**
 * struct unit_request - a complete request
 * @ecu: identity of a stock request's sender, as sent
 * @command, @broadcast: of a stock request
 * @panel_w: of L2_LIMIT
 * @type, @id: of ours
 * @body, @n: of ours; valid until the next part arrives
 */
struct unit_request {
	enum unit_kind kind;
	uint8_t ecu[UNIT_ECU_BYTES];
	enum l2_command command;
	bool broadcast;
	int panel_w;
	uint8_t type;
	uint8_t id;
	const uint8_t *body;
	size_t n;
};

/* Reasons to reject a payload. Columns: identifier, text for the log. */
/* clang-format off */
#define UNIT_REJECTS(X) \
	X(SHORT, "payload too short") \
	X(L2, "not a QS1 frame, or checksum mismatch") \
	X(COMMAND, "unknown QS1 command") \
	X(VERSION, "unsupported version of a message") \
	X(PART, "invalid part number of a message") \
	X(SERIAL, "for another serial number") \
	X(JOIN, "not a step of a stock pairing, or for another unit")
/* clang-format on */

enum unit_reject {
#define X(id, text) UNIT_REJECT_##id,
	UNIT_REJECTS(X)
#undef X
		UNIT_REJECT_COUNT
};

const char *unit_reject_text(enum unit_reject reject);

/**
 * struct unit_inbox - parts of our messages under way, and what was rejected
 * @message: from the sender that sent last
 * @sender: its short address
 * @rejected: count by reason
 */
struct unit_inbox {
	struct own_message message;
	uint16_t sender;
	uint64_t rejected[UNIT_REJECT_COUNT];
};

/**
 * unit_receive() - a payload on the request cluster
 * @inbox: zeroed to begin with
 * @sender: short address
 *
 * Return: what it is; UNIT_NONE in @kind when there is nothing to do.
 */
struct unit_request unit_receive(struct unit_inbox *inbox, uint16_t sender, const uint8_t *payload,
				 size_t n);

/**
 * struct unit_state - contents of the answers
 * @identity: serial number, boot nonce, counter
 * @status: fields of our status
 * @base_wh: energy of each input when the unit was powered up
 * @version: of the software
 * @panel_w: limit of each module that a stock ECU has set, W
 * @marks: angles of the loop at the newest marks
 */
struct unit_state {
	struct own_identity identity;
	int64_t status[OWN_STATUS_COUNT];
	double base_wh[4];
	uint32_t version;
	double panel_w;
	struct marks marks;
};

/* All readings absent. */
void unit_state_clear(struct unit_state *state);

/**
 * unit_telemetry() - the stock readings of a state
 *
 * Inputs 1 to 4 are channels A to D. A fault shows as the status bit that the table in unit.c
 * gives it: no public capture has one set, so the assignment is ours.
 */
void unit_telemetry(const struct unit_state *state, int64_t raw[L2_TELEMETRY_COUNT]);

/* The opposite, for an ECU: QS1_FAULT_BIT() bits of the stock status bits in that table. */
uint32_t unit_faults(int64_t status);

/* Longest payload of a reply: a part of ours, or serial number and telemetry. */
#define UNIT_PAYLOAD_MAX (SERIAL_BYTES + L2_TELEMETRY_MAX)

/**
 * unit_answer() - answer a request by the state alone
 * @send: called for each payload of the reply, in order
 *
 * Polls, information, page B, our status, angles at marks. Stock commands are not decided here. No
 * capture confirms the meaning of the pages' fields: page B has the limit alone, A and C are not
 * answered.
 *
 * Return: whether the request is answered with this.
 */
bool unit_answer(const struct unit_state *state, const struct unit_request *request,
		 void (*send)(void *ctx, const uint8_t *payload, size_t n), void *ctx);

/* Send a message of ours in its parts. */
void unit_send(enum own_type type, uint8_t id, const uint8_t *message, size_t n,
	       void (*send)(void *ctx, const uint8_t *payload, size_t n), void *ctx);

/* A stock command was carried out, or refused. */
void unit_acknowledge(const struct serial *serial, bool done,
		      void (*send)(void *ctx, const uint8_t *payload, size_t n), void *ctx);

/* The limit of each module in a page B, W; NAN for another frame. */
double unit_page_limit(const struct l2 *frame);

#endif /* QS1_LINK_UNIT_H */
