/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Two AD7606 converters (Analog Devices; ADS8588S of Texas Instruments has the
 * same pins and timing) on one McSPI: eight channels each, 16 bits, sampled at
 * one instant by a common CONVST.
 *
 *	CONVST  _/~\________________________________   >= 25 ns high
 *	BUSY    ___/~~~~~~~\________________________   conversion, 4.15 us at most
 *	CS 1    ~~~~~~~~~~~~~\_________/~~~~~~~~~~~~   8 words of DOUTA, 8 us
 *	CS 2    ~~~~~~~~~~~~~~~~~~~~~~~~\_________/~   8 words of DOUTA, 8 us
 *
 * SCLK is 16 MHz, a third of McSPI's 48 MHz; the part allows 17 MHz with an
 * interface supply of 3.3 V, and shifts out channels 1 to 8 on DOUTA when it is
 * read on. Both are read in 21 us of the 50 us period, converters of 200 kS/s
 * are used at 20 kS/s, and results stay until the next CONVST.
 *
 * SCLK idles high and bits are taken at its falling edge (data sheet, serial
 * interface). McSPI: SPRUH73 24.4, SPRUHZ6 24.4, SPRUIV7 12.1.4; offsets and
 * bits as in Linux's drivers/spi/spi-omap2-mcspi.c.
 */
#ifndef QS1_HAL_ADC_H
#define QS1_HAL_ADC_H

#include <stdbool.h>
#include <stdint.h>

#include <qs1/abi.h>

#include "line.h"

#define QS1_ADC_CHIPS 2
#define QS1_ADC_CHIP_CHANNELS 8

/* McSPI moves 32 bits at a time: two channels. */
#define QS1_ADC_CHIP_WORDS (QS1_ADC_CHIP_CHANNELS / 2)

/* What went wrong, as bits. */
#define QS1_ADC_NOT_BUSY 0x1u /* CONVST started nothing: no converter, no supply */
#define QS1_ADC_TOO_LONG 0x2u /* the conversion did not end */
#define QS1_ADC_NO_WORD 0x4u  /* McSPI did not receive */
#define QS1_ADC_OVERFLOW 0x8u /* McSPI received more than was taken */

/**
 * struct qs1_adc_map - where the converters are
 * @spi: McSPI, chip n at its chip select n
 * @convst: starts a conversion; none where the gate logic does
 * @busy: high during a conversion
 * @cs_n: chip selects that are GPIO lines; none where McSPI has them
 */
struct qs1_adc_map {
	uint32_t spi;
	struct qs1_line convst;
	struct qs1_line busy;
	struct qs1_line cs_n[QS1_ADC_CHIPS];
};

/* McSPI as master of both chips; chips need no set-up. */
void qs1_adc_init(const struct qs1_adc_map *map);

/**
 * qs1_adc_convert() - wait for the conversion of this period
 * @map: the converters
 *
 * Starts it, where the firmware does. Otherwise the caller has seen it begin.
 *
 * Return: QS1_ADC_* bits, 0 when results can be read.
 */
uint32_t qs1_adc_convert(const struct qs1_adc_map *map);

/**
 * qs1_adc_exchange() - the results of one chip, and words to the gate logic
 * @map: the converters
 * @chip: below QS1_ADC_CHIPS
 * @out: QS1_ADC_CHIP_WORDS words to send meanwhile, or NULL for zeros
 * @adc: where its eight channels go
 *
 * Return: QS1_ADC_* bits, 0 when all channels are good.
 */
uint32_t qs1_adc_exchange(const struct qs1_adc_map *map, int chip, const uint32_t *out,
			  int16_t *adc);

#endif /* QS1_HAL_ADC_H */
