// SPDX-License-Identifier: GPL-2.0-only
#include "air.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../plant/rng.h"

/* What a radio's transmitter is doing. */
enum phase {
	PHASE_IDLE,
	PHASE_BACKOFF, /* waits a random time */
	PHASE_SENSE,   /* listens whether the channel is free */
	PHASE_TURN,    /* turns to send */
	PHASE_SEND,
	PHASE_ACK_WAIT,
};

/**
 * struct transmission - a radio's current transmission
 * @on: it is on air
 * @start_us, @end_us: when
 * @n: bytes of the frame, 0 for noise
 * @is_ack: an acknowledgement, which the MAC sends by itself
 */
struct transmission {
	bool on;
	uint64_t start_us;
	uint64_t end_us;
	size_t n;
	bool is_ack;
	uint8_t frame[MAC_FRAME_MAX];
};

/**
 * struct reception - the frame that a receiver has locked on to
 * @from: radio that sends it, -1 for none
 * @since_us: time up to which its bits have been decided
 * @damaged: one of them is wrong
 */
struct reception {
	int from;
	uint64_t since_us;
	bool damaged;
};

struct radio {
	struct air_radio_config config;
	const struct air_ops *ops;
	void *ctx;
	enum phase phase;
	uint64_t due_us;
	uint8_t frame[MAC_FRAME_MAX];
	size_t n;
	uint8_t seq;
	bool wants_ack;
	int backoffs;
	int exponent;
	int retries;
	struct transmission on_air;
	struct reception reception;
	uint64_t ack_due_us;
	uint8_t ack_seq;
	bool sensed_busy;
	uint64_t alarm_us[AIR_ALARMS];
	struct air_count count;
	double *level_dbm; /* at each radio, of what this one sends */
};

struct air {
	struct air_config config;
	double noise_mw;
	double sense_mw;
	double lock_ratio;
	struct rng rng;
	uint64_t now_us;
	struct radio *radio;
	int radios;
	void (*seen)(void *ctx, uint64_t start_us, int radio, const uint8_t *frame, size_t n);
	void *seen_ctx;
};

const struct air_config air_config_default = {
	.seed = 1,
	.noise_dbm = -98,
	.sense_dbm = -87,
	.lock_db = -3,
};

static double milliwatts(double dbm)
{
	return pow(10, dbm / 10);
}

double air_bit_error_rate(double sinr)
{
	/* binomial coefficients of 16, with alternating sign, from k = 2 */
	static const double weight[] = { 120,  -560,  1820, -4368, 8008, -11440, 12870, -11440,
					 8008, -4368, 1820, -560,  120,	 -16,	 1 };
	double sum = 0;

	for (int k = 2; k <= 16; k++) {
		sum += weight[k - 2] * exp(20 * sinr * (1.0 / k - 1));
	}
	sum *= 8.0 / 15 / 16;
	return sum < 0 ? 0 : sum > 0.5 ? 0.5 : sum;
}

struct air *air_new(const struct air_config *config)
{
	struct air *air = calloc(1, sizeof(*air));

	if (!air) {
		return NULL;
	}
	air->config = *config;
	air->noise_mw = milliwatts(config->noise_dbm);
	air->sense_mw = milliwatts(config->sense_dbm);
	air->lock_ratio = milliwatts(config->lock_db);
	rng_seed(&air->rng, config->seed);
	return air;
}

void air_free(struct air *air)
{
	for (int i = 0; air && i < air->radios; i++) {
		free(air->radio[i].level_dbm);
	}
	if (air) {
		free(air->radio);
	}
	free(air);
}

/* Levels of all radios at one more, and of that one at all. */
static int grow_levels(struct air *air, int radios)
{
	for (int i = 0; i < radios; i++) {
		int had = i < air->radios ? air->radios : 0;
		double *level = realloc(air->radio[i].level_dbm, sizeof(*level) * (size_t)radios);

		if (!level) {
			return -ENOMEM;
		}
		air->radio[i].level_dbm = level;
		for (int j = had; j < radios; j++) {
			level[j] = AIR_SILENT_DBM;
		}
	}
	return 0;
}

int air_add(struct air *air, const struct air_radio_config *config, const struct air_ops *ops,
	    void *ctx)
{
	struct radio *radio = realloc(air->radio, sizeof(*radio) * (size_t)(air->radios + 1));

	if (!radio) {
		return -ENOMEM;
	}
	air->radio = radio;
	radio[air->radios] = (struct radio){
		.config = *config,
		.ops = ops,
		.ctx = ctx,
		.due_us = AIR_NEVER,
		.ack_due_us = AIR_NEVER,
		.reception = { .from = -1 },
		.alarm_us = { AIR_NEVER, AIR_NEVER },
	};
	if (grow_levels(air, air->radios + 1) < 0) {
		free(radio[air->radios].level_dbm);
		return -ENOMEM;
	}
	return air->radios++;
}

const struct air_radio_config *air_configuration(const struct air *air, int radio)
{
	return &air->radio[radio].config;
}

void air_level(struct air *air, int from, int to, double dbm)
{
	air->radio[from].level_dbm[to] = dbm;
}

void air_watch(struct air *air,
	       void (*seen)(void *ctx, uint64_t start_us, int radio, const uint8_t *frame,
			    size_t n),
	       void *ctx)
{
	air->seen = seen;
	air->seen_ctx = ctx;
}

uint64_t air_now(const struct air *air)
{
	return air->now_us;
}

const struct air_count *air_count(const struct air *air, int radio)
{
	return &air->radio[radio].count;
}

/* Power at @at of all that is on air on its channel, but for @but, mW. */
static double power_at(const struct air *air, int at, int but)
{
	double sum = 0;

	for (int i = 0; i < air->radios; i++) {
		const struct radio *radio = &air->radio[i];

		if (i != at && i != but && radio->on_air.on &&
		    radio->config.channel == air->radio[at].config.channel) {
			sum += milliwatts(radio->level_dbm[at]);
		}
	}
	return sum;
}

static double sinr(const struct air *air, int from, int at)
{
	return milliwatts(air->radio[from].level_dbm[at]) /
	       (air->noise_mw + power_at(air, at, from));
}

/* Decide the bits of each frame that is being received, up to now: before anything changes. */
static void settle(struct air *air)
{
	for (int i = 0; i < air->radios; i++) {
		struct reception *reception = &air->radio[i].reception;
		double bits;

		if (reception->from < 0 || reception->damaged) {
			continue;
		}
		bits = (double)(air->now_us - reception->since_us) / AIR_BIT_US;
		reception->since_us = air->now_us;
		reception->damaged =
			rng_uniform(&air->rng, 0, 1) >=
			pow(1 - air_bit_error_rate(sinr(air, reception->from, i)), bits);
	}
}

static bool can_receive(const struct radio *radio)
{
	return !radio->config.off && !radio->on_air.on && radio->phase != PHASE_TURN &&
	       radio->reception.from < 0;
}

/* Note for those that sense: the channel has become busy within their window. */
static void mark_sensing(struct air *air)
{
	for (int i = 0; i < air->radios; i++) {
		struct radio *radio = &air->radio[i];

		if (radio->phase == PHASE_SENSE && power_at(air, i, -1) >= air->sense_mw) {
			radio->sensed_busy = true;
		}
	}
}

static void lock_on(struct air *air, int from)
{
	for (int i = 0; i < air->radios; i++) {
		struct radio *radio = &air->radio[i];

		if (i == from || radio->config.off ||
		    radio->config.channel != air->radio[from].config.channel ||
		    sinr(air, from, i) < air->lock_ratio) {
			continue;
		}
		if (!can_receive(radio)) {
			radio->count.missed++;
			continue;
		}
		radio->reception = (struct reception){ .from = from, .since_us = air->now_us };
	}
}

static void begin(struct air *air, int number, const uint8_t *frame, size_t n, uint64_t length_us,
		  bool is_ack)
{
	struct radio *radio = &air->radio[number];

	settle(air);
	radio->reception.from = -1;
	radio->on_air = (struct transmission){
		.on = true,
		.start_us = air->now_us,
		.end_us = air->now_us + length_us,
		.n = n,
		.is_ack = is_ack,
	};
	radio->count.sent++;
	radio->count.sending_us += length_us;
	if (n > 0) {
		memcpy(radio->on_air.frame, frame, n);
		lock_on(air, number);
	}
	mark_sensing(air);
}

static uint64_t length_us(size_t n)
{
	return (AIR_HEAD_BYTES + n) * AIR_BYTE_US;
}

static void start_backoff(struct air *air, struct radio *radio)
{
	uint64_t slots = rng_next(&air->rng) & ((1u << radio->exponent) - 1);

	radio->phase = PHASE_BACKOFF;
	radio->due_us = air->now_us + slots * AIR_BACKOFF_US;
}

static void start_csma(struct air *air, struct radio *radio)
{
	radio->backoffs = 0;
	radio->exponent = AIR_MIN_BE;
	start_backoff(air, radio);
}

static void finish(struct air *air, struct radio *radio, enum air_result result)
{
	radio->phase = PHASE_IDLE;
	radio->due_us = AIR_NEVER;
	radio->n = 0;
	radio->count.busy += result == AIR_BUSY;
	radio->count.no_ack += result == AIR_NO_ACK;
	if (radio->ops && radio->ops->sent) {
		radio->ops->sent(radio->ctx, air->now_us, result);
	}
}

int air_send(struct air *air, int number, const uint8_t *frame, size_t n)
{
	struct radio *radio = &air->radio[number];
	struct mac_frame mac;

	if (radio->config.off) {
		return -ENETDOWN;
	}
	if (radio->phase != PHASE_IDLE) {
		return -EBUSY;
	}
	if (mac_parse(frame, n, &mac) < 0) {
		return -EINVAL;
	}
	memcpy(radio->frame, frame, n);
	radio->n = n;
	radio->seq = mac.seq;
	radio->wants_ack = mac.ack_request;
	radio->retries = 0;
	start_csma(air, radio);
	return 0;
}

int air_burst(struct air *air, int number, uint64_t burst_us)
{
	if (air->radio[number].on_air.on) {
		return -EBUSY;
	}
	begin(air, number, NULL, 0, burst_us, false);
	return 0;
}

static void repeat_or_give_up(struct air *air, struct radio *radio)
{
	if (radio->retries++ < AIR_MAX_RETRIES) {
		radio->count.retries++;
		start_csma(air, radio);
	} else {
		finish(air, radio, AIR_NO_ACK);
	}
}

static void channel_busy(struct air *air, struct radio *radio)
{
	if (radio->exponent < AIR_MAX_BE) {
		radio->exponent++;
	}
	if (++radio->backoffs > AIR_MAX_BACKOFFS) {
		finish(air, radio, AIR_BUSY);
	} else {
		start_backoff(air, radio);
	}
}

/* Run a transmitter's next step, which is due now. */
static void advance(struct air *air, int number)
{
	struct radio *radio = &air->radio[number];

	switch (radio->phase) {
	case PHASE_BACKOFF:
		radio->phase = PHASE_SENSE;
		radio->due_us = air->now_us + AIR_CCA_US;
		radio->sensed_busy = radio->on_air.on || radio->ack_due_us != AIR_NEVER ||
				     power_at(air, number, -1) >= air->sense_mw;
		break;
	case PHASE_SENSE:
		if (radio->sensed_busy || radio->on_air.on || radio->ack_due_us != AIR_NEVER) {
			channel_busy(air, radio);
			break;
		}
		radio->phase = PHASE_TURN;
		radio->due_us = air->now_us + AIR_TURNAROUND_US;
		radio->reception.from = -1;
		break;
	case PHASE_TURN:
		radio->phase = PHASE_SEND;
		radio->due_us = AIR_NEVER;
		begin(air, number, radio->frame, radio->n, length_us(radio->n), false);
		break;
	case PHASE_ACK_WAIT:
		repeat_or_give_up(air, radio);
		break;
	default:
		radio->due_us = AIR_NEVER;
		break;
	}
}

static void send_ack(struct air *air, int number)
{
	struct radio *radio = &air->radio[number];
	struct mac_frame ack = { .type = MAC_ACK, .seq = radio->ack_seq };
	uint8_t frame[AIR_ACK_BYTES];
	int n = mac_build(&ack, frame, sizeof(frame));

	radio->ack_due_us = AIR_NEVER;
	if (n > 0 && !radio->on_air.on && !radio->config.off) {
		begin(air, number, frame, (size_t)n, length_us((size_t)n), true);
	}
}

static bool is_for(const struct air_radio_config *config, const struct mac_frame *mac)
{
	if (config->promiscuous) {
		return true;
	}
	if (mac->dst.mode == MAC_MODE_NONE) {
		return mac->type == MAC_BEACON;
	}
	if (mac->dst.pan != config->pan && mac->dst.pan != MAC_BROADCAST &&
	    config->pan != MAC_BROADCAST) {
		return false;
	}
	if (mac->dst.mode == MAC_MODE_LONG) {
		return mac->dst.address == config->ieee;
	}
	return mac->dst.address == MAC_BROADCAST || mac->dst.address == config->address;
}

static void take_ack(struct air *air, struct radio *radio, const struct mac_frame *mac)
{
	if (radio->phase == PHASE_ACK_WAIT && mac->seq == radio->seq) {
		finish(air, radio, AIR_SENT);
	}
}

/* A frame has ended at a receiver that was locked on to it. */
static void deliver(struct air *air, int number, const struct transmission *sent, int from)
{
	struct radio *radio = &air->radio[number];
	uint8_t frame[MAC_FRAME_MAX];
	struct mac_frame mac;

	memcpy(frame, sent->frame, sent->n);
	if (radio->reception.damaged) {
		frame[rng_next(&air->rng) % sent->n] ^= 1u << (rng_next(&air->rng) & 7);
	}
	radio->reception.from = -1;
	if (mac_parse(frame, sent->n, &mac) < 0) {
		radio->count.damaged++;
		return;
	}
	if (mac.type == MAC_ACK) {
		take_ack(air, radio, &mac);
		return;
	}
	if (!is_for(&radio->config, &mac)) {
		return;
	}
	radio->count.received++;
	if (mac.ack_request && !radio->config.promiscuous && mac.dst.address != MAC_BROADCAST) {
		radio->ack_due_us = air->now_us + AIR_TURNAROUND_US;
		radio->ack_seq = mac.seq;
	}
	if (radio->ops && radio->ops->received) {
		radio->ops->received(radio->ctx, air->now_us, frame, sent->n,
				     air->radio[from].level_dbm[number]);
	}
}

static void end(struct air *air, int number)
{
	struct radio *radio = &air->radio[number];
	struct transmission sent = radio->on_air;

	settle(air);
	radio->on_air.on = false;
	if (air->seen && sent.n > 0) {
		air->seen(air->seen_ctx, sent.start_us, number, sent.frame, sent.n);
	}
	if (radio->phase == PHASE_SEND && !sent.is_ack) {
		if (radio->wants_ack) {
			radio->phase = PHASE_ACK_WAIT;
			radio->due_us = air->now_us + AIR_ACK_WAIT_US;
		} else {
			finish(air, radio, AIR_SENT);
		}
	}
	for (int i = 0; i < air->radios; i++) {
		if (air->radio[i].reception.from == number) {
			deliver(air, i, &sent, number);
		}
	}
}

void air_configure(struct air *air, int number, const struct air_radio_config *config)
{
	struct radio *radio = &air->radio[number];

	settle(air);
	if (config->off || config->channel != radio->config.channel) {
		radio->reception.from = -1;
		radio->ack_due_us = AIR_NEVER;
	}
	radio->config = *config;
}

void air_alarm(struct air *air, int number, int alarm, uint64_t due_us)
{
	air->radio[number].alarm_us[alarm] = due_us > air->now_us ? due_us : air->now_us;
}

static void ring(struct air *air, int number)
{
	struct radio *radio = &air->radio[number];

	for (int i = 0; i < AIR_ALARMS; i++) {
		if (radio->alarm_us[i] == air->now_us) {
			radio->alarm_us[i] = AIR_NEVER;
			radio->ops->alarm(radio->ctx, air->now_us, i);
		}
	}
}

/* The radio's next event; the end of what is on air comes before all others. */
static uint64_t next_of(const struct radio *radio)
{
	uint64_t next = radio->due_us < radio->ack_due_us ? radio->due_us : radio->ack_due_us;

	for (int i = 0; i < AIR_ALARMS; i++) {
		next = radio->alarm_us[i] < next ? radio->alarm_us[i] : next;
	}
	return radio->on_air.on && radio->on_air.end_us < next ? radio->on_air.end_us : next;
}

uint64_t air_next(const struct air *air)
{
	uint64_t next = AIR_NEVER;

	for (int i = 0; i < air->radios; i++) {
		uint64_t due = next_of(&air->radio[i]);

		next = due < next ? due : next;
	}
	return next;
}

void air_run(struct air *air, uint64_t until_us)
{
	uint64_t next;

	while ((next = air_next(air)) <= until_us) {
		air->now_us = next;
		for (int i = 0; i < air->radios; i++) {
			if (air->radio[i].on_air.on && air->radio[i].on_air.end_us == next) {
				end(air, i);
			}
		}
		for (int i = 0; i < air->radios; i++) {
			if (air->radio[i].ack_due_us == next) {
				send_ack(air, i);
			}
			if (air->radio[i].due_us == next) {
				advance(air, i);
			}
			ring(air, i);
		}
	}
	air->now_us = until_us;
}
