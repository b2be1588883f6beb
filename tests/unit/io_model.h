/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Models of the peripherals behind firmware/hal/ti/io.h: the effects of writes
 * and reads of a register. A register without a model keeps the last value
 * written.
 */
#ifndef QS1_TEST_IO_MODEL_H
#define QS1_TEST_IO_MODEL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "line.h"

#define MODEL_REGISTERS 512
#define MODEL_NEVER 1000000
#define GPIO_BANKS 4

struct fifo_model {
	uint32_t base;
	uint32_t number;
	uint32_t word[4];
	int used;
};

/**
 * struct io_model - one board's peripherals
 * @address, @value, @used: registers that hold what was written
 * @epwm: ePWMs, 0 for none: trip zones and the period's flag
 * @spi: McSPI with a converter at each of two chip selects
 * @period_reads: reads of the period's flag until it comes up, 0 for never
 * @convst, @busy: addresses of the register that sets and of the input, and the bits
 * @busy_rise, @busy_fall: reads of the busy line until it follows
 * @busy_reads: since the conversion's start
 * @self_start: the gate logic starts conversions, @busy_rise reads after the last
 * @converting: between CONVST and the end of BUSY
 * @adc: what the converters see
 * @taken: channel that is shifted out next, of each chip
 * @rx, @rx_full: receiver
 * @dead_words: words until McSPI no longer receives, 0 for always
 * @extra_word: a word arrives that nobody asked for
 * @sent_words: how many there were, eight at the most
 * @sent: what came out of D1, first word first
 * @fifo: of the mailboxes
 * @gpio: banks, by their registers that set and clear, and what they drive
 * @timer, @rti: watchdogs
 * @timer_pending: reads until the timer has taken a posted write
 * @stuck_clock: it never takes one
 * @rti_key: the last key
 * @dead: a register that no write reaches
 * @rti_keys: right pairs of keys
 * @timer_loads: triggers that differed from the last
 */
struct io_model {
	uint32_t address[MODEL_REGISTERS];
	uint32_t value[MODEL_REGISTERS];
	int used;
	uint32_t epwm[3];
	int period_reads;
	uint32_t spi;
	uint32_t convst, convst_mask;
	uint32_t busy, busy_mask;
	int busy_rise, busy_fall, busy_reads;
	bool self_start;
	bool converting;
	int16_t adc[16];
	int taken[2];
	uint32_t rx;
	bool rx_full;
	int dead_words;
	bool extra_word;
	uint32_t sent[8];
	int sent_words;
	struct fifo_model fifo[4];
	struct {
		uint32_t set;
		uint32_t clear;
		uint32_t level;
	} gpio[GPIO_BANKS];
	uint32_t timer;
	int timer_pending;
	int timer_loads;
	uint32_t rti;
	uint32_t rti_key;
	int rti_keys;
	bool stuck_clock;
	uint32_t dead;
};

static struct io_model io;

static uint32_t *reg(uint32_t address)
{
	for (int i = 0; i < io.used; i++) {
		if (io.address[i] == address)
			return &io.value[i];
	}
	assert_true(io.used < MODEL_REGISTERS);
	io.address[io.used] = address;
	io.value[io.used] = 0;
	return &io.value[io.used++];
}

static bool epwm_has(uint32_t address, uint32_t offset)
{
	for (size_t i = 0; i < sizeof(io.epwm) / sizeof(io.epwm[0]); i++) {
		if (io.epwm[i] && address == io.epwm[i] + offset)
			return true;
	}
	return false;
}

/* A converter holds its channels until it is read; the next CONVST starts another conversion. */
static void convert(void)
{
	io.converting = true;
	io.busy_reads = 0;
	io.taken[0] = io.taken[1] = 0;
}

static bool busy_level(void)
{
	io.busy_reads++;
	if (!io.converting && io.self_start && io.busy_reads > io.busy_rise) {
		convert();
		io.busy_reads = io.busy_rise + 1;
	}
	if (!io.converting)
		return false;
	if (io.busy_reads <= io.busy_rise)
		return false;
	if (io.busy_reads > io.busy_rise + io.busy_fall) {
		io.converting = false;
		io.busy_reads = 0;
		return false;
	}
	return true;
}

#define SPI_CONF(chip) (io.spi + 0x12c + 0x14 * (chip))
#define SPI_CTRL(chip) (io.spi + 0x134 + 0x14 * (chip))
#define SPI_TX(chip) (io.spi + 0x138 + 0x14 * (chip))
#define SPI_RX(chip) (io.spi + 0x13c + 0x14 * (chip))
#define SPI_STAT(chip) (io.spi + 0x130 + 0x14 * (chip))
#define SPI_IRQ (io.spi + 0x118)

static uint16_t next_channel(int chip)
{
	assert_true(io.taken[chip] < 8);
	return (uint16_t)io.adc[8 * chip + io.taken[chip]++];
}

/* One word of 32 bits: only with the channel enabled and its chip select forced. */
static void shift(int chip, uint32_t out)
{
	assert_true(*reg(SPI_CTRL(chip)) & 1);
	assert_true(*reg(SPI_CONF(chip)) & (1u << 20));
	assert_int_equal((*reg(SPI_CONF(chip)) >> 7) & 31, 31);
	if (io.dead_words && !--io.dead_words)
		io.dead_words = -1;
	if (io.dead_words < 0)
		return;
	if (io.rx_full || io.extra_word)
		*reg(SPI_IRQ) |= 0x8;
	io.rx = (uint32_t)next_channel(chip) << 16;
	io.rx |= next_channel(chip);
	io.rx_full = true;
	if (chip == 0 && io.sent_words < 8)
		io.sent[io.sent_words++] = out;
}

static struct fifo_model *fifo_at(uint32_t address, uint32_t offset)
{
	for (size_t i = 0; i < sizeof(io.fifo) / sizeof(io.fifo[0]); i++) {
		if (io.fifo[i].base && address == io.fifo[i].base + offset + 4 * io.fifo[i].number)
			return &io.fifo[i];
	}
	return NULL;
}

static uint32_t fifo_take(struct fifo_model *fifo)
{
	uint32_t word = fifo->word[0];

	assert_true(fifo->used > 0);
	memmove(fifo->word, fifo->word + 1, sizeof(fifo->word) - sizeof(fifo->word[0]));
	fifo->used--;
	return word;
}

static void fifo_put(struct fifo_model *fifo, uint32_t word)
{
	assert_true(fifo->used < 4);
	fifo->word[fifo->used++] = word;
}

uint32_t qs1_io_read32(uint32_t address)
{
	struct fifo_model *fifo;

	for (int chip = 0; io.spi && chip < 2; chip++) {
		if (address == SPI_STAT(chip))
			return io.rx_full;
		if (address == SPI_RX(chip)) {
			io.rx_full = false;
			return io.rx;
		}
	}
	if (io.busy && address == io.busy) {
		*reg(address) &= ~io.busy_mask;
		return *reg(address) | (busy_level() ? io.busy_mask : 0);
	}
	fifo = fifo_at(address, 0x040);
	if (fifo)
		return fifo_take(fifo);
	fifo = fifo_at(address, 0x080);
	if (fifo)
		return fifo->used == 4;
	fifo = fifo_at(address, 0x0c0);
	if (fifo)
		return (uint32_t)fifo->used;
	if (io.timer && address == io.timer + 0x48)
		return io.stuck_clock || (io.timer_pending && io.timer_pending--);
	return *reg(address);
}

uint16_t qs1_io_read16(uint32_t address)
{
	/* The period's flag comes up by itself, after a while. */
	if (epwm_has(address, 0x36) && io.period_reads && !--io.period_reads)
		*reg(address) |= 1;
	return (uint16_t)*reg(address);
}

static bool write_timer(uint32_t address, uint32_t value)
{
	if (!io.timer)
		return false;
	if (address == io.timer + 0x28) {
		*reg(address) &= ~value;
		return true;
	}
	if (address == io.timer + 0x44)
		io.timer_loads += value != *reg(address);
	else if (address == io.timer + 0x38 || address == io.timer + 0x3c ||
		 address == io.timer + 0x40)
		io.timer_pending = 2;
	return false;
}

static bool write_rti(uint32_t address, uint32_t value)
{
	if (!io.rti)
		return false;
	if (address == io.rti + 0x98) {
		*reg(address) &= ~value;
		return true;
	}
	if (address == io.rti + 0x9c) {
		io.rti_keys += io.rti_key == 0xe51a && value == 0xa35c;
		io.rti_key = value;
	}
	return false;
}

void qs1_io_write32(uint32_t address, uint32_t value)
{
	struct fifo_model *fifo = fifo_at(address, 0x040);

	if (fifo) {
		fifo_put(fifo, value);
		return;
	}
	if (write_timer(address, value) || write_rti(address, value))
		return;
	if (io.spi && address == SPI_IRQ) {
		*reg(address) &= ~value;
		return;
	}
	if (io.convst && address == io.convst && (value & io.convst_mask))
		convert();
	for (int i = 0; i < GPIO_BANKS; i++) {
		if (io.gpio[i].set && address == io.gpio[i].set)
			io.gpio[i].level |= value;
		else if (io.gpio[i].set && address == io.gpio[i].clear)
			io.gpio[i].level &= ~value;
	}
	if (!io.dead || address != io.dead)
		*reg(address) = value;
	for (int chip = 0; io.spi && chip < 2; chip++) {
		if (address == SPI_TX(chip))
			shift(chip, value);
	}
}

void qs1_io_write16(uint32_t address, uint16_t value)
{
	if (epwm_has(address, 0x30)) /* TZFRC */
		*reg(address - 0x04) |= value & 4;
	else if (epwm_has(address, 0x2e)) /* TZCLR */
		*reg(address - 0x02) &= (uint32_t)~value;
	else if (epwm_has(address, 0x38)) /* ETCLR */
		*reg(address - 0x02) &= (uint32_t)~value;
	else
		*reg(address) = value;
}

/* The level of a line that the firmware drives. */
static inline bool driven(const struct qs1_line *line)
{
	for (int i = 0; i < GPIO_BANKS; i++) {
		if (io.gpio[i].set == line->set)
			return io.gpio[i].level & line->mask;
	}
	fail_msg("no such bank");
	return false;
}

/* A bank of lines for a line of it; the level that it has at its input. */
static inline void add_bank(const struct qs1_line *line)
{
	int i = 0;

	while (io.gpio[i].set && io.gpio[i].set != line->set)
		i++;
	assert_true(i < GPIO_BANKS);
	io.gpio[i].set = line->set;
	io.gpio[i].clear = line->clear;
}

#endif /* QS1_TEST_IO_MODEL_H */
