/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A ZigBee network processor: TI's serial protocol on one side, a simulated radio on the other,
 * with the known faults of the chips to be switched on. Bytes go in and come out at the pace of
 * a serial line of 115200 baud, in the air's time.
 */
#ifndef QS1_SITE_MODEM_H
#define QS1_SITE_MODEM_H

#include "stack.h"
#include "znp.h"

/* A byte at 115200 baud, 8N1, us, rounded up. */
#define MODEM_BYTE_US 87
/* Time until the chip reports a reset, and the start of the network. */
#define MODEM_RESET_US 300000
#define MODEM_START_US 200000

#define MODEM_LINE_SIZE 2048
/* Frames that may wait for the line to the host. */
#define MODEM_OUTS 8
#define MODEM_GARBAGE_BYTES 3
/* Networks that a scan reports, and how long a beacon counts. */
#define MODEM_BEACONS 8
#define MODEM_BEACON_US 1000000

enum modem_chip {
	MODEM_CC2530, /* Z-Stack 1 or 2: simple API and the rest */
	MODEM_CC2652, /* Z-Stack 3: without the simple API */
};

/* Columns: identifier, name in the console. */
/* clang-format off */
#define MODEM_FAULTS(X) \
	X(FROZEN, "frozen")         /* answers nothing until a hardware reset */ \
	X(FULL, "full")             /* refuses data requests: buffer full */ \
	X(LOST_BLOCK, "lost-block") /* never sends the second fragment */ \
	X(LATE, "late")             /* delivers each message again, late */ \
	X(GARBAGE, "garbage")       /* puts noise in front of each frame to the host */
/* clang-format on */

enum modem_fault {
#define X(id, name) MODEM_##id,
	MODEM_FAULTS(X)
#undef X
		MODEM_FAULT_COUNT
};

/**
 * struct modem_config - one modem
 * @chip: dialect
 * @address: short address; a coordinator's is 0
 * @ieee: extended address until the host sets another
 */
struct modem_config {
	enum modem_chip chip;
	uint16_t address;
	uint64_t ieee;
};

/**
 * struct modem - the owner's memory, which does not move
 * @output: called with bytes for the host
 */
struct modem {
	struct modem_config config;
	struct stack stack;
	void (*output)(void *ctx, const uint8_t *bytes, size_t n);
	void *ctx;
	unsigned int faults;
	struct air_radio_config radio; /* as the host has set it */
	uint8_t logical_type;
	bool up;
	uint64_t reset_us; /* the reset is over, AIR_NEVER for none */
	uint64_t start_us; /* the network is up */
	uint64_t in_us;	   /* the input's last byte has come */
	size_t in_n;
	uint8_t in[MODEM_LINE_SIZE];
	uint64_t out_us; /* the first frame of the output has gone */
	int outs;
	struct {
		size_t n;
		uint8_t byte[ZNP_FRAME_MAX + MODEM_GARBAGE_BYTES];
	} out[MODEM_OUTS];
	struct {
		struct znp_beacon beacon;
		uint64_t heard_us;
	} heard[MODEM_BEACONS]; /* coordinators of other networks */
	int next_heard;
	uint64_t dropped; /* bytes for which a line had no room */
	uint64_t refused; /* unknown commands, and commands that failed */
};

/* Return: number of its radio, or -ENOMEM. The modem starts with a reset. */
int modem_init(struct modem *modem, struct air *air, const struct modem_config *config,
	       void (*output)(void *ctx, const uint8_t *bytes, size_t n), void *ctx);

/* Bytes from the host, at the air's present time. */
void modem_input(struct modem *modem, const uint8_t *bytes, size_t n);

/* The reset line: ends MODEM_FROZEN too. */
void modem_reset(struct modem *modem);

void modem_fault(struct modem *modem, enum modem_fault fault, bool on);

/* Fault by its name, -1 for none. */
int modem_fault_by_name(const char *name);

#endif /* QS1_SITE_MODEM_H */
