/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Batches: what an ECU delivers to the EMA, in a sequence that has no gaps. (ECU, epoch, sequence)
 * names a batch; its hash shows that two copies are the same. A batch is sealed once and sent as
 * often as needed, always the same bytes.
 *
 * Integers of the head are little-endian:
 *
 *	0	"QSB1"
 *	4	length of the whole batch, 4 bytes
 *	8	identity of the ECU, 8 bytes
 *	16	epoch, 8 bytes: random, drawn for a new store and after a restore
 *	24	sequence, 8 bytes, from 1 within the epoch
 *	32	time of sealing by the ECU's wall clock, ms since 1970, 8 bytes
 *	40	the same instant by its monotonic clock, ms, 8 bytes
 *	48	boot, 4 bytes: random, drawn at each start; monotonic times of one boot compare
 *	52	local time minus UTC, minutes, 2 bytes, signed
 *	54	flags, 2 bytes, enum batch_flag
 *	56	content, compressed with zstd: reports, events, configuration, results of orders
 *	n - 32	BLAKE2b-256 of all before
 */
#ifndef QS1_SERVICE_BATCH_H
#define QS1_SERVICE_BATCH_H

#include <stddef.h>
#include <stdint.h>

#include "report.h"

#define BATCH_HEAD_BYTES 56
#define BATCH_HASH_BYTES 32
#define BATCH_BYTES_MAX 1048576
/* Of the content before compression. */
#define BATCH_RAW_MAX 8388608
#define BATCH_REPORTS_MAX 20000
#define BATCH_ROWS_MAX 4000
/* Name of an order, given by the EMA. */
#define BATCH_ORDER_SIZE 40

enum batch_flag {
	BATCH_CLOCK_SYNCHRONIZED = 1, /* the wall clock was set by NTP or by a person */
};

/**
 * struct batch_head - what can be known without decompression
 */
struct batch_head {
	uint64_t ecu;
	uint64_t epoch;
	uint64_t sequence;
	int64_t wall_ms;
	uint64_t monotonic_ms;
	uint32_t boot;
	int16_t zone_min;
	uint16_t flags;
	uint8_t hash[BATCH_HASH_BYTES];
};

/**
 * struct batch_event - something that happened
 * @time_ms: since 1970
 * @serial: of the inverter, 0 for the ECU
 * @name: what, as the model's table has it: "state", "fault", "fault-end", "clock-step"
 * @value: enum qs1_state, enum qs1_fault, ms; as the name wants
 * @text: for people
 */
struct batch_event {
	int64_t time_ms;
	uint64_t serial;
	char name[32];
	int64_t value;
	char text[128];
};

/* A setting that holds from now on; serial 0 for the site's. A value of "" removes it. */
struct batch_setting {
	uint64_t serial;
	char name[32];
	char value[256];
};

/* How far an order has come with one inverter (serial), or with the site (0). The state's name is
 * that of the table of order states, "confirmed". */
struct batch_result {
	char order[BATCH_ORDER_SIZE];
	uint64_t serial;
	int64_t time_ms;
	char state[16];
	char text[128];
};

/**
 * struct batch - a whole one
 * @reports: in the order of report_compare()
 */
struct batch {
	struct batch_head head;
	struct report *reports;
	size_t report_count;
	struct batch_event *events;
	size_t event_count;
	struct batch_setting *settings;
	size_t setting_count;
	struct batch_result *results;
	size_t result_count;
};

/**
 * batch_seal() - a batch as it is sent
 * @batch: @batch->head.hash is written
 * @ret_bytes: to be freed; untouched on failure
 *
 * Return: 0; -EINVAL when there are more rows than a batch may have, -EFBIG when it becomes too
 * long: split it; -ENOMEM.
 */
int batch_seal(struct batch *batch, uint8_t **ret_bytes, size_t *ret_n);

/**
 * batch_read_head() - check length and hash, and read the head
 * @bytes: begins with a batch; @n bytes may hold more
 * @ret_n: length of this batch
 * @err: on failure what was expected and found
 *
 * Return: 0, or -EBADMSG. @ret_head and @ret_n untouched on failure.
 */
int batch_read_head(const uint8_t *bytes, size_t n, struct batch_head *ret_head, size_t *ret_n,
		    char *err, size_t size);

/**
 * batch_open() - a whole batch
 * @ret_batch: for batch_clear(); untouched on failure
 *
 * Return: 0; -EBADMSG with @err; -ENOMEM.
 */
int batch_open(const uint8_t *bytes, size_t n, struct batch *ret_batch, char *err, size_t size);

/* Free what batch_open() allocated. */
void batch_clear(struct batch *batch);

#endif /* QS1_SERVICE_BATCH_H */
