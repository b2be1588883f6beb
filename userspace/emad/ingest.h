/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ingest: the ECUs' port. Requests wait in a queue; one thread takes many of them into one
 * transaction and answers after the commit, so that an answer is a promise and its price is shared.
 */
#ifndef EMAD_INGEST_H
#define EMAD_INGEST_H

#include "bus.h"
#include "config.h"
#include "store.h"
#include "tls.h"

/*
 * Requests of two kinds wait in two queues. A request with more than INGEST_LIVE_BATCHES batches is
 * the backlog of an outage. It waits until all others are served, and the
 * queue of backlogs is smaller, so that live reports are not late while a thousand ECUs deliver a
 * day. When the queue is full, the answer is 503 with Retry-After.
 */
#define INGEST_LIVE_BATCHES 2
#define INGEST_LIVE_MAX 1024
#define INGEST_BACKLOG_MAX 128
/* Requests in one transaction, and batches after which it takes no more backlogs. */
#define INGEST_GROUP_MAX 256
#define INGEST_GROUP_BATCHES 512
/* Batches in one request. */
#define INGEST_BATCHES_MAX 64
/* ECUs that are asked to come back do so after this long to three times as long, s. */
#define INGEST_RETRY_S 20
/* An order is sent again when no result has come, ms. */
#define INGEST_ORDER_REPEAT_MS 15000

struct ingest;

/**
 * ingest_start() - listen, and start the committing thread
 * @bus: where batches go; NULL for the log itself
 * @stored: called after each commit with new batches, from the committing thread
 *
 * Return: 0 or a negative errno with @err.
 */
int ingest_start(struct ingest **ret_ingest, const struct config *config, struct store *store,
		 struct bus *bus, const struct tls_pair *tls, void (*stored)(void *ctx), void *ctx,
		 char *err, size_t size);

void ingest_stop(struct ingest *ingest);

/* An order is new: answers ECUs that wait for one. From any thread. */
void ingest_wake(struct ingest *ingest);

/* The server, for another certificate. */
struct http_server *ingest_server(const struct ingest *ingest);

/* Port on which it listens; 0 on a Unix socket. */
uint16_t ingest_port(const struct ingest *ingest);

/**
 * ingest_code() - make a one-time code for an ECU
 * @ret_code: AUTH_CODE_SIZE bytes: XXXXX-XXXXX, 50 bits
 * @ret_hash: what is stored of it, INGEST_CODE_HASH_BYTES bytes
 */
#define INGEST_CODE_HASH_BYTES 32
#define INGEST_CODE_DAYS 7
void ingest_code(char *ret_code, uint8_t *ret_hash);

/* Hash of a code as a person types it: in any case, with or without the hyphen. */
void ingest_code_hash(const char *code, uint8_t *ret_hash);

#endif /* EMAD_INGEST_H */
