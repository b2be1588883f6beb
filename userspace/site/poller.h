/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading many units through one ZNP modem: start the modem as a coordinator, then ask each unit
 * in turn, round after round. Pure: bytes and time go in, bytes for the modem come out.
 *
 * One request is under way at a time. A unit that does not answer is asked again at the end of
 * the round, once, so that a dead one delays the others little; one that has been silent for some
 * rounds is asked only every POLL_ASLEEP_ROUNDS. A modem that stops answering is reset: by
 * command first, then by its reset line; it has POLL_MODEM_US to answer.
 */
#ifndef QS1_SITE_POLLER_H
#define QS1_SITE_POLLER_H

#include "l2.h"
#include "own.h"
#include "serial.h"
#include "startup.h"
#include "znp.h"

#define POLL_UNITS_MAX 256
#define POLL_REPLY_US 250000
#define POLL_MODEM_US 1000000
/* At least between rounds, also when no unit is due. */
#define POLL_BREATH_US 1000
#define POLL_SILENT_ROUNDS 3
#define POLL_ASLEEP_ROUNDS 10

enum poll_kind {
	POLL_STOCK, /* L2 poll, telemetry */
	POLL_OWN,   /* our status */
};

/**
 * struct poll_unit - one unit
 * @serial: number that its replies must have
 * @address: short address
 * @asked, @answered, @wrong: requests, replies, replies that were refused
 * @silent: rounds without a reply, in a row
 * @lqi: link quality of the last reply, 0 to 255
 * @fresh_us: time of the last reply, 0 for never
 * @l2, @status: the last reply, by kind
 */
struct poll_unit {
	struct serial serial;
	uint16_t address;
	uint64_t asked;
	uint64_t answered;
	uint64_t wrong;
	int silent;
	uint8_t lqi;
	uint64_t fresh_us;
	int64_t l2[L2_TELEMETRY_COUNT];
	struct own_identity identity;
	int64_t status[OWN_STATUS_COUNT];
	bool done; /* in this round */
	bool again;
};

/**
 * struct poll_config - what is fixed
 * @kind: what to ask
 * @ecu: identity of the ECU, as 6 bytes BCD or hexadecimal
 * @channel: 11 to 26
 * @period_us: from round to round, 0 for at once
 */
struct poll_config {
	enum poll_kind kind;
	uint8_t ecu[6];
	uint8_t channel;
	uint64_t period_us;
};

enum poll_phase {
	POLL_RESET,  /* waits for the modem's reset */
	POLL_SET_UP, /* goes through the steps of the start */
	POLL_ASK,    /* free for the next unit */
	POLL_WAIT,   /* waits for a reply */
	POLL_PAUSE,  /* until the next round */
};

/**
 * struct poll - state
 * @send: bytes for the modem
 * @hard_reset: pull the modem's reset line
 * @round_us: length of the last whole round; @rounds of them
 */
struct poll {
	struct poll_config config;
	void (*send)(void *ctx, const uint8_t *bytes, size_t n);
	void (*hard_reset)(void *ctx);
	void *ctx;
	struct poll_unit unit[POLL_UNITS_MAX];
	int units;
	enum poll_phase phase;
	struct startup startup;
	int current;
	uint8_t transaction;
	uint8_t id;
	uint64_t due_us;
	uint64_t round_start_us;
	uint64_t round_us;
	uint64_t rounds;
	bool modem_heard;  /* since the last request */
	uint64_t asked_us; /* time of that */
	int resets;	   /* in a row without an answer */
	uint64_t modem_resets;
	struct own_message message;
	size_t in_n;
	uint8_t in[4096];
};

/* @poll is zeroed, but for the units that poll_add() has put there. */
void poll_init(struct poll *poll, const struct poll_config *config,
	       void (*send)(void *ctx, const uint8_t *bytes, size_t n),
	       void (*hard_reset)(void *ctx), void *ctx);

/* Return: 0, or -ENOSPC. */
int poll_add(struct poll *poll, const struct serial *serial, uint16_t address);

/* Begin, with a reset of the modem. */
void poll_start(struct poll *poll, uint64_t now_us);

/* Bytes from the modem. */
void poll_input(struct poll *poll, const uint8_t *bytes, size_t n, uint64_t now_us);

/* Time has passed; to be called at the latest at poll->due_us. */
void poll_run(struct poll *poll, uint64_t now_us);

/* The stock system's channel. */
#define POLL_CHANNEL 16

/* Identity of an ECU from 12 hexadecimal digits. Return: 0, or -EINVAL; @ecu untouched. */
int poll_ecu_parse(const char *text, uint8_t ecu[6]);

/* PAN identifier of the stock system: the first two bytes of the ECU's identity. */
uint16_t poll_pan(const uint8_t ecu[6]);

#endif /* QS1_SITE_POLLER_H */
