/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The inverter's end of the radio: between a ZNP modem and qs1d's second socket. Pure: bytes of
 * the modem, lines of qs1d and time go in; bytes, lines and resets come out.
 *
 * Whatever comes by radio is hostile until qs1d has checked its seal. A request becomes a
 * request of qs1d's socket, and its answer a reply by radio. qs1d decides about stock commands and
 * a stock pairing, too, which have no seal.
 *
 * host.h starts the modem, watches it, and resets it.
 */
#ifndef LINKD_CORE_H
#define LINKD_CORE_H

#include "host.h"
#include "join.h"
#include "unit.h"

#define LINKD_ASKS 8
#define LINKD_LINE_MAX 4096
#define LINKD_FRAMES 40
/* Data requests that a modem's firmware takes at a time (Z-Stack-firmware issue 232). */
#define LINKD_IN_FLIGHT 2
#define LINKD_SILENT_US 30000000
#define LINKD_CONFIRM_US 3000000
/* An angle that was read later than this after its mark is not used: with a frequency that is wrong
 * by 10 mHz it is wrong by 0.2 degrees. */
#define LINKD_ANGLE_US 60000
/* qs1d answers within 30 s. */
#define LINKD_ANSWER_US 35000000

/* Counters. Columns: identifier, text for the log. */
/* clang-format off */
#define LINKD_COUNTS(X) \
	X(REQUESTS, "requests by radio") \
	X(REPLIES, "payloads sent") \
	X(REFUSED, "stock commands refused") \
	X(UNANSWERED, "requests without an answer") \
	X(DROPPED, "requests or payloads dropped: queue full, or no connection to qs1d") \
	X(SEND_FAILED, "payloads that did not arrive") \
	X(GARBAGE, "runs of invalid bytes from the modem") \
	X(RESETS, "resets of the modem")
/* clang-format on */

enum linkd_count {
#define X(id, text) LINKD_##id,
	LINKD_COUNTS(X)
#undef X
		LINKD_COUNT_COUNT
};

const char *linkd_count_text(enum linkd_count count);

/**
 * struct linkd_ops - what comes out
 * @to_modem: bytes for the serial port
 * @to_daemon: a line for qs1d, without its line feed
 * @hard_reset: pull the modem's reset line
 * @log: a line for the log
 * @network: a stock ECU has paired with us; its PAN, to be kept
 */
struct linkd_ops {
	void (*to_modem)(void *ctx, const uint8_t *bytes, size_t n);
	void (*to_daemon)(void *ctx, const char *line);
	void (*hard_reset)(void *ctx);
	void (*log)(void *ctx, int priority, const char *text);
	void (*network)(void *ctx, uint16_t pan);
};

/**
 * struct linkd_config - of the network
 * @pan: PAN identifier
 * @channel: 11 to 26
 * @ieee: extended address of the modem, lowest byte first
 * @byte_us: time that the modem's line needs for a byte; 0 for a line that is much faster
 */
struct linkd_config {
	uint16_t pan;
	uint8_t channel;
	uint8_t ieee[8];
	double byte_us;
};

/* What qs1d was asked for. */
enum linkd_ask_kind {
	LINKD_ASK_IDENTITY, /* status, for ourselves */
	LINKD_ASK_L2,	    /* report, for a stock request */
	LINKD_ASK_STATUS,
	LINKD_ASK_EVENTS,
	LINKD_ASK_SEALED,
	LINKD_ASK_PAIR_REQUEST,
	LINKD_ASK_PAIR_CONFIRM,
	LINKD_ASK_ANGLE, /* at a mark */
	LINKD_ASK_STOCK, /* a stock command */
	LINKD_ASK_JOIN,	 /* may a stock ECU pair? */
};

struct linkd_ask {
	enum linkd_ask_kind kind;
	uint16_t peer;
	uint8_t id;
	enum l2_command command;
	uint8_t max; /* events */
	uint16_t mark;
	uint64_t heard_us; /* when the mark's frame ended */
	bool broadcast;	   /* a stock command by broadcast: no reply */
	enum join_step step;
	uint8_t payload[JOIN_PAYLOAD_MAX]; /* of a stock pairing */
	size_t n;
	char line[LINKD_LINE_MAX];
};

struct linkd_frame {
	uint16_t peer;
	size_t n;
	uint8_t byte[UNIT_PAYLOAD_MAX];
};

/**
 * struct linkd - state
 * @due_us: linkd_run() is to be called by then
 */
struct linkd {
	struct linkd_config config;
	const struct linkd_ops *ops;
	void *ctx;
	struct host host;
	bool daemon;
	uint64_t due_us;
	uint64_t count[LINKD_COUNT_COUNT];
	struct unit_state state;
	bool based;	 /* @state has the energies to count from */
	bool unlabelled; /* and the log says so */
	struct unit_inbox inbox;
	struct join_unit join;
	uint16_t replying;		  /* to whom the payloads go that are being made */
	struct linkd_ask ask[LINKD_ASKS]; /* the first is under way */
	int asks;
	uint32_t line_id;
	uint64_t answer_us;
	struct linkd_frame frame[LINKD_FRAMES];
	int frames;
	int in_flight;
	uint8_t transaction;
	uint64_t confirm_us; /* what is in flight counts as lost after */
};

void linkd_init(struct linkd *linkd, const struct linkd_config *config, const struct linkd_ops *ops,
		void *ctx);

/* The serial port was opened, or was closed. */
void linkd_port(struct linkd *linkd, bool open, uint64_t now_us);

/* qs1d's socket is connected, or closed. */
void linkd_daemon(struct linkd *linkd, bool connected, uint64_t now_us);

void linkd_modem_bytes(struct linkd *linkd, const uint8_t *bytes, size_t n, uint64_t now_us);

/* A line of qs1d, without its line feed. */
void linkd_daemon_line(struct linkd *linkd, const char *line, uint64_t now_us);

/* Time has passed. */
void linkd_run(struct linkd *linkd, uint64_t now_us);

#endif /* LINKD_CORE_H */
