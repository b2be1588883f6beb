/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The doorbell to Linux and back: two FIFOs of four words of a mailbox.
 * SPRUHZ6 19.4, SPRUIV7 11.2; offsets as in Linux's drivers/mailbox/omap-mailbox.c.
 */
#ifndef QS1_HAL_MAILBOX_H
#define QS1_HAL_MAILBOX_H

#include <stdbool.h>

#include "io.h"

#define QS1_MAILBOX_MESSAGE(fifo) (0x040 + 4 * (fifo))
#define QS1_MAILBOX_FIFOSTATUS(fifo) (0x080 + 4 * (fifo))
#define QS1_MAILBOX_MSGSTATUS(fifo) (0x0c0 + 4 * (fifo))
#define QS1_MAILBOX_DEPTH 4

/**
 * struct qs1_fifo - one direction of a mailbox
 * @base: the mailbox
 * @number: of the FIFO in it
 */
struct qs1_fifo {
	uint32_t base;
	uint32_t number;
};

/*
 * Puts a word in. Return: false when the FIFO is full. Linux then reads the words
 * in it later, and with them everything there is.
 */
static inline bool qs1_mailbox_put(const struct qs1_fifo *fifo, uint32_t word)
{
	if (qs1_io_read32(fifo->base + QS1_MAILBOX_FIFOSTATUS(fifo->number)) & 1)
		return false;
	qs1_io_write32(fifo->base + QS1_MAILBOX_MESSAGE(fifo->number), word);
	return true;
}

/*
 * Reads the words of Linux's doorbell, so that it can ring again. Their values mean
 * nothing: each period polls the command's number in shared memory.
 */
static inline void qs1_mailbox_drain(const struct qs1_fifo *fifo)
{
	for (int i = 0; i < QS1_MAILBOX_DEPTH; i++) {
		if (!qs1_io_read32(fifo->base + QS1_MAILBOX_MSGSTATUS(fifo->number)))
			return;
		(void)qs1_io_read32(fifo->base + QS1_MAILBOX_MESSAGE(fifo->number));
	}
}

#endif /* QS1_HAL_MAILBOX_H */
