// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "adc.h"

#include <stddef.h>

#define IRQSTATUS 0x118
#define MODULCTRL 0x128
#define CHCONF(chip) (0x12c + 0x14 * (chip))
#define CHSTAT(chip) (0x130 + 0x14 * (chip))
#define CHCTRL(chip) (0x134 + 0x14 * (chip))
#define TX(chip) (0x138 + 0x14 * (chip))
#define RX(chip) (0x13c + 0x14 * (chip))

#define IRQSTATUS_RX_OVERFLOW 0x8u /* of channel 0, which alone has it */
#define IRQSTATUS_ALL 0x3777fu
#define MODULCTRL_MASTER 0x1u /* one channel at a time, chip select by hand */
#define CHSTAT_RX_FULL 0x1u
#define CHCTRL_ENABLE 0x1u

#define CHCONF_POL (1u << 1)	 /* SCLK idles high */
#define CHCONF_CLOCK_3 (2u << 2) /* with CLKG: divided by 2 + 1 */
#define CHCONF_EPOL (1u << 6)	 /* chip select is low when active */
#define CHCONF_32_BITS (31u << 7)
#define CHCONF_NO_D0 (1u << 16) /* D0 receives, D1 sends */
#define CHCONF_FORCE (1u << 20) /* chip select active */
#define CHCONF_CLKG (1u << 29)	/* divide in steps of one clock */
#define CHCONF_CHIP                                                                                \
	(CHCONF_POL | CHCONF_CLOCK_3 | CHCONF_EPOL | CHCONF_32_BITS | CHCONF_NO_D0 | CHCONF_CLKG)

/*
 * Reads of a register before it is given up, each at least 50 ns over the
 * interconnect. BUSY rises within 45 ns of CONVST and falls within 4.15 us; a
 * word takes 32 bits of 62.5 ns. Twice that and more is allowed.
 */
#define POLLS_RISE 16
#define POLLS_FALL 256
#define POLLS_WORD 128

void qs1_adc_init(const struct qs1_adc_map *map)
{
	qs1_line_set(&map->convst, false);
	qs1_io_write32(map->spi + MODULCTRL, MODULCTRL_MASTER);
	for (int chip = 0; chip < QS1_ADC_CHIPS; chip++) {
		qs1_line_set(&map->cs_n[chip], true);
		qs1_io_write32(map->spi + CHCTRL(chip), 0);
		qs1_io_write32(map->spi + CHCONF(chip), CHCONF_CHIP);
	}
	qs1_io_write32(map->spi + IRQSTATUS, IRQSTATUS_ALL);
}

static bool busy_becomes(const struct qs1_adc_map *map, bool level, int polls)
{
	while (polls--) {
		if (qs1_line_get(&map->busy) == level)
			return true;
	}
	return false;
}

uint32_t qs1_adc_convert(const struct qs1_adc_map *map)
{
	if (map->convst.mask) {
		qs1_line_set(&map->convst, true);
		if (!busy_becomes(map, true, POLLS_RISE)) {
			qs1_line_set(&map->convst, false);
			return QS1_ADC_NOT_BUSY;
		}
		qs1_line_set(&map->convst, false);
	}
	return busy_becomes(map, false, POLLS_FALL) ? 0 : QS1_ADC_TOO_LONG;
}

static uint32_t word(const struct qs1_adc_map *map, int chip, uint32_t out, int16_t *adc)
{
	uint32_t in;

	qs1_io_write32(map->spi + TX(chip), out);
	for (int polls = POLLS_WORD; polls; polls--) {
		if (!(qs1_io_read32(map->spi + CHSTAT(chip)) & CHSTAT_RX_FULL))
			continue;
		in = qs1_io_read32(map->spi + RX(chip));
		adc[0] = (int16_t)(in >> 16);
		adc[1] = (int16_t)in;
		return 0;
	}
	return QS1_ADC_NO_WORD;
}

static uint32_t overflow(const struct qs1_adc_map *map)
{
	if (!(qs1_io_read32(map->spi + IRQSTATUS) & IRQSTATUS_RX_OVERFLOW))
		return 0;
	qs1_io_write32(map->spi + IRQSTATUS, IRQSTATUS_RX_OVERFLOW);
	return QS1_ADC_OVERFLOW;
}

uint32_t qs1_adc_exchange(const struct qs1_adc_map *map, int chip, const uint32_t *out,
			  int16_t *adc)
{
	uint32_t fault = 0;

	qs1_io_write32(map->spi + CHCONF(chip), CHCONF_CHIP | CHCONF_FORCE);
	qs1_line_set(&map->cs_n[chip], false);
	qs1_io_write32(map->spi + CHCTRL(chip), CHCTRL_ENABLE);
	for (int i = 0; i < QS1_ADC_CHIP_WORDS && !fault; i++)
		fault = word(map, chip, out ? out[i] : 0, adc + 2 * i);
	qs1_io_write32(map->spi + CHCTRL(chip), 0);
	qs1_line_set(&map->cs_n[chip], true);
	qs1_io_write32(map->spi + CHCONF(chip), CHCONF_CHIP);
	return fault | overflow(map);
}
