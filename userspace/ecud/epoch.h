/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A new epoch of the uplink: the kept batches get new keys. */
#ifndef ECUD_EPOCH_H
#define ECUD_EPOCH_H

#include <stdint.h>

#include "store.h"

/**
 * epoch_begin() - begin a new epoch
 * @store: afterwards its outbox is on stable storage; no other thread may append meanwhile
 * @stored: highest sequence of the old epoch that the service has confirmed: batches up to it are
 * dropped
 * @old_epoch: that ends, to name a damaged batch
 * @ret_epoch: 63 bits, so that every database holds it
 * @ret_sequence: of the last batch that is kept; they count from 1
 *
 * The other batches keep their content and their clocks, and get new keys and hashes, in one
 * transaction together with the settings epoch and sequence. A batch that is damaged gets none: it
 * is set aside, see store_damage.h.
 *
 * Return: 0 or a negative errno; nothing has changed then.
 */
int epoch_begin(struct store *store, uint64_t stored, uint64_t old_epoch, uint64_t *ret_epoch,
		uint64_t *ret_sequence);

#endif /* ECUD_EPOCH_H */
