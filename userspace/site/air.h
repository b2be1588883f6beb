/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The air: IEEE 802.15.4 at 2450 MHz between many radios, in virtual time. Time goes in, frames
 * and results come out; nothing here waits, reads a clock or does I/O.
 *
 * Frames are lost for physical reasons alone. A transmission has a level at each receiver. A
 * receiver that is free locks on to the first frame that it can hear, and its bits fail by the
 * error rate at the ratio of its level to noise and to all other transmissions at that receiver,
 * from change to change of these (bit error rate: IEEE 802.15.4-2006, E.4.1.8). A frame with a
 * wrong bit is delivered with a wrong bit, so that the receiver's own check finds it.
 *
 * Each radio does unslotted CSMA-CA (7.5.1.4), waits for the acknowledgement, and repeats
 * (7.5.6.4); it answers frames that want one, without CSMA, after the turnaround time.
 *
 * Simplifications: no propagation delay; a receiver that has locked on stays locked, even if a
 * stronger frame begins; sensing is by energy alone.
 */
#ifndef QS1_SITE_AIR_H
#define QS1_SITE_AIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mac.h"

/* Times of the 2450 MHz PHY, us: 16 us a symbol, 2 symbols a byte. */
#define AIR_BYTE_US 32
#define AIR_BIT_US 4
/* Preamble, start of frame, length: before each frame. */
#define AIR_HEAD_BYTES 6
#define AIR_TURNAROUND_US 192
#define AIR_BACKOFF_US 320
#define AIR_CCA_US 128
#define AIR_ACK_BYTES 5
/* macAckWaitDuration: backoff unit, turnaround, head of 10 symbols, 6 symbols a byte. */
#define AIR_ACK_WAIT_US 864

/* CSMA-CA and retries, defaults of the standard's MAC constants. */
#define AIR_MIN_BE 3
#define AIR_MAX_BE 5
#define AIR_MAX_BACKOFFS 4
#define AIR_MAX_RETRIES 3

#define AIR_NEVER UINT64_MAX
/* A level at which nothing is heard. */
#define AIR_SILENT_DBM (-200.0)

enum air_result {
	AIR_SENT,   /* acknowledged, or no acknowledgement wanted */
	AIR_NO_ACK, /* not acknowledged, all retries done */
	AIR_BUSY,   /* channel never found free */
};

/**
 * struct air_config - settings that all radios share
 * @seed: of all random numbers
 * @noise_dbm: noise in the receiver's bandwidth, its own included
 * @sense_dbm: energy from which the channel is busy
 * @lock_db: a frame this far above noise and interference makes a free receiver lock on
 */
struct air_config {
	uint64_t seed;
	double noise_dbm;
	double sense_dbm;
	double lock_db;
};

/* A CC2530's: -97 dBm of sensitivity, clear channel at 10 dB above it. */
extern const struct air_config air_config_default;

/**
 * struct air_radio_config - one radio
 * @channel: 11 to 26
 * @pan, @address, @ieee: frames for others are not delivered; MAC_BROADCAST is everyone's
 * @promiscuous: every frame is delivered and none is acknowledged
 * @off: does not receive; a modem that hangs, a unit at night
 */
struct air_radio_config {
	uint8_t channel;
	uint16_t pan;
	uint16_t address;
	uint64_t ieee;
	bool promiscuous;
	bool off;
};

/**
 * struct air_ops - callbacks to a radio's owner; they may send, but not free the air
 * @received: a frame for this radio, FCS included and right
 * @sent: result of air_send()
 * @alarm: the time set by air_alarm() is reached
 */
struct air_ops {
	void (*received)(void *ctx, uint64_t now_us, const uint8_t *frame, size_t n,
			 double level_dbm);
	void (*sent)(void *ctx, uint64_t now_us, enum air_result result);
	void (*alarm)(void *ctx, uint64_t now_us, int alarm);
};

/**
 * struct air_count - counters of a radio
 * @sent: transmissions, repetitions and acknowledgements included
 * @retries: repetitions among them
 * @busy: transmissions that CSMA-CA gave up
 * @no_ack: frames that were never acknowledged
 * @received: frames for this radio that were sound
 * @damaged: frames that it locked on and that had a wrong bit
 * @missed: frames loud enough, but the receiver was not free
 * @sending_us: time on air
 */
struct air_count {
	uint64_t sent;
	uint64_t retries;
	uint64_t busy;
	uint64_t no_ack;
	uint64_t received;
	uint64_t damaged;
	uint64_t missed;
	uint64_t sending_us;
};

struct air;

/* A medium without radios, or NULL without memory. */
struct air *air_new(const struct air_config *config);
void air_free(struct air *air);

/**
 * air_add() - one more radio; it hears nothing until levels are set
 *
 * Return: its number, from 0; -ENOMEM.
 */
int air_add(struct air *air, const struct air_radio_config *config, const struct air_ops *ops,
	    void *ctx);

/* Change a radio. A frame that it is receiving is lost if it goes off or changes channel. */
void air_configure(struct air *air, int radio, const struct air_radio_config *config);
const struct air_radio_config *air_configuration(const struct air *air, int radio);

/* Level at @to of what @from sends; the other direction is separate. */
void air_level(struct air *air, int from, int to, double dbm);

/* Every transmission that ends is shown, with its start: for a capture of what was on air. */
void air_watch(struct air *air,
	       void (*seen)(void *ctx, uint64_t start_us, int radio, const uint8_t *frame,
			    size_t n),
	       void *ctx);

/**
 * air_send() - send a frame by CSMA-CA
 * @frame: FCS included; copied
 *
 * @sent of the radio's owner is called later, exactly once, unless this fails.
 *
 * Return: 0; -EBUSY while the radio has a frame; -EINVAL for no frame; -ENETDOWN when off.
 */
int air_send(struct air *air, int radio, const uint8_t *frame, size_t n);

/* Noise of a radio for this long from now, without CSMA: an interferer. 0, or -EBUSY. */
int air_burst(struct air *air, int radio, uint64_t length_us);

/* Alarms of a radio's owner, by number from 0. */
#define AIR_ALARMS 2
/* Call @alarm at this time, instead of the time set before; AIR_NEVER for not at all. */
void air_alarm(struct air *air, int radio, int alarm, uint64_t due_us);

/* Time of the next event, AIR_NEVER for none. */
uint64_t air_next(const struct air *air);

/* Let time pass up to and including @until_us, which is not before the last call's. */
void air_run(struct air *air, uint64_t until_us);

uint64_t air_now(const struct air *air);
const struct air_count *air_count(const struct air *air, int radio);

/* Bit error rate at a ratio of signal to noise and interference, linear. */
double air_bit_error_rate(double sinr);

#endif /* QS1_SITE_AIR_H */
