/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The host of a ZNP modem; pure: bytes and time go in, bytes come out. It starts the modem, watches
 * its health, and resets it, by command first and then by its reset line. A modem takes one
 * synchronous request at a time: host_send() refuses while the answer to the last one is missing.
 */
#ifndef QS1_LINK_HOST_H
#define QS1_LINK_HOST_H

#include "startup.h"
#include "znp.h"

#define HOST_NEVER UINT64_MAX
/* A modem answers a request within this time. */
#define HOST_ANSWER_US 1000000
/* Ask the modem for its state after this time without a byte. */
#define HOST_SILENT_US 5000000
/* Report a failure after this number of resets without a network: each kind was tried twice. */
#define HOST_DEAF_RESETS 4
/* Number of received bytes in the message about an invalid frame. */
#define HOST_FOUND_BYTES 8
/* A chip whose buffers are full has room again after this time. */
#define HOST_FULL_US 50000

struct host;

/**
 * struct host_ops - what the host does
 * @to_modem: bytes for the serial port
 * @hard_reset: pull the reset line
 * @up: the network is up; requests can be sent
 * @down: the network is down, or the modem does not start; with the reason
 * @ready: the next request can be sent
 * @incoming: data of a node
 * @sent: result of a data request, by its transaction; enum znp_status
 * @beacon: coordinator of a network, found by host_scan()
 */
struct host_ops {
	void (*to_modem)(void *ctx, const uint8_t *bytes, size_t n);
	void (*hard_reset)(void *ctx);
	void (*up)(void *ctx, uint64_t now_us);
	void (*down)(void *ctx, const char *why, uint64_t now_us);
	void (*ready)(void *ctx, uint64_t now_us);
	void (*incoming)(void *ctx, const struct znp_incoming *incoming, uint64_t now_us);
	void (*sent)(void *ctx, uint8_t transaction, uint8_t status, uint64_t now_us);
	void (*beacon)(void *ctx, const struct znp_beacon *beacon, uint64_t now_us);
};

enum host_phase {
	HOST_CLOSED, /* no port */
	HOST_RESET,  /* waits for the modem's reset */
	HOST_START,  /* goes through the steps of the start */
	HOST_UP,
};

/**
 * struct host - state
 * @startup: type, ieee, pan and channel are the owner's
 * @silence_us: ask the modem for its state after this time without a byte; HOST_SILENT_US unless
 *              changed
 * @due_us: host_run() is to be called by then
 * @resets: since the last network; @all_resets: total
 * @garbage: bytes outside of frames
 * @address: short address of the modem, 0 until it is known
 */
struct host {
	struct startup startup;
	const struct host_ops *ops;
	void *ctx;
	enum host_phase phase;
	uint64_t silence_us;
	uint64_t due_us;
	unsigned int resets;
	uint64_t all_resets;
	uint64_t garbage;
	uint16_t address;
	uint64_t phase_us;	/* a step of the start must end by then */
	uint64_t silent_us;	/* ask for the state then */
	bool asked;		/* it was asked for its state */
	uint16_t waits_for;	/* answer to the last synchronous request, 0 for none */
	uint8_t transaction;	/* of the data request among them */
	uint64_t answer_us;	/* that answer must come by then */
	uint64_t not_before_us; /* its buffers are full until then */
	size_t in_n;
	uint8_t in[1024];
	size_t found_n; /* since the first of some resets, or the last step of the start */
	uint8_t found[HOST_FOUND_BYTES];
};

/* @host->startup is set by the caller afterwards. */
void host_init(struct host *host, const struct host_ops *ops, void *ctx);

/* The port was opened, or was closed. */
void host_open(struct host *host, uint64_t now_us);
void host_close(struct host *host);

void host_bytes(struct host *host, const uint8_t *bytes, size_t n, uint64_t now_us);

/* Time has passed. */
void host_run(struct host *host, uint64_t now_us);

/* Can a request be sent now? */
bool host_is_ready(const struct host *host, uint64_t now_us);

/**
 * host_send() - a data request; @sent follows, once, unless the modem goes down first
 *
 * Return: 0, -EBUSY unless host_is_ready(), -EMSGSIZE.
 */
int host_send(struct host *host, const struct znp_data_request *request, uint64_t now_us);

/* Look for other networks on our channel; -EBUSY unless host_is_ready(). */
int host_scan(struct host *host, uint64_t now_us);

/* Start over, for instance with another channel. */
void host_restart(struct host *host, const char *why, uint64_t now_us);

#endif /* QS1_LINK_HOST_H */
